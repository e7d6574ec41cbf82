//! Exchanges of buckets between replicas, beside the passes or between them.

use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use crate::transport::{Reduction, Transport, TransportError};

/// Which part of a sum over replicas a rank is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sum {
    /// All of it.
    Whole,
    /// The part that falls to it.
    Part,
}

/// Sums of buckets over replicas. They come back in the order in which they were given, and are taken in the order of the
/// ranks: it makes no difference to the result whether a thread takes them.
pub struct Link {
    way: Way,
    /// Time that exchanges took, and that the rank waited for them, since the last [`Link::hidden`].
    busy: Duration,
    waited: Duration,
}

enum Way {
    /// The rank itself exchanges.
    Here(Box<dyn Transport>, VecDeque<Result<Vec<f32>, TransportError>>),
    /// A thread exchanges while the rank computes.
    Beside { rank: usize, given: Sender<(Vec<f32>, Sum)>, summed: Receiver<Summed> },
}

/// What comes of a bucket, and how long it took.
type Summed = (Result<Vec<f32>, TransportError>, Duration);

impl Link {
    /// A link over a group that nobody else uses.
    #[must_use]
    pub fn new(group: Box<dyn Transport>, beside: bool) -> Self {
        let way = if beside && group.size() > 1 { thread(group) } else { Way::Here(group, VecDeque::new()) };
        Self { way, busy: Duration::ZERO, waited: Duration::ZERO }
    }

    /// Gives a bucket to be summed.
    ///
    /// # Errors
    /// The thread of exchanges has ended.
    pub fn give(&mut self, bucket: Vec<f32>, sum: Sum) -> Result<(), TransportError> {
        let started = Instant::now();
        let given = match &mut self.way {
            Way::Here(group, summed) => {
                summed.push_back(exchanged(&**group, bucket, sum));
                self.busy += started.elapsed();
                Ok(())
            }
            Way::Beside { rank, given, .. } => {
                given.send((bucket, sum)).map_err(|_| TransportError::RankLeft { rank: *rank })
            }
        };
        self.waited += started.elapsed();
        given
    }

    /// The next sum, in the order of giving.
    ///
    /// # Errors
    /// Another rank has left or hangs, or there is none.
    pub fn take(&mut self) -> Result<Vec<f32>, TransportError> {
        let started = Instant::now();
        let (values, busy) = match &mut self.way {
            Way::Here(group, summed) => {
                let none = || Err(TransportError::RankLeft { rank: group.rank() });
                (summed.pop_front().unwrap_or_else(none), Duration::ZERO)
            }
            Way::Beside { rank, summed, .. } => {
                let lost = |_| (Err(TransportError::RankLeft { rank: *rank }), Duration::ZERO);
                summed.recv().unwrap_or_else(lost)
            }
        };
        self.busy += busy;
        self.waited += started.elapsed();
        values
    }

    /// Time of exchanges since the last call that the rank did not wait for.
    pub fn hidden(&mut self) -> Duration {
        std::mem::take(&mut self.busy).saturating_sub(std::mem::take(&mut self.waited))
    }
}

fn exchanged(group: &dyn Transport, mut bucket: Vec<f32>, sum: Sum) -> Result<Vec<f32>, TransportError> {
    match sum {
        Sum::Whole => group.all_reduce(&mut bucket, Reduction::Sum)?,
        Sum::Part => group.reduce_scatter(&mut bucket)?,
    }
    Ok(bucket)
}

/// Starts a thread that exchanges until the link is dropped or the group has lost a rank.
fn thread(group: Box<dyn Transport>) -> Way {
    let rank = group.rank();
    let (given, buckets) = channel::<(Vec<f32>, Sum)>();
    let (sums, summed) = channel();
    std::thread::spawn(move || {
        for (bucket, sum) in buckets {
            let started = Instant::now();
            let result = exchanged(&*group, bucket, sum);
            let is_last = result.is_err();
            if sums.send((result, started.elapsed())).is_err() || is_last {
                break;
            }
        }
    });
    Way::Beside { rank, given, summed }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::thread_group;

    /// What each of three ranks gets of its buckets.
    fn sums(beside: bool, sum: Sum) -> Vec<Vec<Vec<f32>>> {
        std::thread::scope(|scope| {
            let ranks: Vec<_> = thread_group(3)
                .into_iter()
                .map(|group| {
                    scope.spawn(move || {
                        let rank = group.rank() as f32;
                        let mut link = Link::new(Box::new(group), beside);
                        let lengths = [7, 0, 5000, 3];
                        for length in lengths {
                            let bucket = (0..length).map(|at| (at as f32 + rank).sin()).collect();
                            link.give(bucket, sum).expect("nobody leaves");
                        }
                        lengths.map(|_| link.take().expect("nobody leaves")).to_vec()
                    })
                })
                .collect();
            ranks.into_iter().map(|rank| rank.join().expect("no rank panics")).collect()
        })
    }

    #[test]
    fn sums_are_the_same_beside_the_passes_and_between_them() {
        let whole = sums(false, Sum::Whole);
        assert_eq!(whole[0][2][..1], [0_f32.sin() + 1_f32.sin() + 2_f32.sin()]);
        assert_eq!(whole, sums(true, Sum::Whole));
        let parts = sums(false, Sum::Part);
        assert_eq!(parts, sums(true, Sum::Part));
        for bucket in 0..4 {
            let joined: Vec<f32> = parts.iter().flat_map(|rank| rank[bucket].clone()).collect();
            assert_eq!(joined, whole[0][bucket]);
        }
    }

    #[test]
    fn a_rank_that_leaves_is_told_of() {
        let mut group = thread_group(2).into_iter();
        let (first, second) = (group.next().expect("two"), group.next().expect("two"));
        let mut link = Link::new(Box::new(first), true);
        drop(second);
        link.give(vec![1.0], Sum::Whole).expect("the thread waits");
        assert_eq!(link.take(), Err(TransportError::RankLeft { rank: 1 }));
    }
}
