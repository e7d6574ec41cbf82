//! A training to predict, and why one cannot be.

use scenarios::model::{Model, Transformer};
use scenarios::precision::Precision;
use scenarios::strategy::{Schedule, Strategy};

use super::Cluster;

/// One training on one cluster.
#[derive(Debug, Clone, PartialEq)]
pub struct Training {
    /// The network.
    pub model: Model,
    /// How it is spread.
    pub strategy: Strategy,
    /// Records of one optimiser step over all replicas.
    pub global_batch: u64,
    /// Number format.
    pub precision: Precision,
    /// Bytes that the optimiser keeps for each parameter besides parameter and gradient.
    pub optimizer_bytes: f64,
    /// Whether attention is one kernel that writes no scores to memory.
    pub fused_attention: bool,
    /// Whether only small adapters learn (LoRA).
    pub frozen: bool,
    /// Machines.
    pub cluster: Cluster,
}

/// Why a training is impossible or cannot be predicted.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Impossible {
    /// Ranks and devices differ.
    #[error("{strategy} needs {ranks} devices, but there are {devices}")]
    Devices {
        /// The strategy as text.
        strategy: String,
        /// Ranks.
        ranks: u32,
        /// Devices.
        devices: u32,
    },
    /// One count is no multiple of another.
    #[error("{what} {of} cannot be divided by {by_what} {by}")]
    Indivisible {
        /// What is divided.
        what: &'static str,
        /// How many.
        of: u64,
        /// What divides.
        by_what: &'static str,
        /// How many.
        by: u64,
    },
    /// Fewer layers than stages.
    #[error("{layers} layers cannot be cut into {stages} stages")]
    Stages {
        /// Layers.
        layers: u64,
        /// Stages times chunks.
        stages: u64,
    },
    /// Only transformers can be cut in this way.
    #[error("a {family} can be trained in data parallel only")]
    DataOnly {
        /// Family of the network.
        family: &'static str,
    },
    /// The data sheet lacks a rate.
    #[error("the data sheet of {device} states no peak in {precision}")]
    NoPeak {
        /// Device.
        device: String,
        /// Format.
        precision: Precision,
    },
    /// A size is zero or beyond any machine.
    #[error("{what} is {value}, outside {least} to {most}")]
    Size {
        /// What.
        what: &'static str,
        /// Given.
        value: u64,
        /// Smallest.
        least: u64,
        /// Largest.
        most: u64,
    },
    /// The network is no network.
    #[error("{0}")]
    Model(String),
}

impl Impossible {
    /// The smallest change that helps.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        match self {
            Self::Devices { devices, .. } => {
                Some(format!("data × tensor × pipeline × context must be {devices}; or change the number of nodes"))
            }
            Self::Indivisible { of, by, .. } => {
                let fits: Vec<String> =
                    (1..=(*by).min(4096)).filter(|n| of.is_multiple_of(*n)).map(|n| n.to_string()).collect();
                let last = fits.len().saturating_sub(4);
                (!fits.is_empty()).then(|| format!("{of} can be divided by {}", fits[last..].join(", ")))
            }
            Self::Stages { layers, .. } => Some(format!("use at most {layers} stages times chunks")),
            Self::DataOnly { .. } => Some("use `data:N` alone".to_owned()),
            Self::NoPeak { .. } => Some("choose another precision or device".to_owned()),
            Self::Size { .. } | Self::Model(_) => None,
        }
    }
}

/// Largest count of anything, so that no product of sizes overflows.
const MOST: u64 = 1 << 40;

impl Training {
    /// Micro-batches of one step in each replica.
    #[must_use]
    pub fn micro_batches(&self) -> u64 {
        self.per_replica() / self.micro_batch()
    }

    /// Records of one micro-batch in a replica.
    #[must_use]
    pub fn micro_batch(&self) -> u64 {
        let whole = if self.strategy.pipeline.get() > 1 { 1 } else { self.per_replica() };
        self.strategy.micro_batch.map_or(whole, |micro| u64::from(micro.get())).max(1)
    }

    fn per_replica(&self) -> u64 {
        self.global_batch / u64::from(self.strategy.data.get())
    }

    /// The network where it is a transformer.
    #[must_use]
    pub fn transformer(&self) -> Option<&Transformer> {
        match &self.model {
            Model::Transformer(transformer) => Some(transformer),
            _ => None,
        }
    }

    /// Checks what no strategy can mend: sizes, and the rates of the device.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn check_sizes(&self) -> Result<(), Impossible> {
        size("the global batch", self.global_batch, MOST)?;
        if self.cluster.peak(self.precision).is_none() {
            return Err(Impossible::NoPeak { device: self.cluster.device.clone(), precision: self.precision });
        }
        let Some(model) = self.transformer() else { return Ok(()) };
        size("the sequence", model.sequence.get() as u64, MOST)?;
        size("the hidden width", model.hidden.get() as u64, 1 << 24)?;
        size("the feed-forward width", model.ffn.get() as u64, 1 << 26)?;
        size("the vocabulary", model.vocabulary.get() as u64, 1 << 30)?;
        size("layers", model.layers.get() as u64, 1 << 20)
    }

    /// Checks that the strategy can be carried out.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn check(&self) -> Result<(), Impossible> {
        let s = &self.strategy;
        self.check_sizes()?;
        let (ranks, devices) = (s.ranks(), self.cluster.devices());
        if ranks != devices {
            return Err(Impossible::Devices { strategy: s.to_string(), ranks, devices });
        }
        let data = u64::from(s.data.get());
        divisible("the global batch", self.global_batch, "the data-parallel ranks", data)?;
        divisible("the batch of a replica", self.per_replica(), "the micro-batch", self.micro_batch())?;
        divisible("data-parallel ranks", data, "the expert-parallel ranks", u64::from(s.expert.get()))?;
        if let Some(shard) = s.shard {
            divisible("data-parallel ranks", data, "the ranks of a shard group", u64::from(shard.get()))?;
        }
        match self.transformer() {
            Some(transformer) => self.check_transformer(transformer),
            None if s.tensor.get() > 1 || s.pipeline.get() > 1 || s.context.get() > 1 => {
                Err(Impossible::DataOnly { family: self.model.family() })
            }
            None => Ok(()),
        }
    }

    fn check_transformer(&self, model: &Transformer) -> Result<(), Impossible> {
        let s = &self.strategy;
        let (tensor, stages) = (u64::from(s.tensor.get()), u64::from(s.pipeline.get()));
        divisible("heads", model.heads.get() as u64, "the tensor-parallel ranks", tensor)?;
        divisible("the feed-forward width", model.ffn.get() as u64, "the tensor-parallel ranks", tensor)?;
        let context = u64::from(s.context.get());
        divisible("the sequence", model.sequence.get() as u64, "the context-parallel ranks", context)?;
        if let Some(experts) = model.experts {
            divisible("experts", experts.count.get() as u64, "the expert-parallel ranks", u64::from(s.expert.get()))?;
        }
        let pieces = stages * u64::from(s.schedule.chunks());
        let layers = model.layers.get() as u64;
        if pieces > layers + 2 {
            return Err(Impossible::Stages { layers, stages: pieces });
        }
        if matches!(s.schedule, Schedule::Interleaved { .. }) && stages > 1 {
            divisible("micro-batches", self.micro_batches(), "the stages of an interleaved schedule", stages)?;
        }
        Ok(())
    }
}

fn divisible(what: &'static str, of: u64, by_what: &'static str, by: u64) -> Result<(), Impossible> {
    if of >= by && of.is_multiple_of(by) { Ok(()) } else { Err(Impossible::Indivisible { what, of, by_what, by }) }
}

fn size(what: &'static str, value: u64, most: u64) -> Result<(), Impossible> {
    if (1..=most).contains(&value) { Ok(()) } else { Err(Impossible::Size { what, value, least: 1, most }) }
}

impl Training {
    /// Tokens of one record, both sides of a translation; 1 for networks that read no sequences.
    #[must_use]
    pub fn tokens_per_record(&self) -> f64 {
        match &self.model {
            Model::Transformer(transformer) => transformer.sequence.get() as f64,
            Model::Rnn(network) => {
                let read = network.sequence.get();
                (read + network.decoder.map_or(0, |decoder| decoder.sequence.get())) as f64
            }
            _ => 1.0,
        }
    }

    /// Floating-point operations of one step as papers count them: three passes over every matrix, and over all pairs of
    /// tokens in attention; a fourth over the layers where they are `recomputed`.
    ///
    /// For GPT: 72·B·s·L·h²(1 + s/(6h) + V/(12Lh)), recomputed 96·B·s·L·h²(1 + s/(6h) + V/(16Lh)) (Narayanan et al. 2021).
    ///
    /// # Errors
    /// The network is no transformer.
    pub fn flops(&self, recomputed: bool) -> Result<f64, String> {
        let model = self.transformer().ok_or("FLOP/s are only converted for transformers")?;
        let [layers, hidden, ffn, tokens, vocabulary] =
            [model.layers, model.hidden, model.ffn, model.sequence, model.vocabulary].map(|n| n.get() as f64);
        let head = model.head_size() as f64;
        let (queries, keys) = (model.heads.get() as f64 * head, model.kv_heads() as f64 * head);
        let matrices = (model.ffn_matrices() * model.active_experts()) as f64 * hidden * ffn;
        let layer = 2.0 * (2.0 * hidden * (queries + keys) + matrices) + 4.0 * tokens * queries;
        let passes = if recomputed { 4.0 } else { 3.0 };
        Ok(self.global_batch as f64 * tokens * (passes * layers * layer + 6.0 * hidden * vocabulary))
    }
}
