//! Shapes to measure: a grid over what common small networks are made of.

use scenarios::machine::{Operation, OptimizerRule};

/// Records of a batch.
const BATCHES: [u64; 2] = [32, 128];

/// Inputs and outputs of linear layers.
const LINEAR: [(u64, u64); 8] =
    [(32, 16), (128, 10), (256, 32), (400, 120), (512, 64), (784, 128), (1024, 256), (1024, 1024)];

/// Channels in, channels out, side of the image, side of the kernel, padding.
const CONVOLUTIONS: [(u64, u64, u64, u64, u64); 14] = [
    (1, 6, 28, 5, 2),
    (1, 8, 28, 3, 0),
    (1, 16, 28, 5, 0),
    (1, 32, 28, 3, 1),
    (3, 8, 32, 3, 1),
    (3, 16, 32, 5, 0),
    (6, 16, 14, 5, 0),
    (8, 16, 16, 3, 1),
    (8, 24, 14, 5, 0),
    (16, 16, 12, 5, 0),
    (16, 32, 14, 3, 1),
    (16, 32, 10, 5, 0),
    (32, 32, 8, 3, 1),
    (32, 64, 8, 3, 1),
];

/// Channels, side of the image, side of the window, step.
const POOLS: [(u64, u64, u64, u64); 6] =
    [(6, 28, 2, 2), (8, 24, 2, 2), (16, 10, 2, 2), (16, 28, 2, 2), (32, 14, 2, 2), (16, 15, 3, 2)];

/// Values of elementwise operations.
const ELEMENTS: [u64; 5] = [1 << 10, 1 << 13, 1 << 16, 1 << 18, 1 << 21];

/// Parameters and tensors of whole networks.
const NETWORKS: [(u64, u64); 4] = [(2_000, 2), (30_000, 6), (250_000, 10), (2_000_000, 8)];

/// Every operation to measure.
pub fn all() -> Vec<Operation> {
    let mut all = vec![Operation::Launch];
    for batch in BATCHES {
        all.extend(LINEAR.map(|(k, n)| Operation::Linear { m: batch, n, k }));
        all.extend(CONVOLUTIONS.iter().flat_map(|shape| convolutions(batch, *shape)));
        all.extend(POOLS.map(|(channels, side, kernel, stride)| Operation::MaxPool {
            planes: batch * channels,
            height: side,
            width: side,
            kernel,
            stride,
        }));
        all.extend([10, 100].map(|classes| Operation::CrossEntropy { batch, classes }));
    }
    all.extend(ELEMENTS.map(|elements| Operation::Relu { elements }));
    all.extend(ELEMENTS.map(|elements| Operation::Tanh { elements }));
    all.extend(ELEMENTS.map(|elements| Operation::HostToDevice { bytes: 4 * elements }));
    for (parameters, tensors) in NETWORKS {
        let rules = [OptimizerRule::Sgd, OptimizerRule::Momentum, OptimizerRule::Adam];
        all.extend(rules.map(|rule| Operation::OptimizerStep { rule, parameters, tensors }));
        all.push(Operation::GradientExchange { parameters, tensors });
    }
    all
}

/// A convolution with the gradient of its input, and without if images may reach it directly.
fn convolutions(
    batch: u64,
    (channels_in, channels_out, side, kernel, padding): (u64, u64, u64, u64, u64),
) -> impl Iterator<Item = Operation> {
    let first = [false].into_iter().filter(move |_| channels_in <= 3);
    first.chain([true]).map(move |input_gradient| Operation::Conv2d {
        batch,
        channels_in,
        channels_out,
        height: side,
        width: side,
        kernel,
        stride: 1,
        padding,
        input_gradient,
    })
}
