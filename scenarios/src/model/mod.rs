//! Descriptions of networks.
//!
//! One description is the single source for both sides: the planner derives FLOPs, bytes,
//! parameters and memory from it, the executor builds the trainable module from it.

mod layers;
mod mlp;
mod presets;
mod shape;
mod transformer;

pub use layers::{Cnn, Conv2d, ImageSize, Layer, Pool};
pub use mlp::{Activation, Mlp};
pub use presets::{PRESETS, Preset};
pub use shape::{ShapeError, Shaped, TensorShape};
pub use transformer::{Experts, Norm, Positions, Transformer, TransformerKind};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A network: one of the families, with its dimensions, or a preset by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Model {
    /// A well-known network by name, see [`PRESETS`].
    Preset(String),
    /// Fully connected layers; without hidden layers it is a linear model.
    Mlp(Mlp),
    /// Convolutional network as a chain of layers.
    Cnn(Cnn),
    /// Encoder or decoder of equal layers.
    Transformer(Transformer),
}

impl Model {
    /// The chain of layers with the shape of every activation (per record, without the batch).
    ///
    /// # Errors
    /// An unknown preset, or a layer that does not fit the shape that reaches it.
    pub fn shaped(&self) -> Result<Vec<Shaped>, ShapeError> {
        match self {
            Self::Preset(name) => presets::find(name)?.model().shaped(),
            Self::Mlp(mlp) => shape::infer(mlp.input(), &mlp.layers()),
            Self::Cnn(cnn) => shape::infer(cnn.input(), &cnn.layers),
            Self::Transformer(_) => Err(ShapeError::NoChain { family: self.family() }),
        }
    }

    /// Shape of one input record.
    ///
    /// # Errors
    /// An unknown preset.
    pub fn input(&self) -> Result<TensorShape, ShapeError> {
        match self {
            Self::Preset(name) => presets::find(name)?.model().input(),
            Self::Mlp(mlp) => Ok(mlp.input()),
            Self::Cnn(cnn) => Ok(cnn.input()),
            Self::Transformer(transformer) => Ok(TensorShape::Vector(transformer.sequence.get())),
        }
    }

    /// Name of the family, as scenarios write it.
    #[must_use]
    pub const fn family(&self) -> &'static str {
        match self {
            Self::Preset(_) => "preset",
            Self::Mlp(_) => "mlp",
            Self::Cnn(_) => "cnn",
            Self::Transformer(_) => "transformer",
        }
    }

    /// Number of classes, the width of the last layer.
    ///
    /// # Errors
    /// As [`Model::shaped`].
    pub fn classes(&self) -> Result<usize, ShapeError> {
        Ok(self.shaped()?.last().map_or(0, |layer| layer.output.elements()))
    }

    /// Trainable parameters.
    ///
    /// # Errors
    /// As [`Model::shaped`].
    pub fn parameters(&self) -> Result<u64, ShapeError> {
        match self {
            Self::Preset(name) => presets::find(name)?.model().parameters(),
            Self::Transformer(transformer) => Ok(transformer.parameters()),
            Self::Mlp(_) | Self::Cnn(_) => Ok(self.shaped()?.iter().map(Shaped::parameters).sum()),
        }
    }
}
