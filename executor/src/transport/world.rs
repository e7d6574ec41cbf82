//! What all groups of one job share: who lives.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::TransportError;

/// Silence after which a rank that is waited for counts as hanging, once it has been heard.
const PATIENCE: Duration = Duration::from_secs(25);

/// Silences that are longer than this many times the longest one so far, and than [`PATIENCE`], are no computation.
const TIMES_LONGEST: u32 = 4;

/// Silence before the first sign: devices compile their kernels.
const PATIENCE_AT_FIRST: Duration = Duration::from_mins(15);

/// Signs of life of all ranks of a job.
#[derive(Debug)]
pub(super) struct World {
    begun: Instant,
    ranks: Vec<Pulse>,
    patience: Duration,
}

#[derive(Debug, Default)]
struct Pulse {
    /// Milliseconds since the beginning at the last sign.
    last: AtomicU64,
    /// Signs so far.
    signs: AtomicU64,
    /// Longest silence between two signs in milliseconds.
    longest: AtomicU64,
}

/// Signs of a rank before its silences are known.
const SIGNS_TO_KNOW: u64 = 20;

impl World {
    pub(super) fn new(size: usize) -> Self {
        Self { begun: Instant::now(), ranks: (0..size).map(|_| Pulse::default()).collect(), patience: PATIENCE }
    }

    /// A sign of life.
    pub(super) fn pulse(&self, rank: usize) {
        let pulse = &self.ranks[rank];
        let now = self.now();
        let before = pulse.last.swap(now, Ordering::Relaxed);
        if pulse.signs.fetch_add(1, Ordering::Relaxed) > 0 {
            pulse.longest.fetch_max(now.saturating_sub(before), Ordering::Relaxed);
        }
    }

    /// That a rank which is waited for gave a sign not too long ago.
    pub(super) fn check(&self, rank: usize) -> Result<(), TransportError> {
        let pulse = &self.ranks[rank];
        let silence = Duration::from_millis(self.now().saturating_sub(pulse.last.load(Ordering::Relaxed)));
        let longest = Duration::from_millis(pulse.longest.load(Ordering::Relaxed));
        let is_known = pulse.signs.load(Ordering::Relaxed) >= SIGNS_TO_KNOW;
        let patience = if is_known { self.patience.max(longest * TIMES_LONGEST) } else { PATIENCE_AT_FIRST };
        let seconds = silence.as_secs();
        if silence > patience { Err(TransportError::RankHangs { rank, seconds }) } else { Ok(()) }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_counts_once_a_rank_is_known() {
        let mut world = World::new(2);
        world.patience = Duration::from_millis(20);
        (0..SIGNS_TO_KNOW).for_each(|_| world.pulse(0));
        world.pulse(1);
        assert_eq!(world.check(0), Ok(()));
        std::thread::sleep(Duration::from_millis(60));
        assert!(matches!(world.check(0), Err(TransportError::RankHangs { rank: 0, .. })));
        assert_eq!(world.check(1), Ok(()), "its kernels may still be compiling");
        world.pulse(0);
        assert_eq!(world.check(0), Ok(()));
    }

    #[test]
    fn a_rank_that_computes_long_between_signs_may_be_silent_longer() {
        let mut world = World::new(1);
        world.patience = Duration::from_millis(10);
        (0..SIGNS_TO_KNOW).for_each(|_| world.pulse(0));
        std::thread::sleep(Duration::from_millis(40));
        world.pulse(0);
        std::thread::sleep(Duration::from_millis(80));
        assert_eq!(world.check(0), Ok(()));
    }
}
