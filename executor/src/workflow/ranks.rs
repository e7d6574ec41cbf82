//! The ranks of a workload on this machine.

use std::num::NonZeroU32;

use scenarios::machine::{Device, DeviceKind};
use scenarios::plan::{Assignment, Group};
use scenarios::strategy::Strategy;

use super::ApplyError;
use crate::train;
use crate::transport::part_start;

/// Ranks that may share a core or a GPU.
const SHARING: u32 = 8;

/// Ranks of a workload and what they run on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Seats {
    /// Ranks, servers of parameters among them.
    pub ranks: u32,
    /// Cores or GPUs.
    pub places: u32,
    /// Which of them.
    pub kind: DeviceKind,
}

impl Seats {
    /// Seats for a strategy on a device of a machine with so many cores.
    pub(super) fn new(strategy: &Strategy, device: &Device, cores: u32) -> Self {
        let places = match device.kind {
            DeviceKind::Cpu => cores,
            DeviceKind::Gpu => device.count,
        };
        Self { ranks: strategy.ranks().saturating_add(train::servers(strategy)), places, kind: device.kind }
    }

    /// What they are: `cores` or `GPUs`.
    const fn name(self) -> &'static str {
        match self.kind {
            DeviceKind::Cpu => "core(s)",
            DeviceKind::Gpu => "GPU(s)",
        }
    }

    /// Most ranks that there is room for.
    const fn most(self) -> u32 {
        self.places.saturating_mul(SHARING)
    }

    /// Number of a rank's device: ranks take GPUs in turn, and there is one processor.
    pub(super) const fn device(self, rank: u32) -> u32 {
        match self.kind {
            DeviceKind::Cpu => 0,
            DeviceKind::Gpu => rank % self.places,
        }
    }

    /// Ranks that share the core or GPU of a rank, itself among them.
    pub(super) const fn sharing(self, rank: u32) -> u32 {
        let place = rank % self.places;
        self.ranks.saturating_sub(place).div_ceil(self.places)
    }

    /// What to say where ranks share a core or a GPU.
    pub(super) fn shared(self) -> Option<String> {
        (self.ranks > self.places).then(|| format!("{} ranks share {} {}", self.ranks, self.places, self.name()))
    }
}

/// That a workload's ranks have room and memory here.
///
/// # Errors
/// There are too many of them, or the plan predicts more memory than there is.
pub(super) fn check(assignment: &Assignment, device: &Device, seats: Seats) -> Result<(), ApplyError> {
    let workload = || assignment.workload.clone();
    if seats.ranks > seats.most() {
        let Seats { ranks, places, .. } = seats;
        let (of, most) = (seats.name(), seats.most());
        let fits = fitting(&assignment.strategy, most);
        return Err(ApplyError::TooManyRanks { workload: workload(), ranks, places, of, sharing: SHARING, most, fits });
    }
    let together = match device.kind {
        DeviceKind::Cpu => assignment.strategy.ranks(),
        DeviceKind::Gpu => assignment.strategy.ranks().div_ceil(device.count.max(1)),
    };
    let (predicted, available) = (assignment.predicted.memory_bytes_per_device, device.memory_bytes);
    if available > 0 && predicted.saturating_mul(u64::from(together)) > available {
        return Err(ApplyError::TooLittleMemory { workload: workload(), predicted, together, available });
    }
    Ok(())
}

/// The strategy with as many replicas as have room, if that makes it fit.
fn fitting(strategy: &Strategy, most: u32) -> Option<Strategy> {
    let of_replica = strategy.ranks() / strategy.data;
    let room = most.saturating_sub(train::servers(strategy)) / of_replica.max(1);
    let divides = |replicas: &u32| strategy.data.get().is_multiple_of(*replicas);
    let data = (1..=room.min(strategy.data.get())).rev().find(divides).and_then(NonZeroU32::new)?;
    Some(Strategy { data, ..*strategy })
}

/// Site of each replica and the records of each global batch that it takes: as many as every other one, unless the plan
/// gives its groups shares.
///
/// # Errors
/// The groups have no room for whole replicas, or their shares are not a batch.
pub(super) fn replicas(assignment: &Assignment, global_batch: usize) -> Result<Vec<(String, usize)>, ApplyError> {
    let (strategy, groups) = (&assignment.strategy, &assignment.groups[..]);
    let all = strategy.data.get() as usize;
    let counts = match groups {
        [_] => vec![all],
        _ => groups.iter().map(|group| replicas_of(group, strategy)).collect(),
    };
    let shares: Option<Vec<u64>> = groups.iter().map(|group| group.batch).collect();
    let is_batch = shares.as_ref().is_none_or(|shares| shares.iter().sum::<u64>() == global_batch as u64);
    if counts.iter().sum::<usize>() != all || !is_batch {
        let (workload, strategy) = (assignment.workload.clone(), strategy.to_string());
        return Err(ApplyError::Groups { workload, strategy, replicas: counts, shares, global_batch });
    }
    let records = match &shares {
        None => train::even_shares(strategy, global_batch)
            .map_err(|source| ApplyError::Train { workload: assignment.workload.clone(), source: Box::new(source) })?,
        Some(shares) => counts.iter().zip(shares).flat_map(|(count, share)| dealt(*share as usize, *count)).collect(),
    };
    let sites = groups.iter().zip(&counts).flat_map(|(group, count)| std::iter::repeat_n(&group.site, *count));
    Ok(sites.cloned().zip(records).collect())
}

/// Replicas that a group has room for.
const fn replicas_of(group: &Group, strategy: &Strategy) -> usize {
    let ranks = group.nodes.saturating_mul(group.ranks_per_node);
    (ranks / (strategy.tensor.get() * strategy.pipeline.get())) as usize
}

/// A group's records of a batch by replica.
fn dealt(records: usize, replicas: usize) -> impl Iterator<Item = usize> {
    (0..replicas).map(move |at| part_start(records, at + 1, replicas) - part_start(records, at, replicas))
}

/// The part of the data set that lies at a site, for every site of a workload that learns where parts lie; none where one
/// site reads everything.
///
/// # Errors
/// Ranks at several sites do not cover the sites of the parts, or are at others.
pub(super) fn parts_by_site(assignment: &Assignment) -> Result<Vec<(&str, usize)>, ApplyError> {
    let parts = assignment.data.as_ref().map_or(&[][..], |data| &data.parts);
    let mut sites: Vec<&str> = assignment.groups.iter().map(|group| &group.site[..]).collect();
    sites.dedup();
    if parts.is_empty() || sites.len() < 2 {
        return Ok(Vec::new());
    }
    let held: Vec<(&str, usize)> = parts.iter().enumerate().map(|(at, part)| (&part.at[..], at)).collect();
    let without = sites.iter().find(|site| held.iter().all(|(at, _)| at != *site));
    let unread = held.iter().map(|(at, _)| at).find(|at| !sites.contains(at));
    match without.or(unread) {
        None => Ok(held),
        Some(site) => {
            let (workload, site) = (assignment.workload.clone(), (*site).to_owned());
            Err(ApplyError::Part { workload, site, lies: without.is_none() })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device(kind: DeviceKind, count: u32) -> Device {
        Device { kind, name: String::new(), backend: String::new(), count, memory_bytes: 0 }
    }

    #[test]
    fn ranks_share_cores_or_gpus_up_to_a_limit() {
        let check = |strategy: &str, kind, count, expected: (u32, u32), fits: Option<&str>| {
            let strategy: Strategy = strategy.parse().expect("a strategy");
            let seats = Seats::new(&strategy, &device(kind, count), 2);
            assert_eq!((seats.ranks, seats.most()), expected, "{strategy}");
            assert_eq!(seats.shared().is_some(), seats.ranks > seats.places);
            assert_eq!(fitting(&strategy, seats.most()), fits.map(|fits| fits.parse().expect("one")), "{strategy}");
        };
        check("data:2", DeviceKind::Cpu, 1, (2, 16), Some("data:2"));
        check("data:64", DeviceKind::Cpu, 1, (64, 16), Some("data:16"));
        check("data:12,servers:3", DeviceKind::Gpu, 1, (15, 8), Some("data:4,servers:3"));
        check("data:4,tensor:8", DeviceKind::Gpu, 2, (32, 16), Some("data:2,tensor:8"));
        check("tensor:16", DeviceKind::Gpu, 1, (16, 8), None);
    }
}
