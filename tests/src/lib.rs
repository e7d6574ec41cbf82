//! What the end-to-end tests share: the binaries, a machine profile, and places for files.

mod families;
mod samples;
mod scale;

pub use families::{Family, families};
pub use samples::Sample;
pub use scale::Scale;

use std::path::{Path, PathBuf};
use std::process::Command;

/// The root of the repository.
#[must_use]
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."))
}

/// One of the project's binaries, as `cargo test --workspace --release` builds them beside this program.
///
/// # Panics
/// If it was not built.
#[must_use]
pub fn binary(name: &str) -> Command {
    let own = std::env::current_exe().expect("a program knows its path");
    let file = format!("{name}{}", std::env::consts::EXE_SUFFIX);
    // Programs lie in target/PROFILE, tests in target/PROFILE/deps.
    let path = own.ancestors().skip(1).take(2).map(|folder| folder.join(&file)).find(|path| path.exists());
    let path = path.unwrap_or_else(|| panic!("`{name}` is missing: `cargo build --workspace --release` builds it"));
    let mut command = Command::new(path);
    command.current_dir(root()).env_remove("CAUSEWAY_DATA").env("NO_COLOR", "1");
    command
}

/// The folder with a machine profile that was measured once, so that plans repeat.
#[must_use]
pub fn fixtures() -> PathBuf {
    root().join("tests/fixtures")
}

/// How a program ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// Exit code; none if a signal ended it.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

/// Runs a program of the project to its end.
///
/// # Panics
/// If it cannot be started.
#[must_use]
pub fn run(name: &str, arguments: &[&str]) -> Ended {
    let output = binary(name).args(arguments).output().expect("it was built");
    Ended {
        code: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// Runs a program that must succeed.
///
/// # Panics
/// If it does not; what it printed is shown.
#[allow(clippy::must_use_candidate, reason = "that it succeeded is often all one wants to know")]
pub fn succeed(name: &str, arguments: &[&str]) -> Ended {
    let ended = run(name, arguments);
    assert_eq!(ended.code, Some(0), "{name} {arguments:?}\n{}\n{}", ended.stdout, ended.stderr);
    ended
}

/// A path as text.
///
/// # Panics
/// If it is no Unicode.
#[must_use]
pub fn text(path: &Path) -> &str {
    path.to_str().expect("paths of the tests are Unicode")
}

/// A scenario of the library, planned with the fixture's machine profile, as a plan in `folder`.
#[must_use]
pub fn plan(scenario: &Path, folder: &Path) -> PathBuf {
    let plan = folder.join("plan.json");
    let profiles = fixtures();
    succeed("planner", &["--profiles", text(&profiles), "solve", text(scenario), "-o", text(&plan)]);
    plan
}
