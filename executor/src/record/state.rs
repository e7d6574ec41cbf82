//! State of a stopped training: one file, so that it is whole or not there.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use scenarios::document::{self, DocumentError};

use crate::model::Plain;
use crate::parallel::update::UpdateState;
use crate::train::{Progress, RankState, Resume, Snapshot};

const PROGRESS: &str = "progress";
const PARAMETERS: &str = "parameters";
const OPTIMIZER: &str = "optimizer";
const OUTER: &str = "outer";
const RUNNING: &str = "running";

/// Why a state cannot be kept or used.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// The file cannot be read.
    #[error("cannot read the state `{}`: {source}", path.display())]
    Read {
        /// Its path.
        path: PathBuf,
        /// Cause.
        source: std::io::Error,
    },
    /// The file is damaged.
    #[error("the state `{}` is damaged: {reason}", path.display())]
    Damaged {
        /// Its path.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The state could not be put into the format.
    #[error("cannot encode the state of the training: {reason}")]
    Encode {
        /// Cause.
        reason: String,
    },
    /// The file cannot be written.
    #[error(transparent)]
    Write(#[from] DocumentError),
}

/// Writes a state atomically.
///
/// # Errors
/// The folder cannot be written to, or the disk is full.
pub fn write_state(path: &Path, snapshot: &Snapshot<'_>) -> Result<(), StateError> {
    let encode = |reason: String| StateError::Encode { reason };
    let progress = serde_json::to_string(snapshot.progress).map_err(|error| encode(error.to_string()))?;
    let tensors = snapshot.ranks.iter().flat_map(|(rank, state)| {
        let RankState { parameters, running, update: UpdateState { optimizer, outer } } = state;
        [
            (format!("{rank}.{PARAMETERS}"), Plain::floats(parameters, vec![parameters.len()])),
            (format!("{rank}.{RUNNING}"), Plain::floats(running, vec![running.len()])),
            (format!("{rank}.{OUTER}"), Plain::floats(outer, vec![outer.len()])),
            (format!("{rank}.{OPTIMIZER}"), Plain::bytes(optimizer)),
        ]
    });
    let metadata = HashMap::from([(PROGRESS.to_owned(), progress)]);
    let bytes = safetensors::serialize(tensors, Some(metadata)).map_err(|error| encode(error.to_string()))?;
    Ok(document::write_bytes(&bytes, path)?)
}

/// Reads a state.
///
/// # Errors
/// The file cannot be read, or is damaged.
pub fn read_state(path: &Path) -> Result<Resume, StateError> {
    let damaged = |reason: String| StateError::Damaged { path: path.to_owned(), reason };
    let bytes = std::fs::read(path).map_err(|source| StateError::Read { path: path.to_owned(), source })?;
    let safe = |error: safetensors::SafeTensorError| damaged(error.to_string());
    let (_, metadata) = safetensors::SafeTensors::read_metadata(&bytes).map_err(safe)?;
    let progress = metadata.metadata().as_ref().and_then(|entries| entries.get(PROGRESS));
    let progress: Progress = serde_json::from_str(progress.ok_or_else(|| damaged("it has no progress".to_owned()))?)
        .map_err(|error| damaged(error.to_string()))?;
    let tensors = safetensors::SafeTensors::deserialize(&bytes).map_err(safe)?;
    let floats = |name: String| -> Result<Vec<f32>, StateError> {
        let (words, _) = tensors.tensor(&name).map_err(safe)?.data().as_chunks::<4>();
        Ok(words.iter().map(|word| f32::from_le_bytes(*word)).collect())
    };
    let own = format!(".{PARAMETERS}");
    let mut numbers: Vec<usize> =
        tensors.names().into_iter().filter_map(|name| name.strip_suffix(&own)?.parse().ok()).collect();
    numbers.sort_unstable();
    let state = |rank: usize| {
        let optimizer = tensors.tensor(&format!("{rank}.{OPTIMIZER}")).map_err(safe)?.data().to_vec();
        let update = UpdateState { optimizer, outer: floats(format!("{rank}.{OUTER}"))? };
        let running = floats(format!("{rank}.{RUNNING}"))?;
        Ok((rank, RankState { parameters: floats(format!("{rank}.{PARAMETERS}"))?, running, update }))
    };
    Ok(Resume { progress, ranks: numbers.into_iter().map(state).collect::<Result<_, StateError>>()? })
}
