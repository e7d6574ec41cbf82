//! What a device computes, apart from how fast: kernels and the segments of a network that they make up.

use super::collective::Kind;

/// Which rates of a device a kernel is bound by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// Matrix product.
    Matrix,
    /// Core of attention: scores, softmax, weighted values in one or more kernels.
    Attention,
    /// Convolution.
    Convolution,
    /// Matrix product inside a time step of a recurrent layer, which waits for the step before.
    Recurrent,
    /// Element by element: bound by memory.
    Elementwise,
    /// Rows of an embedding table read or written at random.
    Gather,
}

/// Kernels of one shape, started one after the other.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Kernel {
    /// Which rates bind it.
    pub class: Class,
    /// How often it is started.
    pub count: f64,
    /// Floating-point operations of one start; a multiply-add counts as two.
    pub flops: f64,
    /// Bytes that one start moves between the device's memory and its cores, once for each value.
    pub bytes: f64,
}

impl Kernel {
    /// Product of an m×k and a k×n matrix with values of `value_bytes`.
    #[must_use]
    pub fn matrix(m: f64, n: f64, k: f64, value_bytes: f64) -> Self {
        let (flops, bytes) = (2.0 * m * n * k, value_bytes * (m * k + k * n + m * n));
        Self { class: Class::Matrix, count: 1.0, flops, bytes }
    }

    /// `count` passes over memory that move `bytes` in all.
    #[must_use]
    pub fn elementwise(count: f64, bytes: f64) -> Self {
        Self { class: Class::Elementwise, count, flops: 0.0, bytes: bytes / count.max(1.0) }
    }

    /// The same kernel `times` as often.
    #[must_use]
    pub fn times(self, times: f64) -> Self {
        Self { count: self.count * times, ..self }
    }
}

/// A part of a network that runs forward and backward as a whole, and can repeat.
#[derive(Debug, Clone, PartialEq)]
pub struct Segment {
    /// Which part.
    pub name: &'static str,
    /// Equal copies one after the other.
    pub repeat: f64,
    /// Kernels of one copy's forward pass over one micro-batch.
    pub forward: Vec<Kernel>,
    /// Kernels of one copy's backward pass over one micro-batch.
    pub backward: Vec<Kernel>,
    /// Parameters of one copy in one rank.
    pub parameters: f64,
    /// Tensors that these parameters make up.
    pub tensors: f64,
    /// Bytes that one copy keeps from a forward pass for the backward pass.
    pub saved_bytes: f64,
    /// Bytes that one copy hands to the next segment.
    pub output_bytes: f64,
    /// What the ranks that share one copy tell each other.
    pub messages: Vec<Message>,
}

/// Bytes exchanged inside one copy of a segment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Message {
    /// Which ranks.
    pub axis: Axis,
    /// Collective.
    pub kind: Kind,
    /// Size of the whole buffer: what each rank holds before an all-reduce or after an all-gather, or sends in all to
    /// the others in an all-to-all or point to point.
    pub bytes: f64,
    /// How often in a forward pass.
    pub forward: f64,
    /// How often in a backward pass, what is computed again not counted.
    pub backward: f64,
}

/// Ranks that share a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Axis {
    /// Ranks that share matrices.
    Tensor,
    /// Ranks that share a sequence.
    Context,
    /// Ranks that share experts, or the tables of a recommender.
    Expert,
}
