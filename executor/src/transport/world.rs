//! What all groups of one job share: who lives.
//!
//! A rank gives a sign whenever it ends a part of its work and, every [`WATCH`], while it waits for others. So who waits is
//! never silent, and who is silent either computes or hangs. How long a computation may take is known after a few steps;
//! until then, and outside of steps, it may take as long as compiling kernels or writing a checkpoint may.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::TransportError;

/// Time between two looks at those who are waited for.
pub(super) const WATCH: Duration = Duration::from_millis(500);

/// A silence in a step that is longer than this many times the longest one so far is no computation.
const TIMES_LONGEST: u32 = 4;

/// Silences after which a rank that is waited for counts as hanging.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// In steps whose usual length is known, if they are not usually longer.
    pub step: Duration,
    /// In everything else.
    pub work: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { step: Duration::from_secs(25), work: Duration::from_mins(15) }
    }
}

/// What a rank is about to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// Something that may take long: compiling kernels, a validation, a checkpoint.
    Unknown,
    /// A step as those before it.
    Steps,
}

/// Signs of life of all ranks of a job.
#[derive(Debug)]
pub(super) struct World {
    begun: Instant,
    ranks: Vec<Pulse>,
    patience: Patience,
}

#[derive(Debug, Default)]
struct Pulse {
    /// Milliseconds since the beginning at the last sign.
    last: AtomicU64,
    /// Longest silence in a step, in milliseconds.
    longest: AtomicU64,
    in_steps: AtomicBool,
}

impl World {
    pub(super) fn new(size: usize, patience: Patience) -> Self {
        Self { begun: Instant::now(), ranks: (0..size).map(|_| Pulse::default()).collect(), patience }
    }

    /// A sign of life after some work.
    pub(super) fn pulse(&self, rank: usize) {
        let pulse = &self.ranks[rank];
        let now = self.now();
        let silence = now.saturating_sub(pulse.last.swap(now, Ordering::Relaxed));
        if pulse.in_steps.load(Ordering::Relaxed) {
            pulse.longest.fetch_max(silence, Ordering::Relaxed);
        }
    }

    /// A sign of life before work of this pace.
    pub(super) fn pace(&self, rank: usize, pace: Pace) {
        self.pulse(rank);
        self.ranks[rank].in_steps.store(pace == Pace::Steps, Ordering::Relaxed);
    }

    /// That a rank which is waited for gave a sign not too long ago, as far as one who has watched for a while can say.
    fn check(&self, rank: usize, watched: Duration) -> Result<(), TransportError> {
        let pulse = &self.ranks[rank];
        let longest = Duration::from_millis(pulse.longest.load(Ordering::Relaxed));
        let Patience { step, work } = self.patience;
        let patience =
            if pulse.in_steps.load(Ordering::Relaxed) { step.max(longest * TIMES_LONGEST).min(work) } else { work };
        self.silent_below(rank, watched, patience)
    }

    fn silent_below(&self, rank: usize, watched: Duration, patience: Duration) -> Result<(), TransportError> {
        let silence = Duration::from_millis(self.now().saturating_sub(self.ranks[rank].last.load(Ordering::Relaxed)));
        let hangs = TransportError::RankHangs { rank, seconds: silence.as_secs() };
        if silence.min(watched) > patience { Err(hangs) } else { Ok(()) }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

/// Time of watching. What the whole process stood still for is not counted against those who are watched.
#[derive(Debug)]
struct Watched {
    looked: Instant,
    time: Duration,
}

impl Watched {
    fn new() -> Self {
        Self { looked: Instant::now(), time: Duration::ZERO }
    }

    /// Time of watching so far, if it is time to look again.
    fn look(&mut self) -> Option<Duration> {
        let since = self.looked.elapsed();
        (since >= WATCH).then(|| {
            self.looked = Instant::now();
            self.time += since.min(2 * WATCH);
            self.time
        })
    }
}

/// One wait of a rank for others.
#[derive(Debug)]
pub(super) struct Watch<'a> {
    world: &'a World,
    own: usize,
    watched: Watched,
}

impl<'a> Watch<'a> {
    pub(super) fn new(world: &'a World, own: usize) -> Self {
        Self { world, own, watched: Watched::new() }
    }

    /// Looks, if it is time to, at those who are waited for, and says that the own rank lives.
    pub(super) fn look(&mut self, mut others: impl Iterator<Item = usize>) -> Result<(), TransportError> {
        let Some(watched) = self.watched.look() else { return Ok(()) };
        self.world.ranks[self.own].last.store(self.world.now(), Ordering::Relaxed);
        others.try_for_each(|other| self.world.check(other, watched))
    }
}

/// Watches ranks that nobody waits for; they may be silent as long as the longest work takes.
#[derive(Debug)]
pub struct Watcher {
    world: Arc<World>,
    watched: Watched,
}

impl Watcher {
    pub(super) fn new(world: Arc<World>) -> Self {
        Self { world, watched: Watched::new() }
    }

    /// Looks, if it is time to.
    ///
    /// # Errors
    /// A rank hangs.
    pub fn look(&mut self) -> Result<(), TransportError> {
        let Some(watched) = self.watched.look() else { return Ok(()) };
        let work = self.world.patience.work;
        (0..self.world.ranks.len()).try_for_each(|rank| self.world.silent_below(rank, watched, work))
    }

    /// Forgets the time of watching so far.
    pub fn skip(&mut self) {
        self.watched = Watched::new();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn world(step: u64) -> World {
        World::new(2, Patience { step: Duration::from_millis(step), work: Duration::from_mins(1) })
    }

    fn hangs(world: &World, watched: Duration) -> bool {
        matches!(world.check(0, watched), Err(TransportError::RankHangs { rank: 0, .. }))
    }

    #[test]
    fn silence_counts_in_steps_only_and_only_as_long_as_somebody_watched() {
        let world = world(20);
        std::thread::sleep(Duration::from_millis(60));
        assert!(!hangs(&world, Duration::MAX), "its kernels may still be compiling");
        world.pace(0, Pace::Steps);
        std::thread::sleep(Duration::from_millis(60));
        assert!(hangs(&world, Duration::MAX));
        assert!(!hangs(&world, Duration::from_millis(10)), "the process may have stood still");
        world.pulse(0);
        assert!(!hangs(&world, Duration::MAX));
    }

    #[test]
    fn a_rank_whose_steps_are_long_may_be_silent_longer() {
        let world = world(10);
        world.pace(0, Pace::Steps);
        std::thread::sleep(Duration::from_millis(100));
        world.pulse(0);
        std::thread::sleep(Duration::from_millis(150));
        assert!(!hangs(&world, Duration::MAX));
    }
}
