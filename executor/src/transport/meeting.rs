//! A barrier that a lost rank breaks, so that nobody waits for ever.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::TransportError;
use super::world::{WATCH, Watch, World};

/// Looks at the others before sleeping. Ranks are usually only microseconds apart, and yielding
/// lets the one that is waited for run when there are more ranks than cores.
const LOOKS_BEFORE_SLEEP: u32 = 200;

/// Where the ranks of a group wait for each other.
#[derive(Debug)]
pub(super) struct Meeting {
    state: Mutex<State>,
    /// Copy of the state's round, to be looked at without the lock.
    round: AtomicU64,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    arrived: Vec<bool>,
    round: u64,
    left: Option<usize>,
}

impl Meeting {
    pub(super) fn new(size: usize) -> Self {
        let state = State { arrived: vec![false; size], ..State::default() };
        Self { state: Mutex::new(state), round: AtomicU64::new(0), changed: Condvar::new() }
    }

    /// Waits until all ranks have arrived; `members` are their numbers in the job.
    pub(super) fn wait(&self, rank: usize, members: &[usize], world: &World) -> Result<(), TransportError> {
        let Some(round) = self.arrive(rank, members)? else { return Ok(()) };
        for _ in 0..LOOKS_BEFORE_SLEEP {
            if self.round.load(Ordering::Acquire) != round {
                return Ok(());
            }
            std::thread::yield_now();
        }
        let mut watch = Watch::new(world, members[rank]);
        let mut state = self.lock();
        while state.round == round {
            if let Some(left) = state.left {
                return Err(TransportError::RankLeft { rank: members[left] });
            }
            state = self.changed.wait_timeout(state, WATCH).unwrap_or_else(PoisonError::into_inner).0;
            let missing = state.arrived.iter().zip(members).filter(|(arrived, _)| !**arrived);
            watch.look(missing.map(|(_, member)| *member))?;
        }
        Ok(())
    }

    /// The round to wait for the end of; none when this arrival ended it.
    fn arrive(&self, rank: usize, members: &[usize]) -> Result<Option<u64>, TransportError> {
        let mut state = self.lock();
        if let Some(left) = state.left {
            return Err(TransportError::RankLeft { rank: members[left] });
        }
        state.arrived[rank] = true;
        if state.arrived.contains(&false) {
            return Ok(Some(state.round));
        }
        state.arrived.fill(false);
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
