//! The four MNIST files from their public mirror, only when the user asks for it.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use scenarios::document::{self, DocumentError};

/// Where the files are fetched from.
pub const MIRROR: &str = "https://storage.googleapis.com/cvdf-datasets/mnist";

/// Largest file that is accepted.
const MAX_BYTES: u64 = 32 << 20;

/// Names of the MNIST files with the SHA-256 of the published ones.
pub const MNIST: [(&str, &str); 4] = [
    ("train-images-idx3-ubyte.gz", "sha256:440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"),
    ("train-labels-idx1-ubyte.gz", "sha256:3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"),
    ("t10k-images-idx3-ubyte.gz", "sha256:8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"),
    ("t10k-labels-idx1-ubyte.gz", "sha256:f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"),
];

/// Why the files could not be fetched.
#[derive(Debug, thiserror::Error)]
pub enum DownloadError {
    /// The mirror did not answer with the file.
    #[error("cannot fetch {url}: {source}")]
    Fetch {
        /// Address.
        url: String,
        /// Cause.
        source: Box<ureq::Error>,
    },
    /// The file is another one.
    #[error("{url} is not the published file: its SHA-256 differs")]
    Digest {
        /// Address.
        url: String,
    },
    /// The cache cannot be written to.
    #[error(transparent)]
    Write(#[from] DocumentError),
    /// The cache's folder cannot be made.
    #[error("cannot make the folder `{}`: {source}", path.display())]
    Folder {
        /// Its path.
        path: PathBuf,
        /// Cause.
        source: std::io::Error,
    },
}

/// Fetches what `folder` lacks of the MNIST files; each is checked before it is kept.
///
/// # Errors
/// The mirror cannot be reached, sends something else, or the folder cannot be written to.
pub fn mnist(folder: &Path, mirror: &str) -> Result<(), DownloadError> {
    let fail = |source| DownloadError::Folder { path: folder.to_owned(), source };
    std::fs::create_dir_all(folder).map_err(fail)?;
    for (name, digest) in MNIST {
        let path = folder.join(name);
        if std::fs::read(&path).is_ok_and(|bytes| document::sha256(&bytes) == digest) {
            continue;
        }
        let url = format!("{mirror}/{name}");
        let bytes = fetch(&url)?;
        if document::sha256(&bytes) != digest {
            return Err(DownloadError::Digest { url });
        }
        document::write_bytes(&bytes, &path)?;
    }
    Ok(())
}

fn fetch(url: &str) -> Result<Vec<u8>, DownloadError> {
    let fail = |source: ureq::Error| DownloadError::Fetch { url: url.to_owned(), source: Box::new(source) };
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .timeout_connect(Some(std::time::Duration::from_secs(10)))
        .timeout_global(Some(std::time::Duration::from_mins(2)))
        .build()
        .into();
    let mut response = agent.get(url).call().map_err(fail)?;
    let mut bytes = Vec::new();
    let body = response.body_mut().as_reader();
    body.take(MAX_BYTES).read_to_end(&mut bytes).map_err(|source| fail(source.into()))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead as _, BufReader, Write as _};
    use std::net::TcpListener;

    use super::*;

    /// Answers `requests` requests with files of `folder`, or with 404, and returns its address.
    fn serve(folder: PathBuf, requests: usize) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = format!("http://{}", listener.local_addr().expect("it is bound"));
        std::thread::spawn(move || {
            for stream in listener.incoming().take(requests) {
                let mut stream = stream.expect("a connection");
                let mut lines = BufReader::new(&stream).lines().map_while(Result::ok);
                let request = lines.next().unwrap_or_default();
                lines.take_while(|line| !line.is_empty()).for_each(drop);
                let name = request.split(' ').nth(1).unwrap_or_default().trim_start_matches('/').to_owned();
                let (status, body) = match std::fs::read(folder.join(name)) {
                    Ok(body) => ("200 OK", body),
                    Err(_) => ("404 Not Found", Vec::new()),
                };
                let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
                let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body));
            }
        });
        address
    }

    #[test]
    fn a_foreign_file_and_a_missing_one_are_refused_and_not_kept() {
        let (served, cache) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
        let address = serve(served.path().to_owned(), 2);
        let missing = mnist(cache.path(), &address).expect_err("nothing is served").to_string();
        assert!(missing.contains("cannot fetch http://127.0.0.1") && missing.contains("404"), "{missing}");
        std::fs::write(served.path().join(MNIST[0].0), b"something else").expect("it can be written");
        let foreign = mnist(cache.path(), &address).expect_err("another file is served").to_string();
        assert!(foreign.contains("is not the published file"), "{foreign}");
        assert_eq!(std::fs::read_dir(cache.path()).expect("a folder").count(), 0);
    }

    #[test]
    fn published_files_are_kept_and_not_fetched_again() {
        let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/datasets/mnist");
        if !shared.join(MNIST[0].0).exists() {
            eprintln!("skipped: the MNIST files are not at ../shared/data/datasets/mnist");
            return;
        }
        let cache = tempfile::tempdir().expect("a folder");
        let address = serve(shared, MNIST.len());
        for _ in 0..2 {
            mnist(cache.path(), &address).expect("the second time nothing is asked for");
        }
        assert_eq!(std::fs::read_dir(cache.path()).expect("a folder").count(), MNIST.len());
    }
}
