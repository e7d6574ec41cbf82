//! What becomes of gradients as a backward pass gives them: they stay with the rank, or go to the other replicas bucket by
//! bucket while earlier pieces are still going back.

use std::collections::VecDeque;
use std::ops::Range;

use burn::optim::GradientsParams;
use burn::tensor::Gradients;
use scenarios::carried_out::BUCKET_BYTES;
use scenarios::machine::DeviceKind;
use scenarios::strategy::{Strategy, Sync, Zero};

use super::bucket::{Bucket, buckets};
use super::link::{Link, Sum};
use super::stage::Held;
use super::topology::Topology;
use crate::device::Devices;
use crate::model::flat;
use crate::train::{Phase, StepClock};
use crate::transport::{Counted, TransportError, part_start};

/// Buckets that may be under way; who brings another waits for the first one, so that memory is bounded.
const UNDER_WAY: usize = 4;

/// What replicas exchange, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum How {
    /// Nothing: each learns for itself, or gives to servers.
    Nothing,
    /// Sums over the step, whole or a part for each; the last micro-batch's backward pass brings them.
    OfStep(Sum),
    /// A part of the sums for each, of every micro-batch: nobody ever holds whole gradients (ZeRO-2).
    OfEach,
}

impl How {
    const fn of(strategy: &Strategy) -> Self {
        match (strategy.sync, strategy.zero) {
            (Sync::AllReduce, Zero::Replicated) if strategy.data.get() > 1 => Self::OfStep(Sum::Whole),
            (Sync::AllReduce, Zero::Optimizer) => Self::OfStep(Sum::Part),
            (Sync::AllReduce, Zero::Gradients | Zero::Parameters) => Self::OfEach,
            _ => Self::Nothing,
        }
    }
}

/// How gradients are divided and whether a thread exchanges them while the rank computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Buckets {
    /// Bytes that fill one.
    pub bytes: usize,
    /// Whether a thread of each rank exchanges them.
    pub beside: bool,
}

impl Buckets {
    /// Buckets of [`BUCKET_BYTES`]. A thread exchanges them where it takes nothing from the passes: on GPUs, and on
    /// a processor with more cores than ranks, each of which computes on one. The result is the same.
    #[must_use]
    pub fn usual(devices: &Devices, ranks: usize) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let beside = devices.description.kind == DeviceKind::Gpu || cores > ranks;
        Self { bytes: BUCKET_BYTES, beside }
    }
}

/// Exchanges the gradients of a rank's steps.
pub struct Exchange {
    how: How,
    buckets: Vec<Bucket>,
    /// None where there is nothing to exchange.
    link: Option<Link>,
    rank: usize,
    size: usize,
}

/// What a step has learned: gradients of a rank's parameters.
pub enum Learned {
    /// Of its own records, on its device.
    Own(GradientsParams),
    /// Of the records of all replicas: runs of the flat buffer, in order.
    Sums(Vec<Run>),
}

impl Learned {
    /// Whether all gradients are finite.
    #[must_use]
    pub fn is_finite(&self, held: &Held) -> bool {
        match self {
            Self::Own(gradients) => flat::is_finite(gradients, held),
            Self::Sums(_) => self.wrong_sum().is_none(),
        }
    }

    /// A sum of gradients that is no number.
    #[must_use]
    pub fn wrong_sum(&self) -> Option<f32> {
        match self {
            Self::Own(_) => None,
            Self::Sums(runs) => runs.iter().flat_map(|run| &run.values).find(|value| !value.is_finite()).copied(),
        }
    }
}

/// Values that lie side by side in the flat buffer of a rank's parameters.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// Where they begin.
    pub from: usize,
    /// The values.
    pub values: Vec<f32>,
}

impl Run {
    /// Where they lie.
    #[must_use]
    pub const fn range(&self) -> Range<usize> {
        self.from..self.from + self.values.len()
    }

    /// The values of runs, one behind the other.
    #[must_use]
    pub fn joined(mut runs: Vec<Self>) -> Vec<f32> {
        match &mut runs[..] {
            [only] => std::mem::take(&mut only.values),
            runs => runs.iter().map(|run| &run.values[..]).collect::<Vec<_>>().concat(),
        }
    }
}

impl Exchange {
    /// The exchange of a strategy; all ranks that learn make it together.
    ///
    /// # Errors
    /// Another rank has left or hangs.
    pub fn new(held: &Held, strategy: &Strategy, ways: Buckets, topology: &Topology) -> Result<Self, TransportError> {
        let how = How::of(strategy);
        let link = match how {
            How::Nothing => None,
            // A group of its own: ranks meet in the other one during their passes.
            _ => Some(Link::new(Counted::around(topology.replicas.split(0)?, &topology.counts.replicas), ways.beside)),
        };
        let (rank, size) = (topology.place.replica, topology.shape.replicas);
        Ok(Self { how, buckets: buckets(held, ways.bytes), link, rank, size })
    }

    /// Whether backward passes are cut so that buckets go on their way early.
    #[must_use]
    pub const fn cuts(strategy: &Strategy) -> bool {
        !matches!(How::of(strategy), How::Nothing) && strategy.data.get() > 1
    }

    /// All buckets, in the order in which they are complete.
    #[must_use]
    pub fn buckets(&self) -> &[Bucket] {
        &self.buckets
    }

    /// Begins a step whose gradients are multiplied by a factor.
    pub fn step(&mut self, factor: f64) -> Round<'_> {
        let sums = self.buckets.iter().map(|_| None).collect();
        Round { exchange: self, factor, own: GradientsParams::new(), given: 0, under_way: VecDeque::new(), sums }
    }

    /// Where the sum of a bucket begins that this rank is given.
    fn begin(&self, bucket: usize) -> usize {
        let values = &self.buckets[bucket].values;
        match self.how {
            How::Nothing | How::OfStep(Sum::Whole) => values.start,
            How::OfStep(Sum::Part) | How::OfEach => values.start + part_start(values.len(), self.rank, self.size),
        }
    }
}

/// The backward pass of a micro-batch through a chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pass {
    /// The chunk.
    pub chunk: usize,
    /// Whether it is the chunk's last one in the step.
    pub is_last: bool,
}

/// Gradients of one step.
pub struct Round<'a> {
    exchange: &'a mut Exchange,
    factor: f64,
    /// Sums over micro-batches that have not gone on their way.
    own: GradientsParams,
    /// Buckets of the chunk that is going back that have gone on their way.
    given: usize,
    under_way: VecDeque<usize>,
    /// What came back, by bucket.
    sums: Vec<Option<Vec<f32>>>,
}

impl Round<'_> {
    /// Takes the gradients of pieces from `first_piece` on, and sends on their way what is complete.
    ///
    /// # Errors
    /// Another rank has left or hangs.
    pub fn take(
        &mut self,
        held: &Held,
        pass: Pass,
        first_piece: usize,
        gradients: Gradients,
        clock: &mut StepClock,
    ) -> Result<(), TransportError> {
        flat::add(gradients, self.factor, &held.chunks[pass.chunk], &mut self.own);
        // A first segment's gradients may not be the last of a shared matrix: the end of the pass says that all are there.
        if first_piece > 0 { self.give(held, pass, first_piece, clock) } else { Ok(()) }
    }

    /// Ends a backward pass: all gradients of its chunk are there.
    ///
    /// # Errors
    /// Another rank has left or hangs.
    pub fn end(&mut self, held: &Held, pass: Pass, clock: &mut StepClock) -> Result<(), TransportError> {
        self.give(held, pass, 0, clock)?;
        self.given = 0;
        Ok(())
    }

    fn give(
        &mut self,
        held: &Held,
        pass: Pass,
        first_piece: usize,
        clock: &mut StepClock,
    ) -> Result<(), TransportError> {
        let sum = match self.exchange.how {
            How::OfStep(sum) if pass.is_last => sum,
            How::OfEach => Sum::Part,
            _ => return Ok(()),
        };
        let first = self.exchange.buckets.iter().position(|bucket| bucket.chunk == pass.chunk).unwrap_or(0);
        while let Some(bucket) = self.exchange.buckets.get(first + self.given)
            && bucket.chunk == pass.chunk
            && bucket.first_piece >= first_piece
        {
            let mut values = Vec::with_capacity(bucket.values.len());
            flat::take(&mut self.own, &bucket.parameters, &held.chunks[pass.chunk], &mut values);
            clock.lap(Phase::Backward);
            if self.under_way.len() == UNDER_WAY {
                self.receive()?;
            }
            if let Some(link) = &mut self.exchange.link {
                link.give(values, sum)?;
            }
            self.under_way.push_back(first + self.given);
            self.given += 1;
            clock.lap(Phase::Communication);
        }
        Ok(())
    }

    /// Takes in the bucket that has been under way for longest.
    fn receive(&mut self) -> Result<(), TransportError> {
        let (Some(link), Some(bucket)) = (&mut self.exchange.link, self.under_way.pop_front()) else { return Ok(()) };
        let values = link.take()?;
        match &mut self.sums[bucket] {
            Some(sum) => sum.iter_mut().zip(values).for_each(|(sum, value)| *sum += value),
            empty => *empty = Some(values),
        }
        Ok(())
    }

    /// Ends the step: waits for what is under way.
    ///
    /// # Errors
    /// Another rank has left or hangs.
    pub fn finish(mut self, clock: &mut StepClock) -> Result<Learned, TransportError> {
        while !self.under_way.is_empty() {
            self.receive()?;
        }
        let Some(link) = &mut self.exchange.link else { return Ok(Learned::Own(self.own)) };
        clock.hide(link.hidden());
        clock.lap(Phase::Communication);
        let run = |(bucket, values)| Run { from: self.exchange.begin(bucket), values };
        let sums = self.sums.into_iter().map(Option::unwrap_or_default).enumerate();
        let mut runs: Vec<Run> = sums.map(run).collect();
        runs.sort_by_key(|run| run.from);
        Ok(Learned::Sums(runs))
    }
}
