//! Matrix products of fully connected layers, forward and backward.

use super::super::kernel::Kernel;
use super::Pass;

/// Kernels of one layer in both directions.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Kernels {
    /// Forward pass.
    pub forward: Vec<Kernel>,
    /// Backward pass.
    pub backward: Vec<Kernel>,
}

impl Kernels {
    /// Appends another layer's kernels; its backward pass runs before.
    pub fn then(&mut self, next: Self) {
        self.forward.extend(next.forward);
        self.backward.splice(0..0, next.backward);
    }
}

/// `rows`×`inputs` times `inputs`×`outputs` with bias: forward one product; backward one for the gradient of the
/// weights, one for that of the input (unless the input is data), and a sum over rows for that of the bias.
pub(super) fn linear(rows: f64, inputs: f64, outputs: f64, value_bytes: f64, is_first: bool) -> Kernels {
    let mut kernels = matrix(rows, inputs, outputs, value_bytes, is_first);
    kernels.backward.push(Kernel::elementwise(1.0, rows * outputs * value_bytes));
    kernels
}

/// The same without bias.
pub(super) fn matrix(rows: f64, inputs: f64, outputs: f64, value_bytes: f64, is_first: bool) -> Kernels {
    let mut backward = vec![Kernel::matrix(inputs, outputs, rows, value_bytes)];
    if !is_first {
        backward.push(Kernel::matrix(rows, inputs, outputs, value_bytes));
    }
    Kernels { forward: vec![Kernel::matrix(rows, outputs, inputs, value_bytes)], backward }
}

/// An activation in place: one pass that reads and writes forward; backward reads the gradient and the output and
/// writes.
pub(super) fn activation(pass: Pass, values: f64) -> Kernels {
    let bytes = pass.bytes(values);
    Kernels {
        forward: vec![Kernel::elementwise(1.0, 2.0 * bytes)],
        backward: vec![Kernel::elementwise(1.0, 3.0 * bytes)],
    }
}

/// Softmax over classes and its loss in 32 bits: forward reads scores and writes probabilities, then picks; backward
/// turns them into gradients.
pub(super) fn cross_entropy(rows: f64, classes: f64, value_bytes: f64) -> Kernels {
    let bytes = rows * classes * (value_bytes + 4.0);
    Kernels { forward: vec![Kernel::elementwise(2.0, bytes)], backward: vec![Kernel::elementwise(2.0, 2.0 * bytes)] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_layer_has_three_products_and_the_first_one_two() {
        let check = |is_first: bool, products: usize| {
            let kernels = linear(8.0, 3.0, 5.0, 2.0, is_first);
            let all: Vec<_> = kernels.forward.iter().chain(&kernels.backward).filter(|k| k.flops > 0.0).collect();
            assert_eq!(all.len(), products);
            assert!(all.iter().all(|k| (k.flops - 240.0).abs() < 1e-9), "each is 2·8·3·5");
            assert!(all.iter().all(|k| (k.bytes - 2.0 * 79.0).abs() < 1e-9), "each touches 24 + 15 + 40 values");
        };
        check(false, 3);
        check(true, 2);
    }
}
