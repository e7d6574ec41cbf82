//! How embeddings and numbers meet.

use burn::module::{Module, Param};
use burn::tensor::{Int, Tensor, TensorData};
use scenarios::model::{Dlrm, Interaction};

use super::super::build::{Build, Initial, Wanted};
use super::super::flow::{Flow, Value};

/// Products of all pairs of vectors, after the numbers' own vector.
#[derive(Module, Debug)]
pub struct Dot {
    features: usize,
}

/// A low-rank cross layer: x₀ ⊙ (W·V·x + b) + x
#[derive(Module, Debug)]
pub struct CrossLayer {
    narrow: Param<Tensor<2>>,
    wide: Param<Tensor<2>>,
    bias: Param<Tensor<1>>,
    first: bool,
    last: bool,
}

impl Dot {
    pub(super) const fn new(features: usize) -> Self {
        Self { features }
    }

    /// `[records, width]` and `[records, tables, width]` → `[records, width + pairs]`, the pairs (1, 0), (2, 0), (2, 1), …
    pub(super) fn forward(&self, numbers: Tensor<2>, embeddings: Tensor<3>) -> Tensor<2> {
        let (features, device) = (self.features, numbers.device());
        let vectors = Tensor::cat(vec![numbers.clone().unsqueeze_dim(1), embeddings], 1);
        let products: Tensor<2> = vectors.clone().matmul(vectors.transpose()).flatten(1, 2);
        let pairs: Vec<u32> =
            (0..features).flat_map(|row| (0..row).map(move |column| (row * features + column) as u32)).collect();
        let count = pairs.len();
        let pairs = Tensor::<1, Int>::from_data(TensorData::new(pairs, [count]), &device);
        Tensor::cat(vec![numbers, products.select(1, pairs)], 1)
    }
}

impl CrossLayer {
    /// Matrices drawn with variance 2 / (inputs + outputs) (Glorot and Bengio 2010), as torchrec does; a bias of 0.
    ///
    /// # Panics
    /// The network has no cross layers.
    pub(super) fn new(network: &Dlrm, layer: usize, build: &mut Build<'_>) -> Self {
        let Interaction::Cross(cross) = network.interaction else { unreachable!("the network has no cross layers") };
        let (inputs, rank) = (network.top_inputs(), cross.rank.get());
        let initial = Initial::Normal((2.0 / (inputs + rank) as f32).sqrt());
        let mut matrix = |name: &str, shape| {
            build.parameter(format!("crossnet.{name}.{layer}"), Wanted::new(shape, initial).transposed())
        };
        let (narrow, wide) = (matrix("V_kernels", [inputs, rank]), matrix("W_kernels", [rank, inputs]));
        let bias = build.parameter(format!("crossnet.bias.{layer}"), Wanted::new([inputs], Initial::Constant(0.0)));
        Self { narrow, wide, bias, first: layer == 0, last: layer + 1 == cross.layers.get() }
    }

    /// What the layer makes of where the layers before have come to and of their start, which flows on to those after it.
    /// The first layer is given numbers and embeddings; side by side they are the start.
    pub(super) fn forward(&self, at: Tensor<2>, beside: Tensor<2>) -> Flow {
        let (at, start) = if self.first {
            let start = Tensor::cat(vec![at, beside], 1);
            (start.clone(), start)
        } else {
            (at, beside)
        };
        let product = at.clone().matmul(self.narrow.val()).matmul(self.wide.val());
        let next = Value::Vector(start.clone() * (product + self.bias.val().unsqueeze_dim(0)) + at);
        if self.last { next.into() } else { Flow(vec![next, Value::Vector(start)]) }
    }
}
