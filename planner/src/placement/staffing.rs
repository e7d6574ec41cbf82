//! What is chosen besides a column for each workload.

use std::collections::BTreeMap;

/// Replicas of services, reserved nodes, and ways of products.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Staffing {
    /// Service × kind of replica: how many.
    pub replicas: Vec<Vec<u32>>,
    /// Service × kind of replica × class: requests in a second.
    pub routed: Vec<Vec<Vec<f64>>>,
    /// Nodes that are reserved, by pool.
    pub reserved: BTreeMap<usize, u32>,
    /// (Flow, from, to): which way the product takes, where it is not the first.
    pub ways: BTreeMap<(usize, usize, usize), usize>,
}
