//! Networks that tables of serving runs name without their dimensions.

use std::num::NonZeroUsize;

use scenarios::model::{Experts, Norm, Positions, Transformer, TransformerKind};

/// Dimensions of a network.
pub(super) struct Known {
    name: &'static str,
    layers: usize,
    hidden: usize,
    heads: usize,
    kv_heads: usize,
    head_size: usize,
    ffn: usize,
    vocabulary: usize,
    /// Experts to choose from, chosen, and shared.
    experts: (usize, usize, usize),
}

/// Mixtures of experts, from the `config.json` of their publishers: Meta's Llama-4-Scout-17B-16E, and Alibaba's
/// Qwen3-30B-A3B and Qwen3-235B-A22B.
const KNOWN: [Known; 3] = [
    Known {
        name: "Llama 4 Scout",
        layers: 48,
        hidden: 5120,
        heads: 40,
        kv_heads: 8,
        head_size: 128,
        ffn: 8192,
        vocabulary: 202_048,
        experts: (16, 1, 1),
    },
    Known {
        name: "Qwen3-30B-A3B",
        layers: 48,
        hidden: 2048,
        heads: 32,
        kv_heads: 4,
        head_size: 128,
        ffn: 768,
        vocabulary: 151_936,
        experts: (128, 8, 0),
    },
    Known {
        name: "Qwen3-235B-A22B",
        layers: 94,
        hidden: 4096,
        heads: 64,
        kv_heads: 4,
        head_size: 128,
        ffn: 1536,
        vocabulary: 151_936,
        experts: (128, 8, 0),
    },
];

/// Vocabulary of networks for which a table gives none: GPT-J's.
pub(super) const USUAL_VOCABULARY: usize = 50_400;

/// The network of a name.
pub(super) fn find(name: &str) -> Option<Transformer> {
    KNOWN.iter().find(|known| known.name == name)?.transformer()
}

impl Known {
    fn transformer(&self) -> Option<Transformer> {
        let n = NonZeroUsize::new;
        let (count, active, shared) = self.experts;
        Some(Transformer {
            kv_heads: n(self.kv_heads),
            head_size: n(self.head_size),
            experts: Some(Experts { count: n(count)?, active: n(active)?, shared }),
            ..dense(true, n(self.layers)?, n(self.hidden)?, n(self.heads)?, n(self.ffn)?, n(self.vocabulary)?)
        })
    }
}

/// A decoder without experts. LLaMA and Qwen have gates and root-mean-square norms, GPT has neither.
pub(super) const fn dense(
    gated: bool,
    layers: NonZeroUsize,
    hidden: NonZeroUsize,
    heads: NonZeroUsize,
    ffn: NonZeroUsize,
    vocabulary: NonZeroUsize,
) -> Transformer {
    Transformer {
        kind: TransformerKind::Decoder,
        layers,
        hidden,
        heads,
        kv_heads: None,
        head_size: None,
        ffn,
        gated,
        experts: None,
        vocabulary,
        sequence: hidden,
        positions: Positions::Rotary,
        norm: if gated { Norm::Rms } else { Norm::Layer },
        bias: !gated,
        tied: false,
        classes: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_those_that_the_names_say() {
        let check = |name: &str, billions: f64, active: f64| {
            let model = find(name).expect("known");
            let found = [model.parameters(), model.active_parameters()].map(|parameters| parameters as f64 / 1e9);
            assert!((found[0] / billions - 1.0).abs() < 0.02, "{name}: {found:?}");
            assert!((found[1] / active - 1.0).abs() < 0.02, "{name}: {found:?}");
        };
        check("Llama 4 Scout", 107.8, 17.2);
        check("Qwen3-30B-A3B", 30.5, 3.35);
        check("Qwen3-235B-A22B", 235.1, 22.2);
        assert_eq!(find("Qwen3-1T"), None);
    }
}
