//! State of a stopped training: one file, so that it is whole or not there.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use safetensors::View as _;
use scenarios::document::{self, DocumentError};

use crate::model::Plain;
use crate::parallel::update::UpdateState;
use crate::train::{Progress, RankState, Resume, Snapshot};

const PROGRESS: &str = "progress";
const DIGEST: &str = "digest";
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
    let tensors: Vec<_> = tensors.collect();
    let digest = digest(&progress, tensors.iter().map(|(name, tensor)| (&**name, tensor.data())));
    let metadata = HashMap::from([(PROGRESS.to_owned(), progress), (DIGEST.to_owned(), digest)]);
    let bytes = safetensors::serialize(tensors, Some(metadata)).map_err(|error| encode(error.to_string()))?;
    Ok(document::write_bytes(&bytes, path)?)
}

/// SHA-256 over a state, whatever the order of its tensors.
fn digest<'a>(progress: &str, tensors: impl Iterator<Item = (&'a str, impl AsRef<[u8]>)>) -> String {
    let of_tensor = |(name, data): (&str, _)| format!("{name} {}", document::sha256(AsRef::<[u8]>::as_ref(&data)));
    let mut lines: Vec<String> = tensors.map(of_tensor).collect();
    lines.sort_unstable();
    document::sha256(format!("{progress}\n{}", lines.join("\n")).as_bytes())
}

/// Reads a state.
///
/// # Errors
/// The file cannot be read, or is not as it was written.
pub fn read_state(path: &Path) -> Result<Resume, StateError> {
    let damaged = |reason: String| StateError::Damaged { path: path.to_owned(), reason };
    let bytes = std::fs::read(path).map_err(|source| StateError::Read { path: path.to_owned(), source })?;
    let safe = |error: safetensors::SafeTensorError| damaged(error.to_string());
    let (_, metadata) = safetensors::SafeTensors::read_metadata(&bytes).map_err(safe)?;
    let entry = |name: &str| {
        let entry = metadata.metadata().as_ref().and_then(|entries| entries.get(name));
        entry.ok_or_else(|| damaged(format!("it has no {name}")))
    };
    let (written, found) = (entry(PROGRESS)?, entry(DIGEST)?);
    let tensors = safetensors::SafeTensors::deserialize(&bytes).map_err(safe)?;
    let views = tensors.tensors();
    if digest(written, views.iter().map(|(name, tensor)| (&**name, tensor.data()))) != *found {
        return Err(damaged("its content does not match its SHA-256".to_owned()));
    }
    let progress: Progress = serde_json::from_str(written).map_err(|error| damaged(error.to_string()))?;
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

#[cfg(test)]
mod tests {
    use burn::tensor::Device;
    use scenarios::model::Model;

    use super::*;
    use crate::model::{Description, Network};

    #[test]
    fn a_state_comes_back_whole_or_not_at_all() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("train.state");
        let description = Description::of(&Model::Preset("mnist-linear".to_owned())).expect("it is a preset");
        let network = Network::new(&description, description.whole(), 3, &Device::flex());
        let update = UpdateState { optimizer: vec![1, 2, 3], outer: vec![0.5] };
        let ranks =
            [(0, RankState { parameters: vec![1.0, -2.0], running: vec![3.0], update }), (3, RankState::default())];
        let mut progress = Progress::default();
        (progress.step, progress.steps) = (3, 7);
        write_state(&path, &Snapshot { network: &network, ranks: &ranks, progress: &progress }).expect("it is written");
        let read = read_state(&path).expect("it is whole");
        assert_eq!((read.progress, &read.ranks[..]), (progress, &ranks[..]));

        let good = std::fs::read(&path).expect("it was written");
        let check = |bytes: &[u8], expected: &str| {
            std::fs::write(&path, bytes).expect("it can be written");
            let error = read_state(&path).expect_err(expected).to_string();
            assert!(error.contains("is damaged") && error.contains(expected), "{error}");
        };
        check(&good[..good.len() - 1], "");
        check(&good[..20], "");
        check(b"", "");
        let last = good.len() - 1;
        let flipped = |at: usize| [&good[..at], &[good[at] ^ 1], &good[at + 1..]].concat();
        check(&flipped(last), "does not match its SHA-256");
        let text = String::from_utf8_lossy(&good[8..]).into_owned();
        let seven = 8 + text.find("\\\"steps\\\":7").expect("progress is text") + "\\\"steps\\\":".len();
        check(&flipped(seven), "does not match its SHA-256");
    }
}
