//! Rates that the user measured: each is believed instead of a prediction.

use std::num::NonZeroU32;

use scenarios::plan::Breakdown;
use scenarios::scenario::MeasuredRate;
use scenarios::strategy::Strategy;
use scenarios::units::Interval;

use super::Pace;
use super::work::Work;
use crate::candidates::hardware::Hardware;
use crate::performance::Layout;
use crate::performance::memory::Memory;

/// What a measured rate is called where plans say what they rest on.
pub(in crate::candidates) const BASIS: &str = "measured rate";

/// The steps that a measured rate means for a job; `None` where it does not say one, or the user wants another strategy.
pub(super) fn pace(rate: &MeasuredRate, work: &Work, hardware: &Hardware<'_>) -> Option<Pace> {
    let throughput = rate.throughput?.0;
    if throughput.is_nan() || throughput <= 0.0 {
        return None;
    }
    let nodes = rate.nodes.get();
    let devices = if matches!(work, Work::Prepare(_)) { 1 } else { hardware.devices };
    // What runs on a single device has no choice of a strategy.
    let is_single = matches!(work, Work::Apply(apply) if apply.single);
    let ranks = if is_single { 1 } else { nodes.saturating_mul(devices) };
    let ranks = NonZeroU32::new(ranks).unwrap_or(NonZeroU32::MIN);
    let strategy = rate.strategy.unwrap_or(Strategy { data: ranks, ..Strategy::SINGLE });
    if is_single && nodes > 1 {
        return None;
    }
    let replicas = u64::from(strategy.data.get());
    let (held, allowed, records) = match work {
        Work::Train(train) => (train.held, Some(&train.allowed), train.global_batch),
        Work::Apply(apply) => {
            let allowed = Some(&apply.allowed).filter(|_| !is_single);
            (apply.held, allowed, apply.batch.saturating_mul(replicas))
        }
        Work::Prepare(_) => (None, None, 1),
    };
    let is_wanted = match held {
        Some(held) => held == strategy,
        None => allowed.is_none_or(|allowed| allowed.admits(&strategy)),
    };
    if !is_wanted {
        return None;
    }
    let seconds = records as f64 / throughput;
    let ranks_per_node = strategy.ranks().div_ceil(nodes).max(1);
    Some(Pace {
        layout: Layout { nodes, devices_per_node: devices.min(ranks_per_node), ranks_per_node },
        strategy,
        records,
        step_seconds: Interval { p10: seconds, p50: seconds, p90: seconds },
        forward_seconds: seconds / 3.0,
        memory: Memory::default(),
        breakdown: Breakdown::from([("measured".to_owned(), seconds)]),
        basis: BASIS.to_owned(),
    })
}
