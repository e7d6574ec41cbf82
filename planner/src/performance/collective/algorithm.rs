//! Algorithms of collectives, and the choice between them.
//!
//! `n` ranks, `S` bytes in each, α seconds a message, β bytes per second. Sources: Thakur, Rabenseifner and Gropp 2005
//! (ring, halving, tree, Bruck); Sanders, Speck and Träff 2009 (double tree); NCCL.

use super::{Group, Kind, LEVELS, Link, Topology};

/// A way to carry out a collective.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Algorithm {
    /// Neighbours pass parts on; in an exchange of all with all, one message for each pair.
    Ring,
    /// A binary tree without pipelining; halves that are halved again (NCCL's PAT has the same terms) in reduce-scatter
    /// and all-gather; Bruck's algorithm in an exchange of all with all.
    Tree,
    /// Two pipelined binary trees with half of the buffer each.
    DoubleTree,
    /// Inside each node, then between nodes, then between sites, each level with its part of the buffer.
    Hierarchical,
}

impl Algorithm {
    /// All.
    pub const ALL: [Self; 4] = [Self::Ring, Self::Tree, Self::DoubleTree, Self::Hierarchical];
}

/// Time of the fastest algorithm that applies, in seconds; 0 for a single rank.
///
/// A collective over devices of one level that was measured takes its measured time.
#[must_use]
pub fn time(kind: Kind, bytes: f64, group: &Group, topology: &Topology<'_>) -> f64 {
    let Some(top) = group.top() else { return 0.0 };
    if let Some(measured) = measured(kind, bytes, group, top, topology) {
        return measured;
    }
    let times = Algorithm::ALL.into_iter().filter_map(|algorithm| time_of(algorithm, kind, bytes, group, topology));
    times.fold(f64::INFINITY, f64::min)
}

/// Time by one algorithm without regard to measurements of the whole group, in seconds; `None` where it doesn't apply.
#[must_use]
pub fn time_of(algorithm: Algorithm, kind: Kind, bytes: f64, group: &Group, topology: &Topology<'_>) -> Option<f64> {
    let top = group.top()?;
    match (algorithm, kind) {
        (Algorithm::Hierarchical, _) => hierarchical(kind, bytes, group, topology),
        (Algorithm::Ring, Kind::AllToAll) => Some(exchange(bytes, group, topology)),
        (Algorithm::Ring, Kind::PointToPoint) => {
            let link = shared(group, topology, top);
            Some(link.latency() + link.transfer(bytes))
        }
        (Algorithm::Ring, _) => {
            let passes = if kind == Kind::AllReduce { 2.0 } else { 1.0 };
            Some(
                passes * path(group, topology)
                    + narrowest(group, topology).transfer(bytes * kind.volume(group.ranks())),
            )
        }
        (Algorithm::Tree, Kind::AllToAll | Kind::ReduceScatter | Kind::AllGather) => {
            // In the large rounds all ranks of a node or site send through its link at once.
            let below = group.ranks() / group.spans[top].units;
            flat(algorithm, kind, bytes, group.ranks(), longest(group, topology).shared(f64::from(below)))
        }
        _ => flat(algorithm, kind, bytes, group.ranks(), longest(group, topology)),
    }
}

/// Time over equal links between all ranks, in seconds; `None` where the algorithm doesn't apply.
#[must_use]
pub fn flat(algorithm: Algorithm, kind: Kind, bytes: f64, ranks: u32, link: Link) -> Option<f64> {
    if ranks <= 1 {
        return Some(0.0);
    }
    let hops = f64::from(ranks - 1);
    let depth = f64::from(ranks).log2().ceil();
    let (latency, transfer) = (link.latency(), |bytes| link.transfer(bytes));
    Some(match (algorithm, kind) {
        (Algorithm::Ring, Kind::AllReduce) => 2.0 * hops * latency + transfer(bytes * kind.volume(ranks)),
        (Algorithm::Ring, Kind::PointToPoint) => latency + transfer(bytes),
        (Algorithm::Ring, _) => hops * latency + transfer(bytes * kind.volume(ranks)),
        (Algorithm::Tree, Kind::AllReduce) => 2.0 * depth * (latency + transfer(bytes)),
        (Algorithm::Tree, Kind::Broadcast) => depth * (latency + transfer(bytes)),
        (Algorithm::Tree, Kind::ReduceScatter | Kind::AllGather) => {
            depth * latency + transfer(bytes * kind.volume(ranks))
        }
        (Algorithm::Tree, Kind::AllToAll) => depth * (latency + transfer(bytes / 2.0)),
        (Algorithm::DoubleTree, Kind::AllReduce) => 2.0 * depth * latency + transfer(2.0 * bytes),
        (Algorithm::DoubleTree, Kind::Broadcast) => 2.0 * depth * latency + transfer(bytes),
        _ => return None,
    })
}

/// The measured time of a group that lies on one level.
fn measured(kind: Kind, bytes: f64, group: &Group, top: usize, topology: &Topology<'_>) -> Option<f64> {
    let span = group.spans[top];
    if span.sharing > 1.0 || group.ranks() != span.units {
        return None;
    }
    topology.levels[top].measured?.time(kind, span.units, bytes)
}

/// The link of a level's unit as one group has it.
fn shared(group: &Group, topology: &Topology<'_>, level: usize) -> Link {
    topology.levels[level].link.shared(group.spans[level].sharing)
}

/// Links of the levels that the group spans.
fn links(group: &Group, topology: &Topology<'_>) -> impl Iterator<Item = (u32, Link)> {
    let spanned = (0..LEVELS).filter(|level| group.spans[*level].units > 1);
    spanned.map(|level| (group.spans[level].units, shared(group, topology, level)))
}

/// The link that limits a chain through all ranks: every node is entered and left once.
fn narrowest(group: &Group, topology: &Topology<'_>) -> Link {
    let none = Link { latency_seconds: 0.0, bytes_per_second: f64::MAX };
    let narrower = |a: Link, b: Link| if b.bytes_per_second < a.bytes_per_second { b } else { a };
    links(group, topology).fold(none, |narrowest, (_, link)| narrower(narrowest, link))
}

/// The narrowest rate with the longest latency.
fn longest(group: &Group, topology: &Topology<'_>) -> Link {
    let latency_seconds = links(group, topology).map(|(_, link)| link.latency()).fold(0.0, f64::max);
    Link { latency_seconds, ..narrowest(group, topology) }
}

/// Latencies along a chain through all ranks: n − 1 hops, of which one less than there are nodes leave a node.
fn path(group: &Group, topology: &Topology<'_>) -> f64 {
    let (mut outer, mut sum) = (1.0, 0.0);
    for level in (0..LEVELS).rev() {
        let units = f64::from(group.spans[level].units.max(1));
        sum += outer * (units - 1.0) * topology.levels[level].link.latency();
        outer *= units;
    }
    sum
}

/// All to all by pairs: (n − 1)·α, and on each level what its units send to others of the level; levels overlap.
///
/// Of n ranks, u under one unit and w under the unit of the next level: u·(w − u) / n · S leaves each unit.
fn exchange(bytes: f64, group: &Group, topology: &Topology<'_>) -> f64 {
    let all = f64::from(group.ranks());
    let (mut under, mut slowest) = (1.0, 0.0_f64);
    for level in 0..LEVELS {
        let within = under * f64::from(group.spans[level].units.max(1));
        let leaving = bytes * under * (within - under) / all;
        slowest = slowest.max(shared(group, topology, level).transfer(leaving));
        under = within;
    }
    path(group, topology) + slowest
}

/// Level by level: reduce-scatter upward, the collective itself at the top, all-gather downward. `None` if there is
/// only one level, or the kind has no such form.
///
/// All ranks below a unit send their parts through its link at once, and the parts make up S: each level takes
/// (u − 1)/u · S / β for each direction.
fn hierarchical(kind: Kind, bytes: f64, group: &Group, topology: &Topology<'_>) -> Option<f64> {
    let top = group.top()?;
    let below = |level: &usize| group.spans[*level].units > 1;
    if !(0..top).any(|level| below(&level)) {
        return None;
    }
    let halves: &[Kind] = match kind {
        Kind::AllReduce => &[Kind::ReduceScatter, Kind::AllGather],
        Kind::ReduceScatter => &[Kind::ReduceScatter],
        Kind::AllGather => &[Kind::AllGather],
        Kind::Broadcast => &[Kind::Broadcast],
        Kind::AllToAll | Kind::PointToPoint => return None,
    };
    let on = |level: usize, kind: Kind| {
        let (units, link) = (group.spans[level].units, shared(group, topology, level));
        let measured = topology.levels[level].measured.filter(|_| level == 0);
        let measured = measured.and_then(|measured| measured.time(kind, units, bytes));
        measured.unwrap_or_else(|| fastest(kind, bytes, units, link))
    };
    let lower: f64 = (0..top).filter(below).map(|level| halves.iter().map(|half| on(level, *half)).sum::<f64>()).sum();
    Some(lower + on(top, kind))
}

/// The fastest algorithm over equal links, in seconds.
fn fastest(kind: Kind, bytes: f64, ranks: u32, link: Link) -> f64 {
    let times = Algorithm::ALL.into_iter().filter_map(|algorithm| flat(algorithm, kind, bytes, ranks, link));
    times.fold(f64::INFINITY, f64::min)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NVLINK: Link = Link { latency_seconds: 5e-6, bytes_per_second: 200e9 };
    const ADAPTERS: Link = Link { latency_seconds: 20e-6, bytes_per_second: 100e9 };
    const WIDE: Link = Link { latency_seconds: 10e-3, bytes_per_second: 1e9 };

    fn topology() -> Topology<'static> {
        Topology::new(NVLINK, ADAPTERS, Some(WIDE))
    }

    fn close(found: f64, expected: f64) -> bool {
        (found - expected).abs() <= 1e-9 * expected.abs().max(1e-12)
    }

    #[test]
    fn large_messages_take_what_the_links_allow() {
        let s = 64e9;
        let check = |kind, group: &Group, seconds: f64| {
            let found = time(kind, s, group, &topology());
            assert!((found / seconds - 1.0).abs() < 0.02, "{kind:?} {group:?}: {found} instead of {seconds}");
        };
        let (node, nodes, replicas) = (Group::strided(8, 1, 8), Group::strided(32, 1, 8), Group::strided(4, 8, 8));
        check(Kind::AllReduce, &node, 1.75 * s / 200e9);
        check(Kind::ReduceScatter, &node, 0.875 * s / 200e9);
        check(Kind::AllGather, &node, 0.875 * s / 200e9);
        check(Kind::AllToAll, &node, 0.875 * s / 200e9);
        check(Kind::Broadcast, &node, s / 200e9);
        check(Kind::PointToPoint, &Group::strided(2, 8, 8), 8.0 * s / 100e9);
        // A ring over nodes is limited by the adapters: 2·31/32·S/100 GB/s. Level by level is slower here:
        // 1.75·S/200 GB/s + 1.5·S/100 GB/s.
        check(Kind::AllReduce, &nodes, 1.9375 * s / 100e9);
        // One rank to a node: eight groups share the adapters.
        check(Kind::AllReduce, &replicas, 1.5 * s / (100e9 / 8.0));
        // Three quarters of what eight ranks send leave the node.
        check(Kind::AllToAll, &nodes, 8.0 * 0.75 * s / 100e9);
        // Sites: level by level only a half of the buffer crosses once in each direction.
        check(Kind::AllReduce, &node.over_sites(2, 1.0), 1.75 * s / 200e9 + s / 1e9);
    }

    #[test]
    fn small_messages_take_the_tree() {
        let group = Group::strided(64, 8, 8);
        let check = |algorithm, expected: f64| {
            let found = time_of(algorithm, Kind::AllReduce, 0.0, &group, &topology());
            assert!(found.is_some_and(|found| close(found, expected)), "{algorithm:?}: {found:?}");
        };
        check(Algorithm::Ring, 126.0 * 20e-6);
        check(Algorithm::Tree, 12.0 * 20e-6);
        check(Algorithm::DoubleTree, 12.0 * 20e-6);
        assert!(close(time(Kind::AllReduce, 0.0, &group, &topology()), 12.0 * 20e-6));
        assert!(close(time(Kind::ReduceScatter, 0.0, &group, &topology()), 6.0 * 20e-6));
        assert_eq!(time_of(Algorithm::Hierarchical, Kind::AllReduce, 0.0, &group, &topology()), None);
    }

    #[test]
    fn small_messages_wait_for_every_hop() {
        // Eight ranks in each of four nodes: of 31 hops of a chain three leave a node.
        let group = Group::strided(32, 1, 8);
        let check = |algorithm, kind, microseconds: f64| {
            let found = time_of(algorithm, kind, 0.0, &group, &topology());
            assert!(found.is_some_and(|found| close(found, microseconds * 1e-6)), "{algorithm:?} {kind:?}: {found:?}");
        };
        check(Algorithm::Ring, Kind::AllReduce, 2.0 * (28.0 * 5.0 + 3.0 * 20.0));
        check(Algorithm::Ring, Kind::AllToAll, 28.0 * 5.0 + 3.0 * 20.0);
        check(Algorithm::Ring, Kind::PointToPoint, 20.0);
        check(Algorithm::Tree, Kind::AllGather, 5.0 * 20.0);
        // Three rounds of halving inside, two trees of two levels between, three rounds of doubling inside.
        check(Algorithm::Hierarchical, Kind::AllReduce, 3.0 * 5.0 + 4.0 * 20.0 + 3.0 * 5.0);
    }

    proptest! {
        #[test]
        fn times_are_finite_and_grow_with_bytes(
            ranks in 0_u32..5000, stride in 0_u32..64, devices in 0_u32..17, sites in 0_u32..4,
            bytes in -1.0..1e15_f64, more in 1.0..10.0_f64,
        ) {
            let group = Group::strided(ranks, stride, devices).over_sites(sites, 1.0);
            for kind in Kind::ALL {
                let (less, more) = (time(kind, bytes, &group, &topology()), time(kind, bytes.abs() * more, &group, &topology()));
                prop_assert!(less.is_finite() && less >= 0.0 && more >= less, "{kind:?} {less} {more}");
            }
            let odd = Link { latency_seconds: f64::NAN, bytes_per_second: f64::NAN };
            prop_assert!(time(Kind::AllReduce, f64::NAN, &group, &Topology::new(odd, odd, None)).is_finite());
        }

        #[test]
        fn a_half_takes_no_longer_than_the_whole(ranks in 1_u32..3000, stride in 1_u32..64, bytes in 0.0..1e12_f64) {
            let group = Group::strided(ranks, stride, 8);
            let [half, whole] = [Kind::ReduceScatter, Kind::AllReduce].map(|kind| time(kind, bytes, &group, &topology()));
            prop_assert!(half <= whole * (1.0 + 1e-9), "{half} {whole}");
        }

        #[test]
        fn an_all_reduce_is_two_halves_over_equal_rings(ranks in 2_u32..100, bytes in 0.0..1e12_f64) {
            let of = |kind| flat(Algorithm::Ring, kind, bytes, ranks, NVLINK).unwrap_or(f64::NAN);
            prop_assert!(close(of(Kind::ReduceScatter) + of(Kind::AllGather), of(Kind::AllReduce)));
        }
    }
}
