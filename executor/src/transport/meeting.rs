//! A barrier that a lost rank breaks, so that nobody waits for ever.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::TransportError;

/// Looks at the others before sleeping. Ranks are usually only microseconds apart, and yielding
/// lets the one that is waited for run when there are more ranks than cores.
const LOOKS_BEFORE_SLEEP: u32 = 200;

/// Where the ranks of a group wait for each other.
#[derive(Debug)]
pub(super) struct Meeting {
    size: usize,
    state: Mutex<State>,
    /// Copy of the state's round, to be looked at without the lock.
    round: AtomicU64,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    arrived: usize,
    round: u64,
    left: Option<usize>,
}

impl Meeting {
    pub(super) fn new(size: usize) -> Self {
        Self { size, state: Mutex::default(), round: AtomicU64::new(0), changed: Condvar::new() }
    }

    /// Waits until all ranks have arrived.
    pub(super) fn wait(&self) -> Result<(), TransportError> {
        let Some(round) = self.arrive()? else { return Ok(()) };
        for _ in 0..LOOKS_BEFORE_SLEEP {
            if self.round.load(Ordering::Acquire) != round {
                return Ok(());
            }
            std::thread::yield_now();
        }
        let mut state = self.lock();
        while state.round == round {
            if let Some(rank) = state.left {
                return Err(TransportError::RankLeft { rank });
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        Ok(())
    }

    /// The round to wait for the end of; none when this arrival ended it.
    fn arrive(&self) -> Result<Option<u64>, TransportError> {
        let mut state = self.lock();
        if let Some(rank) = state.left {
            return Err(TransportError::RankLeft { rank });
        }
        state.arrived += 1;
        if state.arrived < self.size {
            return Ok(Some(state.round));
        }
        state.arrived = 0;
        state.round += 1;
        self.round.store(state.round, Ordering::Release);
        self.changed.notify_all();
        Ok(None)
    }

    /// Tells the others that `rank` will not come again.
    pub(super) fn leave(&self, rank: usize) {
        self.lock().left.get_or_insert(rank);
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
