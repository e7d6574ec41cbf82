//! What jobs take on the machines of a pool, each prediction made once.
//!
//! A [`Work`] is a job without its amount. [`Predictor::pace`] gives the time of its steps on a number of nodes; equal
//! machines share it, whatever their region and price. [`Menu`] has the placements of a workload in a pool.

mod chain;
mod inference;
mod measured;
mod menu;
mod preparation;
mod training;
mod work;

use std::collections::HashMap;
use std::rc::Rc;

use scenarios::plan::Breakdown;
use scenarios::strategy::Strategy;
use scenarios::units::Interval;

use super::Reason;
use super::hardware::{Hardware, Sheet};
use crate::performance::Layout;
use crate::performance::calibration::{Basis, Calibration, bundled};
use crate::performance::memory::Memory;
use crate::performance::training::{Constants, Training as Run};

pub(super) use inference::serving_basis;
pub(super) use measured::BASIS as MEASURED_RATE;
pub(super) use menu::{Choice, Job, Menu, Room};
pub(super) use training::run;
pub(super) use work::{Amount, Train, Work, network, of as work_of};

/// Software whose calibration is used: that of no published run in particular.
pub(super) const STACK: &str = "";

/// Steps of a job on some nodes.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Pace {
    pub layout: Layout,
    pub strategy: Strategy,
    /// Records of one step.
    pub records: u64,
    pub step_seconds: Interval,
    /// Time of a pass over a step's records without learning.
    pub forward_seconds: f64,
    pub memory: Memory,
    pub breakdown: Breakdown,
    pub basis: String,
}

/// What became of a job on some nodes.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Outcome {
    pub pace: Result<Pace, Reason>,
    /// Strategies that were weighed up.
    pub weighed: u64,
}

/// Nodes that are used: how many, and devices in each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Nodes {
    pub count: u32,
    pub devices: u32,
}

impl Nodes {
    pub const fn all_devices(self) -> u32 {
        self.count.saturating_mul(self.devices)
    }

    /// A rank on every device.
    pub const fn layout(self) -> Layout {
        Layout { nodes: self.count, devices_per_node: self.devices, ranks_per_node: self.devices }
    }
}

type Key = (usize, Nodes, usize, bool);

/// Predictions that were made.
#[derive(Debug, Default)]
pub(super) struct Predictor {
    works: Vec<Work>,
    known: HashMap<Key, Rc<Outcome>>,
    /// Whether nothing is looked up, so that tests can compare.
    #[cfg(test)]
    pub forgetful: bool,
}

impl Predictor {
    /// A number for a job, the same for equal ones.
    pub fn number(&mut self, work: &Work) -> usize {
        self.works.iter().position(|known| known == work).unwrap_or_else(|| {
            self.works.push(work.clone());
            self.works.len() - 1
        })
    }

    /// The best way to do a job on nodes of a kind; `sealed` if ranks may not exchange activations.
    pub fn pace(&mut self, hardware: &Hardware<'_>, nodes: Nodes, work: usize, sealed: bool) -> Rc<Outcome> {
        let facts = if nodes.count > 1 { hardware.facts } else { hardware.alone };
        let key = (facts, nodes, work, sealed);
        #[cfg(test)]
        if self.forgetful {
            self.known.clear();
        }
        if let Some(known) = self.known.get(&key) {
            return Rc::clone(known);
        }
        let outcome = match (&self.works[work], hardware.sheet()) {
            (Work::Train(training), Some(sheet)) => training::outcome(training, sheet, nodes, sealed),
            (Work::Apply(inference), Some(sheet)) => inference::outcome(inference, sheet, nodes, sealed),
            _ => Outcome { pace: Err(Reason::NoStrategy { devices: nodes.all_devices() }), weighed: 0 },
        };
        let outcome = Rc::new(outcome);
        self.known.insert(key, Rc::clone(&outcome));
        outcome
    }
}

/// Constants for a job on a device.
pub(super) fn constants(run: &Run) -> (&'static Calibration, Constants) {
    let calibration = bundled();
    (calibration, calibration.constants(run, STACK))
}

/// How sure a time is, and what it rests on.
pub(super) fn spread(calibration: &Calibration, run: &Run, sheet: &Sheet, seconds: f64) -> (Interval, String) {
    if sheet.is_processor() {
        let (fast, slow) = crate::performance::data_sheet::SPREAD;
        let interval = Interval { p10: fast * seconds, p50: seconds, p90: slow * seconds };
        return (interval, crate::performance::CPU_BASIS.to_owned());
    }
    let basis: Basis = calibration.basis(run, STACK);
    (calibration.interval(seconds, run, STACK), basis.words().to_owned())
}

/// Bytes of a device as plans show them.
pub(super) fn memory(of: &crate::performance::training::Memory) -> Memory {
    let whole = |bytes: f64| bytes.ceil() as u64;
    Memory {
        parameters: whole(of.parameters),
        gradients: whole(of.gradients),
        optimizer: whole(of.optimizer),
        activations: whole(of.activations + of.logits),
        batch: 0,
        workspace: whole(of.buffers),
    }
}

/// The refusal of a job that needs more memory than a device has, `reserve` of which is kept free.
fn too_little(needed: Memory, available: u64) -> Reason {
    let shown = |(name, bytes): (&str, u64)| format!("{name} {}", scenarios::units::Bytes(bytes).rounded());
    let parts = needed.parts().into_iter().filter(|(_, bytes)| *bytes > 0).map(shown);
    Reason::Memory { needed: needed.total(), available, parts: parts.collect::<Vec<_>>().join(", ") }
}
