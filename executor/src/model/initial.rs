//! Initial parameters.

use burn::module::{Param, ParamId};
use burn::tensor::{Device, Tensor, TensorData};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

/// Draws parameters in order: uniform in ±1/√(inputs of one output), as PyTorch does for linear
/// and convolutional layers. Drawn on the host, so that every device and rank gets the same; and
/// numbered in order, so that the state of an optimiser can be loaded again.
pub struct Values {
    random: ChaCha8Rng,
    next: u64,
}

impl Values {
    pub fn new(seed: u64) -> Self {
        Self { random: ChaCha8Rng::seed_from_u64(seed), next: 0 }
    }

    /// A parameter of the shape, for a layer whose outputs have this many inputs each.
    pub fn parameter<const D: usize>(&mut self, shape: [usize; D], inputs: usize, device: &Device) -> Param<Tensor<D>> {
        let bound = 1.0 / (inputs as f32).sqrt();
        let count = shape.iter().product();
        let values: Vec<f32> = (0..count).map(|_| self.random.random_range(-bound..bound)).collect();
        let tensor = Tensor::from_data(TensorData::new(values, shape), device);
        let tensor = if device.is_autodiff() { tensor.require_grad() } else { tensor };
        self.next += 1;
        Param::initialized(ParamId::from(self.next), tensor)
    }
}
