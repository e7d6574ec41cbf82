//! Descriptions of networks.
//!
//! One description is the single source for both sides: the planner derives FLOPs, bytes,
//! parameters and memory from it, the executor builds the trainable module from it.

mod block_cnn;
mod detector;
mod layers;
mod limits;
mod mlp;
mod operator;
pub mod pieces;
mod presets;
mod recommender;
mod rnn;
mod shape;
mod transformer;
mod transformer_limits;

pub use block_cnn::{Basic, Block, BlockCnn, Bottleneck, Classifier, Mbconv, Shortcut, Stage, Stem};
pub use detector::{Detector, Extra, Heads, Neck, Pyramid};
pub use layers::{Cnn, Conv2d, ImageSize, Layer, Pool};
pub use mlp::{Activation, Mlp};
pub use operator::{Operator, OperatorKind, Section};
pub use presets::{PRESETS, Preset, find_alias};
pub use recommender::{Cross, Dlrm, Interaction, MatrixFactorization, Tables};
pub use rnn::{Cell, Decoder, RecurrentLayer, Rnn};
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
    /// Convolutional network of blocks with shortcuts: ResNet, ResNeXt, EfficientNet.
    BlockCnn(BlockCnn),
    /// Recurrent network: LSTM or GRU.
    Rnn(Rnn),
    /// Transformer: encoder as BERT, decoder as GPT, LLaMA and Mixtral.
    Transformer(Transformer),
    /// Recommender: product of factors of users and items.
    MatrixFactorization(MatrixFactorization),
    /// Recommender: embedding tables and dense layers.
    Dlrm(Dlrm),
    /// One-stage object detector: SSD, RetinaNet, YOLO.
    Detector(Detector),
}

impl Model {
    /// Name of the family as documents write it.
    #[must_use]
    pub const fn family(&self) -> &'static str {
        match self {
            Self::Preset(_) => "preset",
            Self::Mlp(_) => "mlp",
            Self::Cnn(_) => "cnn",
            Self::BlockCnn(_) => "block_cnn",
            Self::Rnn(_) => "rnn",
            Self::Transformer(_) => "transformer",
            Self::MatrixFactorization(_) => "matrix_factorization",
            Self::Dlrm(_) => "dlrm",
            Self::Detector(_) => "detector",
        }
    }

    /// The description itself, where a preset is only named.
    ///
    /// # Errors
    /// An unknown preset.
    pub fn resolved(&self) -> Result<Self, ShapeError> {
        match self {
            Self::Preset(name) => Ok(presets::find(name)?.model()),
            other => Ok(other.clone()),
        }
    }

    /// The chain of layers with the shape of every activation (per record, without the batch).
    ///
    /// # Errors
    /// An unknown preset, a family that is no chain of layers, or a layer that does not fit the shape that reaches it.
    pub fn shaped(&self) -> Result<Vec<Shaped>, ShapeError> {
        match self {
            Self::Preset(name) => presets::find(name)?.model().shaped(),
            Self::Mlp(mlp) => shape::infer(mlp.input(), &mlp.layers()),
            Self::Cnn(cnn) => shape::infer(cnn.input(), &cnn.layers),
            _ => Err(ShapeError::NotAChain { family: self.family() }),
        }
    }

    /// Parts of a network on images or vectors (`mlp`, `cnn`, `block_cnn`, `detector`) with their operators and
    /// shapes (per record, without the batch).
    ///
    /// # Errors
    /// As [`Model::shaped`]; for other families [`ShapeError::NotAChain`].
    pub fn sections(&self) -> Result<Vec<Section>, ShapeError> {
        match self {
            Self::Preset(name) => presets::find(name)?.model().sections(),
            Self::BlockCnn(network) => network.sections(),
            Self::Detector(detector) => detector.sections(),
            _ => {
                let operators = self.shaped()?.iter().map(Operator::of).collect();
                Ok(vec![Section { name: "layers", repeat: 1, operators }])
            }
        }
    }

    /// Shape of one input record.
    ///
    /// # Errors
    /// An unknown preset, or a family whose records are neither images nor vectors of numbers.
    pub fn input(&self) -> Result<TensorShape, ShapeError> {
        match self {
            Self::Preset(name) => presets::find(name)?.model().input(),
            Self::Mlp(mlp) => Ok(mlp.input()),
            Self::Cnn(cnn) => Ok(cnn.input()),
            Self::BlockCnn(network) => Ok(network.image.shape()),
            Self::Detector(detector) => Ok(detector.image.shape()),
            _ => Err(ShapeError::NotAChain { family: self.family() }),
        }
    }

    /// Number of classes: the width of the last layer, or what an encoder's head tells apart.
    ///
    /// # Errors
    /// As [`Model::shaped`].
    pub fn classes(&self) -> Result<usize, ShapeError> {
        match self.resolved()? {
            Self::Transformer(Transformer { classes: Some(classes), .. }) => Ok(classes.get()),
            other => Ok(other.shaped()?.last().map_or(0, |layer| layer.output.elements())),
        }
    }

    /// Trainable parameters. It succeeds exactly for what is a network, of any family.
    ///
    /// # Errors
    /// An unknown preset, or sizes that do not fit each other or are too large to count.
    pub fn parameters(&self) -> Result<u64, ShapeError> {
        match self {
            Self::Preset(name) => presets::find(name)?.model().parameters(),
            Self::Mlp(_) | Self::Cnn(_) | Self::BlockCnn(_) | Self::Detector(_) => {
                operator::parameters(&self.sections()?)
            }
            Self::Rnn(network) => network.parameters(),
            Self::Transformer(transformer) => {
                transformer.check()?;
                Ok(transformer.parameters())
            }
            Self::MatrixFactorization(factors) => factors.parameters(),
            Self::Dlrm(network) => network.parameters(),
        }
    }
}
