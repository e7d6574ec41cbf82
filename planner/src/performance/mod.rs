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

use scenarios::carried_out::NotCarriedOut;
use scenarios::model::ShapeError;
use scenarios::model::pieces::PieceKind;
use scenarios::plan::{Breakdown, Predicted};
use scenarios::strategy::Strategy;
use scenarios::units::Interval;

use collective::Network;
use memory::Memory;
use operations::Phase;

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
    /// The executor does not carry it out.
    #[error(transparent)]
    NotCarriedOut(#[from] NotCarriedOut),
    /// The stages make up no pipeline.
    #[error("{0}")]
    Pipeline(String),
    /// The profile lacks a kind of piece.
    #[error("the machine profile has no measurement of `{}` with {ranks} rank(s)", kind.name())]
    PieceNotMeasured {
        /// What the piece computes.
        kind: PieceKind,
        /// Ranks that share the device.
        ranks: u32,
    },
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
/// The model's layers do not fit, the batch cannot be shared out, the executor does not carry the strategy out, or the
/// machine profile lacks a measurement.
pub fn predict(
    task: &Task<'_>,
    rates: &Rates<'_>,
    strategy: Strategy,
    layout: Layout,
) -> Result<Prediction, Unpredictable> {
    match rates {
        Rates::Measured(machine) => measured::predict(task, machine, strategy, layout),
        Rates::DataSheet(machine) => by_data_sheet(task, machine, strategy, layout),
    }
}

fn by_data_sheet(
    task: &Task<'_>,
    machine: &DataSheetMachine,
    strategy: Strategy,
    layout: Layout,
) -> Result<Prediction, Unpredictable> {
    let local = task.local_batch(strategy)?;
    let ranks = strategy.ranks();
    let mut parts = Parts::default();
    for operation in &operations::step(task, local, ranks)? {
        parts.add(operation.phase, machine.spread(machine.busy_seconds(operation)));
        parts.add(Phase::Launch, machine.spread(machine.launch_seconds(operation)));
    }
    let values = task.model.input()?.elements() as u64;
    parts.add(Phase::Input, machine.input(values, local, task.is_augmented()));
    if task.is_training() && ranks > 1 {
        let network = Network { inside: machine.inside, between: machine.between };
        let bytes = (task.model.parameters()? * 4) as f64;
        let sum = collective::all_reduce(bytes, layout.nodes, layout.ranks_per_node, network);
        parts.add(Phase::Communication, machine.spread(sum));
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
            basis: machine.basis.to_owned(),
        },
        memory,
    })
}

/// Time of a step by phase. Percentiles of parts are added: the parts of one step slow down together.
#[derive(Debug, Default)]
struct Parts {
    phases: [Option<Interval>; Phase::ALL.len()],
}

impl Parts {
    fn add(&mut self, phase: Phase, time: Interval) {
        let sum = self.phases[phase as usize].get_or_insert(measured::NONE);
        *sum = plus(*sum, time);
    }

    fn total(&self) -> Interval {
        self.phases.iter().flatten().fold(measured::NONE, |sum, part| plus(sum, *part))
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
