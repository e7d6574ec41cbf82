//! What a step does beside its passes: the optimiser, gradients to the host and back, copies, launches.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use burn::module::{Param, ParamId};
use burn::tensor::{Device, Distribution, Tensor, TensorData};
use scenarios::machine::{DeviceKind, Operation, OperationMeasurement, OptimizerRule, Pass};
use scenarios::scenario::{Adam, Momentum, Optimizer, Sgd};
use scenarios::units::Interval;

use super::{probe, ranks::in_ranks, shapes};
use crate::device::Devices;
use crate::device::memory::{Meter, metered};
use crate::model::flat;
use crate::parallel::update::optimizer::build as build_optimizer;
use crate::transport::Transport as _;

/// Runs of an operation that a GPU is given before it is waited for, as training does.
pub(super) const GPU_RUNS_PER_WAIT: u32 = 16;

/// Bytes that are written before an operation on parameters, more than the caches of a core: in a training, the passes lie
/// between two updates.
const BETWEEN: usize = 8 << 20;

/// Bytes of a line of a cache.
const LINE: usize = 64;

/// Times that every operation is measured anew. A machine is faster at one time than at another;
/// in rounds, all operations see the same times.
const ROUNDS: u32 = 3;

/// Measures every operation with `ranks` ranks at a time.
pub fn measure(devices: &Devices, ranks: u32) -> Vec<OperationMeasurement> {
    let runs_per_wait = match devices.description.kind {
        DeviceKind::Cpu => 1,
        DeviceKind::Gpu => GPU_RUNS_PER_WAIT,
    };
    let mut measured: Vec<Measured> = shapes::all().into_iter().map(Measured::new).collect();
    for _ in 0..ROUNDS {
        // One thread for all operations: a core that has just woken up is slow at first.
        let found = in_ranks(devices, ranks, |device, transport| {
            metered(|meter| {
                let other = RefCell::new(vec![0; BETWEEN]);
                let bench = Bench { device, runs_per_wait, meter, other, peak: Cell::new(0) };
                let run = |measured: &Measured| {
                    let together = transport.barrier();
                    let seconds = together.map_or_else(|_| Vec::new(), |()| bench.run(&measured.operation));
                    (seconds, bench.peak.take())
                };
                vec![measured.iter().map(run).collect::<Vec<_>>()]
            })
        });
        for rank in found {
            for (sum, (seconds, peak)) in measured.iter_mut().zip(rank) {
                sum.seconds.extend(seconds);
                sum.peak = sum.peak.max(peak);
            }
        }
    }
    let summed = measured.into_iter().filter_map(|Measured { operation, seconds, peak }| {
        let samples = seconds.len() as u32;
        let seconds = Interval::of(&seconds)?;
        Some(OperationMeasurement { operation, pass: Pass::Forward, ranks, seconds, peak_bytes: peak, samples })
    });
    summed.collect()
}

/// What was measured of an operation.
struct Measured {
    operation: Operation,
    seconds: Vec<f64>,
    peak: u64,
}

impl Measured {
    const fn new(operation: Operation) -> Self {
        Self { operation, seconds: Vec::new(), peak: 0 }
    }
}

/// Measures on one device.
struct Bench<'a> {
    device: &'a Device,
    runs_per_wait: u32,
    meter: &'a Meter,
    /// What is written between operations.
    other: RefCell<Vec<u8>>,
    /// Most bytes that a run held beside what was held before.
    peak: Cell<u64>,
}

impl Bench<'_> {
    fn run(&self, operation: &Operation) -> Vec<f64> {
        match *operation {
            Operation::OptimizerStep { rule, parameters, tensors } => {
                self.optimizer_step(rule, parameters as usize, tensors as usize)
            }
            Operation::GradientExchange { parameters, tensors } => {
                self.gradient_exchange(parameters as usize, tensors as usize)
            }
            Operation::HostToDevice { bytes } => {
                let data = TensorData::new(vec![1.0_f32; bytes as usize / 4], [bytes as usize / 4]);
                self.repeat(|| Tensor::<1>::from_data(data.clone(), self.device))
            }
            Operation::Launch => {
                let one = Tensor::<1>::ones([1], self.device);
                self.repeat(|| one.clone() + 1.0)
            }
            _ => Vec::new(),
        }
    }

    /// Seconds of one run, of several that are waited for together.
    fn repeat<T>(&self, mut work: impl FnMut() -> T) -> Vec<f64> {
        self.repeat_prepared(|| (), |()| work())
    }

    /// As [`Bench::repeat`], with a preparation that is not timed. What the work gives is dropped after the timing.
    fn repeat_prepared<P, T>(&self, mut prepare: impl FnMut() -> P, mut work: impl FnMut(P) -> T) -> Vec<f64> {
        probe::repeat(|| {
            let prepared: Vec<P> = (0..self.runs_per_wait).map(|_| prepare()).collect();
            let mut results = Vec::with_capacity(prepared.len());
            let spent = self.timed(|| results.extend(prepared.into_iter().map(&mut work)));
            drop(results);
            spent / self.runs_per_wait
        })
    }

    /// Time of work from when everything before it is done until it is done itself.
    fn timed(&self, work: impl FnOnce()) -> Duration {
        let spent = probe::spent(self.device, self.meter, work);
        self.peak.set(self.peak.get().max(spent.peak));
        spent.time
    }

    /// Leaves nothing in the caches, as passes do before an update.
    fn forget(&self) {
        let mut other = self.other.borrow_mut();
        other.iter_mut().step_by(LINE).for_each(|byte| *byte = byte.wrapping_add(1));
        std::hint::black_box(&*other);
    }

    fn optimizer_step(&self, rule: OptimizerRule, parameters: usize, tensors: usize) -> Vec<f64> {
        let constants = constants(rule);
        let (mut optimizer, learning_rate) = (build_optimizer(&constants), constants.learning_rate());
        let mut network = parameter_list(parameters, tensors, &self.device.clone().autodiff());
        let flat = vec![0.5; parameters];
        probe::repeat(|| {
            let given: Vec<_> = (0..self.runs_per_wait).map(|_| flat::restore(&flat, &network, self.device)).collect();
            self.forget();
            let spent = self.timed(|| {
                for gradients in given {
                    network = optimizer.step(learning_rate, std::mem::take(&mut network), gradients);
                }
            });
            spent / self.runs_per_wait
        })
    }

    fn gradient_exchange(&self, parameters: usize, tensors: usize) -> Vec<f64> {
        let network = parameter_list(parameters, tensors, &self.device.clone().autodiff());
        let flat = vec![0.5; parameters];
        self.repeat_prepared(
            || {
                let given = flat::restore(&flat, &network, self.device);
                self.forget();
                given
            },
            |given| {
                let mut buffer = Vec::with_capacity(parameters);
                flat::flatten(given, &network, &mut buffer);
                flat::restore(&buffer, &network, self.device)
            },
        )
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
