//! A small fixed work that tells how fast a device is now.
//!
//! A machine is faster at one time than at another: by its clock, and on a virtual one by what its neighbours do. The work
//! takes as long as the device is slow, whatever is trained; times of two moments are compared by what it took at each.

use burn::tensor::activation::softmax;
use burn::tensor::{Device, Distribution, Tensor};

use super::waited;

/// Rows and columns of the matrices.
const SIDE: usize = 128;

/// Layers of the work.
const LAYERS: usize = 2;

/// The work: matrix products with an operation value by value behind each, as in a network, about a millisecond on a core.
#[derive(Debug)]
pub struct Reference {
    matrix: Tensor<2>,
    device: Device,
}

impl Reference {
    /// The work on a device.
    #[must_use]
    pub fn new(device: &Device) -> Self {
        let device = device.clone().inner();
        Self { matrix: Tensor::random([SIDE, SIDE], Distribution::Normal(0.0, 0.1), &device), device }
    }

    /// Seconds that it takes now, with warm caches.
    #[must_use]
    pub fn seconds(&self) -> f64 {
        self.work();
        waited(&self.device, || self.work()).as_secs_f64()
    }

    fn work(&self) -> Tensor<2> {
        let layer = |values: Tensor<2>| softmax(values.matmul(self.matrix.clone()), 1).tanh() + self.matrix.clone();
        (0..LAYERS).fold(self.matrix.clone(), |values, _| layer(values))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_work_takes_some_time_and_stays_finite() {
        let reference = Reference::new(&Device::flex());
        assert!(reference.seconds() > 0.0);
        assert!(reference.work().abs().max().into_scalar::<f32>().is_finite());
    }
}
