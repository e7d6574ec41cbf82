//! Folders with files for the tests of formats.

use std::path::{Path, PathBuf};

use scenarios::scenario::Files;

use super::{Codes, Sides};
use crate::data::needs::Needs;
use crate::data::reading::{ReadError, Reading};
use crate::data::store::Store;

/// A folder with files.
pub(super) struct Folder {
    path: PathBuf,
    _kept: Option<tempfile::TempDir>,
}

/// A folder of the shared data sets; where there is none, that is said.
pub(super) fn shared(name: &str) -> Option<Folder> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/datasets").join(name);
    if path.exists() {
        return Some(Folder { path, _kept: None });
    }
    {
        eprintln!("skipped: the data set is not at ../shared/data/datasets/{name}");
    }
    None
}

impl Folder {
    /// An empty folder.
    pub fn new() -> Self {
        let kept = tempfile::tempdir().expect("a temporary folder");
        Self { path: kept.path().to_owned(), _kept: Some(kept) }
    }

    /// Writes a file and the folders that it is in.
    pub fn write(&self, name: &str, bytes: &[u8]) {
        let path = self.path.join(name);
        std::fs::create_dir_all(path.parent().expect("it is in the folder")).expect("a folder");
        std::fs::write(path, bytes).expect("it can be written");
    }

    /// Reads the files.
    pub fn read(&self, files: &Files, needs: &Needs) -> Result<Sides, ReadError> {
        self.read_again(files, needs, None).map(|(sides, _)| sides)
    }

    /// Reads the files with known codes; also how many records were broken.
    pub fn read_again(&self, files: &Files, needs: &Needs, known: Option<&Codes>) -> Result<(Sides, u64), ReadError> {
        let store = Store::folder(&self.path).expect("it can be opened").expect("it is there");
        let mut reading = Reading::new(&store, files, needs);
        super::read(&mut reading, known).map(|sides| (sides, reading.broken))
    }

    /// Reading the files ends with this message; the folder's own path is left out of it.
    pub fn check_error(&self, files: &Files, needs: &Needs, expected: &str) {
        let error = self.read(files, needs).expect_err(expected).to_string();
        assert_eq!(error.replace(&format!("{}/", self.path.display()), ""), expected);
    }
}
