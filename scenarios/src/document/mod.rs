//! Documents that programs write: sealed by a digest, written atomically, read with good errors.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest as _, Sha256};

use crate::machine::MachineProfile;
use crate::plan::Plan;
use crate::run::Run;

/// Largest document that is read.
pub const MAX_BYTES: u64 = 256 << 20;

/// A versioned document with a digest over the rest of itself.
pub trait Document: Serialize + DeserializeOwned {
    /// Value of its `format`.
    const FORMAT: &'static str;
    /// What it is called in messages.
    const NAME: &'static str;
    /// Its `format`.
    fn format(&self) -> &str;
    /// Its `digest`.
    fn digest(&self) -> &str;
    /// Its `digest`, to be replaced.
    fn digest_mut(&mut self) -> &mut String;
}

/// Implements [`Document`] for a type with the fields `format` and `digest`.
#[macro_export]
macro_rules! document {
    ($type:ty, $format:expr, $name:literal) => {
        impl $crate::document::Document for $type {
            const FORMAT: &'static str = $format;
            const NAME: &'static str = $name;

            fn format(&self) -> &str {
                &self.format
            }

            fn digest(&self) -> &str {
                &self.digest
            }

            fn digest_mut(&mut self) -> &mut String {
                &mut self.digest
            }
        }
    };
}

document!(Plan, crate::plan::FORMAT, "plan");
document!(MachineProfile, crate::machine::FORMAT, "machine profile");
document!(Run, crate::run::FORMAT, "run record");

/// Why a document cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    /// The file cannot be opened or read.
    #[error("cannot read the {name} `{}`: {source}", path.display())]
    Read {
        /// What it is called.
        name: &'static str,
        /// Its path.
        path: PathBuf,
        /// Cause.
        source: std::io::Error,
    },
    /// The file is larger than any real document.
    #[error("the {name} `{}` has more than {} MiB", path.display(), MAX_BYTES >> 20)]
    TooLarge {
        /// What it is called.
        name: &'static str,
        /// Its path.
        path: PathBuf,
    },
    /// The content is no such document.
    #[error("`{}` is no valid {name}: {source}", path.display())]
    Parse {
        /// What it is called.
        name: &'static str,
        /// Its path.
        path: PathBuf,
        /// Cause, with line and column.
        source: serde_json::Error,
    },
    /// It is another kind or version of document.
    #[error("`{}` has format `{found}`, expected `{expected}`", path.display())]
    Format {
        /// Its path.
        path: PathBuf,
        /// What it says.
        found: String,
        /// What is needed.
        expected: &'static str,
    },
    /// The content does not match its digest.
    #[error("the {name} `{}` was changed after it was written: its content does not match its digest", path.display())]
    Digest {
        /// What it is called.
        name: &'static str,
        /// Its path.
        path: PathBuf,
    },
    /// The file cannot be written; what was there before is untouched.
    #[error("cannot write `{}`: {source}", path.display())]
    Write {
        /// Its path.
        path: PathBuf,
        /// Cause.
        source: std::io::Error,
    },
}

/// SHA-256 as documents write it.
#[must_use]
pub fn sha256(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    Sha256::digest(bytes).iter().fold(String::from("sha256:"), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing to a string does not fail");
        text
    })
}

/// Digest of a value's canonical JSON.
///
/// # Panics
/// If the value has maps with keys that are no strings; no document has.
#[must_use]
pub fn digest_of(value: &impl Serialize) -> String {
    sha256(&serde_json::to_vec(value).expect("documents have string keys"))
}

/// Puts the digest of the rest of the document into it.
pub fn seal<D: Document>(document: &mut D) {
    document.digest_mut().clear();
    *document.digest_mut() = digest_of(document);
}

/// Reads a document and checks its format and digest.
///
/// # Errors
/// The file cannot be read, is no such document, or was changed after it was sealed.
pub fn read<D: Document>(path: &Path) -> Result<D, DocumentError> {
    let name = D::NAME;
    let fail = |source| DocumentError::Read { name, path: path.to_owned(), source };
    if std::fs::metadata(path).map_err(fail)?.len() > MAX_BYTES {
        return Err(DocumentError::TooLarge { name, path: path.to_owned() });
    }
    parse(&std::fs::read(path).map_err(fail)?, path)
}

/// Reads a document from its bytes; `path` is for messages.
///
/// # Errors
/// It is no such document, or was changed after it was sealed.
pub fn parse<D: Document>(bytes: &[u8], path: &Path) -> Result<D, DocumentError> {
    let name = D::NAME;
    let bad = |source| DocumentError::Parse { name, path: path.to_owned(), source };
    let value: serde_json::Value = serde_json::from_slice(bytes).map_err(bad)?;
    if let Some(found) = value.get("format").and_then(serde_json::Value::as_str)
        && found != D::FORMAT
    {
        return Err(DocumentError::Format { path: path.to_owned(), found: found.to_owned(), expected: D::FORMAT });
    }
    let mut document: D = serde_json::from_slice(bytes).map_err(bad)?;
    let stated = document.digest().to_owned();
    seal(&mut document);
    if document.digest() == stated { Ok(document) } else { Err(DocumentError::Digest { name, path: path.to_owned() }) }
}

/// The document as it is written: indented JSON with a newline at the end.
///
/// # Panics
/// As [`digest_of`].
#[must_use]
pub fn to_json(value: &impl Serialize) -> String {
    let mut text = serde_json::to_string_pretty(value).expect("documents have string keys");
    text.push('\n');
    text
}

/// Seals a document and writes it atomically: a reader sees the old file or the new one.
///
/// # Errors
/// The folder cannot be written to, or the disk is full.
pub fn write<D: Document>(document: &mut D, path: &Path) -> Result<(), DocumentError> {
    seal(document);
    write_bytes(to_json(document).as_bytes(), path)
}

/// Writes bytes atomically.
///
/// # Errors
/// The folder cannot be written to, or the disk is full.
pub fn write_bytes(bytes: &[u8], path: &Path) -> Result<(), DocumentError> {
    let fail = |source| DocumentError::Write { path: path.to_owned(), source };
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let mut file = tempfile::Builder::new().prefix(".causeway-").tempfile_in(folder).map_err(fail)?;
    file.write_all(bytes).map_err(fail)?;
    file.as_file().sync_all().map_err(fail)?;
    set_usual_permissions(file.as_file()).map_err(fail)?;
    file.persist(path).map_err(|error| fail(error.error))?;
    Ok(())
}

/// Temporary files are private to their owner; documents are readable as other files are.
#[cfg(unix)]
fn set_usual_permissions(file: &std::fs::File) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    file.set_permissions(std::fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn set_usual_permissions(_: &std::fs::File) -> std::io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile() -> MachineProfile {
        let text = r#"{"format": "causeway.machine/1", "digest": "", "name": "bench", "measured_at": "2026-01-01T00:00:00Z",
            "host": {"os": "Linux", "cpu": "a processor", "cores": 2, "memory_bytes": 17179869184},
            "device": {"kind": "cpu", "name": "a processor", "backend": "flex", "count": 1, "memory_bytes": 17179869184},
            "software": "causeway", "operations": [], "transports": [], "inputs": []}"#;
        serde_json::from_str(text).expect("it is a profile")
    }

    fn folder() -> tempfile::TempDir {
        tempfile::tempdir().expect("there is room for a folder")
    }

    /// Names in a folder, to see that nothing half-written stays behind.
    fn names(folder: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(folder).expect("it is a folder");
        entries.map(|entry| entry.expect("it is readable").file_name().to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn what_is_written_is_what_is_read_and_equal_input_gives_equal_bytes() {
        let folder = folder();
        let (first, second) = (folder.path().join("a.json"), folder.path().join("b.json"));
        let mut written = profile();
        write(&mut written, &first).expect("the folder is writable");
        write(&mut profile(), &second).expect("the folder is writable");
        assert_eq!(read::<MachineProfile>(&first).expect("it is a profile"), written);
        assert_eq!(std::fs::read(&first).expect("readable"), std::fs::read(&second).expect("readable"));
        assert_eq!(names(folder.path()).len(), 2);
    }

    #[test]
    fn documents_that_cannot_be_used_say_why() {
        let folder = folder();
        let path = folder.path().join("machine.json");
        write(&mut profile(), &path).expect("the folder is writable");
        let good = std::fs::read_to_string(&path).expect("it is readable");
        let check = |text: &str, expected: &str| {
            std::fs::write(&path, text).expect("the folder is writable");
            let error = read::<MachineProfile>(&path).expect_err(text).to_string();
            let shown = error.replace(&path.display().to_string(), "machine.json");
            assert!(shown.starts_with(expected), "{shown}");
        };
        check(&good.replace("bench", "other"), "the machine profile `machine.json` was changed after it was written");
        check(
            &good.replace("sha256:", "sha256:0"),
            "the machine profile `machine.json` was changed after it was written",
        );
        check(
            &good.replace("machine/1", "plan/1"),
            "`machine.json` has format `causeway.plan/1`, expected `causeway.machine/1`",
        );
        check(&good[..good.len() / 2], "`machine.json` is no valid machine profile: EOF while parsing");
        check(&good.replace("\"name\"", "\"nam\""), "`machine.json` is no valid machine profile: unknown field `nam`");
        check("", "`machine.json` is no valid machine profile: EOF while parsing");
        check("[]", "`machine.json` is no valid machine profile: invalid");
        std::fs::remove_file(&path).expect("it is there");
        let error = read::<MachineProfile>(&path).expect_err("it is gone").to_string();
        assert!(error.starts_with("cannot read the machine profile"), "{error}");
    }

    #[test]
    fn what_cannot_be_written_leaves_nothing_behind() {
        let folder = folder();
        let check = |path: &Path| {
            let error = write(&mut profile(), path).expect_err("it cannot be written").to_string();
            assert!(error.starts_with("cannot write"), "{error}");
        };
        check(&folder.path().join("missing/machine.json"));
        std::fs::write(folder.path().join("file"), "kept").expect("the folder is writable");
        check(&folder.path().join("file/machine.json"));
        // A folder where the document should be: the last step fails, after everything was written beside it.
        std::fs::create_dir(folder.path().join("taken")).expect("the folder is writable");
        check(&folder.path().join("taken"));
        let mut left = names(folder.path());
        left.sort();
        assert_eq!(left, ["file", "taken"]);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_is_told() {
        let error = write_bytes(b"anything", Path::new("/proc/causeway.json")).expect_err("nothing is written there");
        assert!(matches!(error, DocumentError::Write { .. }), "{error}");
        let error = std::fs::write("/dev/full", b"anything").expect_err("it is always full");
        let shown = DocumentError::Write { path: "plan.json".into(), source: error }.to_string();
        assert!(shown.starts_with("cannot write `plan.json`: No space left on device"), "{shown}");
    }

    #[test]
    fn digests_are_sha256() {
        let empty = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(sha256(b""), empty);
        assert_eq!(digest_of(&"a"), sha256(b"\"a\""));
    }
}
