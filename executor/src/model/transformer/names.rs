//! Names of parameters in files, as the libraries that people load them with expect them.

use scenarios::model::{Positions, Transformer, TransformerKind};

use super::super::build::Layout;

/// Whose names, layouts and order of norms a transformer has: those of Hugging Face's `transformers`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// Decoders with learned positions: GPT-2, whose matrices lie as `[in, out]`.
    Gpt2,
    /// Decoders with rotary positions.
    Llama,
    /// Encoders.
    Bert,
}

/// The two ends of the chain and what belongs to them.
pub(super) struct Ends {
    pub tokens: &'static str,
    pub positions: &'static str,
    pub output: &'static str,
}

impl Style {
    pub fn of(model: &Transformer) -> Self {
        match (model.kind, model.positions) {
            (TransformerKind::Encoder, _) => Self::Bert,
            (TransformerKind::Decoder, Positions::Learned) => Self::Gpt2,
            (TransformerKind::Decoder, Positions::Rotary) => Self::Llama,
        }
    }

    /// How matrices lie in a file.
    pub const fn layout(self) -> Layout {
        match self {
            Self::Gpt2 => Layout::Same,
            Self::Llama | Self::Bert => Layout::Transposed,
        }
    }

    pub const fn ends(self) -> Ends {
        match self {
            Self::Gpt2 => Ends { tokens: "transformer.wte", positions: "transformer.wpe.weight", output: "lm_head" },
            Self::Llama => {
                Ends { tokens: "model.embed_tokens", positions: "model.embed_positions.weight", output: "lm_head" }
            }
            Self::Bert => Ends {
                tokens: "bert.embeddings.word_embeddings",
                positions: "bert.embeddings.position_embeddings.weight",
                output: "cls.predictions.decoder",
            },
        }
    }

    /// Norm `index` of 2 × `layers` + 1. Decoders norm what enters attention and feed-forward network, and the end; encoders
    /// the embedding, and what leaves attention and feed-forward network.
    pub fn norm(self, index: usize, layers: usize) -> String {
        let (layer, is_second) = (index / 2, index % 2 == 1);
        match self {
            Self::Gpt2 if layer == layers => "transformer.ln_f".to_owned(),
            Self::Gpt2 => format!("{}.ln_{}", self.layer(layer), 1 + index % 2),
            Self::Llama if layer == layers => "model.norm".to_owned(),
            Self::Llama if is_second => format!("{}.post_attention_layernorm", self.layer(layer)),
            Self::Llama => format!("{}.input_layernorm", self.layer(layer)),
            Self::Bert if index == 0 => "bert.embeddings.LayerNorm".to_owned(),
            Self::Bert if is_second => format!("{}.attention.output.LayerNorm", self.layer(layer)),
            Self::Bert => format!("{}.output.LayerNorm", self.layer(layer - 1)),
        }
    }

    /// Queries, keys, values and output of a layer's attention; the first three are one where a file joins them.
    pub fn attention(self, layer: usize, is_joined: bool) -> [String; 4] {
        let names = match self {
            Self::Gpt2 if is_joined => ["attn.c_attn", "attn.c_attn", "attn.c_attn", "attn.c_proj"],
            Self::Gpt2 => ["attn.q_attn", "attn.k_attn", "attn.v_attn", "attn.c_proj"],
            Self::Llama => ["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj"],
            Self::Bert => {
                ["attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense"]
            }
        };
        names.map(|name| format!("{}.{name}", self.layer(layer)))
    }

    /// Gate, first and second matrix of a layer's feed-forward network.
    pub fn feed_forward(self, layer: usize) -> [String; 3] {
        let names = match self {
            Self::Gpt2 => ["mlp.c_gate", "mlp.c_fc", "mlp.c_proj"],
            Self::Llama => ["mlp.gate_proj", "mlp.up_proj", "mlp.down_proj"],
            Self::Bert => ["intermediate.gate", "intermediate.dense", "output.dense"],
        };
        names.map(|name| format!("{}.{name}", self.layer(layer)))
    }

    fn layer(self, layer: usize) -> String {
        match self {
            Self::Gpt2 => format!("transformer.h.{layer}"),
            Self::Llama => format!("model.layers.{layer}"),
            Self::Bert => format!("bert.encoder.layer.{layer}"),
        }
    }
}
