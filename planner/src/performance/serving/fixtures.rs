//! What the tests of serving share.

use std::num::{NonZeroU32, NonZeroUsize};

use scenarios::catalog::Catalog;
use scenarios::model::{Norm, Positions, Transformer, TransformerKind};
use scenarios::precision::Precision;

use super::server::Server;

pub fn n(value: u32) -> NonZeroU32 {
    NonZeroU32::new(value).expect("not zero")
}

fn size(value: usize) -> NonZeroUsize {
    NonZeroUsize::new(value).expect("not zero")
}

/// LLaMA-2 70B.
pub fn llama_70b() -> Transformer {
    Transformer {
        kind: TransformerKind::Decoder,
        layers: size(80),
        hidden: size(8192),
        heads: size(64),
        kv_heads: Some(size(8)),
        head_size: None,
        ffn: size(28_672),
        gated: true,
        experts: None,
        vocabulary: size(128_256),
        sequence: size(8192),
        positions: Positions::Rotary,
        norm: Norm::Rms,
        bias: false,
        tied: false,
        classes: None,
    }
}

pub fn server(model: Transformer, device: &str, precision: Precision, tensor: u32, pipeline: u32) -> Server {
    let device = Catalog::bundled().find_accelerator(device).expect("a known device").clone();
    let cache = if precision == Precision::Fp16 { Precision::Fp16 } else { Precision::Fp8 };
    Server {
        model,
        device,
        tensor: n(tensor),
        pipeline: n(pipeline),
        weights: precision,
        cache,
        whole_attention: false,
    }
}
