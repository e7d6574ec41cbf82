//! Convolutions, pools and shortcuts without parameters.

use burn::nn::PaddingConfig2d;
use burn::nn::conv::Conv2d;
use burn::tensor::module::max_pool2d;
use burn::tensor::ops::{MaxPoolOptions, PadMode};
use burn::tensor::{Tensor, s};

use super::super::build::{Build, Initial, Wanted};
use super::step::Window;

/// A convolution with weights drawn from a normal distribution of variance 2 / (outputs · kernel²) (He et al. 2015,
/// arXiv 1502.01852, by fan-out, as torchvision has it) and biases of 0.
pub fn convolution(window: &Window, build: &mut Build<'_>) -> Conv2d {
    let fan_out = (window.channels[1] * window.kernel * window.kernel) as f32;
    drawn(window, Initial::Normal((2.0 / fan_out).sqrt()), 0.0, build)
}

/// A convolution with weights drawn as said and all biases equal.
pub fn drawn(window: &Window, weight: Initial, bias: f32, build: &mut Build<'_>) -> Conv2d {
    let ([inputs, outputs], kernel, groups) = (window.channels, window.kernel, window.groups);
    let weight = Wanted::new([outputs, inputs / groups, kernel, kernel], weight);
    let name = &window.name;
    Conv2d {
        weight: build.parameter(format!("{name}.weight"), weight),
        bias: window
            .bias
            .then(|| build.parameter(format!("{name}.bias"), Wanted::new([outputs], Initial::Constant(bias)))),
        stride: [window.stride; 2],
        kernel_size: [kernel; 2],
        dilation: [1; 2],
        groups,
        padding: padding(window),
    }
}

/// As many zeros as a step of one needs to keep the size, which with any step gives ⌈size / stride⌉; before and after
/// the image alike if the kernel's side is odd, as PyTorch pads.
const fn padding(window: &Window) -> PaddingConfig2d {
    if !window.padded {
        return PaddingConfig2d::Valid;
    }
    let (before, after) = ((window.kernel - 1) / 2, window.kernel / 2);
    PaddingConfig2d::Explicit(before, before, after, after)
}

/// Maximum over square windows, with ⌈size / stride⌉ rows and columns: windows reach over the edge by the same on both
/// sides, or by one more at the end.
pub(super) fn pooled(image: Tensor<4>, kernel: usize, stride: usize) -> Tensor<4> {
    let [_, _, rows, columns] = image.dims();
    let reach = |size: usize| {
        // A kernel of odd side is centred, as PyTorch pads; another one starts at the edge.
        let before = if kernel % 2 == 1 { (kernel - 1) / 2 } else { 0 };
        let needed = (size.div_ceil(stride) - 1) * stride + kernel;
        (before, if kernel % 2 == 1 { before } else { needed.saturating_sub(size) })
    };
    let options = MaxPoolOptions::new([kernel; 2]).with_stride([stride; 2]);
    max_pool2d(image, options.with_padding_pairs([reach(rows), reach(columns)]))
}

/// Every `stride`-th pixel, and as many channels of zeros before and after the others as make them `channels`.
pub(super) fn shrunk(image: Tensor<4>, stride: usize, channels: usize) -> Tensor<4> {
    let image = if stride > 1 {
        let step = isize::try_from(stride).unwrap_or(isize::MAX);
        image.slice(s![.., .., ..;step, ..;step])
    } else {
        image
    };
    let found = image.dims()[1];
    match channels.checked_sub(found) {
        Some(0) => image,
        Some(more) => image.pad([(0, 0), (more / 2, more - more / 2), (0, 0), (0, 0)], PadMode::Constant(0.0)),
        None => image.narrow(1, 0, channels),
    }
}
