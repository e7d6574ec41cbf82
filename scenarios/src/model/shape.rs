//! Shapes of activations, inferred once for the planner and the executor.

use serde::{Deserialize, Serialize};

use super::{Conv2d, Layer, Pool};

/// Shape of an activation of one record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum TensorShape {
    /// Channels × height × width.
    Image {
        /// Channels.
        channels: usize,
        /// Rows.
        height: usize,
        /// Columns.
        width: usize,
    },
    /// A flat vector.
    Vector(usize),
}

impl TensorShape {
    /// Number of values.
    #[must_use]
    pub const fn elements(&self) -> usize {
        match *self {
            Self::Image { channels, height, width } => channels * height * width,
            Self::Vector(n) => n,
        }
    }
}

impl std::fmt::Display for TensorShape {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Image { channels, height, width } => write!(f, "{channels}×{height}×{width}"),
            Self::Vector(n) => write!(f, "{n}"),
        }
    }
}

/// A layer with the shapes that enter and leave it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shaped {
    /// The layer.
    pub layer: Layer,
    /// What enters.
    pub input: TensorShape,
    /// What leaves.
    pub output: TensorShape,
}

impl Shaped {
    /// Trainable parameters, bias included.
    #[must_use]
    pub fn parameters(&self) -> u64 {
        match (&self.layer, self.input) {
            (Layer::Conv2d(conv), TensorShape::Image { channels, .. }) => {
                let out = conv.channels.get() as u64;
                out * channels as u64 * (conv.kernel.get() as u64).pow(2) + out
            }
            (Layer::Linear(width), input) => (input.elements() as u64 + 1) * width.get() as u64,
            _ => 0,
        }
    }
}

/// Why a chain of layers is no network.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ShapeError {
    /// No preset has this name.
    #[error("unknown model preset `{name}`")]
    UnknownPreset {
        /// The name.
        name: String,
    },
    /// The chain is empty or does not end in a linear layer.
    #[error("a network ends in a `linear` layer that gives one value for each class")]
    NoClasses,
    /// The layer needs an image and got a vector.
    #[error("layer {index} (`{layer}`) needs an image, but a vector of {elements} values reaches it")]
    NeedsImage {
        /// Position in the chain, from 0.
        index: usize,
        /// Name of the layer.
        layer: &'static str,
        /// Values of the vector.
        elements: usize,
    },
    /// The window is larger than the (padded) image.
    #[error(
        "layer {index} (`{layer}`) has a window of {window}, larger than the {height}×{width} image that reaches it"
    )]
    WindowTooLarge {
        /// Position in the chain, from 0.
        index: usize,
        /// Name of the layer.
        layer: &'static str,
        /// Side of the window.
        window: usize,
        /// Rows that reach it, padding included.
        height: usize,
        /// Columns that reach it, padding included.
        width: usize,
    },
    /// The network is too large to count.
    #[error("layer {index} (`{layer}`) has more than 2^40 values or parameters")]
    TooLarge {
        /// Position in the chain, from 0.
        index: usize,
        /// Name of the layer.
        layer: &'static str,
    },
    /// A part of the network is too large to count.
    #[error("the {part} has more than 2^40 values or parameters")]
    PartTooLarge {
        /// The part.
        part: &'static str,
    },
    /// The network as a whole is too large.
    #[error("the network has more than 10^15 parameters")]
    NetworkTooLarge,
    /// The family is no chain of simple layers.
    #[error("`{family}` is no chain of simple layers, as `mlp` and `cnn` are")]
    NotAChain {
        /// Its name in documents.
        family: &'static str,
    },
    /// One size must divide another.
    #[error("`{what}` ({value}) is not divisible by `{by}` ({divisor})")]
    Indivisible {
        /// What is shared out.
        what: &'static str,
        /// Its size.
        value: usize,
        /// What it is shared out by.
        by: &'static str,
        /// In how many parts.
        divisor: usize,
    },
    /// One size must not exceed another.
    #[error("`{what}` ({value}) is more than `{than}` ({limit})")]
    MoreThan {
        /// What is too large.
        what: &'static str,
        /// Its size.
        value: usize,
        /// What limits it.
        than: &'static str,
        /// The limit.
        limit: usize,
    },
    /// A list has too few entries.
    #[error("`{what}` has no entries, and needs at least one")]
    Empty {
        /// The list.
        what: &'static str,
    },
    /// A recommender's bottom network does not end in the width of its embeddings.
    #[error("`bottom` ends in {last} values, but embeddings have `width` {width}")]
    Width {
        /// Width of the last layer.
        last: usize,
        /// Width of the embeddings.
        width: usize,
    },
    /// The output uses the embedding's matrix, but sees another number of values.
    #[error("`tied` needs an embedding of {inputs} values, which the output sees, not of {embedding}")]
    Tied {
        /// Values that the output sees.
        inputs: usize,
        /// Values of an embedding.
        embedding: usize,
    },
    /// A decoder is asked for classes.
    #[error("`classes` belongs to an encoder; a decoder gives one value for each entry of its vocabulary")]
    ClassesOfDecoder,
    /// The description is of a network that can be planned only.
    #[error("`{what}` can be planned, but not carried out")]
    PlannedOnly {
        /// What about it.
        what: &'static str,
    },
    /// A detector has another number of anchor counts than of feature maps.
    #[error("`anchors` has {anchors} entries for {levels} feature maps; it needs one for each")]
    Anchors {
        /// Entries.
        anchors: usize,
        /// Feature maps that the heads look at.
        levels: usize,
    },
}

pub(super) fn infer(input: TensorShape, layers: &[Layer]) -> Result<Vec<Shaped>, ShapeError> {
    if !matches!(layers.last(), Some(Layer::Linear(_))) {
        return Err(ShapeError::NoClasses);
    }
    let mut at = input;
    let mut chain = Vec::with_capacity(layers.len());
    for (index, layer) in layers.iter().enumerate() {
        let output = match layer {
            Layer::Relu | Layer::Tanh => at,
            Layer::Linear(width) => TensorShape::Vector(width.get()),
            Layer::Conv2d(Conv2d { channels, kernel, stride, padding }) => {
                window(index, layer, at, kernel.get(), stride.get(), *padding, Some(channels.get()))?
            }
            Layer::MaxPool(pool @ Pool { kernel, .. }) => window(index, layer, at, kernel.get(), pool.step(), 0, None)?,
        };
        let shaped = Shaped { layer: layer.clone(), input: at, output };
        if too_large(&shaped) {
            return Err(ShapeError::TooLarge { index, layer: layer.name() });
        }
        chain.push(shaped);
        at = output;
    }
    Ok(chain)
}

/// Limit on values and parameters of one layer, so that no product of sizes overflows.
const LIMIT: f64 = (1u64 << 40) as f64;

fn too_large(shaped: &Shaped) -> bool {
    let values = |shape: TensorShape| match shape {
        TensorShape::Image { channels, height, width } => channels as f64 * height as f64 * width as f64,
        TensorShape::Vector(n) => n as f64,
    };
    let parameters = match &shaped.layer {
        Layer::Conv2d(conv) => match shaped.input {
            TensorShape::Image { channels, .. } => {
                channels as f64 * conv.channels.get() as f64 * (conv.kernel.get() as f64).powi(2)
            }
            TensorShape::Vector(_) => 0.0,
        },
        Layer::Linear(width) => values(shaped.input) * width.get() as f64,
        _ => 0.0,
    };
    values(shaped.input) > LIMIT || values(shaped.output) > LIMIT || parameters > LIMIT
}

fn window(
    index: usize,
    layer: &Layer,
    input: TensorShape,
    kernel: usize,
    stride: usize,
    padding: usize,
    channels_out: Option<usize>,
) -> Result<TensorShape, ShapeError> {
    let TensorShape::Image { channels, height, width } = input else {
        return Err(ShapeError::NeedsImage { index, layer: layer.name(), elements: input.elements() });
    };
    let (padded_height, padded_width) =
        (height.saturating_add(padding.saturating_mul(2)), width.saturating_add(padding.saturating_mul(2)));
    if kernel > padded_height || kernel > padded_width {
        let layer = layer.name();
        return Err(ShapeError::WindowTooLarge {
            index,
            layer,
            window: kernel,
            height: padded_height,
            width: padded_width,
        });
    }
    Ok(TensorShape::Image {
        channels: channels_out.unwrap_or(channels),
        height: (padded_height - kernel) / stride + 1,
        width: (padded_width - kernel) / stride + 1,
    })
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;

    use super::*;

    const IMAGE: TensorShape = TensorShape::Image { channels: 1, height: 28, width: 28 };

    fn n(value: usize) -> NonZeroUsize {
        NonZeroUsize::new(value).expect("not zero")
    }

    fn conv(channels: usize, kernel: usize, stride: usize, padding: usize) -> Layer {
        Layer::Conv2d(Conv2d { channels: n(channels), kernel: n(kernel), stride: n(stride), padding })
    }

    #[test]
    fn shapes_follow_the_usual_arithmetic() {
        let check = |layer: Layer, expected: &str, parameters: u64| {
            let chain = infer(IMAGE, &[layer.clone(), Layer::Linear(n(10))]).expect("it is a network");
            assert_eq!(
                (chain[0].output.to_string().as_str(), chain[0].parameters()),
                (expected, parameters),
                "{layer:?}"
            );
        };
        check(conv(10, 5, 1, 0), "10×24×24", 260);
        check(conv(10, 5, 2, 2), "10×14×14", 260);
        check(Layer::MaxPool(Pool { kernel: n(2), stride: None }), "1×14×14", 0);
        check(Layer::MaxPool(Pool { kernel: n(3), stride: Some(n(1)) }), "1×26×26", 0);
        check(Layer::Relu, "1×28×28", 0);
        check(Layer::Linear(n(50)), "50", 39_250);
    }

    #[test]
    fn what_is_no_network_is_told() {
        let check = |layers: &[Layer], expected: &str| {
            assert_eq!(infer(IMAGE, layers).map_err(|error| error.to_string()), Err(expected.to_owned()));
        };
        let last = Layer::Linear(n(10));
        check(&[], "a network ends in a `linear` layer that gives one value for each class");
        check(&[Layer::Relu], "a network ends in a `linear` layer that gives one value for each class");
        check(
            &[Layer::Linear(n(50)), conv(1, 5, 1, 0), last.clone()],
            "layer 1 (`conv2d`) needs an image, but a vector of 50 values reaches it",
        );
        check(
            &[conv(1, 29, 1, 0), last.clone()],
            "layer 0 (`conv2d`) has a window of 29, larger than the 28×28 image that reaches it",
        );
        check(
            &[Layer::Linear(n(usize::MAX)), last.clone()],
            "layer 0 (`linear`) has more than 2^40 values or parameters",
        );
        check(&[conv(1, 1, 1, usize::MAX), last], "layer 0 (`conv2d`) has more than 2^40 values or parameters");
    }
}
