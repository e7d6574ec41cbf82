//! One replica that answers requests: a network, the devices it is spread over, and its number formats.

use std::num::NonZeroU32;

use scenarios::catalog::Accelerator;
use scenarios::model::{Transformer, TransformerKind};
use scenarios::precision::Precision;

/// A network on the devices of one replica.
#[derive(Debug, Clone, PartialEq)]
pub struct Server {
    /// Network: a decoder.
    pub model: Transformer,
    /// Data sheet of the devices.
    pub device: Accelerator,
    /// Devices that share every matrix.
    pub tensor: NonZeroU32,
    /// Stages of layers.
    pub pipeline: NonZeroU32,
    /// Format of weights and of matrix products.
    pub weights: Precision,
    /// Format of the cache of keys and values.
    pub cache: Precision,
    /// Whether the tensor-parallel devices keep attention whole and share sequences instead (attention data
    /// parallelism, usual for mixtures of experts).
    pub whole_attention: bool,
}

/// Why requests cannot be answered.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Impossible {
    /// Encoders do not generate.
    #[error("an encoder generates no tokens; serving needs a decoder")]
    Encoder,
    /// Heads don't divide.
    #[error("{heads} attention heads cannot be divided among {tensor} tensor-parallel devices")]
    Heads {
        /// Attention heads.
        heads: usize,
        /// Tensor-parallel devices.
        tensor: u32,
    },
    /// Too many stages.
    #[error("{layers} layers are fewer than {stages} pipeline stages")]
    Stages {
        /// Layers.
        layers: usize,
        /// Stages.
        stages: u32,
    },
    /// A rate is not on the data sheet.
    #[error("the data sheet of {device} states no peak rate for {precision}")]
    Peak {
        /// Device.
        device: String,
        /// Number format.
        precision: Precision,
    },
    /// A size that no model or machine has.
    #[error("{what} of {value:.3e} is outside of what can be predicted")]
    Size {
        /// Which.
        what: &'static str,
        /// Its value.
        value: f64,
    },
    /// Weights alone are too large.
    #[error("weights of {weights_gib:.1} GiB a device leave no room for a cache in {memory_gib:.1} GiB")]
    Weights {
        /// Weights of one device, in GiB.
        weights_gib: f64,
        /// Memory of one device, in GiB.
        memory_gib: f64,
    },
    /// The cache cannot hold what is asked.
    #[error("{needed:.0} tokens of keys and values don't fit: the cache holds {capacity:.0}")]
    Cache {
        /// Tokens that have to be held at once.
        needed: f64,
        /// Tokens that fit.
        capacity: f64,
    },
    /// More requests than the replica can answer.
    #[error("{rate:.3} requests/s exceed the {most:.3} requests/s that the replica can answer")]
    Overload {
        /// Requests that arrive in a second.
        rate: f64,
        /// Requests that can be answered in a second.
        most: f64,
    },
    /// No request.
    #[error("there are no requests to answer")]
    NoRequests,
}

/// Largest size of a network that is predicted, in parameters: a thousand times the largest known.
const MOST_PARAMETERS: f64 = 1e16;

impl Server {
    /// Devices of the replica.
    #[must_use]
    pub fn devices(&self) -> f64 {
        f64::from(self.tensor.get()) * f64::from(self.pipeline.get())
    }

    /// Whether the network can be spread in this way, and its rates are known.
    ///
    /// # Errors
    /// The first reason why not.
    pub fn check(&self) -> Result<(), Impossible> {
        let (heads, layers) = (self.model.heads.get(), self.model.layers.get());
        let (tensor, stages) = (self.tensor.get(), self.pipeline.get());
        if self.model.kind == TransformerKind::Encoder {
            return Err(Impossible::Encoder);
        }
        let size = Dimensions::of(&self.model).parameters();
        if !(1.0..=MOST_PARAMETERS).contains(&size) {
            return Err(Impossible::Size { what: "a network", value: size });
        }
        if !self.whole_attention && !heads.is_multiple_of(tensor as usize) {
            return Err(Impossible::Heads { heads, tensor });
        }
        if layers < stages as usize {
            return Err(Impossible::Stages { layers, stages });
        }
        self.peak(self.weights)?;
        self.peak(Precision::Bf16)?;
        let sheet = [self.device.memory_bytes_per_second, self.device.peer_bytes_per_second];
        match sheet.into_iter().find(|rate| !(rate.is_finite() && *rate > 0.0)) {
            Some(value) => Err(Impossible::Size { what: "a bandwidth", value }),
            None => Ok(()),
        }
    }

    /// Peak of matrix products in FLOP/s.
    pub(super) fn peak(&self, precision: Precision) -> Result<f64, Impossible> {
        let peak = self.device.peak_flops(precision).filter(|peak| peak.is_finite() && *peak > 0.0);
        peak.ok_or_else(|| Impossible::Peak { device: self.device.name.clone(), precision })
    }

    /// Layers of the largest stage.
    pub(super) fn most_layers(&self) -> f64 {
        self.model.layers.get().div_ceil(self.pipeline.get() as usize) as f64
    }

    /// Layers of the last stage, which has the output besides.
    pub(super) fn last_layers(&self) -> f64 {
        (self.model.layers.get() / self.pipeline.get() as usize) as f64
    }

    /// Devices over which attention's matrices and heads are divided.
    pub(super) fn attention_share(&self) -> f64 {
        if self.whole_attention { 1.0 } else { f64::from(self.tensor.get()) }
    }

    /// Bytes of keys and values that one token leaves in one layer on one device that holds its sequence. Devices
    /// beyond the number of key-value heads hold copies.
    pub(super) fn cache_bytes_per_layer(&self) -> f64 {
        let heads = (self.model.kv_heads() as f64 / self.attention_share()).max(1.0);
        2.0 * heads * self.model.head_size() as f64 * value_bytes(self.cache)
    }
}

/// Bytes of a stored value; 4-bit values share a scale of one byte among 16 (NVFP4).
#[must_use]
pub const fn value_bytes(precision: Precision) -> f64 {
    match precision {
        Precision::Fp32 | Precision::Tf32 => 4.0,
        Precision::Fp16 | Precision::Bf16 => 2.0,
        Precision::Fp8 => 1.0,
        Precision::Fp4 => 0.5625,
    }
}

/// Sizes of a network in floating point, where no product overflows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Dimensions {
    pub layers: f64,
    pub hidden: f64,
    pub heads: f64,
    pub head_size: f64,
    /// Width of one expert's network.
    pub ffn: f64,
    /// Parameters of attention in one layer.
    pub attention: f64,
    /// Parameters of one expert.
    pub expert: f64,
    /// Experts that are chosen from, of which `active` are, and those that every token passes through besides.
    pub experts: f64,
    pub active: f64,
    pub shared: f64,
    /// Parameters of the embedding, and of the output matrix.
    pub vocabulary: f64,
}

impl Dimensions {
    pub(super) fn of(model: &Transformer) -> Self {
        let [hidden, heads, kv_heads, head_size, ffn] =
            [model.hidden.get(), model.heads.get(), model.kv_heads(), model.head_size(), model.ffn.get()]
                .map(|size| size as f64);
        let (experts, active, shared) =
            model.experts.map_or((1.0, 1.0, 0.0), |e| (e.count.get() as f64, e.active.get() as f64, e.shared as f64));
        Self {
            layers: model.layers.get() as f64,
            hidden,
            heads,
            head_size,
            ffn,
            attention: 2.0 * hidden * head_size * (heads + kv_heads),
            expert: model.ffn_matrices() as f64 * hidden * ffn,
            experts,
            active: active.min(experts),
            shared,
            vocabulary: model.vocabulary.get() as f64 * hidden,
        }
    }

    pub(super) fn layer(&self) -> f64 {
        self.attention + (self.experts + self.shared) * self.expert
    }

    fn parameters(&self) -> f64 {
        self.layers * self.layer() + 2.0 * self.vocabulary
    }

    /// Experts whose weights a pass over `tokens` reads: E(1 − (1 − k/E)^T) of those that are chosen from, and the
    /// shared ones.
    pub(super) fn touched(&self, tokens: f64) -> f64 {
        self.experts * (1.0 - (1.0 - self.active / self.experts).powf(tokens)) + self.shared
    }
}
