//! What the pieces of networks on images are.

use burn::tensor::Tensor;
use burn::tensor::activation::{relu, silu};

/// What one piece computes, with the names of its parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Convolution; where a batch normalisation follows, its sums over the batch come with it.
    Convolve(Window),
    /// Batch normalisation of so many channels, and an activation.
    Normalise {
        /// Name of the layer.
        name: String,
        /// Channels.
        channels: usize,
        /// What follows.
        activation: Activation,
    },
    /// Weighs channels by what the whole image holds (Hu et al. 2018, arXiv 1709.01507).
    Excite {
        /// Name of the layer.
        name: String,
        /// Channels.
        channels: usize,
        /// Channels of the narrow layer between.
        narrow: usize,
    },
    /// Fully connected layer with bias.
    Linear {
        /// Name of the layer.
        name: String,
        /// Values that enter.
        inputs: usize,
        /// Values that leave.
        outputs: usize,
    },
    /// What has no parameters.
    Plain(Plain),
}

/// What a piece without parameters computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plain {
    /// Squares of the distances from the mean, summed over the batch; nothing where replicas share no figures.
    Centre,
    /// Maximum over square windows; the output has ⌈size / stride⌉ rows and columns.
    Pool {
        /// Side of the window.
        kernel: usize,
        /// Step between windows.
        stride: usize,
    },
    /// Keeps the value below a copy of it.
    Copy,
    /// Exchanges the last two values.
    Swap,
    /// Sum of the last two values, and an activation.
    Add(Activation),
    /// Every `stride`-th pixel, with channels of zeros around the others (option A of He et al. 2015).
    Shrink {
        /// Step between pixels.
        stride: usize,
        /// Channels afterwards.
        channels: usize,
    },
    /// Mean over the image: an image becomes a vector.
    Mean,
}

/// A convolution with a square kernel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    /// Name of the layer.
    pub name: String,
    /// Channels that enter and leave.
    pub channels: [usize; 2],
    /// Side of the kernel.
    pub kernel: usize,
    /// Step between windows.
    pub stride: usize,
    /// Groups of channels that do not see each other.
    pub groups: usize,
    /// Whether zeros around the image make the output ⌈size / stride⌉ large.
    pub padded: bool,
    /// Whether each channel has a bias.
    pub bias: bool,
    /// Whether a batch normalisation follows.
    pub normalised: bool,
}

impl Window {
    /// A padded convolution with step 1, without groups, bias and normalisation.
    #[must_use]
    pub fn new(name: impl Into<String>, channels: [usize; 2], kernel: usize) -> Self {
        let name = name.into();
        Self { name, channels, kernel, stride: 1, groups: 1, padded: true, bias: false, normalised: false }
    }

    /// The same with another step.
    #[must_use]
    pub fn by(self, stride: usize) -> Self {
        Self { stride, ..self }
    }

    /// The same with a bias for each channel.
    #[must_use]
    pub fn with_bias(self) -> Self {
        Self { bias: true, ..self }
    }

    /// Rows or columns of the output.
    #[must_use]
    pub const fn size(&self, size: usize) -> usize {
        if self.padded { size.div_ceil(self.stride) } else { (size - self.kernel) / self.stride + 1 }
    }
}

/// Activation function after a normalisation or a sum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activation {
    /// None.
    None,
    /// max(0, x)
    Relu,
    /// x·σ(x) (Elfwing et al. 2018, arXiv 1702.03118), of EfficientNet.
    Silu,
}

impl Activation {
    /// The function of each value.
    #[must_use]
    pub fn of<const D: usize>(self, tensor: Tensor<D>) -> Tensor<D> {
        match self {
            Self::None => tensor,
            Self::Relu => relu(tensor),
            Self::Silu => silu(tensor),
        }
    }
}
