//! Preparation of data on the cores of nodes.

use std::num::NonZeroU32;

use scenarios::plan::Breakdown;
use scenarios::strategy::Strategy;
use scenarios::units::Interval;

use super::work::Prepare;
use super::{Nodes, Outcome, Pace, Reason};
use crate::candidates::hardware::Hardware;
use crate::performance::Layout;
use crate::performance::memory::Memory;

/// What a prediction rests on.
const BASIS: &str = "stated rate of a core × cores";

/// Records a second = nodes × cores × records of a core in a second. A step is one record.
pub(super) fn outcome(prepare: Prepare, hardware: &Hardware<'_>, nodes: u32) -> Outcome {
    let unknown = || Reason::UnknownSpeed { machine: hardware.name.clone() };
    let rate = hardware.cores.map(|cores| cores * f64::from(nodes) * prepare.per_core);
    let rate = rate.filter(|rate| rate.is_finite() && *rate > 0.0).ok_or_else(unknown);
    Outcome { pace: rate.map(|rate| pace(rate, Nodes { count: nodes, devices: 1 })), weighed: 1 }
}

fn pace(rate: f64, nodes: Nodes) -> Pace {
    let seconds = 1.0 / rate;
    Pace {
        layout: Layout { nodes: nodes.count, devices_per_node: 1, ranks_per_node: 1 },
        strategy: Strategy { data: NonZeroU32::new(nodes.count).unwrap_or(NonZeroU32::MIN), ..Strategy::SINGLE },
        records: 1,
        step_seconds: Interval { p10: seconds, p50: seconds, p90: seconds },
        forward_seconds: 0.0,
        memory: Memory::default(),
        breakdown: Breakdown::from([("preparation".to_owned(), seconds)]),
        basis: BASIS.to_owned(),
    }
}
