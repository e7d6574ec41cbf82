//! The folder of a run: `run.json`, `events.jsonl` and `checkpoints/`.

mod event;
mod state;

pub use event::{Event, Stage};
pub use state::{StateError, read_state, write_state};

use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use scenarios::document::{self, DocumentError};
use scenarios::run::{Run, RunStatus};
use serde::Serialize;

/// An open run folder.
#[derive(Debug)]
pub struct RunFolder {
    path: PathBuf,
    events: File,
}

/// Why a folder cannot hold a run.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The folder cannot be made or written to.
    #[error("cannot write to the run folder `{}`: {source}", path.display())]
    Folder {
        /// Its path.
        path: PathBuf,
        /// Cause.
        source: std::io::Error,
    },
    /// There is a run already.
    #[error("`{}` holds the record of an earlier run", path.display())]
    Occupied {
        /// Its path.
        path: PathBuf,
    },
    /// The run there is of another plan.
    #[error("`{}` holds a run of another plan", path.display())]
    OtherPlan {
        /// Its path.
        path: PathBuf,
    },
    /// A document cannot be read or written.
    #[error(transparent)]
    Document(#[from] DocumentError),
}

/// What to do with the record of an earlier run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Earlier {
    /// Refuse to touch it.
    Keep,
    /// Go on where it stopped.
    Resume,
    /// Put the new record in its place.
    Replace,
}

impl RunFolder {
    /// Opens a folder for a run of the plan with this digest, and gives the record of the earlier run that it goes on with.
    ///
    /// # Errors
    /// The folder cannot be written to, or holds a run that may not be touched.
    pub fn open(path: &Path, plan_digest: &str, earlier: Earlier) -> Result<(Self, Option<Run>), RecordError> {
        let fail = |source| RecordError::Folder { path: path.to_owned(), source };
        let record = path.join("run.json");
        let found = match (record.exists(), earlier) {
            (true, Earlier::Keep) => return Err(RecordError::Occupied { path: path.to_owned() }),
            (true, Earlier::Resume) => Some(document::read::<Run>(&record)?),
            _ => None,
        };
        if found.as_ref().is_some_and(|run| run.plan_digest != plan_digest) {
            return Err(RecordError::OtherPlan { path: path.to_owned() });
        }
        if earlier == Earlier::Replace {
            remove_record(path).map_err(fail)?;
        }
        std::fs::create_dir_all(path.join("checkpoints")).map_err(fail)?;
        let events = OpenOptions::new().create(true).append(true).open(path.join("events.jsonl")).map_err(fail)?;
        Ok((Self { path: path.to_owned(), events }, found))
    }

    /// Trained weights of a workload.
    #[must_use]
    pub fn weights(&self, workload: &str) -> PathBuf {
        self.path.join(weights_in_folder(workload))
    }

    /// Records that a workload has prepared.
    #[must_use]
    pub fn records(&self, workload: &str) -> PathBuf {
        self.path.join(records_in_folder(workload))
    }

    /// State that a stopped training of a workload goes on from.
    #[must_use]
    pub fn state(&self, workload: &str) -> PathBuf {
        self.path.join(format!("checkpoints/{workload}.state"))
    }

    /// Makes a file of the run, named relative to the folder.
    ///
    /// # Errors
    /// The folder cannot be written to.
    pub fn create(&self, name: &str) -> Result<BufWriter<File>, RecordError> {
        let path = self.path.join(name);
        let made = path.parent().map_or(Ok(()), std::fs::create_dir_all).and_then(|()| File::create(&path));
        made.map(BufWriter::new).map_err(|source| self.failed(source))
    }

    /// Writes a file of the run atomically, named relative to the folder.
    ///
    /// # Errors
    /// The folder cannot be written to, or the disk is full.
    pub fn write_file(&self, name: &str, bytes: &[u8]) -> Result<(), RecordError> {
        let path = self.path.join(name);
        path.parent().map_or(Ok(()), std::fs::create_dir_all).map_err(|source| self.failed(source))?;
        Ok(document::write_bytes(bytes, &path)?)
    }

    /// Writes a value as a line of JSON.
    ///
    /// # Errors
    /// The disk is full.
    ///
    /// # Panics
    /// Never: what is written has string keys.
    pub fn write_line(&self, file: &mut impl Write, value: &impl Serialize) -> Result<(), RecordError> {
        let mut line = serde_json::to_string(value).expect("what is written has string keys");
        line.push('\n');
        file.write_all(line.as_bytes()).map_err(|source| self.failed(source))
    }

    /// The folder cannot be written to.
    #[must_use]
    pub fn failed(&self, source: std::io::Error) -> RecordError {
        RecordError::Folder { path: self.path.clone(), source }
    }

    /// Appends an event.
    ///
    /// # Errors
    /// The disk is full.
    ///
    /// # Panics
    /// Never: events have string keys.
    pub fn append(&mut self, event: &Event) -> Result<(), RecordError> {
        let line = serde_json::to_string(event).expect("events have string keys") + "\n";
        self.events.write_all(line.as_bytes()).map_err(|source| self.failed(source))
    }

    /// Writes the record.
    ///
    /// # Errors
    /// The folder cannot be written to.
    pub fn write(&self, run: &mut Run) -> Result<(), RecordError> {
        Ok(document::write(run, &self.path.join("run.json"))?)
    }
}

/// Trained weights of a workload, relative to the run's folder.
#[must_use]
pub fn weights_in_folder(workload: &str) -> String {
    format!("checkpoints/{workload}.safetensors")
}

/// Records that a workload has prepared, relative to the run's folder.
#[must_use]
pub fn records_in_folder(workload: &str) -> String {
    format!("records/{workload}.cbor")
}

/// Predictions of a workload, relative to the run's folder.
#[must_use]
pub fn predictions_in_folder(workload: &str) -> String {
    format!("predictions/{workload}.jsonl")
}

/// Whether a workload of an earlier run need not run again.
#[must_use]
pub fn completed(run: Option<&Run>, workload: &str) -> bool {
    let workloads = run.iter().flat_map(|run| &run.workloads);
    workloads.into_iter().any(|done| done.workload == workload && done.status == RunStatus::Completed)
}

fn remove_record(path: &Path) -> std::io::Result<()> {
    for name in ["run.json", "events.jsonl"] {
        match std::fs::remove_file(path.join(name)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    for name in ["checkpoints", "predictions", "records"] {
        match std::fs::remove_dir_all(path.join(name)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}
