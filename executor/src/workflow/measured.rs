//! What the ranks of a training measured, for the run record.

use indexmap::IndexMap;
use scenarios::machine::DeviceKind;
use scenarios::run::{Exchange, Overheads, RankRun, Traffic, WorkloadRun};
use scenarios::scenario::Form;
use scenarios::strategy::{Strategy, Sync};
use scenarios::units::Interval;

use super::ranks::Seats;
use crate::parallel::topology::{Place, Shape};
use crate::train::{Outcome, Outside, RankReport};
use crate::transport::{Counts, Operation};

/// Puts figures of ranks, exchanges, overheads and the throughput's interval into the record of a training.
///
/// `sites` are those of the replicas; servers of parameters are where the workload's first ranks are.
pub(super) fn fill(done: &mut WorkloadRun, outcome: &Outcome, seats: Seats, sites: &[String]) {
    let (reports, strategy) = (&outcome.ranks[..], &done.strategy);
    let shape = Shape::of(strategy);
    let site_of = |rank: usize| {
        let replica = if rank < shape.ranks() { shape.place(rank).replica } else { 0 };
        sites.get(replica).unwrap_or(&done.site)
    };
    let ranks = reports.iter().map(|report| rank(report, seats, strategy, site_of(report.rank))).collect();
    let traffic = traffic(reports, strategy, site_of);
    done.exchanges = exchanges(reports, strategy);
    (done.ranks, done.traffic) = (ranks, traffic);
    let references: Vec<f64> = reports.iter().flat_map(|report| &report.references).copied().collect();
    done.reference_seconds = Interval::of(&references);
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

fn rank(report: &RankReport, seats: Seats, strategy: &Strategy, site: &str) -> RankRun {
    let shape = Shape::of(strategy);
    let learns = report.rank < shape.ranks();
    let Place { replica, tensor, stage } = if learns { shape.place(report.rank) } else { shape.place(0) };
    let number = report.rank as u32;
    RankRun {
        rank: number,
        role: if learns { "learn" } else { "serve" }.to_owned(),
        site: Some(site.to_owned()),
        device: seats.device(number),
        sharing: seats.sharing(number),
        replica: replica as u32,
        stage: stage as u32,
        tensor: tensor as u32,
        phases_seconds: if learns { report.phases.mean_seconds() } else { IndexMap::new() },
        hidden_communication_seconds: report.phases.hidden_communication_seconds(),
        memory_peak_bytes: (seats.kind == DeviceKind::Cpu).then_some(report.memory_peak_bytes),
        bubble: report.phases.bubble(),
    }
}

/// A group that ranks meet in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meeting {
    Replicas,
    Tensor,
    Stages,
    Servers,
    World,
}

impl Meeting {
    const ALL: [(Self, &'static str); 5] = [
        (Self::Replicas, "replicas"),
        (Self::Tensor, "tensor"),
        (Self::Stages, "stages"),
        (Self::Servers, "servers"),
        (Self::World, "world"),
    ];

    const fn counts(self, rank: &RankReport) -> &Counts {
        let counts = &rank.counts;
        match self {
            Self::Replicas => &counts.replicas,
            Self::Tensor => &counts.tensor,
            Self::Stages => &counts.stages,
            Self::Servers => &counts.job,
            Self::World => &counts.world,
        }
    }

    /// What a rank brings by an operation.
    const fn form(self, operation: Operation, strategy: &Strategy, learns: bool) -> Form {
        match (self, operation) {
            (Self::World, Operation::AllReduce | Operation::AllGather) => Form::Metrics,
            (Self::Replicas | Self::Tensor | Self::Stages, Operation::AllGather) | (Self::World, _) => Form::Weights,
            (Self::Tensor | Self::Stages, _) => Form::Activations,
            (Self::Servers, _) if !learns => Form::Weights,
            (Self::Replicas, _) if matches!(strategy.sync, Sync::Averaging { .. }) => Form::Weights,
            (Self::Replicas | Self::Servers, _) => Form::Gradients,
        }
    }

    /// Whether two ranks of so many meet in it; servers follow those that learn.
    fn has(self, shape: Shape, a: usize, b: usize) -> bool {
        let learn = (a < shape.ranks(), b < shape.ranks());
        if self == Self::Servers {
            return learn.0 != learn.1;
        }
        let (one, other) = (shape.place(a), shape.place(b));
        learn == (true, true)
            && match self {
                Self::Replicas => (one.stage, one.tensor) == (other.stage, other.tensor),
                Self::Tensor => (one.stage, one.replica) == (other.stage, other.replica),
                Self::Stages => (one.replica, one.tensor) == (other.replica, other.tensor),
                Self::Servers | Self::World => true,
            }
    }
}

/// What all ranks gave, by group, form and operation.
fn exchanges(ranks: &[RankReport], strategy: &Strategy) -> Vec<Exchange> {
    let shape = Shape::of(strategy);
    let mut all: Vec<Exchange> = Vec::new();
    for (meeting, group) in Meeting::ALL {
        for (operation, name) in Operation::ALL {
            for rank in ranks {
                let form = meeting.form(operation, strategy, rank.rank < shape.ranks());
                for given in meeting.counts(rank).given().filter(|given| given.operation == operation) {
                    let is_same =
                        |one: &Exchange| (&one.group[..], &one.operation[..], one.form) == (group, name, form);
                    let at = all.iter().position(is_same).unwrap_or(all.len());
                    if at == all.len() {
                        let (group, operation) = (group.to_owned(), name.to_owned());
                        all.push(Exchange { form, group, operation, calls: 0, bytes: 0, seconds: 0.0 });
                    }
                    all[at].calls += given.calls;
                    all[at].bytes += given.bytes;
                    all[at].seconds += given.time.as_secs_f64();
                }
            }
        }
    }
    all
}

/// Bytes by form and pair of sites: what a rank brings to a group goes in equal parts to the others in it.
fn traffic<'a>(ranks: &[RankReport], strategy: &Strategy, site_of: impl Fn(usize) -> &'a String) -> Vec<Traffic> {
    let shape = Shape::of(strategy);
    let mut all: IndexMap<(Form, &str, &str), f64> = IndexMap::new();
    for ((meeting, _), rank) in Meeting::ALL.iter().flat_map(|meeting| ranks.iter().map(move |rank| (meeting, rank))) {
        let others = ranks.iter().map(|other| other.rank).filter(|other| *other != rank.rank);
        let others: Vec<usize> = others.filter(|other| meeting.has(shape, rank.rank, *other)).collect();
        for given in meeting.counts(rank).given() {
            let form = meeting.form(given.operation, strategy, rank.rank < shape.ranks());
            for other in &others {
                let pair = (form, site_of(rank.rank).as_str(), site_of(*other).as_str());
                *all.entry(pair).or_default() += given.bytes as f64 / others.len() as f64;
            }
        }
    }
    let rounded =
        all.into_iter().map(|((form, from, to), bytes)| (form, from.to_owned(), to.to_owned(), bytes.round() as u64));
    rounded.filter(|(.., bytes)| *bytes > 0).map(|(form, from, to, bytes)| Traffic { form, from, to, bytes }).collect()
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
            rank(&report(number), seats, &strategy, "lab")
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
