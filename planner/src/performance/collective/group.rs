//! How the ranks of one group lie.

/// Levels of a topology: devices of a node, nodes of a site, sites.
pub const LEVELS: usize = 3;

/// The units of one level that a group spans.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Span {
    /// Units of this level under one unit of the next: ranks of the group in a node, its nodes in a site, its sites.
    pub units: u32,
    /// Groups that use the link of such a unit at the same time, at least 1.
    pub sharing: f64,
}

/// Ranks that exchange something with each other.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Group {
    /// Ranks in a node, nodes in a site, sites.
    pub spans: [Span; LEVELS],
}

impl Group {
    /// `ranks` ranks of which each lies `stride` devices after the last, in nodes of `devices_per_node`, all in one
    /// site. The other devices of the nodes hold groups of the same kind, which exchange at the same time.
    ///
    /// Data-parallel ranks of tensor groups of 8 lie 8 apart: one to a node, whose network 8 groups share.
    #[must_use]
    pub fn strided(ranks: u32, stride: u32, devices_per_node: u32) -> Self {
        let (ranks, stride, devices) = (ranks.max(1), stride.max(1), devices_per_node.max(1));
        let inside = (devices / stride).clamp(1, ranks);
        let nodes = ranks.div_ceil(inside);
        // Of a node's devices each group holds `inside`; where groups leave the node, all of them do.
        let sharing = f64::from(devices / inside).max(1.0);
        let alone = Span { units: 1, sharing: 1.0 };
        Self { spans: [Span { units: inside, sharing: 1.0 }, Span { units: nodes, sharing }, alone] }
    }

    /// The same group in each of `sites` sites, together one group over `sites` times the ranks. `sharing` groups use
    /// the link of a site at the same time.
    #[must_use]
    pub fn over_sites(mut self, sites: u32, sharing: f64) -> Self {
        self.spans[LEVELS - 1] = Span { units: sites.max(1), sharing: sharing.max(1.0) };
        self
    }

    /// All ranks.
    #[must_use]
    pub fn ranks(&self) -> u32 {
        self.spans.iter().fold(1, |ranks, span| ranks.saturating_mul(span.units.max(1)))
    }

    /// The highest level that the group spans; `None` for a single rank.
    #[must_use]
    pub fn top(&self) -> Option<usize> {
        self.spans.iter().rposition(|span| span.units > 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_fill_nodes_by_their_stride() {
        let check = |ranks, stride, devices, expected: (u32, u32, f64)| {
            let group = Group::strided(ranks, stride, devices);
            let [inside, between, _] = group.spans;
            assert_eq!((inside.units, between.units), (expected.0, expected.1), "{ranks} {stride} {devices}");
            assert!((between.sharing - expected.2).abs() < 1e-12, "{ranks} {stride} {devices}: {}", between.sharing);
        };
        check(8, 1, 8, (8, 1, 1.0));
        check(16, 1, 8, (8, 2, 1.0));
        check(4, 2, 8, (4, 1, 2.0));
        check(16, 8, 8, (1, 16, 8.0));
        check(16, 64, 8, (1, 16, 8.0));
        check(4, 1, 1, (1, 4, 1.0));
        check(0, 0, 0, (1, 1, 1.0));
    }

    #[test]
    fn the_highest_level_decides() {
        assert_eq!(Group::strided(1, 1, 8).top(), None);
        assert_eq!(Group::strided(8, 1, 8).top(), Some(0));
        assert_eq!(Group::strided(2, 8, 8).top(), Some(1));
        let both = Group::strided(8, 1, 8).over_sites(2, 1.0);
        assert_eq!((both.top(), both.ranks()), (Some(2), 16));
    }
}
