//! Fully connected networks.

use std::num::NonZeroUsize;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Layer, TensorShape};

/// Fully connected network. Without hidden layers it is a linear (softmax) model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Mlp {
    /// Values in one input record.
    pub inputs: NonZeroUsize,
    /// Widths of the hidden layers, in order.
    #[serde(default)]
    pub hidden: Vec<NonZeroUsize>,
    /// Classes.
    pub outputs: NonZeroUsize,
    /// Activation after every hidden layer.
    #[serde(default)]
    pub activation: Activation,
}

/// Activation function.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    /// max(0, x)
    #[default]
    Relu,
    /// Hyperbolic tangent.
    Tanh,
    /// None: the whole network is linear.
    Linear,
}

impl Mlp {
    pub(super) fn input(&self) -> TensorShape {
        TensorShape::Vector(self.inputs.get())
    }

    pub(super) fn layers(&self) -> Vec<Layer> {
        let mut layers = Vec::new();
        for width in &self.hidden {
            layers.push(Layer::Linear(*width));
            match self.activation {
                Activation::Relu => layers.push(Layer::Relu),
                Activation::Tanh => layers.push(Layer::Tanh),
                Activation::Linear => {}
            }
        }
        layers.push(Layer::Linear(self.outputs));
        layers
    }
}
