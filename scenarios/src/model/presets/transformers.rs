//! Transformers.

use super::n;
use crate::model::{Experts, Model, Norm, Positions, Transformer, TransformerKind};

/// Layers, width, heads, heads of keys and values, width of the feed-forward network.
pub(super) type Sizes = [usize; 5];

fn decoder([layers, hidden, heads, kv_heads, ffn]: Sizes, vocabulary: usize, sequence: usize) -> Transformer {
    Transformer {
        kind: TransformerKind::Decoder,
        layers: n(layers),
        hidden: n(hidden),
        heads: n(heads),
        kv_heads: if kv_heads == heads { None } else { Some(n(kv_heads)) },
        head_size: None,
        ffn: n(ffn),
        gated: true,
        experts: None,
        vocabulary: n(vocabulary),
        sequence: n(sequence),
        positions: Positions::Rotary,
        norm: Norm::Rms,
        bias: false,
        tied: false,
        classes: None,
    }
}

/// LLaMA, Mistral: gated feed-forward network, rotary positions, no biases.
pub(super) fn llama(sizes: Sizes, vocabulary: usize, sequence: usize) -> Model {
    Model::Transformer(decoder(sizes, vocabulary, sequence))
}

/// LLaMA whose output uses the embedding's matrix.
pub(super) fn llama_tied(sizes: Sizes, vocabulary: usize, sequence: usize) -> Model {
    Model::Transformer(Transformer { tied: true, ..decoder(sizes, vocabulary, sequence) })
}

/// Qwen3: as LLaMA, with heads of 128. The norms of queries and keys (256 parameters a layer) are not described.
pub(super) fn qwen3(sizes: Sizes, tied: bool) -> Model {
    Model::Transformer(Transformer { head_size: Some(n(128)), tied, ..decoder(sizes, 151_936, 4096) })
}

/// Qwen3 with 128 experts, of which a token passes through 8.
pub(super) fn qwen3_moe(sizes: Sizes) -> Model {
    let experts = Some(Experts { count: n(128), active: n(8), shared: 0 });
    Model::Transformer(Transformer { head_size: Some(n(128)), experts, ..decoder(sizes, 151_936, 4096) })
}

/// Mixtral: as Mistral, with 8 experts, of which a token passes through 2.
pub(super) fn mixtral(sizes: Sizes, sequence: usize) -> Model {
    let experts = Some(Experts { count: n(8), active: n(2), shared: 0 });
    Model::Transformer(Transformer { experts, ..decoder(sizes, 32_000, sequence) })
}

/// Llama 4 Scout: 16 experts, of which a token passes through 1, and one that all tokens pass through.
pub(super) fn llama4_scout() -> Model {
    let experts = Some(Experts { count: n(16), active: n(1), shared: 1 });
    let sizes = [48, 5120, 40, 8, 8192];
    Model::Transformer(Transformer { head_size: Some(n(128)), experts, ..decoder(sizes, 202_048, 8192) })
}

/// Layers with biases and a plain feed-forward network of four times the width.
fn plain(layers: usize, hidden: usize, heads: usize, vocabulary: usize, sequence: usize) -> Transformer {
    let sizes = [layers, hidden, heads, heads, 4 * hidden];
    Transformer { gated: false, norm: Norm::Layer, bias: true, ..decoder(sizes, vocabulary, sequence) }
}

/// GPT-2, GPT-3, OPT, Megatron: learned positions, output tied to the embedding.
pub(super) fn gpt(layers: usize, hidden: usize, heads: usize, vocabulary: usize, sequence: usize) -> Model {
    let plain = plain(layers, hidden, heads, vocabulary, sequence);
    Model::Transformer(Transformer { positions: Positions::Learned, tied: true, ..plain })
}

/// GPT-NeoX: as GPT, with rotary positions and an output of its own.
pub(super) fn neox(layers: usize, hidden: usize, heads: usize, vocabulary: usize) -> Model {
    Model::Transformer(plain(layers, hidden, heads, vocabulary, 2048))
}

/// GPT-J: attention beside the feed-forward network. It has one norm a layer and no biases in attention, so the
/// description counts 0.01 % too many parameters.
pub(super) fn gpt_j() -> Model {
    neox(28, 4096, 16, 50_400)
}

/// BLOOM: as GPT, with ALiBi in place of positions. The norm after its embedding is not described.
pub(super) fn bloom() -> Model {
    Model::Transformer(Transformer { tied: true, ..plain(70, 14_336, 112, 250_880, 2048) })
}

/// MPT: ALiBi, no biases in layers or norms, output tied to the embedding.
pub(super) fn mpt(layers: usize, hidden: usize, heads: usize) -> Model {
    let sizes = [layers, hidden, heads, heads, 4 * hidden];
    Model::Transformer(Transformer { gated: false, tied: true, ..decoder(sizes, 50_432, 2048) })
}

/// BERT, as it is pre-trained: with pooler and both heads.
pub(super) fn bert(layers: usize, hidden: usize, heads: usize, vocabulary: usize) -> Model {
    let positions = Positions::Learned;
    let plain = plain(layers, hidden, heads, vocabulary, 512);
    Model::Transformer(Transformer { kind: TransformerKind::Encoder, positions, tied: true, ..plain })
}

/// The big Transformer (arXiv 1706.03762) as a decoder of equal work: 6 layers of 12h² parameters over the source and
/// 6 of 16h² over the target make 14 layers of 12h² for each target token, if both sides are of one length.
pub(super) fn transformer_big() -> Model {
    Model::Transformer(Transformer { tied: true, ..plain(14, 1024, 16, 33_712, 32) })
}
