//! Ranks as threads of one process: buffers change hands without being copied.

use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::meeting::Meeting;
use super::{Transport, TransportError};

/// Values that are summed at a time, so that the partial sum stays in the first-level cache.
const BLOCK: usize = 4096;

/// One rank of a group of threads.
#[derive(Debug)]
pub struct ThreadTransport {
    rank: usize,
    group: Arc<Group>,
}

#[derive(Debug)]
struct Group {
    meeting: Meeting,
    /// What each rank brought.
    brought: Vec<RwLock<Vec<f32>>>,
    /// The part of the sum that each rank has taken.
    sums: Vec<RwLock<Vec<f32>>>,
}

/// The transports of `size` ranks, in order of rank.
#[must_use]
pub fn thread_group(size: usize) -> Vec<ThreadTransport> {
    let slots = || (0..size).map(|_| RwLock::default()).collect();
    let group = Arc::new(Group { meeting: Meeting::new(size), brought: slots(), sums: slots() });
    (0..size).map(|rank| ThreadTransport { rank, group: Arc::clone(&group) }).collect()
}

impl Transport for ThreadTransport {
    fn rank(&self) -> usize {
        self.rank
    }

    fn size(&self) -> usize {
        self.group.sums.len()
    }

    fn all_reduce(&mut self, buffer: &mut Vec<f32>) -> Result<(), TransportError> {
        if self.size() == 1 {
            return Ok(());
        }
        std::mem::swap(buffer, &mut write(&self.group.brought[self.rank]));
        self.barrier()?;
        let summed = self.sum_own_part();
        self.barrier()?;
        std::mem::swap(buffer, &mut write(&self.group.brought[self.rank]));
        summed?;
        let mut at = 0;
        for part in &self.group.sums {
            let part = read(part);
            buffer[at..at + part.len()].copy_from_slice(&part);
            at += part.len();
        }
        Ok(())
    }

    fn barrier(&mut self) -> Result<(), TransportError> {
        self.group.meeting.wait()
    }
}

impl ThreadTransport {
    /// Sums the part of the buffers that falls to this rank, in the order of the ranks.
    fn sum_own_part(&self) -> Result<(), TransportError> {
        let brought: Vec<_> = self.group.brought.iter().map(read).collect();
        let expected = brought[0].len();
        if let Some(rank) = brought.iter().position(|buffer| buffer.len() != expected) {
            return Err(TransportError::LengthsDiffer { rank, found: brought[rank].len(), expected });
        }
        let (from, to) =
            (part_start(expected, self.rank, self.size()), part_start(expected, self.rank + 1, self.size()));
        let mut sum = write(&self.group.sums[self.rank]);
        sum.clear();
        sum.reserve(to - from);
        for start in (from..to).step_by(BLOCK) {
            let end = to.min(start + BLOCK);
            sum.extend(brought[0][start..end].iter().zip(&brought[1][start..end]).map(|(a, b)| a + b));
            let block = &mut sum[start - from..];
            for buffer in &brought[2..] {
                block.iter_mut().zip(&buffer[start..end]).for_each(|(sum, value)| *sum += value);
            }
        }
        Ok(())
    }
}

impl Drop for ThreadTransport {
    fn drop(&mut self) {
        self.group.meeting.leave(self.rank);
    }
}

/// Start of the part of `length` values that falls to `rank` of `size`.
const fn part_start(length: usize, rank: usize, size: usize) -> usize {
    length / size * rank + if rank < length % size { rank } else { length % size }
}

fn read(slot: &RwLock<Vec<f32>>) -> RwLockReadGuard<'_, Vec<f32>> {
    slot.read().unwrap_or_else(PoisonError::into_inner)
}

fn write(slot: &RwLock<Vec<f32>>) -> RwLockWriteGuard<'_, Vec<f32>> {
    slot.write().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Runs `work` in every rank and returns what each gave.
    fn in_ranks<T: Send>(size: usize, work: impl Fn(ThreadTransport) -> T + Sync) -> Vec<T> {
        std::thread::scope(|scope| {
            let ranks: Vec<_> =
                thread_group(size).into_iter().map(|transport| scope.spawn(|| work(transport))).collect();
            ranks.into_iter().map(|rank| rank.join().expect("no rank panics")).collect()
        })
    }

    proptest! {
        #[test]
        fn every_rank_gets_the_sum_in_rank_order(size in 1_usize..6, length in 0_usize..20_000, rounds in 1_usize..4) {
            let value = |rank: usize, index: usize, round: usize| ((rank * 31 + index * 7 + round) as f32).sin();
            let found = in_ranks(size, |mut transport| {
                let rank = transport.rank();
                (0..rounds)
                    .map(|round| {
                        let mut buffer = (0..length).map(|index| value(rank, index, round)).collect();
                        transport.all_reduce(&mut buffer).map(|()| buffer)
                    })
                    .collect::<Vec<_>>()
            });
            let expected: Vec<Result<Vec<f32>, _>> = (0..rounds)
                .map(|round| {
                    let sum = |index| (1..size).fold(value(0, index, round), |sum, rank| sum + value(rank, index, round));
                    Ok((0..length).map(sum).collect())
                })
                .collect();
            for buffers in found {
                prop_assert_eq!(&buffers, &expected);
            }
        }
    }

    #[test]
    fn parts_cover_everything_once() {
        for (length, size) in [(0, 3), (2, 4), (10, 3), (4096, 4)] {
            assert_eq!(part_start(length, 0, size), 0);
            assert_eq!(part_start(length, size, size), length);
            assert!((0..size).all(|rank| part_start(length, rank, size) <= part_start(length, rank + 1, size)));
        }
    }

    #[test]
    fn a_rank_that_ends_early_is_named_instead_of_waited_for() {
        let found = in_ranks(3, |mut transport| match transport.rank() {
            1 => Ok(()),
            _ => transport.all_reduce(&mut vec![1.0]),
        });
        assert_eq!(found[0], Err(TransportError::RankLeft { rank: 1 }));
        assert!(found[2].is_err());
    }

    #[test]
    fn buffers_of_different_lengths_are_refused() {
        let found = in_ranks(2, |mut transport| {
            let length = 3 + transport.rank();
            transport.all_reduce(&mut vec![0.0; length])
        });
        assert_eq!(found, vec![Err(TransportError::LengthsDiffer { rank: 1, found: 4, expected: 3 }); 2]);
    }
}
