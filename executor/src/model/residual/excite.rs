//! Channels weighed by what the whole image holds.

use burn::module::Module;
use burn::nn::conv::Conv2d;
use burn::tensor::Tensor;
use burn::tensor::activation::{sigmoid, silu};

use super::super::build::Build;
use super::convolution::convolution;
use super::step::Window;

/// Squeeze-and-excite: each channel times σ(W₂·silu(W₁·means)).
#[derive(Module, Debug)]
pub struct Excite {
    squeeze: Conv2d,
    excite: Conv2d,
}

impl Excite {
    pub(super) fn new(name: &str, channels: usize, narrow: usize, build: &mut Build<'_>) -> Self {
        let layer = |part: &str, channels| Window::new(format!("{name}.{part}"), channels, 1).with_bias();
        Self {
            squeeze: convolution(&layer("fc1", [channels, narrow]), build),
            excite: convolution(&layer("fc2", [narrow, channels]), build),
        }
    }

    pub(super) fn forward(&self, image: Tensor<4>) -> Tensor<4> {
        let means = image.clone().mean_dim(3).mean_dim(2);
        let factors = sigmoid(self.excite.forward(silu(self.squeeze.forward(means))));
        image * factors
    }
}
