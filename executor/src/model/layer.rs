//! Layers of simple chains: convolution, pooling, activation functions, fully connected.

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::pool::{MaxPool2d, MaxPool2dConfig};
use burn::nn::{Linear, LinearConfig, PaddingConfig2d, Relu, Tanh};
use scenarios::model::{Conv2d as ConvolutionLayer, Layer, Shaped, TensorShape};

use super::build::{Build, Initial, Wanted};
use super::flow::Value;

/// One layer of a network.
#[derive(Module, Debug)]
pub enum NetworkLayer {
    /// Two-dimensional convolution.
    Conv2d(Conv2d),
    /// Maximum over windows.
    MaxPool(MaxPool2d),
    /// max(0, x)
    Relu(Relu),
    /// Hyperbolic tangent.
    Tanh(Tanh),
    /// Fully connected layer; flattens what reaches it.
    Linear(Linear),
}

impl NetworkLayer {
    /// Layer `index` of a chain, with parameters of its own.
    pub(crate) fn new(index: usize, shaped: &Shaped, build: &mut Build<'_>) -> Self {
        match (&shaped.layer, shaped.input) {
            (Layer::Conv2d(layer), TensorShape::Image { channels, .. }) => {
                Self::Conv2d(convolution(index, *layer, channels, build))
            }
            (Layer::MaxPool(pool), _) => {
                let (kernel, step) = (pool.kernel.get(), pool.step());
                Self::MaxPool(MaxPool2dConfig::new([kernel, kernel]).with_strides([step, step]).init())
            }
            (Layer::Relu, _) => Self::Relu(Relu::new()),
            (Layer::Tanh, _) => Self::Tanh(Tanh::new()),
            (Layer::Linear(width), input) => Self::Linear(linear(index, input.elements(), width.get(), build)),
            (Layer::Conv2d(_), TensorShape::Vector(_)) => {
                unreachable!("shapes were inferred before the network was built")
            }
        }
    }

    pub(crate) fn forward(&self, at: Value) -> Value {
        match (self, at) {
            (Self::Conv2d(layer), at) => Value::Image(layer.forward(at.image())),
            (Self::MaxPool(layer), at) => Value::Image(layer.forward(at.image())),
            (Self::Linear(layer), at) => Value::Vector(layer.forward(at.flat())),
            (Self::Relu(layer), Value::Image(tensor)) => Value::Image(layer.forward(tensor)),
            (Self::Relu(layer), at) => Value::Vector(layer.forward(at.flat())),
            (Self::Tanh(layer), Value::Image(tensor)) => Value::Image(layer.forward(tensor)),
            (Self::Tanh(layer), at) => Value::Vector(layer.forward(at.flat())),
        }
    }
}

fn convolution(index: usize, layer: ConvolutionLayer, channels: usize, build: &mut Build<'_>) -> Conv2d {
    let (kernel, out) = (layer.kernel.get(), layer.channels.get());
    let padding = match layer.padding {
        0 => PaddingConfig2d::Valid,
        n => PaddingConfig2d::Explicit(n, n, n, n),
    };
    let mut module = Conv2dConfig::new([channels, out], [kernel, kernel])
        .with_stride([layer.stride.get(); 2])
        .with_padding(padding)
        .init(build.device);
    let initial = Initial::Uniform(1.0 / ((channels * kernel * kernel) as f32).sqrt());
    module.weight =
        build.parameter(format!("layers.{index}.weight"), Wanted::new([out, channels, kernel, kernel], initial));
    module.bias = Some(build.parameter(format!("layers.{index}.bias"), Wanted::new([out], initial)));
    module
}

fn linear(index: usize, inputs: usize, outputs: usize, build: &mut Build<'_>) -> Linear {
    let mut module = LinearConfig::new(inputs, outputs).init(build.device);
    let initial = Initial::Uniform(1.0 / (inputs as f32).sqrt());
    let weight = Wanted::new([inputs, outputs], initial).transposed();
    module.weight = build.parameter(format!("layers.{index}.weight"), weight);
    module.bias = Some(build.parameter(format!("layers.{index}.bias"), Wanted::new([outputs], initial)));
    module
}
