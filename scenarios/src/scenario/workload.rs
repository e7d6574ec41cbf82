//! What is to be run.

use std::num::{NonZeroU32, NonZeroUsize};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::Model;
use crate::units::Seconds;

/// A job with its place in time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Workload {
    /// What it does.
    pub job: Job,
    /// Workloads that must have ended before this one starts.
    #[serde(default)]
    pub after: Vec<String>,
    /// Earliest start, counted from the start of the period.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub earliest_start: Option<Seconds>,
    /// Latest end, counted from the start of the period.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<Seconds>,
    /// Sites where it may run; by default all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sites: Vec<String>,
    /// Parallel strategies to consider.
    #[serde(default, skip_serializing_if = "Strategies::is_default")]
    pub strategies: Strategies,
}

/// Kind of a job with what it needs.
#[expect(clippy::large_enum_variant, reason = "a scenario has few jobs, most of them trainings")]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Job {
    /// Trains a network; produces its weights at the site where it ran.
    Train(Training),
    /// Measures the network that another workload trained.
    Evaluate(Evaluation),
}

impl Job {
    /// The job's kind as scenarios write it.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Train(_) => "train",
            Self::Evaluate(_) => "evaluate",
        }
    }

    /// The data set that it reads.
    #[must_use]
    pub fn data(&self) -> &str {
        match self {
            Self::Train(training) => &training.data,
            Self::Evaluate(evaluation) => &evaluation.data,
        }
    }
}

/// Training of a network from random weights.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Training {
    /// The network.
    pub model: Model,
    /// Data set to learn from.
    pub data: String,
    /// How the data is prepared.
    #[serde(default)]
    pub preprocessing: Preprocessing,
    /// Passes over the training data.
    pub epochs: NonZeroU32,
    /// Records of one optimiser step, over all ranks.
    pub global_batch: NonZeroUsize,
    /// The optimiser.
    pub optimizer: Optimizer,
    /// Number format of the arithmetic.
    #[serde(default)]
    pub precision: Precision,
}

/// Evaluation of a trained network on the test records.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Evaluation {
    /// The `train` workload whose weights are evaluated; it is waited for.
    pub weights_of: String,
    /// Data set whose test records are used.
    pub data: String,
    /// Test records.
    pub records: u64,
    /// Records of one forward pass.
    #[serde(default = "default_evaluation_batch")]
    pub batch: NonZeroUsize,
}

/// Preparation of records.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Preprocessing {
    /// Pixel values are first scaled to 0..1, then (x − mean) / deviation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub normalize: Option<[f32; 2]>,
    /// Random changes of the training records.
    pub augmentation: Augmentation,
    /// Shares of the training records that are held back.
    pub split: Split,
}

/// Random changes of training images, drawn anew each epoch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Augmentation {
    /// Largest shift in pixels, in each direction; what enters is black.
    pub shift: u32,
}

/// Shares of the training files that are held back from training, drawn by the seed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Split {
    /// For validation after each epoch, 0..1.
    pub validation: f64,
    /// For the test set, 0..1; 0 where the data set has test files of its own.
    pub test: f64,
}

/// Optimiser with its constants.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Optimizer {
    /// θ ← θ − lr·g
    Sgd(Sgd),
    /// v ← μ·v + g; θ ← θ − lr·v (Polyak; PyTorch's convention, no dampening)
    Momentum(Momentum),
    /// Adam (Kingma and Ba, 2015), with bias correction.
    Adam(Adam),
}

/// Stochastic gradient descent.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sgd {
    /// Learning rate.
    pub learning_rate: f64,
}

/// Gradient descent with momentum.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Momentum {
    /// Learning rate.
    pub learning_rate: f64,
    /// Momentum μ, 0..1.
    pub momentum: f64,
}

/// Adam.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Adam {
    /// Learning rate.
    pub learning_rate: f64,
    /// Decay of the first moment.
    #[serde(default = "default_beta_1")]
    pub beta_1: f64,
    /// Decay of the second moment.
    #[serde(default = "default_beta_2")]
    pub beta_2: f64,
    /// Added to the denominator.
    #[serde(default = "default_epsilon")]
    pub epsilon: f64,
}

/// Number format of the arithmetic.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Precision {
    /// 32-bit floating point.
    #[default]
    Fp32,
}

/// Strategies that the planner may choose from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Strategies {
    /// Numbers of data-parallel replicas; the global batch must be divisible by each. By default those of 1, 2, 4 and 8
    /// that divide it.
    #[serde(default = "default_data")]
    pub data: Vec<NonZeroU32>,
}

impl Strategies {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl Default for Strategies {
    fn default() -> Self {
        Self { data: default_data() }
    }
}

fn default_data() -> Vec<NonZeroU32> {
    [1, 2, 4, 8].into_iter().filter_map(NonZeroU32::new).collect()
}

fn default_evaluation_batch() -> NonZeroUsize {
    NonZeroUsize::new(1000).expect("not zero")
}

fn default_beta_1() -> f64 {
    0.9
}

fn default_beta_2() -> f64 {
    0.999
}

fn default_epsilon() -> f64 {
    1e-8
}
