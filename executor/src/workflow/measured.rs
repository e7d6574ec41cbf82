//! What the ranks of a training measured, for the run record.

use std::time::Duration;

use scenarios::machine::DeviceKind;
use scenarios::plan::Assignment;
use scenarios::run::{Exchange, Overheads, RankRun, WorkloadRun};
use scenarios::scenario::Form;
use scenarios::strategy::{Strategy, Sync};
use scenarios::units::Interval;

use super::ranks::{Seats, sites};
use crate::parallel::topology::{Place, Shape};
use crate::train::{Outcome, Outside, RankReport};
use crate::transport::{Counts, Operation};

/// Puts figures of ranks, exchanges, overheads and the throughput's interval into the record of a training.
pub(super) fn fill(done: &mut WorkloadRun, outcome: &Outcome, assignment: &Assignment, seats: Seats) {
    let sites = sites(assignment);
    let of_rank = |report| rank(report, seats, &assignment.strategy, &sites);
    done.ranks = outcome.ranks.iter().map(of_rank).collect();
    done.exchanges = exchanges(&outcome.ranks, assignment.strategy.sync);
    done.overheads = outcome.ranks.first().map(|first| overheads(first.outside));
    done.throughput_interval = outcome.step_seconds.and_then(|step| per_second(outcome.records_per_step, step));
}

/// Records in a second, of so many in steps that take so long.
pub(super) fn per_second(records: f64, step: Interval) -> Option<Interval> {
    (step.p10 > 0.0).then(|| Interval { p10: records / step.p90, p50: records / step.p50, p90: records / step.p10 })
}

fn overheads(outside: Outside) -> Overheads {
    Overheads {
        start_seconds: outside.start.as_secs_f64(),
        validation_seconds: outside.validation.as_secs_f64(),
        checkpoint_seconds: outside.checkpoint.as_secs_f64(),
        checkpoints: outside.checkpoints,
    }
}

fn rank(report: &RankReport, seats: Seats, strategy: &Strategy, sites: &[String]) -> RankRun {
    let shape = Shape::of(strategy);
    let learns = report.rank < shape.ranks();
    let Place { replica, tensor, stage } = if learns { shape.place(report.rank) } else { shape.place(0) };
    let number = report.rank as u32;
    RankRun {
        rank: number,
        role: if learns { "learn" } else { "serve" }.to_owned(),
        site: sites.get(report.rank).cloned(),
        device: seats.device(number),
        sharing: seats.sharing(number),
        replica: replica as u32,
        stage: stage as u32,
        tensor: tensor as u32,
        phases_seconds: if learns { report.phases.mean_seconds() } else { indexmap::IndexMap::new() },
        hidden_communication_seconds: report.phases.hidden_communication_seconds(),
        memory_peak_bytes: (seats.kind == DeviceKind::Cpu).then_some(report.memory_peak_bytes),
        bubble: report.phases.bubble(),
    }
}

/// Counts of one of the groups that a rank is in.
type CountsOf = fn(&RankReport) -> &Counts;

/// What all ranks gave, by group and operation.
fn exchanges(ranks: &[RankReport], sync: Sync) -> Vec<Exchange> {
    let replicas = if matches!(sync, Sync::Averaging { .. }) { Form::Weights } else { Form::Gradients };
    let groups: [(&str, Form, CountsOf); 5] = [
        ("replicas", replicas, |rank| &rank.counts.replicas),
        ("tensor", Form::Activations, |rank| &rank.counts.tensor),
        ("stages", Form::Activations, |rank| &rank.counts.stages),
        ("servers", Form::Gradients, |rank| &rank.counts.job),
        ("world", Form::Metrics, |rank| &rank.counts.world),
    ];
    let mut all = Vec::new();
    for (group, form, counts) in groups {
        for (operation, name) in Operation::ALL {
            let given: Vec<_> = ranks
                .iter()
                .flat_map(|rank| counts(rank).given())
                .filter(|given| given.operation == operation)
                .collect();
            let calls = given.iter().map(|given| given.calls).sum();
            if calls > 0 {
                let (group, operation) = (group.to_owned(), name.to_owned());
                let bytes = given.iter().map(|given| given.bytes).sum();
                let seconds = given.iter().map(|given| given.time).sum::<Duration>().as_secs_f64();
                all.push(Exchange { form, group, operation, calls, bytes, seconds });
            }
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_say_where_they_stand_and_whom_they_share_a_device_with() {
        let strategy: Strategy = "data:2,servers:1".parse().expect("a strategy");
        let report = |rank| RankReport { rank, memory_peak_bytes: 7, ..RankReport::default() };
        let found = |number, places| {
            let seats = Seats { ranks: 3, places, kind: DeviceKind::Cpu };
            rank(&report(number), seats, &strategy, &["lab".to_owned()])
        };
        let first = found(0, 1);
        assert_eq!((first.role.as_str(), first.replica, first.sharing), ("learn", 0, 3));
        assert_eq!((first.site.as_deref(), first.memory_peak_bytes), (Some("lab"), Some(7)));
        let server = found(2, 2);
        assert_eq!((server.role.as_str(), server.device, server.sharing), ("serve", 0, 2));
        assert_eq!(found(1, 2).sharing, 1);
        assert!(server.phases_seconds.is_empty());
    }
}
