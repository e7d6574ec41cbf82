//! Trained networks as safetensors files that say what they are.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use burn::tensor::Device;
use safetensors::{SafeTensorError, SafeTensors};
use scenarios::document::{self, DocumentError};
use scenarios::model::{Model, ShapeError};
use scenarios::scenario::{Files, Preprocessing};
use serde::{Deserialize, Serialize};

use super::tensors::Mismatch;
use super::{Description, Network};
use crate::data::Codes;

/// Key of the recipe in a file's metadata.
const KEY: &str = "causeway";

/// Largest file that is read.
const MAX_BYTES: u64 = 64 << 30;

/// What is needed to use the weights.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// The network.
    pub model: Model,
    /// How its records were prepared.
    pub preprocessing: Preprocessing,
    /// Data set that it learned from, and whose residency rules it carries.
    pub learned_from: String,
    /// How that data set's files lie and are read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub files: Option<Files>,
    /// Seed of the training, which drew the records that were held back.
    #[serde(default)]
    pub seed: u64,
    /// What words and names in the files are to the network.
    #[serde(default)]
    pub codes: Codes,
}

/// A network with its recipe.
#[derive(Debug, Clone)]
pub struct Checkpoint {
    /// What the network is.
    pub recipe: Recipe,
    /// The network.
    pub network: Network,
}

/// Why weights cannot be written or used.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// The file cannot be read.
    #[error("cannot read the checkpoint `{}`: {source}", path.display())]
    Read {
        /// Its path.
        path: PathBuf,
        /// Cause.
        source: std::io::Error,
    },
    /// The file is no safetensors file, or is damaged.
    #[error("`{}` is no valid safetensors file: {reason}", path.display())]
    Damaged {
        /// Its path.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The file was written by another program, and does not say what network it holds.
    #[error("`{}` does not say which network it holds", path.display())]
    NoRecipe {
        /// Its path.
        path: PathBuf,
    },
    /// What the file says of its network cannot be read.
    #[error("what `{}` says of its network cannot be read: {reason}", path.display())]
    Recipe {
        /// Its path.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The recipe names no possible network.
    #[error("`{}` holds an impossible network: {source}", path.display())]
    Shape {
        /// Its path.
        path: PathBuf,
        /// Cause.
        source: ShapeError,
    },
    /// The tensors are not those of the network.
    #[error("the tensors in `{}` are not those of its network: {source}", path.display())]
    Mismatch {
        /// Its path.
        path: PathBuf,
        /// What is wrong.
        source: Mismatch,
    },
    /// The weights could not be put into the format.
    #[error("cannot encode weights as safetensors: {reason}")]
    Encode {
        /// Cause.
        reason: String,
    },
    /// The file cannot be written.
    #[error(transparent)]
    Write(#[from] DocumentError),
}

impl Checkpoint {
    /// Writes the weights atomically, under the names that PyTorch users expect (`layers.0.weight`).
    ///
    /// # Errors
    /// The folder cannot be written to, or the disk is full; what was there before is untouched.
    ///
    /// # Panics
    /// Never: recipes have string keys only.
    pub fn write(&self, path: &Path) -> Result<(), CheckpointError> {
        let recipe = serde_json::to_string(&self.recipe).expect("recipes have string keys");
        let metadata = Some(HashMap::from([(KEY.to_owned(), recipe)]));
        let bytes = safetensors::serialize(self.network.tensors(), metadata)
            .map_err(|error| CheckpointError::Encode { reason: error.to_string() })?;
        Ok(document::write_bytes(&bytes, path)?)
    }

    /// Reads weights and builds their network on `device`.
    ///
    /// # Errors
    /// The file cannot be read, is damaged, or holds something else.
    pub fn read(path: &Path, device: &Device) -> Result<Self, CheckpointError> {
        let bytes = read_bytes(path)?;
        let recipe = read_recipe(&bytes, path)?;
        let shape_error = |source| CheckpointError::Shape { path: path.to_owned(), source };
        let description = Description::of(&recipe.model).map_err(shape_error)?;
        let network = Network::new(&description, description.whole(), 0, device);
        let damaged =
            |error: SafeTensorError| CheckpointError::Damaged { path: path.to_owned(), reason: error.to_string() };
        let tensors = SafeTensors::deserialize(&bytes).map_err(damaged)?;
        let mismatch = |source| CheckpointError::Mismatch { path: path.to_owned(), source };
        Ok(Self { recipe, network: network.with_tensors(&tensors).map_err(mismatch)? })
    }
}

fn read_bytes(path: &Path) -> Result<Vec<u8>, CheckpointError> {
    let fail = |source| CheckpointError::Read { path: path.to_owned(), source };
    if std::fs::metadata(path).map_err(fail)?.len() > MAX_BYTES {
        let reason = format!("it has more than {} GiB", MAX_BYTES >> 30);
        return Err(CheckpointError::Damaged { path: path.to_owned(), reason });
    }
    std::fs::read(path).map_err(fail)
}

fn read_recipe(bytes: &[u8], path: &Path) -> Result<Recipe, CheckpointError> {
    let (_, metadata) = SafeTensors::read_metadata(bytes)
        .map_err(|error| CheckpointError::Damaged { path: path.to_owned(), reason: error.to_string() })?;
    let text = metadata.metadata().as_ref().and_then(|entries| entries.get(KEY));
    let no_recipe = || CheckpointError::NoRecipe { path: path.to_owned() };
    let unreadable =
        |error: serde_json::Error| CheckpointError::Recipe { path: path.to_owned(), reason: error.to_string() };
    serde_json::from_str(text.ok_or_else(no_recipe)?).map_err(unreadable)
}

#[cfg(test)]
mod tests {
    use super::super::Plain;
    use super::super::flat::parameters;
    use super::*;

    fn checkpoint(preset: &str) -> Checkpoint {
        let model = Model::Preset(preset.to_owned());
        let description = Description::of(&model).expect("it is a preset");
        Checkpoint {
            recipe: Recipe {
                model,
                preprocessing: Preprocessing::default(),
                learned_from: "digits".to_owned(),
                files: None,
                seed: 7,
                codes: Codes { classes: vec!["zero".to_owned()], ..Codes::default() },
            },
            network: Network::new(&description, description.whole(), 3, &Device::flex()),
        }
    }

    #[test]
    fn weights_come_back_as_they_were_under_pytorch_names() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for preset in ["mnist-cnn", "mnist-mlp", "mnist-linear"] {
            let path = folder.path().join(preset);
            let written = checkpoint(preset);
            written.write(&path).expect("it can be written");
            let read = Checkpoint::read(&path, &Device::flex()).expect("it can be read");
            assert_eq!(read.recipe, written.recipe);
            assert_eq!(parameters(&read.network), parameters(&written.network));
        }
        let bytes = std::fs::read(folder.path().join("mnist-cnn")).expect("it was written");
        let tensors = SafeTensors::deserialize(&bytes).expect("it is valid");
        let mut shapes: Vec<_> = tensors.iter().map(|(name, view)| format!("{name} {:?}", view.shape())).collect();
        shapes.sort();
        let expected = [
            "layers.0.bias [10]",
            "layers.0.weight [10, 1, 5, 5]",
            "layers.3.bias [20]",
            "layers.3.weight [20, 10, 5, 5]",
            "layers.6.bias [50]",
            "layers.6.weight [50, 320]",
            "layers.7.bias [10]",
            "layers.7.weight [10, 50]",
        ];
        assert_eq!(shapes, expected);
    }

    #[test]
    fn damaged_and_foreign_files_are_told_apart() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("weights.safetensors");
        checkpoint("mnist-cnn").write(&path).expect("it can be written");
        let good = std::fs::read(&path).expect("it was written");
        let check = |bytes: Option<&[u8]>, expected: &str| {
            match bytes {
                Some(bytes) => std::fs::write(&path, bytes).expect("it can be written"),
                None => std::fs::remove_file(&path).expect("it is there"),
            }
            let error = Checkpoint::read(&path, &Device::flex()).expect_err(expected).to_string();
            assert!(error.contains(expected), "{error}");
        };
        check(Some(&good[..good.len() / 2]), "is no valid safetensors file");
        check(Some(b"no weights at all"), "is no valid safetensors file");
        check(Some(b"\x02\0\0\0\0\0\0\0{}"), "does not say which network");
        let mut header = good.clone();
        header[9] = b'!';
        check(Some(&header), "is no valid safetensors file");
        check(Some(&changed(&good, "mnist-cnn", "mnist-mlp")), "are not those of its network");
        check(Some(&changed(&good, "\\\"preset\\\"", "\\\"prezet\\\"")), "says of its network cannot be read");
        check(Some(&changed(&good, "mnist-cnn", "mnist-cnx")), "holds an impossible network");
        check(None, "cannot read the checkpoint");
    }

    /// A file with another text of the same length in its header.
    fn changed(file: &[u8], from: &str, to: &str) -> Vec<u8> {
        let place = file.windows(from.len()).position(|bytes| bytes == from.as_bytes()).expect("it is there");
        let mut changed = file.to_vec();
        changed[place..place + to.len()].copy_from_slice(to.as_bytes());
        changed
    }

    #[test]
    fn tensors_that_do_not_fit_are_named() {
        type Tensors = Vec<(String, Plain)>;
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("weights.safetensors");
        let check = |change: &dyn Fn(&mut Tensors), metadata: bool, expected: &str| {
            let Checkpoint { recipe, network } = checkpoint("mnist-linear");
            let mut tensors = network.tensors();
            change(&mut tensors);
            let recipe = serde_json::to_string(&recipe).expect("recipes have string keys");
            let mut entries = HashMap::from([(KEY.to_owned(), recipe)]);
            if metadata {
                entries.insert("format".to_owned(), "pt".to_owned());
            }
            let bytes = safetensors::serialize(tensors, Some(entries)).expect("it can be encoded");
            std::fs::write(&path, bytes).expect("it can be written");
            let error = Checkpoint::read(&path, &Device::flex()).err().map(|error| error.to_string());
            let found = error.unwrap_or_default();
            assert!(found.ends_with(expected) && found.is_empty() == expected.is_empty(), "{found}");
        };
        check(&|_| {}, true, "");
        check(&|tensors| drop(tensors.remove(0)), false, "1 missing: `layers.0.weight`");
        check(&|tensors| tensors[1].0 = "bias".to_owned(), false, "1 missing: `layers.0.bias`; 1 unexpected: `bias`");
        let turned = |tensors: &mut Tensors| tensors[0].1 = Plain::floats(&vec![0.0; 7840], vec![784, 10]);
        check(&turned, false, "1 of another form: `layers.0.weight` is F32 [784, 10] instead of F32 [10, 784]");
        let half = |tensors: &mut Tensors| tensors[1].1 = Plain::bytes(&[0; 10]);
        check(&half, false, "1 of another form: `layers.0.bias` is U8 [10] instead of F32 [10]");
    }
}
