//! Which files a data set is: given, cached, downloaded or drawn.

use std::path::{Path, PathBuf};

use etcetera::BaseStrategy as _;
use scenarios::document;

use super::idx::{self, IdxError};
use super::{Records, digits, download};

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
    /// Folder below the data folder.
    pub path: &'a str,
    /// Training records that the plan reckons with.
    pub records: u64,
    /// Seed of drawn digits.
    pub seed: u64,
}

/// Records as they were found.
#[derive(Debug, Clone)]
pub struct Found {
    /// Records of the training files.
    pub train: Records,
    /// Records of the test files.
    pub test: Records,
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
    /// A file is damaged.
    #[error("data set `{dataset}`: {source}")]
    Idx {
        /// Name in the scenario.
        dataset: String,
        /// Cause.
        source: IdxError,
    },
    /// A file cannot be read.
    #[error("data set `{dataset}`: cannot read `{}`: {source}", path.display())]
    Read {
        /// Name in the scenario.
        dataset: String,
        /// Its path.
        path: PathBuf,
        /// Cause.
        source: std::io::Error,
    },
}

/// Finds a data set: in the given folder, else in the cache, else downloaded, else drawn.
///
/// # Errors
/// It is nowhere, or its files are damaged.
pub fn find(wanted: Wanted<'_>, files: &Files) -> Result<Found, DataError> {
    let missing = |looked: Vec<String>| DataError::Missing { dataset: wanted.dataset.to_owned(), looked };
    if let Some(folder) = &files.data {
        let folder = folder.join(wanted.path);
        let what = format!("files in {}", folder.display());
        return read_folder(&folder, wanted, &what).unwrap_or_else(|| Err(missing(vec![shown(&folder)])));
    }
    let cache = cache_folder(wanted.path);
    let cached = |what: &str| cache.as_deref().and_then(|folder| read_folder(folder, wanted, what));
    if let Some(found) = cached("cached files of an earlier download") {
        return found;
    }
    let mut failed = String::new();
    if let (true, MNIST, Some(folder)) = (files.download, wanted.path, cache.as_deref()) {
        match download::mnist(folder, download::MIRROR) {
            Ok(()) => {
                if let Some(found) = cached(&format!("files downloaded from {}", download::MIRROR)) {
                    return found;
                }
            }
            Err(error) => failed = format!(" (the download failed: {error})"),
        }
    }
    if files.generate && wanted.path == MNIST {
        return Ok(drawn(wanted, &failed));
    }
    let mut looked: Vec<_> = cache.iter().map(|folder| shown(folder)).collect();
    looked.push(format!("a folder given with --data or CAUSEWAY_DATA{failed}"));
    Err(missing(looked))
}

fn shown(folder: &Path) -> String {
    format!("`{}`", folder.join("train-images-idx3-ubyte[.gz]").display())
}

fn cache_folder(path: &str) -> Option<PathBuf> {
    let base = etcetera::choose_base_strategy().ok()?;
    Some(base.cache_dir().join("causeway/datasets").join(path))
}

/// Reads the four files of a folder; none if the first is not there.
fn read_folder(folder: &Path, wanted: Wanted<'_>, what: &str) -> Option<Result<Found, DataError>> {
    file(folder, "train-images-idx3-ubyte")?;
    Some(read_files(folder, wanted, what))
}

fn file(folder: &Path, name: &str) -> Option<PathBuf> {
    [folder.join(format!("{name}.gz")), folder.join(name)].into_iter().find(|path| path.exists())
}

fn read_files(folder: &Path, wanted: Wanted<'_>, what: &str) -> Result<Found, DataError> {
    let dataset = || wanted.dataset.to_owned();
    let names =
        ["train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"];
    let paths = names.map(|name| file(folder, name).unwrap_or_else(|| folder.join(name)));
    let pair = |images: &Path, labels: &Path| {
        idx::read(images, labels).map_err(|source| DataError::Idx { dataset: dataset(), source })
    };
    let (train, test) = (pair(&paths[0], &paths[1])?, pair(&paths[2], &paths[3])?);
    let digests = paths.each_ref().map(|path| {
        let bytes = std::fs::read(path);
        let bytes = bytes.map_err(|source| DataError::Read { dataset: dataset(), path: path.clone(), source })?;
        Ok(document::sha256(&bytes))
    });
    let digests = digests.into_iter().collect::<Result<Vec<_>, DataError>>()?;
    let published = digests.iter().zip(download::MNIST).all(|(found, (_, published))| found == published);
    let source = if published { format!("MNIST, {what}") } else { what.to_owned() };
    Ok(Found { train, test, source, digest: document::digest_of(&digests) })
}

fn drawn(wanted: Wanted<'_>, failed: &str) -> Found {
    let train = digits::draw(wanted.records as usize, wanted.seed);
    let test = digits::draw(DRAWN_TEST_RECORDS, !wanted.seed);
    let source = format!("digits drawn by Causeway's generator, not MNIST{failed}");
    let digest = document::sha256(&[&train.pixels[..], &test.pixels].concat());
    Found { train, test, source, digest }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WANTED: Wanted<'static> = Wanted { dataset: "digits", path: "mnist", records: 30, seed: 1 };

    fn write(folder: &Path, name: &str, bytes: &[u8]) {
        std::fs::create_dir_all(folder).expect("a folder");
        std::fs::write(folder.join(name), bytes).expect("it can be written");
    }

    #[test]
    fn files_of_the_given_folder_are_read() {
        let folder = tempfile::tempdir().expect("a folder");
        let records = digits::draw(20, 3);
        for split in ["train", "t10k"] {
            let mnist = folder.path().join("mnist");
            write(&mnist, &format!("{split}-images-idx3-ubyte"), &idx::encode_images(&records));
            write(&mnist, &format!("{split}-labels-idx1-ubyte"), &idx::encode_labels(&records));
        }
        let files = Files { data: Some(folder.path().to_owned()), generate: true, ..Files::default() };
        let found = find(WANTED, &files).expect("all four are there");
        assert_eq!((found.train, found.test), (records.clone(), records));
        assert!(found.source.starts_with("files in "), "{}", found.source);
    }

    #[test]
    fn a_given_folder_without_files_is_an_error_even_if_digits_may_be_drawn() {
        let folder = tempfile::tempdir().expect("a folder");
        let files = Files { data: Some(folder.path().to_owned()), generate: true, ..Files::default() };
        let error = find(WANTED, &files).expect_err("nothing is there").to_string();
        assert!(error.starts_with("no files for the data set `digits`: looked for `"), "{error}");
    }

    #[test]
    fn only_the_mnist_files_are_replaced_by_drawn_digits() {
        let found = drawn(WANTED, "");
        assert_eq!((found.train.len(), found.test.len()), (30, DRAWN_TEST_RECORDS));
        let files = Files { generate: true, ..Files::default() };
        assert!(find(Wanted { path: "scans", ..WANTED }, &files).is_err());
    }
}
