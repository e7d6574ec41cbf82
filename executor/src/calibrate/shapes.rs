//! Sizes of what a step does beside its passes: a grid over common small networks.

use scenarios::machine::{Operation, OptimizerRule};

/// Bytes of copies to the device.
const COPIES: [u64; 5] = [1 << 12, 1 << 15, 1 << 18, 1 << 20, 1 << 23];

/// Parameters and tensors of whole networks.
const NETWORKS: [(u64, u64); 7] =
    [(2_000, 2), (8_000, 24), (30_000, 6), (90_000, 40), (250_000, 10), (700_000, 1), (2_000_000, 8)];

/// Every operation to measure.
pub fn all() -> Vec<Operation> {
    let mut all = vec![Operation::Launch];
    all.extend(COPIES.map(|bytes| Operation::HostToDevice { bytes }));
    for (parameters, tensors) in NETWORKS {
        let rules = [OptimizerRule::Sgd, OptimizerRule::Momentum, OptimizerRule::Adam];
        all.extend(rules.map(|rule| Operation::OptimizerStep { rule, parameters, tensors }));
        all.push(Operation::GradientExchange { parameters, tensors });
    }
    all
}
