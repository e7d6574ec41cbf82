//! Time of messages between ranks by the alpha-beta model: each message costs α + bytes / β.
//!
//! A [`Group`] says how its ranks lie, a [`Topology`] what connects them: the links inside a node, between nodes and
//! between sites. [`time`] takes the fastest algorithm that applies ([`algorithm`]). Where a collective was measured
//! for as many devices, the measurement is taken instead ([`measured`]).

pub mod algorithm;
mod curve;
mod group;
mod link;
pub mod measured;

pub use algorithm::{Algorithm, time, time_of};
pub use curve::{Curve, CurveError};
pub use group::{Group, LEVELS, Span};
pub use link::{Level, Link, Topology};

/// What ranks exchange. `S`, the bytes of a call, is in each rank:
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// The buffer that is summed over all ranks.
    AllReduce,
    /// The buffer that is summed, and of which each rank keeps one part.
    ReduceScatter,
    /// The buffer that is put together from one part of each rank.
    AllGather,
    /// The buffer of which each rank sends a part to every other.
    AllToAll,
    /// The buffer that one rank sends to all.
    Broadcast,
    /// The message that one rank sends to one other.
    PointToPoint,
}

impl Kind {
    /// All.
    pub const ALL: [Self; 6] =
        [Self::AllReduce, Self::ReduceScatter, Self::AllGather, Self::AllToAll, Self::Broadcast, Self::PointToPoint];

    /// Name in tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::AllReduce => "all_reduce",
            Self::ReduceScatter => "reduce_scatter",
            Self::AllGather => "all_gather",
            Self::AllToAll => "all_to_all",
            Self::Broadcast => "broadcast",
            Self::PointToPoint => "point_to_point",
        }
    }

    /// The kind of that name; `None` if there is none.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Share of `S` that passes the link of a rank in one direction, over `ranks` ranks: the factors between algorithm
    /// and bus bandwidth of NVIDIA's nccl-tests (`doc/PERFORMANCE.md`).
    #[must_use]
    pub fn volume(self, ranks: u32) -> f64 {
        if ranks <= 1 {
            return 0.0;
        }
        let others = f64::from(ranks - 1) / f64::from(ranks);
        match self {
            Self::AllReduce => 2.0 * others,
            Self::ReduceScatter | Self::AllGather | Self::AllToAll => others,
            Self::Broadcast | Self::PointToPoint => 1.0,
        }
    }
}

/// Links of a group of machines that sum in host memory.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Network {
    /// Between ranks of one machine.
    pub inside: Link,
    /// Between machines.
    pub between: Link,
}

/// Time of an all-reduce of `bytes` in each rank as the executor does it: inside each machine, then the whole buffer
/// between machines; each level takes the better of ring and tree. In seconds.
#[must_use]
pub fn all_reduce(bytes: f64, nodes: u32, ranks_per_node: u32, network: Network) -> f64 {
    let flat = |ranks, link| {
        let of = |algorithm| algorithm::flat(algorithm, Kind::AllReduce, bytes, ranks, link);
        [Algorithm::Ring, Algorithm::Tree].into_iter().filter_map(of).fold(f64::INFINITY, f64::min)
    };
    flat(ranks_per_node, network.inside) + flat(nodes, network.between)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_better_of_ring_and_tree_is_taken() {
        let link = Link { latency_seconds: 1.0, bytes_per_second: 1.0 };
        let network = Network { inside: link, between: link };
        let check = |bytes: f64, nodes: u32, ranks: u32, expected: f64| {
            let found = all_reduce(bytes, nodes, ranks, network);
            assert!((found - expected).abs() < 1e-9, "{bytes} {nodes} {ranks}: {found} instead of {expected}");
        };
        check(100.0, 1, 1, 0.0);
        check(100.0, 1, 2, 102.0);
        check(100.0, 1, 4, 156.0);
        // Tiny messages over many ranks: latency decides, the tree has fewer hops.
        check(0.0, 16, 1, 8.0);
        check(100.0, 2, 2, 204.0);
    }

    #[test]
    fn names_lead_back_to_kinds() {
        for kind in Kind::ALL {
            assert_eq!(Kind::named(kind.name()), Some(kind));
        }
        assert_eq!(Kind::named("alltoall"), None);
    }
}
