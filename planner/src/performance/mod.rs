//! Predicts one job on one kind of machine: time of a step, throughput and memory.
//!
//! A job becomes a list of operations ([`operations`]). A back end gives each its time: a
//! measured machine profile ([`measured`]) or a data sheet ([`data_sheet`]). Collectives
//! ([`collective`]) and memory ([`memory`]) complete the step. Formulas and sources: `performance.md`.

pub mod calibration;
pub mod collective;
pub mod data_sheet;
pub mod fit;
pub mod input;
pub mod kernel;
pub mod measured;
pub mod memory;
pub mod network;
pub mod operations;
pub mod parameter_server;
pub mod pipeline;
pub mod reliability;
pub mod runs;
pub mod serving;
mod task;
pub mod training;
pub mod uneven;

pub use data_sheet::DataSheetMachine;
pub use measured::MeasuredMachine;
pub use task::{Task, TaskKind, records};

use scenarios::machine::Operation;
use scenarios::model::ShapeError;
use scenarios::plan::{Breakdown, Predicted};
use scenarios::strategy::Strategy;
use scenarios::units::Interval;

use collective::Network;
use memory::Memory;
use operations::{Phase, StepOperation};

/// What a prediction rests on when the machine was measured.
pub const MEASURED_BASIS: &str = "measured machine profile";
/// What a prediction rests on when only the data sheet is known.
pub const DATA_SHEET_BASIS: &str = "data sheet × efficiency, not calibrated";
/// What a prediction rests on when only the number of virtual CPUs is known.
pub const CPU_BASIS: &str = "typical CPU × efficiency, not calibrated";

/// A machine as the performance model sees it.
#[derive(Debug, Clone)]
pub enum Rates<'a> {
    /// Measured by `executor calibrate`.
    Measured(MeasuredMachine<'a>),
    /// Known by its data sheet.
    DataSheet(DataSheetMachine),
}

/// How ranks lie on nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    /// Machines.
    pub nodes: u32,
    /// Devices that are used in each node.
    pub devices_per_node: u32,
    /// Ranks in each node.
    pub ranks_per_node: u32,
}

impl Layout {
    /// Ranks that share one device.
    #[must_use]
    pub const fn ranks_per_device(&self) -> u32 {
        self.ranks_per_node.div_ceil(if self.devices_per_node == 0 { 1 } else { self.devices_per_node })
    }
}

/// A predicted job.
#[derive(Debug, Clone, PartialEq)]
pub struct Prediction {
    /// Steps of an optimiser, or forward passes of an evaluation.
    pub steps: u64,
    /// Time of the whole job at the median, validation passes included.
    pub seconds: f64,
    /// Time of one step by parts, as plans state it.
    pub predicted: Predicted,
    /// Memory of the fullest device.
    pub memory: Memory,
}

/// Why a job cannot be predicted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unpredictable {
    /// The network is no network.
    #[error(transparent)]
    Shape(#[from] ShapeError),
    /// The global batch cannot be shared out evenly.
    #[error("global batch {global_batch} is not divisible by {ranks} ranks")]
    Indivisible {
        /// Records of one step.
        global_batch: u64,
        /// Data-parallel replicas.
        ranks: u32,
    },
    /// The workload names data or a trained model that the scenario does not have.
    #[error("the workload's data or trained model is not in the scenario")]
    NoTask,
    /// The profile lacks an operation.
    #[error("the machine profile has no measurement of `{operation}` with {ranks} rank(s)")]
    NotMeasured {
        /// Operation, collective or input.
        operation: &'static str,
        /// Ranks that share the device.
        ranks: u32,
    },
}

/// Predicts `task` spread by `strategy` over nodes as `layout` says.
///
/// # Errors
/// The model's layers do not fit, the batch cannot be shared out, or the machine profile lacks a
/// measurement.
pub fn predict(
    task: &Task<'_>,
    rates: &Rates<'_>,
    strategy: Strategy,
    layout: Layout,
) -> Result<Prediction, Unpredictable> {
    let local = task.local_batch(strategy)?;
    let ranks = strategy.ranks();
    let operations = operations::step(task, local, ranks)?;
    let mut parts = Parts::default();
    for operation in &operations {
        parts.add_operation(rates, operation, layout)?;
    }
    parts.add(Phase::Input, input(task, rates, local, layout)?);
    if task.is_training() && ranks > 1 {
        parts.add(Phase::Communication, all_reduce(task.model.parameters()? * 4, rates, layout)?);
        parts.add(Phase::Communication, parts.wait_for_slowest(ranks));
    }
    let step = parts.total();
    let memory = memory::of(task, local, layout)?;
    let steps = task.steps(strategy);
    let records = task.records_per_step(strategy);
    Ok(Prediction {
        steps,
        seconds: step.p50 * steps as f64 + parts.validation(task, local),
        predicted: Predicted {
            step_seconds: step,
            throughput: if step.p50 > 0.0 { records as f64 / step.p50 } else { 0.0 },
            throughput_unit: "samples/s".to_owned(),
            memory_bytes_per_device: memory.total(),
            breakdown: parts.breakdown(),
            basis: rates.basis().to_owned(),
        },
        memory,
    })
}

impl Rates<'_> {
    /// What predictions rest on.
    #[must_use]
    pub const fn basis(&self) -> &'static str {
        match self {
            Self::Measured(_) => MEASURED_BASIS,
            Self::DataSheet(machine) => machine.basis,
        }
    }
}

fn input(task: &Task<'_>, rates: &Rates<'_>, local: u64, layout: Layout) -> Result<Interval, Unpredictable> {
    let values = task.model.input()?.elements() as u64;
    let augmented = task.is_augmented();
    match rates {
        Rates::DataSheet(machine) => Ok(machine.input(values, local, augmented)),
        Rates::Measured(machine) => machine
            .input(values, local, augmented, layout.ranks_per_node)
            .ok_or(Unpredictable::NotMeasured { operation: "input", ranks: layout.ranks_per_node }),
    }
}

fn all_reduce(bytes: u64, rates: &Rates<'_>, layout: Layout) -> Result<Interval, Unpredictable> {
    match rates {
        Rates::DataSheet(machine) => {
            let network = Network { inside: machine.inside, between: machine.between };
            Ok(machine.spread(collective::all_reduce(bytes as f64, layout.nodes, layout.ranks_per_node, network)))
        }
        Rates::Measured(machine) => machine
            .all_reduce(bytes, layout.ranks_per_node)
            .ok_or(Unpredictable::NotMeasured { operation: "all_reduce", ranks: layout.ranks_per_node }),
    }
}

/// Time of a step by phase. Percentiles of parts are added: the parts of one step slow down together.
#[derive(Debug, Default)]
struct Parts {
    phases: [Option<Interval>; Phase::ALL.len()],
    /// Variance of a rank's step from step to step in s², where runs were measured.
    variance: f64,
}

impl Parts {
    fn add(&mut self, phase: Phase, time: Interval) {
        let sum = self.phases[phase as usize].get_or_insert(Interval { p10: 0.0, p50: 0.0, p90: 0.0 });
        *sum = plus(*sum, time);
    }

    fn add_operation(&mut self, rates: &Rates<'_>, step: &StepOperation, layout: Layout) -> Result<(), Unpredictable> {
        match rates {
            Rates::DataSheet(machine) => {
                self.add(step.phase, machine.spread(machine.busy_seconds(step)));
                self.add(Phase::Launch, machine.spread(machine.launch_seconds(step)));
            }
            // The measured preparation of a batch ends with its tensor on the device.
            Rates::Measured(_) if matches!(step.operation, Operation::HostToDevice { .. }) => {}
            Rates::Measured(machine) => {
                let ranks = layout.ranks_per_device();
                let time = machine.seconds(&step.operation, step.pass, ranks);
                let missing = || Unpredictable::NotMeasured { operation: name(&step.operation), ranks };
                self.add(step.phase, time.ok_or_else(missing)?);
                let deviation = machine.deviation(&step.operation, step.pass, ranks);
                self.variance += deviation.unwrap_or(0.0).powi(2);
            }
        }
        Ok(())
    }

    /// What the slowest of `ranks` ranks takes more than one of them, at the median: every step waits for it.
    ///
    /// The median of the largest of n normal values is the 0.5^(1/n) quantile of one; quantiles are taken
    /// of the logistic distribution of the same width, ln(p / (1 − p)) / 1.702 standard deviations.
    fn wait_for_slowest(&self, ranks: u32) -> Interval {
        let quantile = 0.5_f64.powf(1.0 / f64::from(ranks));
        let wait = self.variance.sqrt() * (quantile / (1.0 - quantile)).ln() / 1.702;
        Interval { p10: 0.0, p50: wait, p90: 2.0 * wait }
    }

    fn total(&self) -> Interval {
        self.phases.iter().flatten().fold(Interval { p10: 0.0, p50: 0.0, p90: 0.0 }, |sum, part| plus(sum, *part))
    }

    fn breakdown(&self) -> Breakdown {
        let median = |phase: Phase| self.phases[phase as usize].map_or(0.0, |time| time.p50);
        Phase::ALL.into_iter().map(|phase| (phase.name().to_owned(), median(phase))).collect()
    }

    /// Forward passes over the records held back for validation, as often as it is asked for.
    fn validation(&self, task: &Task<'_>, local: u64) -> f64 {
        let median = |phase: Phase| self.phases[phase as usize].map_or(0.0, |time| time.p50);
        let pass = median(Phase::Input) + median(Phase::Forward);
        (task.validation_records().div_ceil(local.max(1)) * task.validations()) as f64 * pass
    }
}

fn plus(a: Interval, b: Interval) -> Interval {
    Interval { p10: a.p10 + b.p10, p50: a.p50 + b.p50, p90: a.p90 + b.p90 }
}

/// The operation's name as machine profiles write it.
#[must_use]
pub const fn name(operation: &Operation) -> &'static str {
    match operation {
        Operation::Linear { .. } => "linear",
        Operation::Conv2d { .. } => "conv2d",
        Operation::MaxPool { .. } => "max_pool",
        Operation::Relu { .. } => "relu",
        Operation::Tanh { .. } => "tanh",
        Operation::CrossEntropy { .. } => "cross_entropy",
        Operation::OptimizerStep { .. } => "optimizer_step",
        Operation::GradientExchange { .. } => "gradient_exchange",
        Operation::HostToDevice { .. } => "host_to_device",
        Operation::Launch => "launch",
    }
}
