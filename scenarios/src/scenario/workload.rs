//! What is to be run.

use std::num::{NonZeroU32, NonZeroUsize};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::Model;
use crate::precision::Precision;
use crate::strategy::{Recompute, Strategy, Zero};
use crate::units::{Bytes, Frequency, Seconds};

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
    /// Throughputs that were measured; each is believed instead of a prediction.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub measured: Vec<MeasuredRate>,
}

/// A throughput that was measured for a workload.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MeasuredRate {
    /// Instance type, or pool for a machine that has no type.
    pub machine: String,
    /// Nodes of the job, or of one replica of a service.
    #[serde(default = "one")]
    pub nodes: NonZeroU32,
    /// How it was spread; by default one rank on each device, data-parallel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strategy: Option<Strategy>,
    /// Records in a second, for all jobs but a service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub throughput: Option<Frequency>,
    /// Requests in a second that one replica answers within the service's targets, if all are of one size.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub requests: Vec<BucketRate>,
}

/// Most requests of one size that a replica answers.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BucketRate {
    /// Tokens of a request, as the service's demand has them.
    pub input: u32,
    /// Tokens of the answer.
    pub output: u32,
    /// Requests in a second.
    pub rate: Frequency,
}

/// Kind of a job with what it needs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Job {
    /// Trains a network; produces its weights at the site where it ran.
    Train(Training),
    /// Trains a network from weights that exist.
    FineTune(Training),
    /// Turns a data set into another one, on processors; produces features at the site where it ran.
    Preprocess(Preparation),
    /// Measures the network that another workload trained.
    Evaluate(Evaluation),
    /// Applies a network to every record of a data set.
    BatchInference(BatchInference),
    /// Answers requests for as long as the workload's time lasts.
    Serve(Service),
}

impl Job {
    /// The job's kind as scenarios write it.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Train(_) => "train",
            Self::FineTune(_) => "fine_tune",
            Self::Preprocess(_) => "preprocess",
            Self::Evaluate(_) => "evaluate",
            Self::BatchInference(_) => "batch_inference",
            Self::Serve(_) => "serve",
        }
    }

    /// The training, of a job that trains.
    #[must_use]
    pub const fn training(&self) -> Option<&Training> {
        match self {
            Self::Train(training) | Self::FineTune(training) => Some(training),
            _ => None,
        }
    }

    /// The workload whose weights the job reads, or a data set that holds weights.
    #[must_use]
    pub fn weights_of(&self) -> Option<&str> {
        match self {
            Self::Train(training) | Self::FineTune(training) => training.weights_of.as_deref(),
            Self::Preprocess(_) => None,
            Self::Evaluate(evaluation) => Some(&evaluation.weights_of),
            Self::BatchInference(inference) => inference.weights_of.as_deref(),
            Self::Serve(service) => service.weights_of.as_deref(),
        }
    }

    /// Data sets whose rules hold for the requests of a service.
    pub fn requested(&self) -> impl Iterator<Item = &str> {
        let demand = match self {
            Self::Serve(service) => service.demand.as_slice(),
            _ => &[],
        };
        demand.iter().filter_map(|demand| demand.data.as_deref())
    }

    /// The data set that it reads, or the preparation whose features it reads; a service reads none.
    #[must_use]
    pub fn data(&self) -> Option<&str> {
        match self {
            Self::Train(training) | Self::FineTune(training) => Some(&training.data),
            Self::Preprocess(preparation) => Some(&preparation.data),
            Self::Evaluate(evaluation) => Some(&evaluation.data),
            Self::BatchInference(inference) => Some(&inference.data),
            Self::Serve(_) => None,
        }
    }
}

/// Training of a network, from random weights or (`fine_tune`) from some that exist.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Training {
    /// The network.
    pub model: Model,
    /// For `fine_tune`: the workload whose weights it starts from, or a data set that holds them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weights_of: Option<String>,
    /// For `fine_tune`: whether layers whose size the weights do not have begin anew, such as a head for other classes.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub new_head: bool,
    /// Whether only small adapters learn, and the weights stay as they are (LoRA).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub adapters: bool,
    /// Data set to learn from, or the `preprocess` workload that makes it.
    pub data: String,
    /// How the data is prepared.
    #[serde(default)]
    pub preprocessing: Preprocessing,
    /// Passes over the training data; the amount of work is given by this, by `samples` or by `tokens`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epochs: Option<NonZeroU32>,
    /// Records to learn from, over all passes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub samples: Option<u64>,
    /// Tokens to learn from, over all passes; a record has as many as the network's sequence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens: Option<u64>,
    /// Steps between two validations, at each of which a checkpoint is kept; by default those of a pass over the data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validate_every: Option<NonZeroU32>,
    /// Records of one optimiser step, over all ranks.
    pub global_batch: NonZeroUsize,
    /// The optimiser.
    pub optimizer: Optimizer,
    /// How the learning rate changes from step to step.
    #[serde(default, skip_serializing_if = "is_default")]
    pub rate: Rate,
    /// Largest length of the gradient over all parameters; a longer one is made this long.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clip_norm: Option<f64>,
    /// What is made of the mean of replicas that average (DiLoCo); by default it is taken as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outer: Option<Outer>,
    /// Number format of the arithmetic.
    #[serde(default)]
    pub precision: Precision,
}

/// How the learning rate changes from step to step.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Rate {
    /// It stays.
    #[default]
    Constant,
    /// It is multiplied by a factor every so many steps.
    Step(StepRate),
    /// It rises evenly for some steps, then falls along half a cosine to a share of itself at the last step.
    Cosine(CosineRate),
}

/// A learning rate that falls in steps.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StepRate {
    /// Steps between two changes.
    pub every: NonZeroU32,
    /// What it is multiplied by, above 0.
    pub factor: f64,
}

/// A learning rate that falls along half a cosine (Loshchilov and Hutter, 2017).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CosineRate {
    /// Steps in which it rises.
    #[serde(default)]
    pub warm_up: u32,
    /// Share of it that is left at the last step, 0..1.
    #[serde(default)]
    pub floor: f64,
}

/// Descent along the difference between the parameters at the last mean and the new mean, with Nesterov's momentum
/// (Douillard et al., 2023).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Outer {
    /// Learning rate, such as 0.7; 1 without momentum takes the mean as it is.
    pub learning_rate: f64,
    /// Momentum, 0..1, such as 0.9.
    #[serde(default)]
    pub momentum: f64,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// Preparation of a data set on processors: cleaning, decoding, tokenising.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Preparation {
    /// Data set that it reads.
    pub data: String,
    /// Records to prepare; by default all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub records: Option<u64>,
    /// Records that one core prepares in a second.
    pub per_core: Frequency,
    /// Size of what it makes.
    pub output: Bytes,
}

/// Application of a network to every record of a data set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BatchInference {
    /// The network, unless it is that of `weights_of`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<Model>,
    /// The workload whose weights are used, or a data set that holds them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weights_of: Option<String>,
    /// Data set that it reads, or the `preprocess` workload that makes it.
    pub data: String,
    /// Records; by default all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub records: Option<u64>,
    /// Records of one forward pass on one device.
    #[serde(default = "default_inference_batch")]
    pub batch: NonZeroUsize,
    /// Tokens that a decoder generates for each record; 0 for one forward pass.
    #[serde(default)]
    pub output_tokens: u32,
    /// Size of what it makes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<Bytes>,
    /// Number format of the arithmetic.
    #[serde(default)]
    pub precision: Precision,
}

/// Answering of requests, from the workload's earliest start to its deadline or the end of the period.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Service {
    /// The network, unless it is that of `weights_of`; a decoder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<Model>,
    /// The workload whose weights are used, or a data set that holds them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weights_of: Option<String>,
    /// Number format of weights and of matrix products.
    #[serde(default)]
    pub precision: Precision,
    /// Who asks how much.
    pub demand: Vec<Demand>,
    /// What answers have to keep.
    #[serde(default)]
    pub targets: ServiceTargets,
    /// Largest share of a replica's capacity that is planned with, above 0 to 1.
    #[serde(default = "whole")]
    pub utilization: f64,
}

/// Requests of users at one place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Demand {
    /// Site of the users; by default they are near every site.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Data set whose rules hold for requests and answers; by default they are public.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<String>,
    /// Requests by size.
    pub requests: Vec<RequestBucket>,
}

/// Requests of about one size.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RequestBucket {
    /// How many.
    pub rate: Frequency,
    /// Tokens of a request.
    pub input: u32,
    /// Tokens of the answer.
    pub output: u32,
}

/// What the answers of a service have to keep, on average; the network to the users counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ServiceTargets {
    /// Longest time to the first token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_token: Option<Seconds>,
    /// Longest time for each further token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per_token: Option<Seconds>,
    /// Longest time for the whole answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency: Option<Seconds>,
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

/// Random changes of training records, drawn anew each epoch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Augmentation {
    /// Largest shift of an image in pixels, in each direction; what enters is black. It is the same as to pad the image
    /// with black and to crop it at a random place.
    pub shift: u32,
    /// Pixels by which an image is padded with its own mirror image on each side, before it is cropped to its size at a
    /// random place.
    #[serde(skip_serializing_if = "is_zero")]
    pub crop: u32,
    /// Whether every other image, by chance, is mirrored from left to right.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub flip: bool,
    /// Deviation of normal noise that is added to numbers and to pixels, after they are normalised.
    #[serde(skip_serializing_if = "is_nothing")]
    pub noise: f32,
    /// Share of the tokens that an encoder has to find, where it learns without classes; by default 0.15. Of these, 80 %
    /// are masked, 10 % are replaced by others and 10 % stay (Devlin et al., 2019, 3.1).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mask: Option<f32>,
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

impl Optimizer {
    /// Learning rate before it changes from step to step.
    #[must_use]
    pub const fn learning_rate(&self) -> f64 {
        match self {
            Self::Sgd(sgd) => sgd.learning_rate,
            Self::Momentum(momentum) => momentum.learning_rate,
            Self::Adam(adam) => adam.learning_rate,
        }
    }
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

/// Adam; with weight decay it is AdamW.
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
    /// Share of a parameter that each step takes off it, times the learning rate (AdamW, Loshchilov and Hutter, 2019).
    #[serde(default, skip_serializing_if = "is_default")]
    pub weight_decay: f64,
}

/// Strategies that the planner may choose from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Strategies {
    /// Numbers of data-parallel replicas; the global batch must be divisible by each. By default all that divide it and
    /// that the machines allow; 1, 2, 4 and 8 on a measured machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Vec<NonZeroU32>>,
    /// Numbers of tensor-parallel ranks; by default all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tensor: Option<Vec<NonZeroU32>>,
    /// Numbers of pipeline stages; by default all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pipeline: Option<Vec<NonZeroU32>>,
    /// Stages of ZeRO; by default all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zero: Option<Vec<Zero>>,
    /// Kinds of recomputation; by default all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recompute: Option<Vec<Recompute>>,
    /// Whether machines of several pools and sites may share the job.
    #[serde(default)]
    pub mixed: Mixed,
}

/// Which machines may share a job.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mixed {
    /// Machines of one pool.
    #[default]
    OnePool,
    /// Machines of several pools of one site; faster ones take more records.
    OneSite,
    /// Machines of several sites: replicas at each site train on the data there, and take the mean of their parameters
    /// now and then.
    Sites {
        /// Steps between two means.
        average_every: NonZeroU32,
    },
}

impl Strategies {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// For serde, which gives a reference.
#[expect(clippy::trivially_copy_pass_by_ref)]
const fn is_zero(value: &u32) -> bool {
    *value == 0
}

/// For serde, which gives a reference.
#[expect(clippy::trivially_copy_pass_by_ref)]
fn is_nothing(value: &f32) -> bool {
    *value == 0.0
}

fn one() -> NonZeroU32 {
    NonZeroU32::MIN
}

fn whole() -> f64 {
    1.0
}

fn default_inference_batch() -> NonZeroUsize {
    NonZeroUsize::new(64).expect("not zero")
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
