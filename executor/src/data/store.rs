//! Files of a data set, wherever they lie: in a folder, in an object store or on a web server.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use opendal::blocking::Operator;
use opendal::{ErrorKind, Operator as AsyncOperator, services};
use tokio::runtime::Runtime;

/// Largest content that is read, uncompressed.
const MAX_BYTES: u64 = 8 << 30;

/// Beginnings of paths that lead to a folder elsewhere, with the names that OpenDAL gives to their services.
const SCHEMES: [(&str, &str); 6] = [
    ("s3://", "s3://"),
    ("oss://", "oss://"),
    ("azblob://", "azblob://"),
    ("gs://", "gcs://"),
    ("http://", "http://"),
    ("https://", "https://"),
];

/// Beginning of a path that leads to a folder of this machine, wherever the data folder is.
const FILE: &str = "file://";

/// What requests to stores run on.
static RUNTIME: LazyLock<Result<Runtime, std::io::Error>> = LazyLock::new(|| {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).thread_name("store").enable_all().build()
});

/// Why a store cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It cannot be opened.
    #[error("cannot open `{place}`: {reason}")]
    Open {
        /// Where it is.
        place: String,
        /// Cause.
        reason: String,
    },
    /// A file or folder cannot be read.
    #[error("cannot read `{path}`: {reason}")]
    Read {
        /// Its path.
        path: String,
        /// Cause.
        reason: String,
    },
    /// A file cannot be decompressed.
    #[error("cannot read `{path}`: {source}")]
    Compressed {
        /// Its path.
        path: String,
        /// Cause.
        source: std::io::Error,
    },
}

/// A folder with files.
#[derive(Debug, Clone)]
pub struct Store {
    operator: Operator,
    shown: String,
}

/// A file as it was read.
#[derive(Debug, Clone)]
pub struct Stored {
    /// Its path, as users know it.
    pub path: PathBuf,
    /// Its content, decompressed.
    pub bytes: Vec<u8>,
    /// SHA-256 of the file as it lies there.
    pub digest: String,
}

/// Whether a path leads elsewhere than below the data folder.
#[must_use]
pub fn is_address(path: &str) -> bool {
    path.starts_with(FILE) || SCHEMES.iter().any(|(scheme, _)| path.starts_with(scheme))
}

impl Store {
    /// A folder of this machine; none if it is not there.
    ///
    /// # Errors
    /// It cannot be opened.
    pub fn folder(path: &Path) -> Result<Option<Self>, StoreError> {
        let Ok(absolute) = std::path::absolute(path) else { return Ok(None) };
        // OpenDAL would make a folder that is not there.
        if !absolute.is_dir() {
            return Ok(None);
        }
        let shown = path.display().to_string();
        let builder = services::Fs::default().root(&absolute.to_string_lossy());
        let operator = AsyncOperator::new(builder).map_err(|error| no_store(&shown, &error))?;
        Ok(Some(Self { operator: blocking(operator, &shown)?, shown }))
    }

    /// A folder in an object store, on a web server or of this machine; none if it is not there, where that can be known
    /// without asking. Keys come from where the store's own tools take them: environment, configuration files or the
    /// machine's role.
    ///
    /// # Errors
    /// The address is of no store that this program was built for.
    pub fn at(address: &str) -> Result<Option<Self>, StoreError> {
        let shown = address.trim_end_matches('/').to_owned();
        if let Some(folder) = address.strip_prefix(FILE) {
            return Ok(Self::folder(Path::new(folder))?.map(|store| Self { shown, ..store }));
        }
        // A provider that was installed before is as good.
        #[cfg(feature = "object-stores")]
        let _ = rustls::crypto::ring::default_provider().install_default();
        let scheme = SCHEMES.iter().find(|(scheme, _)| address.starts_with(scheme));
        let uri = scheme.map_or_else(|| shown.clone(), |(own, name)| shown.replacen(own, name, 1));
        opendal::init_default_registry();
        opendal::install_default();
        let operator = AsyncOperator::from_uri(uri.as_str()).map_err(|error| no_store(&shown, &error))?;
        Ok(Some(Self { operator: blocking(operator, &shown)?, shown }))
    }

    /// The path of a file as users know it.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        Path::new(&self.shown).join(name)
    }

    /// Reads a file, or the same compressed by gzip; none if neither is there.
    ///
    /// # Errors
    /// It cannot be read or decompressed.
    pub fn read(&self, name: &str) -> Result<Option<Stored>, StoreError> {
        for name in [format!("{name}.gz"), name.to_owned()] {
            let path = self.path(&name);
            match self.operator.read(&name) {
                Ok(buffer) => return stored(path, buffer.to_vec()).map(Some),
                Err(error) if absent(error.kind()) => {}
                Err(error) => {
                    return Err(StoreError::Read { path: path.display().to_string(), reason: error.to_string() });
                }
            }
        }
        Ok(None)
    }

    /// Names of the files in a folder and its folders, in their order; none if it is not there.
    ///
    /// # Errors
    /// It cannot be read: web servers, for example, do not tell what they have.
    pub fn list(&self, folder: &str) -> Result<Vec<String>, StoreError> {
        let below = format!("{}/", folder.trim_end_matches('/'));
        let options = opendal::options::ListOptions { recursive: true, ..Default::default() };
        match self.operator.list_options(&below, options) {
            Ok(entries) => {
                let files = entries.into_iter().filter(|entry| entry.metadata().is_file());
                let mut names: Vec<String> = files.map(|entry| entry.path().to_owned()).collect();
                names.sort();
                Ok(names)
            }
            Err(error) if absent(error.kind()) => Ok(Vec::new()),
            Err(error) => {
                let path = self.path(folder).display().to_string();
                Err(StoreError::Read { path, reason: error.to_string() })
            }
        }
    }
}

const fn absent(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::NotFound | ErrorKind::NotADirectory | ErrorKind::IsADirectory)
}

fn no_store(place: &str, error: &opendal::Error) -> StoreError {
    StoreError::Open { place: place.to_owned(), reason: error.to_string() }
}

fn blocking(operator: AsyncOperator, place: &str) -> Result<Operator, StoreError> {
    let runtime =
        RUNTIME.as_ref().map_err(|error| StoreError::Open { place: place.to_owned(), reason: error.to_string() })?;
    let _entered = runtime.enter();
    Operator::new(operator).map_err(|error| no_store(place, &error))
}

/// The content of a file, decompressed where it is compressed.
pub(super) fn stored(path: PathBuf, bytes: Vec<u8>) -> Result<Stored, StoreError> {
    let digest = scenarios::document::sha256(&bytes);
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        return Ok(Stored { path, bytes, digest });
    }
    let mut content = Vec::new();
    let read = flate2::read::MultiGzDecoder::new(&bytes[..]).take(MAX_BYTES).read_to_end(&mut content);
    read.map_err(|source| StoreError::Compressed { path: path.display().to_string(), source })?;
    Ok(Stored { path, bytes: content, digest })
}
