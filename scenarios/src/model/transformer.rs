//! Transformers: encoders as BERT, decoders as GPT, LLaMA and Mixtral.

use std::num::NonZeroUsize;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A transformer of equal layers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Transformer {
    /// Whether a token sees what follows it.
    pub kind: TransformerKind,
    /// Layers.
    pub layers: NonZeroUsize,
    /// Width of the residual stream, h.
    pub hidden: NonZeroUsize,
    /// Attention heads, a.
    pub heads: NonZeroUsize,
    /// Heads of keys and values in grouped-query attention; by default as many as `heads`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kv_heads: Option<NonZeroUsize>,
    /// Width of one head; by default hidden / heads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head_size: Option<NonZeroUsize>,
    /// Width of the feed-forward network, f (of one expert, where there are several).
    pub ffn: NonZeroUsize,
    /// Whether the feed-forward network has a gate (SwiGLU: three matrices instead of two).
    #[serde(default)]
    pub gated: bool,
    /// Mixture of experts in place of one feed-forward network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub experts: Option<Experts>,
    /// Entries of the vocabulary.
    pub vocabulary: NonZeroUsize,
    /// Tokens of one sequence.
    pub sequence: NonZeroUsize,
    /// How tokens know their place.
    #[serde(default)]
    pub positions: Positions,
    /// Normalisation.
    #[serde(default)]
    pub norm: Norm,
    /// Whether linear layers have biases.
    #[serde(default)]
    pub bias: bool,
    /// Whether the output uses the embedding's matrix.
    #[serde(default)]
    pub tied: bool,
    /// Classes that an encoder tells apart, in place of its heads for masked tokens and next sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub classes: Option<NonZeroUsize>,
}

/// Whether a token sees what follows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TransformerKind {
    /// Each token sees all: BERT, with segments, pooler and heads for masked tokens and next sentence.
    Encoder,
    /// Each token sees itself and what precedes it: GPT, LLaMA.
    Decoder,
}

/// A mixture of experts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Experts {
    /// Experts of each layer.
    pub count: NonZeroUsize,
    /// Experts that a token passes through.
    pub active: NonZeroUsize,
    /// Experts that every token passes through besides.
    #[serde(default)]
    pub shared: usize,
}

/// How tokens know their place.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Positions {
    /// Rotation of queries and keys; no parameters.
    #[default]
    Rotary,
    /// One vector a position.
    Learned,
}

/// Normalisation of a layer's input.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Norm {
    /// Root mean square: one vector.
    #[default]
    Rms,
    /// Mean and deviation: two vectors.
    Layer,
}

impl Transformer {
    /// Heads of keys and values.
    #[must_use]
    pub fn kv_heads(&self) -> usize {
        self.kv_heads.unwrap_or(self.heads).get()
    }

    /// Sizes that ranks of a tensor group share evenly, by name.
    #[must_use]
    pub fn shared_sizes(&self) -> [(&'static str, usize); 3] {
        [("heads", self.heads.get()), ("kv_heads", self.kv_heads()), ("ffn", self.ffn.get())]
    }

    /// Width of one head.
    #[must_use]
    pub fn head_size(&self) -> usize {
        self.head_size.map_or(self.hidden.get() / self.heads, NonZeroUsize::get)
    }

    /// Matrices of the feed-forward network: 3 with a gate, else 2.
    #[must_use]
    pub const fn ffn_matrices(&self) -> usize {
        if self.gated { 3 } else { 2 }
    }

    /// Experts of each layer, shared ones included; 1 without a mixture.
    #[must_use]
    pub fn expert_count(&self) -> usize {
        self.experts.map_or(1, |experts| experts.count.get() + experts.shared)
    }

    /// Experts that a token passes through; 1 without a mixture.
    #[must_use]
    pub fn active_experts(&self) -> usize {
        self.experts.map_or(1, |experts| experts.active.get() + experts.shared)
    }

    /// Parameters of attention in one layer: h·a·d for queries and output, h·k·d for keys and values.
    #[must_use]
    pub fn attention_parameters(&self) -> u64 {
        let [h, a, k, d] = [self.hidden.get(), self.heads.get(), self.kv_heads(), self.head_size()].map(|n| n as u64);
        let bias = if self.bias { (a + 2 * k) * d + h } else { 0 };
        2 * h * (a + k) * d + bias
    }

    /// Parameters of one feed-forward network, or of one expert.
    #[must_use]
    pub fn ffn_parameters(&self) -> u64 {
        let [h, f, matrices] = [self.hidden.get(), self.ffn.get(), self.ffn_matrices()].map(|n| n as u64);
        let bias = if self.bias { (matrices - 1) * f + h } else { 0 };
        matrices * h * f + bias
    }

    /// Parameters of one layer: attention, all experts with their router, two norms.
    #[must_use]
    pub fn layer_parameters(&self) -> u64 {
        let router = self.experts.map_or(0, |experts| (self.hidden.get() * experts.count.get()) as u64);
        self.attention_parameters()
            + self.expert_count() as u64 * self.ffn_parameters()
            + router
            + 2 * self.norm_parameters()
    }

    /// Parameters of one norm.
    #[must_use]
    pub fn norm_parameters(&self) -> u64 {
        let vectors = match self.norm {
            Norm::Rms => 1,
            Norm::Layer => 2,
        };
        vectors * self.hidden.get() as u64
    }

    /// Parameters before the first layer: tokens, places, and an encoder's segments and norm.
    #[must_use]
    pub fn embedding_parameters(&self) -> u64 {
        let [h, v, s] = [self.hidden.get(), self.vocabulary.get(), self.sequence.get()].map(|n| n as u64);
        let positions = match self.positions {
            Positions::Rotary => 0,
            Positions::Learned => s * h,
        };
        let encoder = match self.kind {
            TransformerKind::Encoder => 2 * h + self.norm_parameters(),
            TransformerKind::Decoder => 0,
        };
        v * h + positions + encoder
    }

    /// Parameters after the last layer: a decoder's norm and output matrix; an encoder's pooler, transform of
    /// masked tokens with its norm and output bias, and next-sentence head, as BERT is pre-trained; or its pooler and a
    /// matrix and bias of classes, as it is fine-tuned.
    #[must_use]
    pub fn head_parameters(&self) -> u64 {
        let [h, v] = [self.hidden.get(), self.vocabulary.get()].map(|n| n as u64);
        let output = if self.tied { 0 } else { v * h };
        match (self.kind, self.classes) {
            (TransformerKind::Decoder, _) => output + self.norm_parameters(),
            (TransformerKind::Encoder, None) => output + 2 * (h * h + h) + self.norm_parameters() + v + 2 * h + 2,
            (TransformerKind::Encoder, Some(classes)) => h * h + h + (h + 1) * classes.get() as u64,
        }
    }

    /// All trainable parameters.
    #[must_use]
    pub fn parameters(&self) -> u64 {
        self.embedding_parameters() + self.layers.get() as u64 * self.layer_parameters() + self.head_parameters()
    }

    /// Parameters that one token passes through: of the experts only those that it reaches.
    #[must_use]
    pub fn active_parameters(&self) -> u64 {
        let idle = self.expert_count() - self.active_experts();
        self.parameters() - self.layers.get() as u64 * idle as u64 * self.ffn_parameters()
    }
}
