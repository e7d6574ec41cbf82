//! Pieces of networks on images.

use burn::module::Module;
use burn::nn::Linear;
use burn::nn::conv::Conv2d;
use burn::tensor::Tensor;

use super::super::build::{Build, Initial, Wanted};
use super::super::flow::{Flow, Value};
use super::super::network::Seam;
use super::super::pass::Pass;
use super::super::running::Running;
use super::convolution::{convolution, pooled, shrunk};
use super::excite::Excite;
use super::norm::{self, Figures, Normalise};
use super::step::{Plain, Step};

/// A piece of a network on images.
#[derive(Module, Debug)]
#[allow(clippy::large_enum_variant, reason = "burn has no modules in boxes, and a network has few pieces")]
pub enum ImagePiece {
    /// Convolution.
    Convolve(Convolve),
    /// Batch normalisation.
    Normalise(Normalise),
    /// Weighing of channels.
    Excite(Excite),
    /// Fully connected layer.
    Linear(Linear),
    /// What has no parameters.
    Plain(Stateless),
}

/// A convolution, and whether a batch normalisation follows.
#[derive(Module, Debug)]
pub struct Convolve {
    convolution: Conv2d,
    normalised: bool,
}

/// A step without parameters.
#[derive(Module, Debug)]
pub struct Stateless {
    #[module(skip)]
    step: Plain,
}

impl ImagePiece {
    pub(in super::super) fn new(step: &Step, build: &mut Build<'_>) -> Self {
        match step {
            Step::Convolve(window) => {
                Self::Convolve(Convolve { convolution: convolution(window, build), normalised: window.normalised })
            }
            Step::Normalise { name, channels, activation } => {
                Self::Normalise(Normalise::new(name, *channels, *activation, build))
            }
            Step::Excite { name, channels, narrow } => Self::Excite(Excite::new(name, *channels, *narrow, build)),
            Step::Linear { name, inputs, outputs } => Self::Linear(linear(name, *inputs, *outputs, build)),
            Step::Plain(step) => Self::Plain(Stateless { step: *step }),
        }
    }

    pub(in super::super) fn forward(&self, flow: Flow, pass: &Pass<'_>) -> Flow {
        let Flow(mut values) = flow;
        match self {
            Self::Convolve(piece) => piece.forward(&mut values, pass),
            Self::Normalise(piece) => normalise(piece, &mut values, pass),
            Self::Excite(piece) => on_image(&mut values, |image| piece.forward(image)),
            Self::Linear(layer) => {
                let vector = last(&mut values).flat();
                values.push(Value::Vector(layer.forward(vector)));
            }
            Self::Plain(piece) => piece.forward(&mut values, pass),
        }
        Flow(values)
    }

    pub(in super::super) const fn seams(&self) -> &'static [Seam] {
        match self {
            Self::Convolve(Convolve { normalised: true, .. }) | Self::Plain(Stateless { step: Plain::Centre }) => {
                &[Seam::SumOverReplicas]
            }
            _ => &[],
        }
    }

    pub(in super::super) const fn running(&self) -> Option<&Running> {
        match self {
            Self::Normalise(piece) => Some(piece.running()),
            _ => None,
        }
    }
}

impl Convolve {
    fn forward(&self, values: &mut Vec<Value>, pass: &Pass<'_>) {
        on_image(values, |image| self.convolution.forward(image));
        if self.normalised && pass.shares_figures() {
            let image = last(values).image();
            values.insert(0, Value::Vector(norm::sums(&image)));
            values.push(Value::Image(image));
        }
    }
}

impl Stateless {
    fn forward(&self, values: &mut Vec<Value>, pass: &Pass<'_>) {
        match self.step {
            Plain::Centre if pass.shares_figures() => {
                let image = last(values).image();
                values.insert(0, Value::Vector(norm::centred(&image, values[0].clone().flat())));
                values.push(Value::Image(image));
            }
            Plain::Centre => {}
            Plain::Pool { kernel, stride } => on_image(values, |image| pooled(image, kernel, stride)),
            Plain::Copy => {
                let value = last(values);
                values.extend([value.clone(), value]);
            }
            Plain::Swap => {
                let [top, below] = [last(values), last(values)];
                values.extend([top, below]);
            }
            Plain::Add(activation) => {
                let below = last(values).image();
                on_image(values, |image| activation.of(image + below));
            }
            Plain::Shrink { stride, channels } => on_image(values, |image| shrunk(image, stride, channels)),
            Plain::Mean => {
                let image = last(values).image();
                values.push(Value::Vector(image.mean_dim(3).mean_dim(2).flatten(1, 3)));
            }
        }
    }
}

/// Batch normalisation with the figures that stand before all other values, where replicas share them.
fn normalise(piece: &Normalise, values: &mut Vec<Value>, pass: &Pass<'_>) {
    let figures = pass.shares_figures().then(|| {
        let [squares, sums] = [0, 0].map(|first| values.remove(first).flat());
        Figures { sums, squares }
    });
    on_image(values, |image| piece.forward(image, figures, pass));
}

/// Replaces the last value, an image.
fn on_image(values: &mut Vec<Value>, of: impl FnOnce(Tensor<4>) -> Tensor<4>) {
    let image = last(values).image();
    values.push(Value::Image(of(image)));
}

fn last(values: &mut Vec<Value>) -> Value {
    values.pop().unwrap_or_else(|| unreachable!("a piece is given no value"))
}

/// A fully connected layer drawn as PyTorch does: uniform within ±1/√inputs.
pub(in super::super) fn linear(name: &str, inputs: usize, outputs: usize, build: &mut Build<'_>) -> Linear {
    let initial = Initial::Uniform(1.0 / (inputs as f32).sqrt());
    let weight = Wanted::new([inputs, outputs], initial).transposed();
    Linear {
        weight: build.parameter(format!("{name}.weight"), weight),
        bias: Some(build.parameter(format!("{name}.bias"), Wanted::new([outputs], initial))),
    }
}
