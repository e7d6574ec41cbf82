//! Networks by the names people know.

use std::num::NonZeroUsize;

use super::{Activation, Cnn, Conv2d, ImageSize, Layer, Mlp, Model, Pool, ShapeError};

/// A named network.
#[derive(Debug, Clone, Copy)]
pub struct Preset {
    /// The name that scenarios write.
    pub name: &'static str,
    /// What it is, in a line.
    pub about: &'static str,
    build: fn() -> Model,
}

impl Preset {
    /// The full description.
    #[must_use]
    pub fn model(&self) -> Model {
        (self.build)()
    }
}

/// All presets, by name.
pub const PRESETS: &[Preset] = &[
    Preset {
        name: "mnist-cnn",
        about: "LeNet-style network for 28×28 grey digits, 21,840 parameters",
        build: mnist_cnn,
    },
    Preset { name: "mnist-linear", about: "softmax regression on 28×28 grey digits", build: mnist_linear },
    Preset { name: "mnist-mlp", about: "784-256-128-10 with ReLU", build: mnist_mlp },
];

pub(super) fn find(name: &str) -> Result<&'static Preset, ShapeError> {
    PRESETS.iter().find(|preset| preset.name == name).ok_or_else(|| ShapeError::UnknownPreset { name: name.to_owned() })
}

const fn n(value: usize) -> NonZeroUsize {
    NonZeroUsize::new(value).expect("presets have no zero sizes")
}

fn mnist_cnn() -> Model {
    let conv = |channels| Layer::Conv2d(Conv2d { channels: n(channels), kernel: n(5), stride: n(1), padding: 0 });
    let pool = || Layer::MaxPool(Pool { kernel: n(2), stride: None });
    Model::Cnn(Cnn {
        image: ImageSize { channels: n(1), height: n(28), width: n(28) },
        layers: vec![
            conv(10),
            pool(),
            Layer::Relu,
            conv(20),
            pool(),
            Layer::Relu,
            Layer::Linear(n(50)),
            Layer::Linear(n(10)),
        ],
    })
}

fn mnist_linear() -> Model {
    Model::Mlp(Mlp { inputs: n(784), hidden: vec![], outputs: n(10), activation: Activation::Linear })
}

fn mnist_mlp() -> Model {
    Model::Mlp(Mlp { inputs: n(784), hidden: vec![n(256), n(128)], outputs: n(10), activation: Activation::Relu })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameter_counts_are_the_published_ones() {
        let check = |name: &str, parameters: u64| {
            assert_eq!(Model::Preset(name.to_owned()).parameters(), Ok(parameters), "{name}");
        };
        check("mnist-cnn", 21_840);
        check("mnist-linear", 7_850);
        check("mnist-mlp", 235_146);
    }
}
