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

macro_rules! document {
    ($type:ty, $format:path, $name:literal) => {
        impl Document for $type {
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
