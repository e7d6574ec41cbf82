//! Operations of networks, forward and backward, as burn runs them in training.

use std::num::NonZeroUsize;

use burn::module::{Param, ParamId};
use burn::nn::loss::CrossEntropyLossConfig;
use burn::tensor::{Device, Distribution, Int, Tensor, TensorData};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use scenarios::machine::{DeviceKind, Operation, OperationMeasurement, OptimizerRule, Pass};
use scenarios::model::{Conv2d, Layer, Pool, Shaped, TensorShape};
use scenarios::scenario::{Adam, Momentum, Optimizer, Sgd};
use scenarios::units::Interval;

use super::{probe, ranks::in_ranks, shapes};
use crate::device::Devices;
use crate::model::Value;
use crate::model::build::{Build, Share};
use crate::model::flat;
use crate::model::layer::NetworkLayer;
use crate::parallel::update::optimizer::build as build_optimizer;
use crate::transport::Transport as _;

/// Runs of an operation that a GPU is given before it is waited for, as training does.
const GPU_RUNS_PER_WAIT: u32 = 16;

/// Times that every operation is measured anew. A machine is faster at one time than at another;
/// in rounds, all operations see the same times.
const ROUNDS: u32 = 3;

/// Seconds of runs, forward and backward.
#[derive(Debug, Default)]
struct Seconds {
    forward: Vec<f64>,
    backward: Vec<f64>,
}

/// Measures every operation with `ranks` ranks at a time.
pub fn measure(devices: &Devices, ranks: u32) -> Vec<OperationMeasurement> {
    let runs_per_wait = match devices.description.kind {
        DeviceKind::Cpu => 1,
        DeviceKind::Gpu => GPU_RUNS_PER_WAIT,
    };
    let mut measured: Vec<_> = shapes::all().into_iter().map(|operation| (operation, Seconds::default())).collect();
    for _ in 0..ROUNDS {
        // One thread for all operations: a core that has just woken up is slow at first.
        let found = in_ranks(devices, ranks, |device, transport| {
            let bench = Bench { device, runs_per_wait };
            let run = |(operation, _): &(Operation, Seconds)| {
                let together = transport.barrier();
                together.map_or_else(|_| Seconds::default(), |()| bench.run(operation))
            };
            vec![measured.iter().map(run).collect::<Vec<_>>()]
        });
        for rank in found {
            for ((_, sum), seconds) in measured.iter_mut().zip(rank) {
                sum.forward.extend(seconds.forward);
                sum.backward.extend(seconds.backward);
            }
        }
    }
    let passes = measured.into_iter().flat_map(|(operation, Seconds { forward, backward })| {
        [(operation, Pass::Forward, forward), (operation, Pass::Backward, backward)]
    });
    let summed = passes.filter_map(|(operation, pass, seconds)| {
        let samples = seconds.len() as u32;
        Some(OperationMeasurement { operation, pass, ranks, seconds: Interval::of(&seconds)?, samples })
    });
    summed.collect()
}

/// Measures on one device.
struct Bench<'a> {
    device: &'a Device,
    runs_per_wait: u32,
}

impl Bench<'_> {
    fn run(&self, operation: &Operation) -> Seconds {
        match *operation {
            Operation::CrossEntropy { batch, classes } => self.cross_entropy(batch as usize, classes as usize),
            Operation::OptimizerStep { rule, parameters, tensors } => {
                Self::forward_only(self.optimizer_step(rule, parameters as usize, tensors as usize))
            }
            Operation::GradientExchange { parameters, tensors } => {
                Self::forward_only(self.gradient_exchange(parameters as usize, tensors as usize))
            }
            Operation::HostToDevice { bytes } => {
                let data = TensorData::new(vec![1.0_f32; bytes as usize / 4], [bytes as usize / 4]);
                Self::forward_only(self.repeat(|| Tensor::<1>::from_data(data.clone(), self.device)))
            }
            Operation::Launch => {
                let one = Tensor::<1>::ones([1], self.device);
                Self::forward_only(self.repeat(|| one.clone() + 1.0))
            }
            _ => self.layer(operation),
        }
    }

    fn forward_only(forward: Vec<f64>) -> Seconds {
        Seconds { forward, backward: Vec::new() }
    }

    /// Seconds of one run, of several that are waited for together.
    fn repeat<T>(&self, mut work: impl FnMut() -> T) -> Vec<f64> {
        self.repeat_prepared(|| (), |()| work())
    }

    /// As [`Bench::repeat`], with a preparation that is not timed. What the work gives is dropped after the timing.
    fn repeat_prepared<P, T>(&self, mut prepare: impl FnMut() -> P, mut work: impl FnMut(P) -> T) -> Vec<f64> {
        probe::repeat(|| {
            let prepared: Vec<P> = (0..self.runs_per_wait).map(|_| prepare()).collect();
            self.wait();
            let mut results = Vec::with_capacity(prepared.len());
            let spent = probe::time(|| {
                results.extend(prepared.into_iter().map(&mut work));
                self.wait();
            });
            drop(results);
            spent / self.runs_per_wait
        })
    }

    fn wait(&self) {
        // A device that fails here fails in the next operation too, which reports it.
        let _ = self.device.sync();
    }

    /// A layer: its time forward, and how much longer backward takes with it than without.
    fn layer(&self, operation: &Operation) -> Seconds {
        let (shaped, records, input_gradient) = shaped(operation);
        let device = self.device.clone().autodiff();
        let layer = NetworkLayer::new(0, &shaped, &mut Build::new(&device, Share::WHOLE, 1));
        let input = smooth(shaped.input, records, input_gradient, &device);
        let weights = smooth(shaped.output, records, false, &device);
        let forward = self.repeat(|| layer.forward(input.clone()));
        let with =
            self.repeat_prepared(|| weighted_sum(layer.forward(input.clone()), weights.clone()), |sum| sum.backward());
        let leaf = smooth(shaped.output, records, true, &device);
        let without = self.repeat_prepared(|| weighted_sum(leaf.clone(), weights.clone()), |sum| sum.backward());
        let base = Interval::of(&without).map_or(0.0, |base| base.p50);
        Seconds { forward, backward: with.into_iter().map(|seconds| (seconds - base).max(0.0)).collect() }
    }

    fn cross_entropy(&self, batch: usize, classes: usize) -> Seconds {
        let device = self.device.clone().autodiff();
        let scores = Tensor::<2>::random([batch, classes], Distribution::Default, &device).require_grad();
        let labels: Vec<i32> = (0..batch).map(|at| ((at % classes) as u32).cast_signed()).collect();
        let labels = Tensor::<1, Int>::from_data(TensorData::new(labels, [batch]), &device);
        let loss = CrossEntropyLossConfig::new().init(&device);
        let forward = || loss.forward(scores.clone(), labels.clone());
        Seconds { forward: self.repeat(forward), backward: self.repeat_prepared(forward, |loss| loss.backward()) }
    }

    fn optimizer_step(&self, rule: OptimizerRule, parameters: usize, tensors: usize) -> Vec<f64> {
        let constants = constants(rule);
        let (mut optimizer, learning_rate) = (build_optimizer(&constants), constants.learning_rate());
        let mut network = parameter_list(parameters, tensors, &self.device.clone().autodiff());
        let flat = vec![0.5; parameters];
        probe::repeat(|| {
            let given: Vec<_> = (0..self.runs_per_wait).map(|_| flat::restore(&flat, &network, self.device)).collect();
            self.wait();
            let spent = probe::time(|| {
                for gradients in given {
                    network = optimizer.step(learning_rate, std::mem::take(&mut network), gradients);
                }
                self.wait();
            });
            spent / self.runs_per_wait
        })
    }

    fn gradient_exchange(&self, parameters: usize, tensors: usize) -> Vec<f64> {
        let network = parameter_list(parameters, tensors, &self.device.clone().autodiff());
        let flat = vec![0.5; parameters];
        self.repeat_prepared(
            || flat::restore(&flat, &network, self.device),
            |given| {
                let mut buffer = Vec::with_capacity(parameters);
                flat::flatten(given, &network, &mut buffer);
                flat::restore(&buffer, &network, self.device)
            },
        )
    }
}

/// The layer of an operation, its records, and whether its input has a gradient.
fn shaped(operation: &Operation) -> (Shaped, u64, bool) {
    let size = |value: u64| NonZeroUsize::new(value as usize).expect("shapes to measure are not zero");
    let vector = |values: u64| TensorShape::Vector(values as usize);
    match *operation {
        Operation::Linear { m, n, k } => {
            (Shaped { layer: Layer::Linear(size(n)), input: vector(k), output: vector(n) }, m, true)
        }
        Operation::Conv2d {
            batch,
            channels_in,
            channels_out,
            height,
            width,
            kernel,
            stride,
            padding,
            input_gradient,
        } => {
            let layer = Conv2d {
                channels: size(channels_out),
                kernel: size(kernel),
                stride: size(stride),
                padding: padding as usize,
            };
            let out = |side: u64| (side + 2 * padding - kernel) / stride + 1;
            let input = image(channels_in, height, width);
            let output = image(channels_out, out(height), out(width));
            (Shaped { layer: Layer::Conv2d(layer), input, output }, batch, input_gradient)
        }
        Operation::MaxPool { planes, height, width, kernel, stride } => {
            let out = |side: u64| (side - kernel) / stride + 1;
            let layer = Layer::MaxPool(Pool { kernel: size(kernel), stride: Some(size(stride)) });
            (
                Shaped { layer, input: image(planes, height, width), output: image(planes, out(height), out(width)) },
                1,
                true,
            )
        }
        Operation::Relu { elements } => {
            (Shaped { layer: Layer::Relu, input: vector(elements), output: vector(elements) }, 1, true)
        }
        Operation::Tanh { elements } => {
            (Shaped { layer: Layer::Tanh, input: vector(elements), output: vector(elements) }, 1, true)
        }
        Operation::CrossEntropy { .. }
        | Operation::OptimizerStep { .. }
        | Operation::GradientExchange { .. }
        | Operation::HostToDevice { .. }
        | Operation::Launch => unreachable!("these are no layers"),
    }
}

const fn image(channels: u64, height: u64, width: u64) -> TensorShape {
    TensorShape::Image { channels: channels as usize, height: height as usize, width: width as usize }
}

/// Records of a shape whose neighbouring values are alike but for noise as large as their slope, as those of
/// images and of what layers make of them are: how fast a maximum is found depends on it.
fn smooth(shape: TensorShape, records: u64, gradient: bool, device: &Device) -> Value {
    let (records, count) = (records as usize, records as usize * shape.elements());
    let row = match shape {
        TensorShape::Image { width, .. } => width,
        TensorShape::Vector(values) => values,
    };
    let mut noise = ChaCha8Rng::seed_from_u64(count as u64);
    let wave = |at: usize| ((at / row) as f32 * 0.29 + (at % row) as f32 * 0.17).sin();
    let values: Vec<f32> = (0..count).map(|at| wave(at) + noise.random_range(-0.2..0.2)).collect();
    match shape {
        TensorShape::Image { channels, height, width } => {
            let tensor = Tensor::from_data(TensorData::new(values, [records, channels, height, width]), device);
            Value::Image(if gradient { tensor.require_grad() } else { tensor })
        }
        TensorShape::Vector(width) => {
            let tensor = Tensor::from_data(TensorData::new(values, [records, width]), device);
            Value::Vector(if gradient { tensor.require_grad() } else { tensor })
        }
    }
}

/// A number that depends on every value, so that the gradient that comes back is a full tensor.
fn weighted_sum(values: Value, weights: Value) -> Tensor<1> {
    match (values, weights) {
        (Value::Image(values), Value::Image(weights)) => (values * weights).sum(),
        (values, weights) => (values.flat() * weights.flat()).sum(),
    }
}

/// Parameters in equal tensors.
fn parameter_list(parameters: usize, tensors: usize, device: &Device) -> Vec<Param<Tensor<1>>> {
    let size = parameters / tensors;
    let tensor = |id: usize| {
        let values = Tensor::random([size], Distribution::Default, device).require_grad();
        Param::initialized(ParamId::from(id as u64), values)
    };
    (0..tensors).map(tensor).collect()
}

const fn constants(rule: OptimizerRule) -> Optimizer {
    match rule {
        OptimizerRule::Sgd => Optimizer::Sgd(Sgd { learning_rate: 1e-3 }),
        OptimizerRule::Momentum => Optimizer::Momentum(Momentum { learning_rate: 1e-3, momentum: 0.9 }),
        OptimizerRule::Adam => {
            Optimizer::Adam(Adam { learning_rate: 1e-3, beta_1: 0.9, beta_2: 0.999, epsilon: 1e-8, weight_decay: 0.0 })
        }
    }
}
