//! Ranks as threads of one process: buffers change hands without being copied.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::mail::Mail;
use super::meeting::Meeting;
use super::world::{Watcher, World};
use super::{Pace, Patience, Reduction, Transport, TransportError, part_start};

/// Values that are summed at a time, so that the partial sum stays in the first-level cache.
const BLOCK: usize = 4096;

/// One rank of a group of threads.
#[derive(Debug)]
pub struct ThreadTransport {
    rank: usize,
    group: Arc<Group>,
    /// Splits so far.
    splits: Mutex<u64>,
}

#[derive(Debug)]
struct Group {
    world: Arc<World>,
    /// Numbers of its ranks in the whole job.
    members: Vec<usize>,
    meeting: Meeting,
    mail: Mail,
    /// What each rank brought.
    brought: Vec<RwLock<Vec<f32>>>,
    /// The part of the result that each rank has computed.
    parts: Vec<RwLock<Vec<f32>>>,
    /// Groups that this one was split into, by number of the split and colour.
    split: Mutex<HashMap<(u64, usize), Arc<Group>>>,
}

/// The transports of `size` ranks, in order of rank.
#[must_use]
pub fn thread_group(size: usize) -> Vec<ThreadTransport> {
    thread_group_with(size, Patience::default())
}

/// The same, whose ranks may be silent so long.
#[must_use]
pub fn thread_group_with(size: usize, patience: Patience) -> Vec<ThreadTransport> {
    let group = Arc::new(Group::new(Arc::new(World::new(size, patience)), (0..size).collect()));
    (0..size).map(|rank| ThreadTransport::new(rank, Arc::clone(&group))).collect()
}

impl Watcher {
    /// Who watches the ranks of a group.
    #[must_use]
    pub fn of(group: &[ThreadTransport]) -> Self {
        let world = group.first().map(|rank| Arc::clone(&rank.group.world));
        Self::new(world.unwrap_or_else(|| Arc::new(World::new(0, Patience::default()))))
    }
}

impl Group {
    fn new(world: Arc<World>, members: Vec<usize>) -> Self {
        let slots = || members.iter().map(|_| RwLock::default()).collect();
        Self {
            world,
            meeting: Meeting::new(members.len()),
            mail: Mail::default(),
            brought: slots(),
            parts: slots(),
            split: Mutex::default(),
            members,
        }
    }
}

impl Transport for ThreadTransport {
    fn rank(&self) -> usize {
        self.rank
    }

    fn size(&self) -> usize {
        self.group.members.len()
    }

    fn all_reduce(&self, buffer: &mut Vec<f32>, reduction: Reduction) -> Result<(), TransportError> {
        if self.size() == 1 {
            return Ok(());
        }
        std::mem::swap(buffer, &mut write(&self.group.brought[self.rank]));
        self.barrier()?;
        let reduced = self.reduce_own_part(reduction);
        self.barrier()?;
        std::mem::swap(buffer, &mut write(&self.group.brought[self.rank]));
        reduced?;
        let mut at = 0;
        for part in &self.group.parts {
            let part = read(part);
            buffer[at..at + part.len()].copy_from_slice(&part);
            at += part.len();
        }
        Ok(())
    }

    fn reduce_scatter(&self, buffer: &mut Vec<f32>) -> Result<(), TransportError> {
        if self.size() == 1 {
            return Ok(());
        }
        std::mem::swap(buffer, &mut write(&self.group.brought[self.rank]));
        self.barrier()?;
        let reduced = self.reduce_own_part(Reduction::Sum);
        self.barrier()?;
        std::mem::swap(buffer, &mut write(&self.group.brought[self.rank]));
        reduced?;
        // Of its own size: it may be kept for long.
        *buffer = read(&self.group.parts[self.rank]).to_vec();
        Ok(())
    }

    fn all_gather(&self, own: Vec<f32>) -> Result<Vec<Vec<f32>>, TransportError> {
        *write(&self.group.brought[self.rank]) = own;
        self.barrier()?;
        let all = self.group.brought.iter().map(|brought| read(brought).clone()).collect();
        self.barrier()?;
        Ok(all)
    }

    fn broadcast(&self, root: usize, buffer: &mut Vec<f32>) -> Result<(), TransportError> {
        if self.rank == root {
            write(&self.group.brought[root]).clone_from(buffer);
        }
        self.barrier()?;
        if self.rank != root {
            buffer.clone_from(&read(&self.group.brought[root]));
        }
        self.barrier()
    }

    fn send(&self, to: usize, tag: u64, values: Vec<f32>) -> Result<(), TransportError> {
        self.alive();
        self.group.mail.send((self.rank, to, tag), &self.group.members, values)
    }

    fn receive(&self, from: usize, tag: u64) -> Result<Vec<f32>, TransportError> {
        self.alive();
        let Group { mail, members, world, .. } = &*self.group;
        mail.receive(&[from], (self.rank, tag), members, world).map(|(_, values)| values)
    }

    fn receive_any(&self, from: &[usize], tag: u64) -> Result<(usize, Vec<f32>), TransportError> {
        self.alive();
        let Group { mail, members, world, .. } = &*self.group;
        mail.receive(from, (self.rank, tag), members, world)
    }

    fn barrier(&self) -> Result<(), TransportError> {
        self.alive();
        self.group.meeting.wait(self.rank, &self.group.members, &self.group.world)
    }

    fn split(&self, color: usize) -> Result<Box<dyn Transport>, TransportError> {
        let number = {
            let mut splits = self.splits.lock().unwrap_or_else(PoisonError::into_inner);
            *splits += 1;
            *splits
        };
        let colors = self.all_gather(vec![f32::from_bits(color as u32)])?;
        let own = |rank: &usize| colors[*rank][0].to_bits() == color as u32;
        let ranks: Vec<usize> = (0..self.size()).filter(own).collect();
        let members = ranks.iter().map(|rank| self.group.members[*rank]).collect();
        let rank = ranks.iter().position(|rank| *rank == self.rank).unwrap_or(0);
        let mut split = self.group.split.lock().unwrap_or_else(PoisonError::into_inner);
        let made = || Arc::new(Group::new(Arc::clone(&self.group.world), members));
        let group = Arc::clone(split.entry((number, color)).or_insert_with(made));
        Ok(Box::new(Self::new(rank, group)))
    }

    fn alive(&self) {
        self.group.world.pulse(self.group.members[self.rank]);
    }

    fn pace(&self, pace: Pace) {
        self.group.world.pace(self.group.members[self.rank], pace);
    }
}

impl ThreadTransport {
    fn new(rank: usize, group: Arc<Group>) -> Self {
        Self { rank, group, splits: Mutex::new(0) }
    }

    /// Reduces the part of the buffers that falls to this rank, in the order of the ranks.
    fn reduce_own_part(&self, reduction: Reduction) -> Result<(), TransportError> {
        let brought: Vec<_> = self.group.brought.iter().map(read).collect();
        let expected = brought[0].len();
        if let Some(rank) = brought.iter().position(|buffer| buffer.len() != expected) {
            let members = &self.group.members;
            let found = brought[rank].len();
            return Err(TransportError::LengthsDiffer { rank: members[rank], found, of: members[0], expected });
        }
        let (from, to) =
            (part_start(expected, self.rank, self.size()), part_start(expected, self.rank + 1, self.size()));
        let combine = match reduction {
            Reduction::Sum => |a: f32, b: f32| a + b,
            Reduction::Greatest => f32::max,
        };
        let mut reduced = write(&self.group.parts[self.rank]);
        reduced.clear();
        reduced.reserve(to - from);
        for start in (from..to).step_by(BLOCK) {
            let end = to.min(start + BLOCK);
            let pairs = brought[0][start..end].iter().zip(&brought[1][start..end]);
            reduced.extend(pairs.map(|(a, b)| combine(*a, *b)));
            let block = &mut reduced[start - from..];
            for buffer in &brought[2..] {
                block
                    .iter_mut()
                    .zip(&buffer[start..end])
                    .for_each(|(reduced, value)| *reduced = combine(*reduced, *value));
            }
        }
        Ok(())
    }
}

impl Drop for ThreadTransport {
    fn drop(&mut self) {
        self.group.meeting.leave(self.rank);
        self.group.mail.leave(self.rank);
    }
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
            let found = in_ranks(size, |transport| {
                let rank = transport.rank();
                (0..rounds)
                    .map(|round| {
                        let mut buffer = (0..length).map(|index| value(rank, index, round)).collect();
                        transport.all_reduce(&mut buffer, Reduction::Sum).map(|()| buffer)
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
        let found = in_ranks(3, |transport| match transport.rank() {
            1 => Ok(()),
            _ => transport.all_reduce(&mut vec![1.0], Reduction::Sum),
        });
        assert_eq!(found[0], Err(TransportError::RankLeft { rank: 1 }));
        assert!(found[2].is_err());
    }

    #[test]
    fn buffers_of_different_lengths_are_refused() {
        let found = in_ranks(2, |transport| {
            let length = 3 + transport.rank();
            transport.all_reduce(&mut vec![0.0; length], Reduction::Sum)
        });
        assert_eq!(found, vec![Err(TransportError::LengthsDiffer { rank: 1, found: 4, of: 0, expected: 3 }); 2]);
    }

    #[test]
    fn parts_gathered_and_given_arrive() {
        for size in [1, 2, 3, 5] {
            let found = in_ranks(size, |transport| {
                let rank = transport.rank();
                let mut own: Vec<f32> = (0..7).map(|value| (value + rank) as f32).collect();
                transport.reduce_scatter(&mut own)?;
                let sums: Vec<f32> = transport.all_gather(own)?.concat();
                let mut root = vec![rank as f32; 2];
                transport.broadcast(size - 1, &mut root)?;
                let mut greatest = vec![rank as f32, -(rank as f32)];
                transport.all_reduce(&mut greatest, Reduction::Greatest)?;
                transport.send((rank + 1) % size, 7, vec![rank as f32])?;
                let from = (rank + size - 1) % size;
                let given = if size > 1 { transport.receive(from, 7)? } else { vec![0.0] };
                Ok::<_, TransportError>((sums, root, greatest, given == [from as f32]))
            });
            let ranks = (0..size).sum::<usize>();
            let sums: Vec<f32> = (0..7).map(|value| (value * size + ranks) as f32).collect();
            let last = (size - 1) as f32;
            for rank in found {
                assert_eq!(rank, Ok((sums.clone(), vec![last; 2], vec![last, 0.0], true)), "{size} ranks");
            }
        }
    }

    #[test]
    fn a_group_splits_by_colour_and_keeps_its_numbers_in_errors() {
        let found = in_ranks(4, |transport| {
            let group = transport.split(transport.rank() % 2)?;
            let mut sum = vec![transport.rank() as f32];
            group.all_reduce(&mut sum, Reduction::Sum)?;
            let odd = transport.rank() % 2;
            assert_eq!((group.size(), group.rank(), sum[0]), (2, transport.rank() / 2, [2.0, 4.0][odd]));
            if transport.rank() == 3 { Ok(()) } else { group.barrier() }
        });
        assert_eq!(found, [Ok(()), Err(TransportError::RankLeft { rank: 3 }), Ok(()), Ok(())]);
    }

    #[test]
    fn any_sender_is_taken_until_one_has_left() {
        let found = in_ranks(3, |transport| {
            if transport.rank() > 0 {
                transport.send(0, 1, vec![transport.rank() as f32])?;
                return transport.barrier().map(|()| 0.0);
            }
            let sum = transport.receive_any(&[1, 2], 1)?.1[0] + transport.receive_any(&[1, 2], 1)?.1[0];
            transport.barrier()?;
            assert!(matches!(transport.receive_any(&[1, 2], 1), Err(TransportError::RankLeft { .. })));
            Ok::<_, TransportError>(sum)
        });
        assert_eq!(found[0], Ok(3.0));
    }
}
