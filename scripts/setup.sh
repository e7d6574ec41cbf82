# Installs what a fresh machine lacks. Sourced by ./demo and ./check; prints what it cannot install and stops.

# Names of Debian packages that are needed but absent: what builds HiGHS and its bindings, what finds
# GPUs, and, for the checks, the software Vulkan driver that the GPU path is tested on.
missing_packages() {
  local package
  for package in "$@"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || echo "$package"
  done
}

install_packages() {
  local wanted=("$@") missing root=()
  if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
    if command -v cmake >/dev/null && command -v c++ >/dev/null; then return; fi
    printf 'Install these (Debian names), then run this again:\n  %s\n' "${wanted[*]}" >&2
    exit 1
  fi
  mapfile -t missing < <(missing_packages "${wanted[@]}")
  [ "${#missing[@]}" -eq 0 ] && return
  if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null; then
      printf 'As root, run this, then run this script again:\n  apt-get install -y %s\n' "${missing[*]}" >&2
      exit 1
    fi
    root=(sudo)
  fi
  echo "installing ${missing[*]}" >&2
  "${root[@]}" apt-get update -qq
  "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

need_rust() {
  [ -f "${CARGO_HOME:-$HOME/.cargo}/env" ] && . "${CARGO_HOME:-$HOME/.cargo}/env"
  if ! command -v cargo >/dev/null; then
    echo 'Install Rust 1.95 or newer (https://rustup.rs), then run this again.' >&2
    exit 1
  fi
}

# Mesa's Vulkan layer complains where this is not set.
export XDG_RUNTIME_DIR="${XDG_RUNTIME_DIR:-/tmp}"

# One target folder and one profile for everything, so that burn is compiled once.
choose_target_folder() {
  if [ -z "${CARGO_TARGET_DIR:-}" ] && [ "${CI:-}" = true ]; then
    CARGO_TARGET_DIR="${XDG_CACHE_HOME:-$HOME/.cache}/causeway/target"
  fi
  export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$PWD/target}"
}
