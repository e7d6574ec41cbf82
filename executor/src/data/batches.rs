//! Batches: which records, in which order.

use std::ops::Range;

use scenarios::scenario::Preprocessing;

use super::host::HostBatch;
use super::order;
use super::reader::{Moment, Reader, windows};
use super::records::{Columns, Records};

/// Which of the records of each global batch a replica reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchShare {
    /// Records of a global batch.
    of: usize,
    own: Range<usize>,
}

impl BatchShare {
    /// The share of one of several replicas that read `shares` records each; together they are the global batch.
    ///
    /// # Panics
    /// There is no such replica.
    #[must_use]
    pub fn of(shares: &[usize], rank: usize) -> Self {
        let before: usize = shares[..rank].iter().sum();
        Self { of: shares.iter().sum(), own: before..before + shares[rank] }
    }

    /// Records of a global batch.
    #[must_use]
    pub const fn global_batch(&self) -> usize {
        self.of
    }

    /// Records that the replica reads of each global batch.
    #[must_use]
    pub fn records(&self) -> usize {
        self.own.len()
    }
}

/// The batches of one replica. At any number of replicas, their batches of a step together are the same global batch: it
/// is a function of the seed and the step alone.
#[derive(Debug)]
pub struct Batches<'a> {
    records: &'a Records,
    reader: Reader,
    share: BatchShare,
    seed: u64,
    /// Whether windows of a text are drawn anew in each step, and may overlap.
    draws: bool,
    epoch: u32,
    order: Vec<usize>,
}

impl<'a> Batches<'a> {
    /// The batches of a replica.
    #[must_use]
    pub fn new(records: &'a Records, preprocessing: &Preprocessing, share: BatchShare, seed: u64) -> Self {
        let reader = Reader::new(preprocessing, seed);
        Self { records, reader, share, seed, draws: false, epoch: 0, order: Vec::new() }
    }

    /// The same, but windows of a text are drawn from all of its places in each step, as nanoGPT does, and not once in an
    /// epoch. Other records have the same batches as before.
    #[must_use]
    pub fn drawn(self) -> Self {
        let draws = matches!(&self.records.columns, Columns::Stream(stream) if stream.starts.is_none());
        Self { draws, ..self }
    }

    /// Whole global batches in one epoch; records that fill none are left out of it.
    #[must_use]
    pub fn steps_per_epoch(&self) -> usize {
        self.records.len().checked_div(self.share.of).unwrap_or(0)
    }

    /// The replica's share of the global batch of a step, from 0, counted over all epochs.
    ///
    /// # Panics
    /// There are fewer records than a global batch has, which is checked before a training begins.
    pub fn batch(&mut self, step: u64) -> HostBatch {
        if self.draws
            && let Columns::Stream(stream) = &self.records.columns
        {
            let places = stream.tokens.len() - stream.sequence;
            let starts = order::windows(self.share.of, places, self.seed, step);
            return windows(stream, &starts[self.share.own.clone()]);
        }
        let steps = self.steps_per_epoch() as u64;
        let (epoch, step) = ((step / steps) as u32 + 1, (step % steps) as usize);
        if epoch != self.epoch {
            self.order = order::of_epoch(self.records.len(), self.seed, epoch);
            self.epoch = epoch;
        }
        let offset = match &self.records.columns {
            Columns::Stream(stream) => order::offset(stream.slack(), self.seed, epoch),
            _ => 0,
        };
        let from = step * self.share.of;
        let positions = &self.order[from + self.share.own.start..from + self.share.own.end];
        self.reader.learn(self.records, positions, Moment { epoch, offset })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;
    use scenarios::scenario::Augmentation;

    use super::super::host::{HostInputs, HostTargets};
    use super::super::records::{Stream, Truth};
    use super::*;

    fn images() -> Records {
        Records::grey(2, 2, (0..48).collect(), &(0..12).collect::<Vec<u8>>())
    }

    fn text() -> Records {
        let stream = Stream { sequence: 3, tokens: Arc::new((0..50).collect()), starts: None };
        Records { columns: Columns::Stream(stream), truth: Truth::Next }
    }

    fn shifted() -> Preprocessing {
        let augmentation = Augmentation { shift: 1, noise: 0.2, ..Augmentation::default() };
        Preprocessing { augmentation, ..Preprocessing::default() }
    }

    /// Numbers or tokens of a batch, record after record.
    fn values(batch: &HostBatch) -> Vec<f32> {
        match &batch.inputs {
            HostInputs::Numbers(_, values) => values.clone(),
            HostInputs::Tokens(_, tokens, _) => tokens.iter().map(|&token| token as f32).collect(),
            other => unreachable!("no test has {other:?}"),
        }
    }

    fn global(records: &Records, shares: &[usize], step: u64, draws: bool) -> Vec<f32> {
        let of = |rank| {
            let batches = Batches::new(records, &shifted(), BatchShare::of(shares, rank), 9);
            values(&if draws { batches.drawn() } else { batches }.batch(step))
        };
        (0..shares.len()).flat_map(of).collect()
    }

    proptest! {
        #[test]
        fn replicas_together_read_the_same_global_batch(
            cuts in prop::collection::vec(0_usize..=4, 0..4),
            step in 0_u64..9,
            draws: bool,
        ) {
            let mut ends = [cuts, vec![0, 4]].concat();
            ends.sort_unstable();
            let shares: Vec<usize> = ends.windows(2).map(|pair| pair[1] - pair[0]).collect();
            for records in [images(), text()] {
                prop_assert_eq!(global(&records, &shares, step, draws), global(&records, &[4], step, draws));
            }
        }
    }

    #[test]
    fn an_epoch_reads_every_record_once_and_steps_can_be_asked_for_in_any_order() {
        let records = images();
        let new = || Batches::new(&records, &shifted(), BatchShare::of(&[4], 0), 9);
        let mut batches = new();
        assert_eq!(batches.steps_per_epoch(), 3);
        let mut seen: Vec<i32> = (6..9)
            .flat_map(|step| match batches.batch(step).targets {
                HostTargets::Classes(classes) => classes,
                other => unreachable!("no test has {other:?}"),
            })
            .collect();
        seen.sort_unstable();
        assert_eq!(seen, (0..12).collect::<Vec<_>>());
        for step in [7, 2, 8] {
            assert_eq!(new().batch(step), batches.batch(step), "step {step}");
        }
    }

    #[test]
    fn windows_of_an_epoch_lie_side_by_side_and_move_between_epochs() {
        let records = text();
        let mut batches = Batches::new(&records, &Preprocessing::default(), BatchShare::of(&[5], 0), 3);
        assert_eq!((records.len(), batches.steps_per_epoch()), (15, 3));
        let mut offsets = Vec::new();
        for epoch in 0..20 {
            let mut tokens: Vec<f32> = (0..3).flat_map(|step| values(&batches.batch(epoch * 3 + step))).collect();
            tokens.sort_by(f32::total_cmp);
            assert!(tokens.windows(2).all(|pair| (pair[1] - pair[0] - 1.0).abs() < 1e-6), "{tokens:?}");
            offsets.push(tokens[0] as usize);
        }
        assert!((0..3).all(|offset| offsets.contains(&offset)), "{offsets:?}");
    }

    #[test]
    fn drawn_windows_begin_anywhere() {
        let records = text();
        let mut batches = Batches::new(&records, &Preprocessing::default(), BatchShare::of(&[100], 0), 3).drawn();
        let (first, second) = (batches.batch(0), batches.batch(1));
        assert_ne!(first, second);
        let starts: Vec<f32> = values(&first).chunks(3).map(|window| window[0]).collect();
        assert!((0..47).filter(|&start| starts.contains(&(start as f32))).count() > 30, "{starts:?}");
    }
}
