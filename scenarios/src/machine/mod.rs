//! Machine profile: what `executor calibrate` measured on one machine.
//!
//! It holds measurements with their spread, no constants: the planner turns them into constants.

mod piece;

pub use piece::{PieceMeasurement, ReferenceMeasurement, WaitMeasurement};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::units::Interval;

/// Value of `format` in a machine profile.
pub const FORMAT: &str = "causeway.machine/1";

/// Measurements of one machine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MachineProfile {
    /// Always `causeway.machine/1`.
    pub format: String,
    /// SHA-256 over the rest of the document.
    pub digest: String,
    /// Name of the machine.
    pub name: String,
    /// When it was measured, RFC 3339.
    pub measured_at: String,
    /// The computer.
    pub host: Host,
    /// Its device for training.
    pub device: Device,
    /// Software that measured.
    pub software: String,
    /// Operations on the device.
    pub operations: Vec<OperationMeasurement>,
    /// Pieces of networks on the device.
    #[serde(default)]
    pub pieces: Vec<PieceMeasurement>,
    /// What ranks wait for each other.
    #[serde(default)]
    pub waits: Vec<WaitMeasurement>,
    /// The executor's reference work: how fast the device was meanwhile.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub references: Vec<ReferenceMeasurement>,
    /// Bytes that a rank on a processor holds beside its tensors: scratch memory of kernels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rank_bytes: Option<u64>,
    /// Collectives between ranks on this machine.
    pub transports: Vec<TransportMeasurement>,
    /// Preparation of input records.
    pub inputs: Vec<InputMeasurement>,
}

/// A computer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Host {
    /// Operating system and version.
    pub os: String,
    /// Processor.
    pub cpu: String,
    /// Logical cores that the process may use.
    pub cores: u32,
    /// Main memory.
    pub memory_bytes: u64,
}

/// A device that trains.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Device {
    /// Whether it is a real GPU.
    pub kind: DeviceKind,
    /// Name as the driver or the operating system gives it.
    pub name: String,
    /// burn's back end: `flex` or `wgpu`.
    pub backend: String,
    /// Identical devices in the machine.
    pub count: u32,
    /// Memory of one device; for a CPU the main memory; 0 for a GPU whose memory is not known.
    pub memory_bytes: u64,
}

/// Kind of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeviceKind {
    /// A hardware GPU. A software Vulkan driver is a CPU.
    Gpu,
    /// The processor.
    Cpu,
}

impl std::fmt::Display for DeviceKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Gpu => "GPU",
            Self::Cpu => "CPU",
        })
    }
}

/// Time of one operation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OperationMeasurement {
    /// What was run.
    pub operation: Operation,
    /// Which direction.
    pub pass: Pass,
    /// Ranks that ran it at the same time on the same device; each took this time.
    pub ranks: u32,
    /// Time of one run in one rank.
    pub seconds: Interval,
    /// Most bytes that a run holds in one rank beside what was held before.
    #[serde(default)]
    pub peak_bytes: u64,
    /// Runs that were timed.
    pub samples: u32,
}

/// Direction of a differentiable operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Pass {
    /// Output from input, recorded for differentiation.
    Forward,
    /// Gradients of input and parameters.
    Backward,
}

/// An operation with its sizes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Operation {
    /// Fully connected layer with bias: (m × k)·(k × n) + n.
    Linear {
        /// Rows: records of the batch.
        m: u64,
        /// Columns of the result: outputs.
        n: u64,
        /// Inner size: inputs.
        k: u64,
    },
    /// Two-dimensional convolution with bias.
    Conv2d {
        /// Records of the batch.
        batch: u64,
        /// Channels that enter.
        channels_in: u64,
        /// Channels that leave.
        channels_out: u64,
        /// Rows that enter.
        height: u64,
        /// Columns that enter.
        width: u64,
        /// Side of the kernel.
        kernel: u64,
        /// Step between windows.
        stride: u64,
        /// Zeros on every side.
        padding: u64,
        /// Whether the gradient of the input is needed; the first layer of a network needs none.
        input_gradient: bool,
    },
    /// Maximum over windows.
    MaxPool {
        /// Planes: records times channels.
        planes: u64,
        /// Rows that enter.
        height: u64,
        /// Columns that enter.
        width: u64,
        /// Side of the window.
        kernel: u64,
        /// Step between windows.
        stride: u64,
    },
    /// max(0, x) on this many values.
    Relu {
        /// Values.
        elements: u64,
    },
    /// tanh on this many values.
    Tanh {
        /// Values.
        elements: u64,
    },
    /// Cross-entropy of a softmax with integer labels, averaged.
    CrossEntropy {
        /// Records of the batch.
        batch: u64,
        /// Classes.
        classes: u64,
    },
    /// One optimiser step over this many parameters in this many tensors (forward only).
    OptimizerStep {
        /// Which rule.
        rule: OptimizerRule,
        /// Parameters.
        parameters: u64,
        /// Tensors that hold them.
        tensors: u64,
    },
    /// Gradients of this many parameters from the device to the host and back (forward only).
    GradientExchange {
        /// Parameters.
        parameters: u64,
        /// Tensors that hold them.
        tensors: u64,
    },
    /// Copy of a batch from the host to the device (forward only).
    HostToDevice {
        /// Bytes.
        bytes: u64,
    },
    /// One tiny operation with its synchronisation: the launch overhead (forward only).
    Launch,
}

/// Optimiser without its constants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OptimizerRule {
    /// Stochastic gradient descent.
    Sgd,
    /// With momentum.
    Momentum,
    /// Adam.
    Adam,
}

/// Time of one collective.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TransportMeasurement {
    /// Which transport: `threads`.
    pub transport: String,
    /// Which collective.
    pub collective: Collective,
    /// Ranks that took part.
    pub ranks: u32,
    /// Bytes in each rank.
    pub bytes: u64,
    /// Time of one collective.
    pub seconds: Interval,
    /// Runs that were timed.
    pub samples: u32,
}

/// Collective operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Collective {
    /// Sum over all ranks, in all ranks.
    AllReduce,
    /// Sum over all ranks, a part of it in each.
    ReduceScatter,
    /// Parts of all ranks, in all ranks; the bytes are those of all parts.
    AllGather,
    /// From one rank to another.
    Message,
}

/// Time to prepare one batch on the host.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InputMeasurement {
    /// Values in one record.
    pub values_per_record: u64,
    /// Records in the batch.
    pub records: u64,
    /// Whether records were shifted at random.
    pub augmented: bool,
    /// Ranks that prepared a batch at the same time.
    pub ranks: u32,
    /// Time of one batch in one rank.
    pub seconds: Interval,
    /// Batches that were timed.
    pub samples: u32,
}
