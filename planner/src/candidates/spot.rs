//! Expected times on nodes that may be taken away.

use std::sync::Arc;

use super::Reason;
use super::prediction::Choice;
use super::purchase::Interruptions;
use crate::performance::Prediction;
use crate::performance::reliability::{Checkpoint, Failures, Write};

/// Bandwidth of a node to storage where its network is not known, bytes per second: 10 Gbit/s.
const STORAGE_BYTES_PER_SECOND: f64 = 1.25e9;

/// A placement with the interruptions that are expected: their loss in per cent of the run time stands in the breakdown.
///
/// Nodes are taken away independently, so that the job stops every 1 / (rate × nodes); all of it goes on from its last
/// checkpoint after the restart. Checkpoints of `checkpoint_bytes` are written at the nodes' network rate, at Daly's
/// interval. Notice is not counted on.
pub(super) fn expected(
    choice: &Choice,
    interruptions: Interruptions,
    checkpoint_bytes: f64,
    network: Option<f64>,
) -> Result<Choice, Reason> {
    let nodes = choice.layout.nodes;
    let failures = Failures {
        device_mtbf_seconds: f64::INFINITY,
        devices: 0,
        spot_nodes: u64::from(nodes),
        spot_interruptions_per_hour: interruptions.per_hour,
        spot_notice_seconds: 0.0,
        restart_seconds: interruptions.restart_seconds,
    };
    let checkpoint = Checkpoint {
        bytes: checkpoint_bytes,
        bytes_per_second: network.filter(|rate| *rate > 0.0).unwrap_or(STORAGE_BYTES_PER_SECOND) * f64::from(nodes),
        barrier_seconds: 0.0,
        write: Write::Blocking,
    };
    let work = choice.prediction.seconds;
    let expected = failures.reliability(work, &checkpoint, None).map_err(Reason::NeverDone)?;
    let mut predicted = choice.prediction.predicted.clone();
    predicted.breakdown.insert(LOSS.to_owned(), 100.0 * (1.0 - expected.goodput).max(0.0));
    let prediction = Prediction { seconds: expected.wall_seconds.max(work), predicted, ..(*choice.prediction).clone() };
    Ok(Choice { prediction: Arc::new(prediction), ..choice.clone() })
}

/// Part of a breakdown that holds the share of the run time that interruptions cost, in per cent.
const LOSS: &str = "interruption_loss_percent";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::performance::Layout;
    use crate::performance::memory::Memory;
    use scenarios::plan::{Breakdown, Predicted};
    use scenarios::strategy::Strategy;
    use scenarios::units::Interval;

    fn choice(nodes: u32, seconds: f64) -> Choice {
        let predicted = Predicted {
            step_seconds: Interval { p10: 1.0, p50: 1.0, p90: 1.0 },
            throughput: 1.0,
            throughput_unit: "samples/s".to_owned(),
            memory_bytes_per_device: 0,
            breakdown: Breakdown::new(),
            basis: String::new(),
        };
        let prediction = Prediction { steps: 1, seconds, predicted, memory: Memory::default() };
        let layout = Layout { nodes, devices_per_node: 1, ranks_per_node: 1 };
        Choice { layout, strategy: Strategy::SINGLE, prediction: Arc::new(prediction) }
    }

    #[test]
    fn more_nodes_and_more_interruptions_lose_more() {
        let lost = |nodes: u32, per_hour: f64| {
            let interruptions = Interruptions { per_hour, restart_seconds: 300.0 };
            let found = expected(&choice(nodes, 36_000.0), interruptions, 1e9, Some(1e9)).expect("it ends");
            (found.prediction.seconds / 36_000.0 - 1.0, found.prediction.predicted.breakdown[LOSS])
        };
        let check = |less: (u32, f64), more: (u32, f64)| {
            let (a, b) = (lost(less.0, less.1), lost(more.0, more.1));
            assert!(a.0 < b.0 && a.1 < b.1, "{less:?} {more:?}: {a:?} {b:?}");
        };
        check((1, 0.0), (1, 0.01));
        check((1, 0.05), (1, 0.1));
        check((1, 0.05), (8, 0.05));
        // 0.05 an hour: a restart of 300 s every 20 h is 0.4 %, and checkpoints about as much again.
        assert!((0.004..0.02).contains(&lost(1, 0.05).0), "{:?}", lost(1, 0.05));
    }

    #[test]
    fn what_never_ends_is_refused() {
        let interruptions = Interruptions { per_hour: 1e6, restart_seconds: 3600.0 };
        let refused = expected(&choice(4, 36_000.0), interruptions, 1e9, None);
        assert!(matches!(refused, Err(Reason::NeverDone(_))), "{refused:?}");
    }
}
