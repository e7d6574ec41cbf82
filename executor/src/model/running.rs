//! Figures of the data that a network keeps beside its parameters: running mean and variance.

use std::sync::{Mutex, PoisonError};

use burn::tensor::{Device, Tensor, TensorData};

use super::host;

/// Weight of the newest batch (PyTorch's default).
const MOMENTUM: f64 = 0.1;

/// Running mean and variance of the channels of an activation: used instead of the batch's own where a network does not
/// learn. They are no parameters: nothing is optimised, and [`super::Network::size`] does not count them.
#[derive(Debug)]
pub struct Running {
    name: String,
    /// Mean and variance, `[channels]` each, without a graph.
    figures: Mutex<[Tensor<1>; 2]>,
}

impl Clone for Running {
    fn clone(&self) -> Self {
        Self { name: self.name.clone(), figures: Mutex::new(self.figures()) }
    }
}

impl Running {
    /// Means of 0 and variances of 1, for the normalisation `name`.
    #[must_use]
    pub fn new(name: impl Into<String>, channels: usize, device: &Device) -> Self {
        let figures = [Tensor::zeros([channels], device), Tensor::ones([channels], device)];
        Self { name: name.into(), figures: Mutex::new(figures.map(Tensor::without_autodiff)) }
    }

    /// Names of mean and variance in a file, as PyTorch users expect them.
    #[must_use]
    pub fn names(&self) -> [String; 2] {
        ["running_mean", "running_var"].map(|figure| format!("{}.{figure}", self.name))
    }

    /// Channels.
    #[must_use]
    pub fn channels(&self) -> usize {
        self.figures()[0].dims()[0]
    }

    /// Mean and variance, `[channels]` each.
    #[must_use]
    pub fn figures(&self) -> [Tensor<1>; 2] {
        self.figures.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes in a batch of `count` values a channel: its mean and its (biased) variance. As in PyTorch, what is kept is an
    /// exponential mean of means and of unbiased variances.
    pub fn update(&self, mean: Tensor<1>, variance: Tensor<1>, count: Tensor<1>) {
        let unbiased = variance * count.clone() / (count - 1.0).clamp_min(1.0);
        let newest = [mean, unbiased].map(Tensor::without_autodiff);
        let mut figures = self.figures.lock().unwrap_or_else(PoisonError::into_inner);
        for (kept, newest) in figures.iter_mut().zip(newest) {
            *kept = kept.clone() * (1.0 - MOMENTUM) + newest * MOMENTUM;
        }
    }

    /// Takes over the figures of another.
    pub fn follow(&self, other: &Self) {
        *self.figures.lock().unwrap_or_else(PoisonError::into_inner) = other.figures();
    }

    /// Mean and variance on the host, one after the other.
    #[must_use]
    pub fn values(&self) -> [Vec<f32>; 2] {
        self.figures().map(host)
    }

    /// Replaces mean and variance.
    ///
    /// # Panics
    /// They are not as many as there are channels: files are checked against the network first.
    pub fn set(&self, values: [Vec<f32>; 2]) {
        let mut figures = self.figures.lock().unwrap_or_else(PoisonError::into_inner);
        for (kept, values) in figures.iter_mut().zip(values) {
            *kept = Tensor::from_data(TensorData::new(values, kept.shape()), &kept.device());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_follow_pytorch_and_clones_go_their_own_way() {
        let device = Device::flex();
        let running = Running::new("bn1", 2, &device);
        let floats = |values: [f32; 2]| Tensor::<1>::from_floats(values, &device);
        running.update(floats([1.0, 2.0]), floats([3.0, 0.5]), floats([4.0, 4.0]));
        let clone = running.clone();
        clone.update(floats([1.0, 2.0]), floats([3.0, 0.5]), floats([1.0, 1.0]));
        let check = |running: &Running, expected: [[f32; 2]; 2]| {
            for (found, expected) in running.values().iter().flatten().zip(expected.as_flattened()) {
                assert!((found - expected).abs() < 1e-6, "{:?}", running.values());
            }
        };
        check(&running, [[0.1, 0.2], [0.9 + 0.4, 0.9 + 0.1 * 2.0 / 3.0]]);
        // A variance over a single value is none; it is taken as it is.
        check(&clone, [[0.19, 0.38], [0.9 * 1.3 + 0.3, 0.9 * (0.9 + 0.2 / 3.0) + 0.05]]);
        running.set(clone.values());
        assert_eq!(running.values(), clone.values());
        assert_eq!(running.names(), ["bn1.running_mean", "bn1.running_var"]);
    }
}
