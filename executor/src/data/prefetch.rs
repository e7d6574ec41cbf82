//! Reading ahead: the next batches are made while a device computes.

use std::ops::Range;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::Scope;
use std::time::{Duration, Instant};

use super::batches::Batches;
use super::host::HostBatch;

/// Batches that another thread makes ahead of time. It ends with the last of the steps, or when this is dropped.
#[derive(Debug)]
pub struct Prefetch {
    batches: Receiver<HostBatch>,
    waited: Duration,
}

impl Prefetch {
    /// Begins to make the batches of steps, at most `ahead` of them before they are asked for.
    #[must_use]
    pub fn start<'scope>(
        scope: &'scope Scope<'scope, '_>,
        mut batches: Batches<'scope>,
        steps: Range<u64>,
        ahead: usize,
    ) -> Self {
        let (made, received) = sync_channel(ahead.max(1));
        scope.spawn(move || {
            for step in steps {
                if made.send(batches.batch(step)).is_err() {
                    break;
                }
            }
        });
        Self { batches: received, waited: Duration::ZERO }
    }

    /// The batch of the next step; none after the last one.
    pub fn next_batch(&mut self) -> Option<HostBatch> {
        let started = Instant::now();
        let batch = self.batches.recv().ok();
        self.waited += started.elapsed();
        batch
    }

    /// Time that was spent waiting for batches.
    #[must_use]
    pub const fn waited(&self) -> Duration {
        self.waited
    }
}

#[cfg(test)]
mod tests {
    use scenarios::scenario::{Augmentation, Preprocessing};

    use super::super::batches::BatchShare;
    use super::super::records::Records;
    use super::*;

    #[test]
    fn batches_made_ahead_are_those_made_when_asked_for() {
        let records = Records::grey(2, 2, (0..80).collect(), &[0; 20]);
        let augmentation = Augmentation { shift: 1, ..Augmentation::default() };
        let preprocessing = Preprocessing { augmentation, ..Preprocessing::default() };
        let new = || Batches::new(&records, &preprocessing, BatchShare::of(&[5], 0), 9);
        for (steps, ahead) in [(0..11, 1), (3..11, 4), (6..6, 2)] {
            std::thread::scope(|scope| {
                let mut prefetch = Prefetch::start(scope, new(), steps.clone(), ahead);
                let mut direct = new();
                for step in steps {
                    assert_eq!(prefetch.next_batch(), Some(direct.batch(step)), "step {step}");
                }
                assert_eq!(prefetch.next_batch(), None);
                assert!(prefetch.waited() > Duration::ZERO);
            });
        }
    }

    #[test]
    fn who_stops_early_is_not_waited_for() {
        let records = Records::grey(1, 1, vec![0; 20], &[0; 20]);
        std::thread::scope(|scope| {
            let batches = Batches::new(&records, &Preprocessing::default(), BatchShare::of(&[5], 0), 9);
            let mut prefetch = Prefetch::start(scope, batches, 0..u64::MAX, 2);
            assert!(prefetch.next_batch().is_some());
        });
    }
}
