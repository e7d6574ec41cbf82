//! Pieces of networks on images.

use burn::module::Module;
use burn::nn::Linear;
use burn::nn::conv::Conv2d;

use super::super::build::{Build, Initial, Wanted};
use super::super::flow::{Flow, Value};
use super::super::network::Seam;
use super::super::pass::Pass;
use super::super::running::Running;
use super::convolution::{convolution, pooled, shrunk};
use super::excite::Excite;
use super::norm::{self, Figures, Normalise};
use super::step::Step;

/// A piece of a network on images.
#[derive(Module, Debug)]
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
    Plain(Plain),
}

/// A convolution, and whether a batch normalisation follows.
#[derive(Module, Debug)]
pub struct Convolve {
    convolution: Conv2d,
    normalised: bool,
}

/// A step without parameters.
#[derive(Module, Debug)]
pub struct Plain {
    #[module(skip)]
    step: Step,
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
            plain => Self::Plain(Plain { step: plain.clone() }),
        }
    }

    pub(in super::super) fn forward(&self, flow: Flow, pass: &Pass<'_>) -> Flow {
        let Flow(mut values) = flow;
        match self {
            Self::Convolve(piece) => {
                let image = piece.convolution.forward(last(&mut values).image());
                if piece.normalised && pass.shares_figures() {
                    values.insert(0, Value::Vector(norm::sums(&image)));
                }
                values.push(Value::Image(image));
            }
            Self::Normalise(piece) => {
                let image = last(&mut values).image();
                let figures = pass.shares_figures().then(|| {
                    let [squares, sums] = [0, 0].map(|first| values.remove(first).flat());
                    Figures { sums, squares }
                });
                values.push(Value::Image(piece.forward(image, figures, pass)));
            }
            Self::Excite(piece) => {
                let image = last(&mut values).image();
                values.push(Value::Image(piece.forward(image)));
            }
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
            Self::Convolve(Convolve { normalised: true, .. }) | Self::Plain(Plain { step: Step::Centre }) => {
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

impl Plain {
    fn forward(&self, values: &mut Vec<Value>, pass: &Pass<'_>) {
        let value = last(values);
        match &self.step {
            Step::Centre => {
                if pass.shares_figures() {
                    let squares = norm::centred(&value.clone().image(), values[0].clone().flat());
                    values.insert(0, Value::Vector(squares));
                }
                values.push(value);
            }
            Step::Pool { kernel, stride } => values.push(Value::Image(pooled(value.image(), *kernel, *stride))),
            Step::Copy => values.extend([value.clone(), value]),
            Step::Swap => {
                let below = last(values);
                values.extend([value, below]);
            }
            Step::Add(activation) => {
                let below = last(values).image();
                values.push(Value::Image(activation.of(value.image() + below)));
            }
            Step::Shrink { stride, channels } => values.push(Value::Image(shrunk(value.image(), *stride, *channels))),
            Step::Mean => values.push(Value::Vector(value.image().mean_dim(3).mean_dim(2).flatten(1, 3))),
            step @ (Step::Convolve(_) | Step::Normalise { .. } | Step::Excite { .. } | Step::Linear { .. }) => {
                unreachable!("{step:?} has parameters")
            }
        }
    }
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
