//! Feature pyramid (Lin et al. 2017, arXiv 1612.03144).

use burn::module::Module;
use burn::nn::conv::Conv2d;
use burn::tensor::Tensor;
use burn::tensor::activation::relu;
use burn::tensor::module::interpolate;
use burn::tensor::ops::{InterpolateMode, InterpolateOptions};
use scenarios::model::{Pyramid, TensorShape};

use super::super::build::Build;
use super::super::flow::{Flow, Value};
use super::super::residual::{Window, convolution};

/// The maps of several stages brought to one width and summed from small to large, and further halved maps above.
#[derive(Module, Debug)]
pub struct PyramidPiece {
    lateral: Vec<Conv2d>,
    smooth: Vec<Conv2d>,
    above: Vec<Conv2d>,
}

/// Shapes of a pyramid's maps over stages of these shapes.
pub(super) fn maps(pyramid: Pyramid, stages: &[TensorShape]) -> Vec<TensorShape> {
    let channels = pyramid.channels.get();
    let like = |shape: &TensorShape, step: usize| match *shape {
        TensorShape::Image { height, width, .. } => {
            TensorShape::Image { channels, height: height.div_ceil(step), width: width.div_ceil(step) }
        }
        TensorShape::Vector(values) => TensorShape::Vector(values),
    };
    let mut maps: Vec<_> = stages.iter().map(|stage| like(stage, 1)).collect();
    for _ in 0..pyramid.above {
        maps.extend(maps.last().map(|last| like(last, 2)));
    }
    maps
}

impl PyramidPiece {
    /// A pyramid over stages of so many channels, with names as torchvision's `BackboneWithFPN` has them.
    pub(super) fn new(pyramid: Pyramid, stages: &[usize], build: &mut Build<'_>) -> Self {
        let channels = pyramid.channels.get();
        let layer = |name: String, from: usize, kernel: usize| Window::new(name, [from, channels], kernel).with_bias();
        let mut make = |window: &Window| convolution(window, build);
        let inner = |(index, from): (usize, &usize)| layer(format!("backbone.fpn.inner_blocks.{index}.0"), *from, 1);
        let outer = |index: usize| layer(format!("backbone.fpn.layer_blocks.{index}.0"), channels, 3);
        let first = 3 + stages.len();
        let above = |index: usize| layer(format!("backbone.fpn.extra_blocks.p{}", first + index), channels, 3).by(2);
        Self {
            lateral: stages.iter().enumerate().map(|stage| make(&inner(stage))).collect(),
            smooth: (0..stages.len()).map(|index| make(&outer(index))).collect(),
            above: (0..pyramid.above).map(|index| make(&above(index))).collect(),
        }
    }

    /// The maps of the stages, from the largest to the smallest → those of the pyramid.
    pub(super) fn forward(&self, flow: Flow) -> Flow {
        let lateral = flow.0.into_iter().zip(&self.lateral).map(|(map, layer)| layer.forward(map.image()));
        let mut summed: Vec<Tensor<4>> = lateral.collect();
        for index in (1..summed.len()).rev() {
            let [_, _, rows, columns] = summed[index - 1].dims();
            summed[index - 1] = summed[index - 1].clone() + enlarged(summed[index].clone(), [rows, columns]);
        }
        let mut maps: Vec<_> = summed.into_iter().zip(&self.smooth).map(|(map, layer)| layer.forward(map)).collect();
        for (index, layer) in self.above.iter().enumerate() {
            let Some(below) = maps.last().cloned() else { break };
            maps.push(layer.forward(if index == 0 { below } else { relu(below) }));
        }
        Flow(maps.into_iter().map(Value::Image).collect())
    }
}

/// Each pixel again and again, up to this size.
fn enlarged(map: Tensor<4>, size: [usize; 2]) -> Tensor<4> {
    interpolate(map, InterpolateOptions::new(InterpolateMode::Nearest).with_output_size(size))
}
