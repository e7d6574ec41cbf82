//! What tables leave unsaid, filled in by rules.

use std::num::{NonZeroU32, NonZeroUsize};

use scenarios::model::{Model, Norm, Positions, Preset, Transformer, TransformerKind, find_alias};
use scenarios::precision::Precision;
use scenarios::strategy::{Recompute, Schedule, Zero};

/// The number that follows `key` in a text.
pub(super) fn number_after(text: &str, key: &str) -> Option<u32> {
    let after = &text[text.find(key)? + key.len()..];
    let digits = after.trim_start().split(|c: char| !c.is_ascii_digit()).next()?;
    digits.parse().ok()
}

/// Letters and digits of a name in lower case.
pub(super) fn plain(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

/// Number format; none stated is 16 bits on devices with matrix units.
pub(super) fn precision(text: &str) -> Option<Precision> {
    let text = plain(text);
    Some(match text.as_str() {
        "" | "amp" | "ampfp16" | "fp16" | "mixed" => Precision::Fp16,
        "fp32" => Precision::Fp32,
        "tf32" => Precision::Tf32,
        "bf16" | "ampbf16" => Precision::Bf16,
        _ if text.contains("fp4") => Precision::Fp4,
        _ if text.contains("fp8") || text.contains("float8") => Precision::Fp8,
        _ => return None,
    })
}

/// Sharding of states: the stage and the ranks of a shard group.
pub(super) fn zero(text: &str) -> Option<(Zero, Option<NonZeroU32>)> {
    let lower = text.to_ascii_lowercase();
    let shard = number_after(&lower, "(size ").and_then(NonZeroU32::new);
    let stage = match lower.as_str() {
        "" | "none" | "ddp" => Zero::Replicated,
        _ if lower.contains("shard_grad_op") || lower.contains("zero-2") => Zero::Gradients,
        _ if lower.contains("fsdp") || lower.contains("full_shard") || lower.contains("zero-3") => Zero::Parameters,
        _ if lower.contains("zero-1") || lower.contains("distributed optimizer") => Zero::Optimizer,
        _ => return None,
    };
    Some((stage, shard))
}

/// What is computed again; `None` where the table is silent.
pub(super) fn recompute(text: &str) -> Result<Option<Recompute>, String> {
    match text.to_ascii_lowercase().as_str() {
        "" => Ok(None),
        "none" => Ok(Some(Recompute::None)),
        "full" => Ok(Some(Recompute::Full)),
        other if other.starts_with("selective") => Ok(Some(Recompute::Selective)),
        _ => Err(format!("unknown recomputation `{text}`")),
    }
}

/// Chunks of layers in a stage, from notes such as `VP=4`, `pipeline interleaving 3` or `5 layers per virtual stage`.
pub(super) fn schedule(notes: &str, layers: u32, stages: u32) -> Schedule {
    let virtual_stages = || {
        let at = notes.find(" layers per virtual")?;
        let each: u32 = notes[..at].rsplit(|c: char| !c.is_ascii_digit()).next()?.parse().ok()?;
        layers.checked_div(stages * each)
    };
    let stated = number_after(notes, "VP=").or_else(|| number_after(notes, "pipeline interleaving"));
    match stated.or_else(virtual_stages).and_then(NonZeroU32::new) {
        Some(chunks) if chunks.get() > 1 && stages > 1 => Schedule::Interleaved { chunks },
        _ => Schedule::OneForwardOneBackward,
    }
}

/// Dimensions of a transformer as a table gives them; 0 is not given.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Dimensions {
    pub layers: usize,
    pub hidden: usize,
    pub heads: usize,
    pub kv_heads: usize,
    pub ffn: usize,
    pub vocabulary: usize,
    pub sequence: usize,
}

/// A transformer of the stated dimensions. A preset of the same name supplies what is missing; else the feed-forward
/// width is 4h, the vocabulary Megatron's 51,200 entries.
/// LLaMA, Mistral, Mixtral and Qwen have gates and root-mean-square norms, BERT looks both ways.
pub(super) fn transformer(name: &str, given: Dimensions, notes: &str) -> Option<Transformer> {
    let known = match find_alias(name).map(Preset::model) {
        Some(Model::Transformer(known)) if given.hidden == 0 || given.hidden == known.hidden.get() => Some(known),
        _ => None,
    };
    // SQuAD is fine-tuned on 384 tokens; BERT's Wikipedia fills half of 512, which unpadded runs leave out.
    let squad = name.contains("SQuAD").then_some(384).or(notes.contains("unpadded").then_some(256));
    let pick = |given: usize, squad: Option<usize>, known: Option<usize>, usual: usize| {
        NonZeroUsize::new(if given > 0 { given } else { squad.or(known).unwrap_or(usual) })
    };
    let of = |size: fn(&Transformer) -> usize| known.as_ref().map(size);
    let hidden = pick(given.hidden, None, of(|k| k.hidden.get()), 0)?;
    let heads = pick(given.heads, None, of(|k| k.heads.get()), (hidden.get() / 64).max(1))?;
    let lower = plain(name);
    let is_gated = ["llama", "mistral", "mixtral", "qwen"].iter().any(|family| lower.contains(family));
    let is_encoder = lower.contains("bert");
    Some(Transformer {
        kind: if is_encoder { TransformerKind::Encoder } else { TransformerKind::Decoder },
        layers: pick(given.layers, None, of(|k| k.layers.get()), 0)?,
        hidden,
        heads,
        kv_heads: pick(given.kv_heads, None, of(Transformer::kv_heads), heads.get()),
        head_size: known.as_ref().and_then(|known| known.head_size),
        ffn: pick(given.ffn, None, of(|k| k.ffn.get()), 4 * hidden.get())?,
        gated: is_gated,
        experts: known.as_ref().and_then(|known| known.experts),
        vocabulary: pick(given.vocabulary, None, of(|k| k.vocabulary.get()), 51_200)?,
        sequence: pick(given.sequence, squad, of(|k| k.sequence.get()), usual_sequence(&lower))?,
        positions: if is_gated { Positions::Rotary } else { Positions::Learned },
        norm: if is_gated { Norm::Rms } else { Norm::Layer },
        bias: !is_gated,
        tied: !is_gated,
        classes: None,
    })
}

/// GPT-2 and BERT's contemporaries read 1,024 tokens, LLaMA 3 is trained on 8,192, others on 2,048.
fn usual_sequence(name: &str) -> usize {
    match name {
        _ if name.contains("gpt2") => 1024,
        _ if name.contains("llama3") => 8192,
        _ => 2048,
    }
}

/// One direction of a node's network in bytes per second, from texts such as `RoCE 1600 Gb/s node-node`,
/// `8x ConnectX-7 IB NDR 400Gb/s` or `RDMA 400 Gb/s per GPU`. Adapters for storage and management don't count.
pub(super) fn network(text: &str, devices: u32) -> Option<f64> {
    let lower = text.to_ascii_lowercase();
    let parts = lower.split([';', ',']).filter(|part| !part.contains("storage") && !part.contains("management"));
    let rates = parts.filter_map(|part| {
        let at = ["gb/s", "gbps", "gb/sec", "gbe"].iter().filter_map(|unit| part.find(unit)).min()?;
        if part.contains("nvlink") || part.contains("pcie") {
            return None;
        }
        let number = part[..at].trim_end().rsplit(|c: char| !c.is_ascii_digit()).next()?;
        let rate: f64 = number.parse().ok()?;
        let count = part.split_whitespace().find_map(|word| word.strip_suffix('x')?.parse::<f64>().ok());
        let count = if part.contains("per gpu") { Some(f64::from(devices)) } else { count };
        Some(rate * count.unwrap_or(1.0))
    });
    rates.reduce(f64::max).map(|gbit| gbit * 1e9 / 8.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_of_published_tables_are_understood() {
        let check = |text: &str, gbit: Option<f64>| {
            assert_eq!(network(text, 8).map(|rate| rate * 8.0 / 1e9), gbit, "{text}");
        };
        check("", None);
        check("DGX A100", None);
        check("config: inter-node 800 Gb/s, intra-node 150 GB/s", Some(800.0));
        check("RoCE 1600 Gb/s node-node", Some(1600.0));
        check("NVLink intra; RDMA 400 Gb/s per GPU", Some(3200.0));
        check("NVLINK Gen5 1800 GB/s + NVSWITCH Gen5; 4x ConnectX-7 IB NDR 400Gb/s", Some(1600.0));
        check("NVLINK Gen4 900 GB/s + NVSWITCH Gen3", None);
    }

    #[test]
    fn notes_tell_the_schedule() {
        let check = |notes: &str, chunks: u32| assert_eq!(schedule(notes, 80, 8).chunks(), chunks, "{notes}");
        check("CP=1 VP=4; recompute", 4);
        check("VP=n/a", 1);
        check("full recompute; pipeline interleaving 3", 3);
        check("interleaved schedule, 5 layers per virtual stage", 2);
        check("", 1);
    }
}
