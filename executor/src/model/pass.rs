//! What a piece must know of the pass that it takes part in, beyond its input.

use burn::tensor::{Tensor, TensorData};

use super::host;

/// Ranks that compute parts of the same values.
pub trait Group {
    /// Ranks of the group.
    fn size(&self) -> usize;

    /// Number of this rank in the group, from 0.
    fn rank(&self) -> usize;

    /// Replaces values by their sum over the group, in the order of the ranks. A failure is kept by the group and ends the
    /// step after the pass; the values are then of no use.
    fn sum(&self, values: &mut Vec<f32>);

    /// Replaces values by the greatest of the group.
    fn greatest(&self, values: &mut Vec<f32>);
}

/// A rank by itself.
#[derive(Debug, Clone, Copy, Default)]
pub struct Alone;

impl Group for Alone {
    fn size(&self) -> usize {
        1
    }

    fn rank(&self) -> usize {
        0
    }

    fn sum(&self, _: &mut Vec<f32>) {}

    fn greatest(&self, _: &mut Vec<f32>) {}
}

/// A pass through a network.
#[derive(Clone, Copy)]
pub struct Pass<'a> {
    /// Whether the network learns: batch statistics are of the records, not the kept ones.
    pub learns: bool,
    /// Whether this pass is the first one over its records, so that running figures take it in: not when activations are
    /// computed again for the backward pass. Figures of the whole batch count once in a step: in one of its micro-batches.
    pub counts: bool,
    /// Passes over parts of the batch that a step is made of: data-parallel ranks times micro-batches. Where there is one,
    /// pieces compute figures of the whole batch by themselves and give no sums to be taken over replicas.
    pub replicas: usize,
    /// Ranks that share the matrices of layers.
    pub tensor: &'a dyn Group,
}

impl Pass<'_> {
    /// A pass of one rank that learns nothing.
    #[must_use]
    pub fn plain() -> Self {
        Self { learns: false, counts: false, replicas: 1, tensor: &Alone }
    }

    /// Whether pieces give sums that are to be taken over all replicas of the data.
    #[must_use]
    pub const fn shares_figures(&self) -> bool {
        self.learns && self.replicas > 1
    }

    /// The sum over the ranks of a tensor group of what each has computed a part of. Its gradient goes to every part as it
    /// is (Megatron's g).
    #[must_use]
    pub fn whole<const D: usize>(&self, part: Tensor<D>) -> Tensor<D> {
        if self.tensor.size() == 1 {
            return part;
        }
        let own = part.clone().detach();
        let sum = over(own.clone(), |values| self.tensor.sum(values));
        part + (sum - own)
    }

    /// The greatest over the ranks of a tensor group, without a gradient.
    #[must_use]
    pub fn greatest<const D: usize>(&self, own: Tensor<D>) -> Tensor<D> {
        if self.tensor.size() == 1 { own.detach() } else { over(own.detach(), |values| self.tensor.greatest(values)) }
    }
}

/// A tensor whose values went through the host.
fn over<const D: usize>(tensor: Tensor<D>, exchange: impl FnOnce(&mut Vec<f32>)) -> Tensor<D> {
    let (shape, device, format) = (tensor.shape(), tensor.device(), tensor.dtype());
    let mut values = host(tensor);
    exchange(&mut values);
    Tensor::<D>::from_data(TensorData::new(values, shape), &device).cast(format)
}
