//! All-reduce by the alpha-beta model: each message costs α + bytes / β.

/// One kind of link.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Link {
    /// α, seconds a message.
    pub latency_seconds: f64,
    /// β, bytes per second in one direction.
    pub bytes_per_second: f64,
}

/// Links of a group of machines.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Network {
    /// Between ranks of one machine.
    pub inside: Link,
    /// Between machines.
    pub between: Link,
}

/// Time of an all-reduce of `bytes` in each rank: inside each machine, then between machines, then
/// the result inside again; each level takes the better of ring and tree.
#[must_use]
pub fn all_reduce(bytes: f64, nodes: u32, ranks_per_node: u32, network: Network) -> f64 {
    flat(bytes, ranks_per_node, network.inside) + flat(bytes, nodes, network.between)
}

/// Ring: 2(n−1)·α + 2(n−1)/n·S/β. Tree: 2·⌈log₂ n⌉·(α + S/β).
fn flat(bytes: f64, ranks: u32, link: Link) -> f64 {
    if ranks <= 1 {
        return 0.0;
    }
    let n = f64::from(ranks);
    let transfer = bytes / link.bytes_per_second;
    let ring = 2.0 * (n - 1.0) * link.latency_seconds + 2.0 * (n - 1.0) / n * transfer;
    let tree = 2.0 * n.log2().ceil() * (link.latency_seconds + transfer);
    ring.min(tree)
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
}
