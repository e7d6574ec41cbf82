//! What a trained network is worth on records that it has not seen, by the metrics of its task.

mod answer;
mod figures;
mod jackknife;

pub use answer::{Answer, of as answers};
pub use figures::{Figure, Figures};

use std::ops::Range;
use std::time::Instant;

use burn::module::Module as _;
use burn::tensor::Device;
use scenarios::units::Interval;

use crate::data::{Reader, Records, Truth};
use crate::device::Devices;
use crate::model::{Description, Network};

/// Most numbers that one pass gives: a batch with more goes through the network in parts.
const MOST_SCORES: usize = 1 << 26;

/// Why a network cannot be judged by records.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EvaluateError {
    /// There are no records.
    #[error("there are no test records")]
    Empty,
    /// Nothing is known to be true of the records.
    #[error("the test records do not say what is true of them, so answers cannot be judged")]
    Unlabelled,
    /// Records and network do not fit.
    #[error("records have {found} values, but the network takes {expected}")]
    Shape {
        /// Values of a record.
        found: usize,
        /// Values that the network takes.
        expected: usize,
    },
    /// The network gives no numbers.
    #[error("the network's answer to test record {record} is no finite number: its training has diverged")]
    NotFinite {
        /// Its place among the test records, from 1.
        record: usize,
    },
}

/// What a network has answered on a set of records, and how long it took.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Evaluation {
    /// Its answers beside what is true, in the order of the records.
    pub answers: Vec<Answer>,
    /// Time of each full batch.
    batch_seconds: Vec<f64>,
    /// Time of everything.
    seconds: f64,
}

impl Evaluation {
    /// Records that were looked at.
    #[must_use]
    pub const fn records(&self) -> u64 {
        self.answers.len() as u64
    }

    /// The figures of the task, each with its interval.
    #[must_use]
    pub fn figures(&self) -> Figures {
        figures::of(&self.answers)
    }

    /// Rows are true classes, columns found ones; empty where there are no classes.
    #[must_use]
    pub fn confusion(&self) -> Vec<Vec<u64>> {
        figures::confusion(&self.answers.iter().collect::<Vec<_>>())
    }

    /// Records per second.
    #[must_use]
    pub fn throughput(&self) -> f64 {
        if self.seconds > 0.0 { self.records() as f64 / self.seconds } else { 0.0 }
    }

    /// Time of one batch; none where no batch was full.
    #[must_use]
    pub fn batch_seconds(&self) -> Option<Interval> {
        Interval::of(&self.batch_seconds)
    }

    /// Adds what another rank has found, at the same time, on the records that follow.
    pub fn join(&mut self, other: Self) {
        self.answers.extend(other.answers);
        self.batch_seconds.extend(other.batch_seconds);
        self.seconds = self.seconds.max(other.seconds);
    }
}

/// Whether a network can be judged by records.
///
/// # Errors
/// There are none, they are of another size, or nothing is known to be true of them.
pub fn check(description: &Description, records: &Records) -> Result<(), EvaluateError> {
    match records.truth {
        _ if records.is_empty() => Err(EvaluateError::Empty),
        Truth::Unknown => Err(EvaluateError::Unlabelled),
        _ => check_shape(description, records),
    }
}

/// Whether a network takes records.
///
/// # Errors
/// They are of another size.
pub fn check_shape(description: &Description, records: &Records) -> Result<(), EvaluateError> {
    let (found, expected) = (records.values(), description.input());
    if found == expected { Ok(()) } else { Err(EvaluateError::Shape { found, expected }) }
}

/// Judges a network by records in so many ranks, each of which takes its share of them at the same time; together they take
/// `batch` of them at once. The answers are the same at any number of ranks.
///
/// # Errors
/// [`check`] refuses the records, or the network gives no numbers.
pub fn evaluate(
    network: &Network,
    records: &Records,
    reader: &Reader,
    (batch, ranks): (usize, usize),
    devices: &Devices,
) -> Result<Evaluation, EvaluateError> {
    check(network.description(), records)?;
    let (ranks, count) = (ranks.max(1), records.len());
    let share = count.div_ceil(ranks);
    let run = |rank: usize| {
        let (own, device) = ((rank * share).min(count)..((rank + 1) * share).min(count), devices.of_rank(rank));
        of_rank(&network.clone().to_device(device), records, own, reader, batch.div_ceil(ranks), device)
    };
    let run = &run;
    let found: Vec<_> = std::thread::scope(|scope| {
        let started: Vec<_> = (0..ranks).map(|rank| scope.spawn(move || run(rank))).collect();
        started.into_iter().map(|rank| rank.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
    });
    let mut joined = Evaluation::default();
    for part in found {
        joined.join(part);
    }
    match joined.answers.iter().position(|answer| !answer.is_finite()) {
        Some(place) => Err(EvaluateError::NotFinite { record: place + 1 }),
        None => Ok(joined),
    }
}

/// Records that may go through a network at once.
pub(crate) fn at_once(description: &Description) -> usize {
    (MOST_SCORES / answer::scores(description).max(1)).max(1)
}

/// Answers of one rank.
fn of_rank(
    network: &Network,
    records: &Records,
    own: Range<usize>,
    reader: &Reader,
    batch: usize,
    device: &Device,
) -> Evaluation {
    let mut found = Evaluation::default();
    let at_once = at_once(network.description());
    let started = Instant::now();
    let positions: Vec<usize> = own.collect();
    for positions in positions.chunks(batch.max(1)) {
        let batch_started = Instant::now();
        for positions in positions.chunks(at_once) {
            found.answers.extend(answer::of(network, reader.read(records, positions), device));
        }
        if positions.len() == batch {
            found.batch_seconds.push(batch_started.elapsed().as_secs_f64());
        }
    }
    found.seconds = started.elapsed().as_secs_f64();
    found
}

#[cfg(test)]
mod tests;
