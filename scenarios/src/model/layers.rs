//! Layers of feed-forward networks.

use std::num::NonZeroUsize;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::TensorShape;

/// Convolutional network: an image size and a chain of layers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cnn {
    /// Size of one input image.
    pub image: ImageSize,
    /// Layers in order; a linear layer flattens what reaches it.
    pub layers: Vec<Layer>,
}

impl Cnn {
    pub(super) fn input(&self) -> TensorShape {
        self.image.shape()
    }
}

/// Size of an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ImageSize {
    /// Colour channels.
    pub channels: NonZeroUsize,
    /// Rows of pixels.
    pub height: NonZeroUsize,
    /// Columns of pixels.
    pub width: NonZeroUsize,
}

impl ImageSize {
    pub(super) fn shape(&self) -> TensorShape {
        let Self { channels, height, width } = self;
        TensorShape::Image { channels: channels.get(), height: height.get(), width: width.get() }
    }
}

/// One layer of a chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Layer {
    /// Two-dimensional convolution with bias.
    Conv2d(Conv2d),
    /// Maximum over square windows.
    MaxPool(Pool),
    /// max(0, x), element by element.
    Relu,
    /// Hyperbolic tangent, element by element.
    Tanh,
    /// Fully connected layer with bias; the value is its width.
    Linear(NonZeroUsize),
}

impl Layer {
    /// The layer's name as scenarios write it.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Conv2d(_) => "conv2d",
            Self::MaxPool(_) => "max_pool",
            Self::Relu => "relu",
            Self::Tanh => "tanh",
            Self::Linear(_) => "linear",
        }
    }
}

/// Convolution with a square kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Conv2d {
    /// Output channels.
    pub channels: NonZeroUsize,
    /// Side of the kernel.
    pub kernel: NonZeroUsize,
    /// Step between windows.
    #[serde(default = "one")]
    pub stride: NonZeroUsize,
    /// Zeros added on every side.
    #[serde(default)]
    pub padding: usize,
}

/// Pooling with a square window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Pool {
    /// Side of the window.
    pub kernel: NonZeroUsize,
    /// Step between windows; by default the window's side.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stride: Option<NonZeroUsize>,
}

impl Pool {
    /// Step between windows.
    #[must_use]
    pub fn step(&self) -> usize {
        self.stride.unwrap_or(self.kernel).get()
    }
}

fn one() -> NonZeroUsize {
    NonZeroUsize::MIN
}
