//! Presets by the free-form names of published tables.

use super::{PRESETS, Preset};

/// Words that say how a network was trained or packed, not which one it is.
const QUALIFIERS: [&str; 27] = [
    "v1.5",
    "v0.1",
    "v0.2",
    "v0.3",
    "squad",
    "fine",
    "tune",
    "tuning",
    "finetune",
    "finetuning",
    "pre",
    "training",
    "pretraining",
    "mlperf",
    "lora",
    "sft",
    "hf",
    "uncased",
    "cased",
    "instruct",
    "chat",
    "imagenet",
    "wmt14",
    "wmt16",
    "torchvision",
    "nvidia",
    "meta",
];

/// The preset that a table means by a name such as `ResNet-50 v1.5`, `BERT-Large SQuAD fine-tune` or
/// `meta-llama/Llama-2-70b-hf`. Case, punctuation, brackets, an owner before `/` and words about training don't count;
/// all else must be the preset's name or one of its aliases.
#[must_use]
pub fn find_alias(name: &str) -> Option<&'static Preset> {
    let wanted = normal(name);
    if wanted.is_empty() {
        return None;
    }
    let names = |preset: &Preset| {
        std::iter::once(preset.name).chain(preset.aliases.iter().copied()).any(|n| normal(n) == wanted)
    };
    PRESETS.iter().find(|preset| names(preset))
}

/// Letters and digits in lower case, without brackets, owner and qualifiers; a dot stays between digits.
fn normal(name: &str) -> String {
    let outside = name.split('(').next().unwrap_or_default();
    let last = outside.rsplit('/').next().unwrap_or_default().to_lowercase();
    let words = last.split(|c: char| !c.is_alphanumeric() && c != '.').map(|word| word.trim_matches('.'));
    words.filter(|word| !QUALIFIERS.contains(word)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_published_tables_find_their_preset() {
        let check = |name: &str, expected: Option<&str>| {
            assert_eq!(find_alias(name).map(|preset| preset.name), expected, "{name}");
        };
        check("ResNet-50 v1.5", Some("resnet50"));
        check("resnet_50", Some("resnet50"));
        check("ResNeXt-101 32x4d", Some("resnext101-32x4d"));
        check("EfficientNet-B4", Some("efficientnet-b4"));
        check("BERT-Large SQuAD fine-tune", Some("bert-large"));
        check("BERT-Large pre-training", Some("bert-large"));
        check("google-bert/bert-base-uncased", Some("bert-base"));
        check("Llama 3.1 405B", Some("llama3-405b"));
        check("Llama 3.3 70B", Some("llama3-70b"));
        check("LLaMA 70B", Some("llama2-70b"));
        check("Llama-2-70B LoRA fine-tune", Some("llama2-70b"));
        check("meta-llama/Llama-2-7b-hf", Some("llama2-7b"));
        check("mistralai/Mixtral-8x7B-Instruct-v0.1", Some("mixtral-8x7b"));
        check("GPT-J 6B", Some("gpt-j-6b"));
        check("GPT-3-175B", Some("gpt3-175b"));
        check("GPT-1T", Some("megatron-1t"));
        check("DLRM-DCNv2 (Criteo multi-hot)", Some("dlrm-dcnv2"));
        check("DLRM large", Some("dlrm-large"));
        check("GNMT v2 (4-layer LSTM encoder, 4-layer decoder)", Some("gnmt-v2"));
        check("SSD300 ResNet-50", Some("ssd300-resnet50"));
        check("RetinaNet ResNeXt-50", Some("retinanet-resnext50"));
        check("Transformer-big (WMT14 en-de)", Some("transformer-big"));
        check("Qwen3-235B-A22B", Some("qwen3-235b-a22b"));
        check("Llama 4 Scout", Some("llama4-scout"));
        check("Llama-3-70B truncated to 12 layers", None);
        check("Mask R-CNN R50-FPN", None);
        check("", None);
        check("(ResNet-50)", None);
        check("v1.5", None);
    }

    #[test]
    fn no_two_presets_answer_to_one_name() {
        let names = PRESETS.iter().flat_map(|p| std::iter::once(p.name).chain(p.aliases.iter().copied()));
        let mut normals: Vec<String> = names.map(normal).collect();
        let count = normals.len();
        normals.sort();
        normals.dedup();
        assert_eq!(normals.len(), count);
    }
}
