//! Faults that tests put into a rank.

use std::time::Duration;

/// What goes wrong in one rank, at the beginning of one step.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fault {
    /// The rank.
    pub rank: usize,
    /// The step, from 0.
    pub step: u64,
    /// What happens.
    pub kind: Kind,
}

/// What goes wrong.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    /// The rank panics with this text.
    Panic(&'static str),
    /// The rank stands still for so long.
    Still(Duration),
}

impl Fault {
    /// Does it, if it is time.
    pub(super) fn strike(self, rank: usize, step: u64) {
        if (rank, step) != (self.rank, self.step) {
            return;
        }
        match self.kind {
            Kind::Panic(text) => std::panic::panic_any(text),
            Kind::Still(time) => std::thread::sleep(time),
        }
    }
}
