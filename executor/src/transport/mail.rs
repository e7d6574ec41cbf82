//! Values on their way from one rank to another.

use std::collections::{HashMap, VecDeque};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::TransportError;
use super::world::{WATCH, Watch, World};

/// Sender, receiver and tag.
type Address = (usize, usize, u64);

/// Values that were given and not yet taken.
#[derive(Debug, Default)]
pub(super) struct Mail {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    waiting: HashMap<Address, VecDeque<Vec<f32>>>,
    left: Vec<usize>,
}

impl Mail {
    pub(super) fn send(&self, address: Address, members: &[usize], values: Vec<f32>) -> Result<(), TransportError> {
        let mut state = self.lock();
        if state.left.contains(&address.1) {
            return Err(TransportError::RankLeft { rank: members[address.1] });
        }
        state.waiting.entry(address).or_default().push_back(values);
        self.changed.notify_all();
        Ok(())
    }

    /// Waits for values from any of the ranks `from`.
    pub(super) fn receive(
        &self,
        from: &[usize],
        (to, tag): (usize, u64),
        members: &[usize],
        world: &World,
    ) -> Result<(usize, Vec<f32>), TransportError> {
        let mut watch = Watch::new(world, members[to]);
        let mut state = self.lock();
        loop {
            for sender in from {
                if let Some(values) = state.waiting.get_mut(&(*sender, to, tag)).and_then(VecDeque::pop_front) {
                    return Ok((*sender, values));
                }
            }
            if let Some(left) = from.iter().find(|sender| state.left.contains(sender)) {
                return Err(TransportError::RankLeft { rank: members[*left] });
            }
            state = self.changed.wait_timeout(state, WATCH).unwrap_or_else(PoisonError::into_inner).0;
            watch.look(from.iter().map(|sender| members[*sender]))?;
        }
    }

    /// Tells the others that `rank` will not give or take any more.
    pub(super) fn leave(&self, rank: usize) {
        self.lock().left.push(rank);
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
