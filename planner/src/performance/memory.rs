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

    /// Use by use the sum.
    #[must_use]
    pub const fn plus(&self, other: &Self) -> Self {
        Self {
            parameters: self.parameters + other.parameters,
            gradients: self.gradients + other.gradients,
            optimizer: self.optimizer + other.optimizer,
            activations: self.activations + other.activations,
            batch: self.batch + other.batch,
            workspace: self.workspace + other.workspace,
        }
    }

    /// Use by use times a fraction.
    #[must_use]
    pub const fn scaled(&self, times: u64, over: u64) -> Self {
        Self {
            parameters: self.parameters * times / over,
            gradients: self.gradients * times / over,
            optimizer: self.optimizer * times / over,
            activations: self.activations * times / over,
            batch: self.batch * times / over,
            workspace: self.workspace * times / over,
        }
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

/// Moments that an optimiser keeps for each parameter.
pub(super) const fn moments(optimizer: Option<Optimizer>) -> u64 {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::performance::Task;
    use scenarios::scenario::Scenario;

    const TRAINING: &str = r#"{
        "format": "causeway.scenario/1", "name": "memory", "sites": {},
        "datasets": { "d": { "class": "public", "at": [], "size": "1 MB", "records": 1000 } },
        "workloads": { "w": { "job": { "train": {
            "model": { "preset": "mnist-cnn" }, "data": "d", "epochs": 1, "global_batch": 100,
            "optimizer": OPTIMIZER
        } } } } }"#;

    #[test]
    fn memory_is_counted_by_use() {
        let check = |optimizer: &str, batch: u64, ranks: u32, expected: [u64; 6]| {
            let scenario: Scenario =
                serde_json::from_str(&TRAINING.replace("OPTIMIZER", optimizer)).expect("the scenario is valid");
            let task = Task::of(&scenario, "w").expect("a workload");
            let layout = Layout { nodes: 1, devices_per_node: 1, ranks_per_node: ranks };
            let memory = of(&task, batch, layout).expect("a network");
            assert_eq!(memory.parts().map(|(_, bytes)| bytes), expected, "{optimizer} {batch} {ranks}");
            assert_eq!(memory.total(), expected.iter().sum::<u64>());
        };
        let parameters = 4 * 21_840;
        // Outputs of one record: 5760 + 1440 + 1440 + 1280 + 320 + 320 + 50 + 10 values.
        let (outputs, largest) = (4 * 10_620, 4 * 5_760);
        // Windows of the second convolution: 10·5² values for 8×8 outputs; of the first: 5² for 24×24.
        let workspace = 4 * 250 * 64 + 2 * largest;
        let record = 4 * 784 + 8;
        let sgd = r#"{ "sgd": { "learning_rate": 0.1 } }"#;
        let momentum = r#"{ "momentum": { "learning_rate": 0.1, "momentum": 0.9 } }"#;
        let adam = r#"{ "adam": { "learning_rate": 0.1 } }"#;
        check(sgd, 1, 1, [parameters, parameters, 0, outputs, record, workspace]);
        check(momentum, 1, 1, [parameters, parameters, parameters, outputs, record, workspace]);
        check(adam, 1, 2, [parameters, parameters, 2 * parameters, outputs, record, workspace].map(|part| 2 * part));
        check(sgd, 100, 1, [parameters, parameters, 0, 100 * outputs, 100 * record, 100 * workspace]);
    }
}
