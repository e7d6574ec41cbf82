//! Networks in burn, built from the descriptions that the planner reads too.

mod checkpoint;
pub(crate) mod initial;

pub use checkpoint::{Checkpoint, CheckpointError, Recipe};

use burn::module::{Module, ModuleVisitor, Param};
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::pool::{MaxPool2d, MaxPool2dConfig};
use burn::nn::{Linear, LinearConfig, PaddingConfig2d, Relu, Tanh};
use burn::tensor::{Device, Tensor};
use scenarios::model::{Conv2d as ConvolutionLayer, Layer, Shaped, TensorShape};

/// A feed-forward network as a chain of layers.
#[derive(Module, Debug)]
pub struct Network {
    layers: Vec<NetworkLayer>,
    #[module(skip)]
    input: TensorShape,
}

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

impl Network {
    /// A network with initial parameters drawn by `seed`: the same on every device and rank.
    ///
    /// # Panics
    /// If the chain is empty; [`scenarios::model::Model::shaped`] gives none.
    #[must_use]
    pub fn new(chain: &[Shaped], seed: u64, device: &Device) -> Self {
        let input = chain.first().expect("a network has layers").input;
        let mut values = initial::Values::new(seed);
        let layers = chain.iter().map(|layer| NetworkLayer::new(layer, &mut values, device)).collect();
        Self { layers, input }
    }

    /// Class scores of records: `[records, values]` → `[records, classes]`.
    #[must_use]
    pub fn forward(&self, records: Tensor<2>) -> Tensor<2> {
        let [count, _] = records.dims();
        let start = match self.input {
            TensorShape::Image { channels, height, width } => {
                Activation::Image(records.reshape([count, channels, height, width]))
            }
            TensorShape::Vector(_) => Activation::Vector(records),
        };
        self.layers.iter().fold(start, |at, layer| layer.forward(at)).flat()
    }

    /// The network, leaving one without layers in its place.
    #[must_use]
    pub fn take(&mut self) -> Self {
        Self { layers: std::mem::take(&mut self.layers), input: self.input }
    }

    /// Trainable parameters.
    #[must_use]
    pub fn parameters(&self) -> usize {
        self.num_params()
    }

    /// All parameters in order, on the host.
    #[must_use]
    pub fn values(&self) -> Vec<f32> {
        struct Collector(Vec<f32>);
        impl ModuleVisitor for Collector {
            fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
                self.0.extend(host(parameter.val()));
            }
        }
        let mut collector = Collector(Vec::with_capacity(self.parameters()));
        self.visit(&mut collector);
        collector.0
    }
}

/// The values of a tensor on the host.
///
/// # Panics
/// If the device cannot be read or holds other numbers than 32-bit floating point; networks have none.
#[must_use]
pub fn host<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().try_to_vec().expect("tensors of networks hold 32-bit floating point")
}

/// What flows between layers.
#[derive(Debug, Clone)]
pub(crate) enum Activation {
    Image(Tensor<4>),
    Vector(Tensor<2>),
}

impl Activation {
    pub(crate) fn flat(self) -> Tensor<2> {
        match self {
            Self::Image(tensor) => tensor.flatten(1, 3),
            Self::Vector(tensor) => tensor,
        }
    }

    fn image(self) -> Tensor<4> {
        match self {
            Self::Image(tensor) => tensor,
            Self::Vector(_) => unreachable!("shapes were inferred before the network was built"),
        }
    }
}

impl NetworkLayer {
    /// A layer of its own with parameters from `values`.
    pub(crate) fn new(shaped: &Shaped, values: &mut initial::Values, device: &Device) -> Self {
        match (&shaped.layer, shaped.input) {
            (Layer::Conv2d(layer), TensorShape::Image { channels, .. }) => {
                Self::Conv2d(convolution(*layer, channels, values, device))
            }
            (Layer::MaxPool(pool), _) => {
                let (kernel, step) = (pool.kernel.get(), pool.step());
                Self::MaxPool(MaxPool2dConfig::new([kernel, kernel]).with_strides([step, step]).init())
            }
            (Layer::Relu, _) => Self::Relu(Relu::new()),
            (Layer::Tanh, _) => Self::Tanh(Tanh::new()),
            (Layer::Linear(width), input) => Self::Linear(linear(input.elements(), width.get(), values, device)),
            (Layer::Conv2d(_), TensorShape::Vector(_)) => {
                unreachable!("shapes were inferred before the network was built")
            }
        }
    }

    pub(crate) fn forward(&self, at: Activation) -> Activation {
        match (self, at) {
            (Self::Conv2d(layer), at) => Activation::Image(layer.forward(at.image())),
            (Self::MaxPool(layer), at) => Activation::Image(layer.forward(at.image())),
            (Self::Linear(layer), at) => Activation::Vector(layer.forward(at.flat())),
            (Self::Relu(layer), Activation::Image(tensor)) => Activation::Image(layer.forward(tensor)),
            (Self::Relu(layer), Activation::Vector(tensor)) => Activation::Vector(layer.forward(tensor)),
            (Self::Tanh(layer), Activation::Image(tensor)) => Activation::Image(layer.forward(tensor)),
            (Self::Tanh(layer), Activation::Vector(tensor)) => Activation::Vector(layer.forward(tensor)),
        }
    }
}

fn convolution(layer: ConvolutionLayer, channels: usize, values: &mut initial::Values, device: &Device) -> Conv2d {
    let (kernel, out) = (layer.kernel.get(), layer.channels.get());
    let padding = match layer.padding {
        0 => PaddingConfig2d::Valid,
        n => PaddingConfig2d::Explicit(n, n, n, n),
    };
    let mut module = Conv2dConfig::new([channels, out], [kernel, kernel])
        .with_stride([layer.stride.get(); 2])
        .with_padding(padding)
        .init(device);
    let inputs = channels * kernel * kernel;
    module.weight = values.parameter([out, channels, kernel, kernel], inputs, device);
    module.bias = Some(values.parameter([out], inputs, device));
    module
}

fn linear(inputs: usize, outputs: usize, values: &mut initial::Values, device: &Device) -> Linear {
    let mut module = LinearConfig::new(inputs, outputs).init(device);
    module.weight = values.parameter([inputs, outputs], inputs, device);
    module.bias = Some(values.parameter([outputs], inputs, device));
    module
}

#[cfg(test)]
mod tests {
    use scenarios::model::{Model, PRESETS, Preset};

    use super::*;

    /// Presets that are chains and small enough to build here.
    fn small_presets() -> impl Iterator<Item = &'static Preset> {
        PRESETS.iter().filter(|preset| preset.name.starts_with("mnist-"))
    }

    #[test]
    fn parameter_counts_equal_the_description() {
        for preset in small_presets() {
            let model = preset.model();
            let chain = model.shaped().expect("presets are valid");
            let network = Network::new(&chain, 7, &Device::flex());
            assert_eq!(Ok(network.parameters() as u64), model.parameters(), "{}", preset.name);
        }
    }

    #[test]
    fn a_seed_gives_one_network_with_and_without_differentiation() {
        let chain = Model::Preset("mnist-cnn".to_owned()).shaped().expect("it is a preset");
        let values = |seed, device: &Device| Network::new(&chain, seed, device).values();
        assert_eq!(values(7, &Device::flex()), values(7, &Device::flex().autodiff()));
        assert_ne!(values(7, &Device::flex()), values(8, &Device::flex()));
        let spread = values(7, &Device::flex());
        assert!(spread.iter().all(|value| value.abs() <= 0.2), "bounds are 1/√fan-in");
    }

    #[test]
    fn shapes_of_the_forward_pass_are_the_inferred_ones() {
        for preset in small_presets() {
            let chain = preset.model().shaped().expect("presets are valid");
            let device = Device::flex();
            let records = Tensor::<2>::zeros([3, chain[0].input.elements()], &device);
            let scores = Network::new(&chain, 1, &device).forward(records);
            assert_eq!(scores.dims(), [3, 10], "{}", preset.name);
        }
    }
}
