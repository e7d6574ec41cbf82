//! Memory of the fullest device by what it holds.

use scenarios::model::{Layer, ShapeError, Shaped, TensorShape};
use scenarios::scenario::Optimizer;

use super::operations::VALUE_BYTES;
use super::{Layout, Task};

/// Bytes of one device by use.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Memory {
    /// Parameters.
    pub parameters: u64,
    /// One gradient for each parameter.
    pub gradients: u64,
    /// Moments of the optimiser.
    pub optimizer: u64,
    /// Outputs of all layers that the backward pass needs.
    pub activations: u64,
    /// Records and labels of the batch.
    pub batch: u64,
    /// Scratch space: unfolded windows of the largest convolution, and gradients of activations.
    pub workspace: u64,
}

impl Memory {
    /// Sum of all.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.parameters + self.gradients + self.optimizer + self.activations + self.batch + self.workspace
    }

    /// The parts with their names, in order.
    #[must_use]
    pub const fn parts(&self) -> [(&'static str, u64); 6] {
        [
            ("parameters", self.parameters),
            ("gradients", self.gradients),
            ("optimizer", self.optimizer),
            ("activations", self.activations),
            ("batch", self.batch),
            ("workspace", self.workspace),
        ]
    }
}

/// Memory of the fullest device with `batch` records in each rank.
///
/// # Errors
/// The model's layers do not fit.
pub fn of(task: &Task<'_>, batch: u64, layout: Layout) -> Result<Memory, ShapeError> {
    let layers = task.model.shaped()?;
    let parameters = VALUE_BYTES * layers.iter().map(Shaped::parameters).sum::<u64>();
    let outputs = |layer: &Shaped| VALUE_BYTES.saturating_mul(batch).saturating_mul(layer.output.elements() as u64);
    let largest = layers.iter().map(outputs).max().unwrap_or(0);
    let unfolded = layers.iter().map(|layer| unfolded_windows(layer, batch)).max().unwrap_or(0);
    let input = task.model.input()?.elements() as u64;
    let training = task.is_training();
    let ranks = u64::from(layout.ranks_per_device());
    let shared = |bytes: u64| bytes.saturating_mul(ranks);
    Ok(Memory {
        parameters: shared(parameters),
        gradients: if training { shared(parameters) } else { 0 },
        optimizer: shared(parameters * moments(task.optimizer())),
        activations: shared(if training { layers.iter().map(outputs).sum() } else { largest }),
        batch: shared((VALUE_BYTES * input + 8).saturating_mul(batch)),
        workspace: shared(unfolded.saturating_add(largest.saturating_mul(if training { 2 } else { 1 }))),
    })
}

const fn moments(optimizer: Option<Optimizer>) -> u64 {
    match optimizer {
        None | Some(Optimizer::Sgd(_)) => 0,
        Some(Optimizer::Momentum(_)) => 1,
        Some(Optimizer::Adam(_)) => 2,
    }
}

fn unfolded_windows(layer: &Shaped, batch: u64) -> u64 {
    match (&layer.layer, layer.input, layer.output) {
        (
            Layer::Conv2d(conv),
            TensorShape::Image { channels, .. },
            TensorShape::Image { height: rows, width: columns, .. },
        ) => {
            let window = (channels as u64).saturating_mul((conv.kernel.get() as u64).saturating_pow(2));
            let windows = batch.saturating_mul((rows * columns) as u64);
            VALUE_BYTES.saturating_mul(window).saturating_mul(windows)
        }
        _ => 0,
    }
}
