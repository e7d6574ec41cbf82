//! The order in which each device takes its passes.

use scenarios::strategy::Schedule;

/// Order of the passes of every device.
///
/// Passes of one direction stand in slots, the same on every device. In turn `j` a device takes the forward pass of
/// slot `j`, then the backward pass of slot `j − warmup`; slots that there are none of are left out. GPipe warms up
/// over all slots, 1F1B over p − 1 − i, interleaved 1F1B over 2(p − 1 − i) + (v − 1)p (Narayanan et al. 2021, and
/// Megatron-LM's `schedules.py`).
///
/// Interleaved schedules take micro-batches in groups of p: a group through the first chunk, the same group through
/// the next. Where the last group is not full its empty slots are skipped, which leaves an order that is free of
/// deadlocks, as it is part of one that is.
#[derive(Debug, Clone, Copy)]
pub struct Order {
    schedule: Schedule,
    devices: u64,
    chunks: u64,
    /// Micro-batches that take turns as a group.
    group: u64,
    micro_batches: u64,
}

/// A place in the order of one direction; the default is the first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Slot {
    /// First micro-batch of the group.
    first: u64,
    /// Chunk of the device, in the order of the direction.
    chunk: u64,
    /// Number in the group.
    member: u64,
}

/// What a device does with one micro-batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pass {
    /// Chunk of the device, in the order of the direction.
    pub chunk: u64,
    /// Micro-batch.
    pub micro_batch: u64,
}

impl Order {
    /// Order of `micro_batches` over `devices`, neither zero.
    pub fn new(schedule: Schedule, devices: u64, micro_batches: u64) -> Self {
        let chunks = u64::from(schedule.chunks());
        let group = if matches!(schedule, Schedule::Interleaved { .. }) { devices } else { 1 };
        Self { schedule, devices, chunks, group, micro_batches }
    }

    /// Micro-batches that take turns as a group.
    pub const fn group(&self) -> u64 {
        self.group
    }

    /// Slots of one direction, empty ones included.
    pub const fn slots(&self) -> u64 {
        self.micro_batches.div_ceil(self.group) * self.group * self.chunks
    }

    /// Forward passes before the turn that holds the first backward pass.
    pub fn warmup(&self, device: u64) -> u64 {
        let after = self.devices - 1 - device;
        let warmup = match self.schedule {
            Schedule::Gpipe => self.slots(),
            Schedule::OneForwardOneBackward => after,
            Schedule::Interleaved { .. } => 2 * after + (self.chunks - 1) * self.devices,
        };
        warmup.min(self.slots())
    }

    /// What stands in the slot; `None` if nothing does.
    pub const fn pass(&self, slot: Slot) -> Option<Pass> {
        let micro_batch = slot.first + slot.member;
        if micro_batch < self.micro_batches { Some(Pass { chunk: slot.chunk, micro_batch }) } else { None }
    }

    /// The slot after.
    pub const fn after(&self, slot: Slot) -> Slot {
        let Slot { first, chunk, member } = slot;
        if member + 1 < self.group {
            Slot { first, chunk, member: member + 1 }
        } else if chunk + 1 < self.chunks {
            Slot { first, chunk: chunk + 1, member: 0 }
        } else {
            Slot { first: first + self.group, chunk: 0, member: 0 }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;

    #[test]
    fn groups_go_through_one_chunk_after_the_other() {
        let schedule = Schedule::Interleaved { chunks: NonZeroU32::MIN.saturating_add(1) };
        let order = Order::new(schedule, 2, 3);
        let slots = std::iter::successors(Some(Slot::default()), |slot| Some(order.after(*slot)));
        let passes = slots.map(|slot| order.pass(slot).map(|pass| (pass.chunk, pass.micro_batch)));
        let passes: Vec<_> = passes.take(order.slots() as usize).collect();
        let expected = [Some((0, 0)), Some((0, 1)), Some((1, 0)), Some((1, 1)), Some((0, 2)), None, Some((1, 2)), None];
        assert_eq!(passes, expected);
        assert_eq!([order.warmup(0), order.warmup(1)], [4, 2]);
    }

    #[test]
    fn warm_up_ends_with_the_slots() {
        let check = |schedule, micro_batches, expected: [u64; 4]| {
            let order = Order::new(schedule, 4, micro_batches);
            assert_eq!([0, 1, 2, 3].map(|device| order.warmup(device)), expected, "{schedule:?} {micro_batches}");
        };
        check(Schedule::Gpipe, 8, [8; 4]);
        check(Schedule::OneForwardOneBackward, 8, [3, 2, 1, 0]);
        check(Schedule::OneForwardOneBackward, 2, [2, 2, 1, 0]);
    }
}
