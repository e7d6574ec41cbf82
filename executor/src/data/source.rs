//! Which files a data set is: given, cached, downloaded or drawn.

use std::path::{Path, PathBuf};

use etcetera::BaseStrategy as _;
use scenarios::document;
use scenarios::scenario::{self, FileFormat};

use super::codes::Codes;
use super::needs::Needs;
use super::reading::{ReadError, Reading};
use super::records::{Columns, Records};
use super::store::{self, Store, StoreError};
use super::{digits, download, format};

/// Path of the MNIST files in a data folder, the only data set that can be downloaded or drawn.
const MNIST: &str = "mnist";

/// Test records that are drawn.
const DRAWN_TEST_RECORDS: usize = 10_000;

/// Where to look for files.
#[derive(Debug, Clone, Default)]
pub struct Files {
    /// Folder that the user gave.
    pub data: Option<PathBuf>,
    /// Whether the MNIST files may be downloaded.
    pub download: bool,
    /// Whether digits may be drawn instead of the MNIST files.
    pub generate: bool,
}

/// A data set that is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// Name in the scenario.
    pub dataset: &'a str,
    /// How its files lie below the data folder, or elsewhere.
    pub files: &'a scenario::Files,
    /// What its records have to be.
    pub needs: &'a Needs,
    /// Training records that the plan reckons with.
    pub records: u64,
    /// Seed of drawn digits.
    pub seed: u64,
    /// What words and names were taken for when a network learned from such files.
    pub known: Option<&'a Codes>,
}

/// Records as they were found.
#[derive(Debug, Clone)]
pub struct Found {
    /// Records of the training files.
    pub train: Records,
    /// Records of the test files.
    pub test: Records,
    /// What words and names were taken for.
    pub codes: Codes,
    /// Broken records that were skipped.
    pub broken: u64,
    /// Which files these are, in words.
    pub source: String,
    /// SHA-256 over the files, or over the drawn images.
    pub digest: String,
}

/// Why there is no data.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// The files are nowhere.
    #[error("no files for the data set `{dataset}`: looked for {}", looked.join(", "))]
    Missing {
        /// Name in the scenario.
        dataset: String,
        /// Files that would have done.
        looked: Vec<String>,
    },
    /// The place of the files cannot be read.
    #[error("data set `{dataset}`: {source}")]
    Store {
        /// Name in the scenario.
        dataset: String,
        /// Cause.
        source: StoreError,
    },
    /// Prepared records cannot be kept or read.
    #[error("prepared records cannot be used: {reason}")]
    Kept {
        /// Cause.
        reason: String,
    },
    /// The files cannot be used.
    #[error("data set `{dataset}`: {source}")]
    Files {
        /// Name in the scenario.
        dataset: String,
        /// Cause.
        source: ReadError,
    },
}

/// Finds a data set: where its path leads, if that is a store; else in the given folder, in the cache, downloaded or drawn.
///
/// # Errors
/// It is nowhere, or its files are damaged, or do not fit the network.
pub fn find(wanted: Wanted<'_>, files: &Files) -> Result<Found, DataError> {
    let path = &wanted.files.path;
    let missing = |looked: Vec<String>| DataError::Missing { dataset: wanted.dataset.to_owned(), looked };
    if store::is_address(path) {
        let store = Store::at(path).map_err(|source| no_store(wanted, source))?;
        let found = store.and_then(|store| read_store(&store, wanted, &format!("files in {path}")));
        return found.unwrap_or_else(|| Err(missing(vec![shown(Path::new(path), wanted)])));
    }
    if let Some(folder) = &files.data {
        let folder = folder.join(path);
        let what = format!("files in {}", folder.display());
        return read_folder(&folder, wanted, &what).unwrap_or_else(|| Err(missing(vec![shown(&folder, wanted)])));
    }
    let cache = cache_folder(path);
    let cached = |what: &str| cache.as_deref().and_then(|folder| read_folder(folder, wanted, what));
    if let Some(found) = cached("cached files of an earlier download") {
        return found;
    }
    let (mut failed, is_mnist) = (String::new(), path == MNIST && wanted.files.format == FileFormat::Idx);
    if let (true, true, Some(folder)) = (files.download, is_mnist, cache.as_deref()) {
        match download::mnist(folder, download::MIRROR) {
            Ok(()) => {
                if let Some(found) = cached(&format!("files downloaded from {}", download::MIRROR)) {
                    return found;
                }
            }
            Err(error) => failed = format!(" (the download failed: {error})"),
        }
    }
    if files.generate && is_mnist {
        return Ok(drawn(wanted, &failed));
    }
    let mut looked: Vec<_> = cache.iter().map(|folder| shown(folder, wanted)).collect();
    looked.push(format!("a folder given with --data or CAUSEWAY_DATA{failed}"));
    Err(missing(looked))
}

/// The first file that is looked for in a folder.
fn first(wanted: Wanted<'_>) -> &str {
    wanted.files.train.first().map_or_else(|| format::usual(&wanted.files.format), String::as_str)
}

fn shown(folder: &Path, wanted: Wanted<'_>) -> String {
    let compressed = if wanted.files.format == FileFormat::Idx { "[.gz]" } else { "" };
    format!("`{}{compressed}`", folder.join(first(wanted)).display())
}

fn cache_folder(path: &str) -> Option<PathBuf> {
    let base = etcetera::choose_base_strategy().ok()?;
    Some(base.cache_dir().join("causeway/datasets").join(path))
}

fn no_store(wanted: Wanted<'_>, source: StoreError) -> DataError {
    DataError::Store { dataset: wanted.dataset.to_owned(), source }
}

/// Reads the files of a folder of this machine; none if they are not there.
fn read_folder(folder: &Path, wanted: Wanted<'_>, what: &str) -> Option<Result<Found, DataError>> {
    match Store::folder(folder) {
        Ok(store) => read_store(&store?, wanted, what),
        Err(source) => Some(Err(no_store(wanted, source))),
    }
}

/// Reads the files of a store; none if the first of them is not there.
fn read_store(store: &Store, wanted: Wanted<'_>, what: &str) -> Option<Result<Found, DataError>> {
    let mut reading = Reading::new(store, wanted.files, wanted.needs);
    let sides = match format::read(&mut reading, wanted.known) {
        Ok(sides) => sides,
        Err(ReadError::NoFile { path }) if Path::new(&path) == store.path(first(wanted)) => return None,
        Err(source) => return Some(Err(DataError::Files { dataset: wanted.dataset.to_owned(), source })),
    };
    let digests = &reading.digests;
    let published = digests.len() == download::MNIST.len()
        && digests.iter().zip(download::MNIST).all(|(found, (_, published))| found == published);
    Some(Ok(Found {
        train: sides.train,
        test: sides.test,
        codes: sides.codes,
        broken: reading.broken,
        source: if published { format!("MNIST, {what}") } else { what.to_owned() },
        digest: document::digest_of(digests),
    }))
}

fn drawn(wanted: Wanted<'_>, failed: &str) -> Found {
    let train = digits::draw(wanted.records as usize, wanted.seed);
    let test = digits::draw(DRAWN_TEST_RECORDS, !wanted.seed);
    let source = format!("digits drawn by Causeway's generator, not MNIST{failed}");
    let pixels = [&train, &test].map(|records| match &records.columns {
        Columns::Images(images) => &images.pixels[..],
        _ => &[],
    });
    let digest = document::sha256(&pixels.concat());
    Found { train, test, codes: Codes::default(), broken: 0, source, digest }
}

#[cfg(test)]
mod tests {
    use scenarios::model::TensorShape;

    use super::*;
    use crate::data::idx;

    const NEEDS: Needs =
        Needs::Numbers { shape: TensorShape::Image { channels: 1, height: 28, width: 28 }, outputs: 10 };

    fn found(path: &str, files: &Files) -> Result<Found, DataError> {
        let of = scenario::Files::new(FileFormat::Idx, path);
        find(Wanted { dataset: "digits", files: &of, needs: &NEEDS, records: 30, seed: 1, known: None }, files)
    }

    fn write_digits(folder: &Path, records: &Records) {
        std::fs::create_dir_all(folder).expect("a folder");
        for split in ["train", "t10k"] {
            let [images, labels] = idx::encode(records);
            std::fs::write(folder.join(format!("{split}-images-idx3-ubyte")), images).expect("it can be written");
            std::fs::write(folder.join(format!("{split}-labels-idx1-ubyte")), labels).expect("it can be written");
        }
    }

    #[test]
    fn files_of_the_given_folder_are_read() {
        let folder = tempfile::tempdir().expect("a folder");
        let records = digits::draw(20, 3);
        write_digits(&folder.path().join("mnist"), &records);
        let files = Files { data: Some(folder.path().to_owned()), generate: true, ..Files::default() };
        let found = found("mnist", &files).expect("all four are there");
        assert_eq!((found.train, found.test, found.broken), (records.clone(), records, 0));
        assert!(found.source.starts_with("files in "), "{}", found.source);
    }

    #[test]
    fn a_store_is_read_as_a_folder_is() {
        let folder = tempfile::tempdir().expect("a folder");
        let records = digits::draw(20, 3);
        write_digits(folder.path(), &records);
        let path = format!("file://{}", folder.path().display());
        let by_address = found(&path, &Files::default()).expect("all four are there");
        assert_eq!((by_address.train, by_address.source), (records, format!("files in {path}")));
        let error = found(&format!("{path}/nothing"), &Files::default()).expect_err("nothing is there").to_string();
        assert!(error.starts_with("no files for the data set `digits`: looked for `file://"), "{error}");
    }

    #[test]
    fn a_given_folder_without_files_is_an_error_even_if_digits_may_be_drawn() {
        let folder = tempfile::tempdir().expect("a folder");
        let files = Files { data: Some(folder.path().to_owned()), generate: true, ..Files::default() };
        let error = found("mnist", &files).expect_err("nothing is there").to_string();
        let expected = format!(
            "no files for the data set `digits`: looked for `{}/mnist/train-images-idx3-ubyte[.gz]`",
            folder.path().display()
        );
        assert_eq!(error, expected);
        assert!(!folder.path().join("mnist").exists(), "looking makes no folder");
    }

    #[test]
    fn only_the_mnist_files_are_replaced_by_drawn_digits() {
        let of = scenario::Files::new(FileFormat::Idx, "mnist");
        let wanted = Wanted { dataset: "digits", files: &of, needs: &NEEDS, records: 30, seed: 1, known: None };
        let drawn = drawn(wanted, "");
        assert_eq!((drawn.train.len(), drawn.test.len()), (30, DRAWN_TEST_RECORDS));
        let files = Files { generate: true, ..Files::default() };
        assert!(found("scans", &files).is_err());
    }
}
