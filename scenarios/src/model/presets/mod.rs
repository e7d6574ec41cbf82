//! Networks by the names people know.

mod alias;
mod images;
mod recommenders;
mod tokens;
mod transformers;

pub use alias::find_alias;

use std::num::NonZeroUsize;

use images::{efficientnet, resnet, resnet_basic, retinanet};
use transformers::{bert, gpt, llama, llama_tied, mixtral, mpt, neox, qwen3, qwen3_moe};

use super::{Cell, Model, ShapeError};

/// A named network.
#[derive(Debug, Clone, Copy)]
pub struct Preset {
    /// The name that scenarios write.
    pub name: &'static str,
    /// What it is, in a line.
    pub about: &'static str,
    /// Other names that published tables use, see [`find_alias`].
    pub aliases: &'static [&'static str],
    build: fn() -> Model,
}

impl Preset {
    /// The full description.
    #[must_use]
    pub fn model(&self) -> Model {
        (self.build)()
    }

    const fn new(name: &'static str, about: &'static str, build: fn() -> Model) -> Self {
        Self { name, about, aliases: &[], build }
    }

    const fn also(self, aliases: &'static [&'static str]) -> Self {
        Self { aliases, ..self }
    }
}

/// All presets, by family.
pub const PRESETS: &[Preset] = &[
    Preset::new("mnist-cnn", "LeNet-style network for 28×28 grey digits, 21,840 parameters", images::mnist_cnn),
    Preset::new("mnist-linear", "softmax regression on 28×28 grey digits", images::mnist_linear),
    Preset::new("mnist-mlp", "784-256-128-10 with ReLU", images::mnist_mlp),
    Preset::new("vgg16", "VGG-16 on ImageNet, 138 M parameters", images::vgg16),
    Preset::new("resnet18", "ResNet-18 on ImageNet, 11.7 M parameters", || resnet_basic([2, 2, 2, 2])),
    Preset::new("resnet34", "ResNet-34 on ImageNet, 21.8 M parameters", || resnet_basic([3, 4, 6, 3])),
    Preset::new("resnet50", "ResNet-50 v1.5 on ImageNet, 25.6 M parameters", || resnet([3, 4, 6, 3], 64, 1)),
    Preset::new("resnet101", "ResNet-101 v1.5 on ImageNet, 44.5 M parameters", || resnet([3, 4, 23, 3], 64, 1)),
    Preset::new("resnet152", "ResNet-152 v1.5 on ImageNet, 60.2 M parameters", || resnet([3, 8, 36, 3], 64, 1)),
    Preset::new("resnext50-32x4d", "ResNeXt-50 on ImageNet, 25.0 M parameters", || resnet([3, 4, 6, 3], 128, 32))
        .also(&["resnext50"]),
    Preset::new("resnext101-32x4d", "ResNeXt-101 on ImageNet, 44.2 M parameters", || resnet([3, 4, 23, 3], 128, 32))
        .also(&["resnext101"]),
    Preset::new("resnext101-32x8d", "ResNeXt-101 on ImageNet, 88.8 M parameters", || resnet([3, 4, 23, 3], 256, 32)),
    Preset::new("resnet20", "ResNet-20 on CIFAR-10, 0.27 M parameters", images::resnet20)
        .also(&["resnet20 cifar", "resnet20 cifar10"]),
    Preset::new("efficientnet-b0", "EfficientNet-B0, 224×224, 5.3 M parameters", || efficientnet(224, 10, 10)),
    Preset::new("efficientnet-b1", "EfficientNet-B1, 240×240, 7.8 M parameters", || efficientnet(240, 10, 11)),
    Preset::new("efficientnet-b2", "EfficientNet-B2, 260×260, 9.1 M parameters", || efficientnet(260, 11, 12)),
    Preset::new("efficientnet-b3", "EfficientNet-B3, 300×300, 12.2 M parameters", || efficientnet(300, 12, 14)),
    Preset::new("efficientnet-b4", "EfficientNet-B4, 380×380, 19.3 M parameters", || efficientnet(380, 14, 18)),
    Preset::new("ssd300-resnet50", "SSD300 with ResNet-50 on COCO", images::ssd300).also(&["ssd300", "ssd"]),
    Preset::new("retinanet-resnet50", "RetinaNet with ResNet-50 on COCO, 800×800", || retinanet(800, 64, 1, 91))
        .also(&["retinanet"]),
    Preset::new("retinanet-resnext50", "RetinaNet with ResNeXt-50 on OpenImages, 800×800 (MLPerf)", || {
        retinanet(800, 128, 32, 264)
    })
    .also(&["retinanet resnext50 32x4d"]),
    Preset::new("yolo-tiny", "one-stage detector in the manner of YOLOv3-tiny, 416×416", images::yolo_tiny)
        .also(&["yolov3 tiny"]),
    Preset::new("lstm-lm", "LSTM language model on Penn Treebank, 66 M parameters", || {
        tokens::language_model(Cell::Lstm)
    })
    .also(&["lstm"]),
    Preset::new("gru-lm", "GRU language model on Penn Treebank, 57 M parameters", || tokens::language_model(Cell::Gru))
        .also(&["gru"]),
    Preset::new("gnmt-v2", "LSTM encoder–decoder with attention, 161 M parameters", tokens::gnmt).also(&["gnmt"]),
    Preset::new("mf-movielens", "matrix factorisation, MovieLens-20M, 64 factors", recommenders::movielens)
        .also(&["matrix factorization movielens"]),
    Preset::new("dlrm-small", "DLRM on Criteo 1 TB, 16 GiB of tables", recommenders::dlrm_small).also(&["dlrm"]),
    Preset::new("dlrm-large", "DLRM on Criteo 1 TB, 85 GiB of tables", recommenders::dlrm_large),
    Preset::new("dlrm-dcnv2", "MLPerf's multi-hot DLRM with cross layers", recommenders::dlrm_dcnv2).also(&["dcnv2"]),
    Preset::new(
        "transformer-big",
        "big Transformer on WMT14 as a decoder of equal work",
        transformers::transformer_big,
    ),
    Preset::new("bert-base", "BERT-base with its pre-training heads, 110 M parameters", || bert(12, 768, 12, 30_522)),
    Preset::new("bert-large", "BERT-large with its pre-training heads, 336 M parameters", || {
        bert(24, 1024, 16, 30_522)
    }),
    Preset::new("gpt2", "GPT-2, 124 M parameters", || gpt(12, 768, 12, 50_257, 1024))
        .also(&["gpt2 small", "gpt2 124m"]),
    Preset::new("gpt2-medium", "GPT-2 medium, 355 M parameters", || gpt(24, 1024, 16, 50_257, 1024)),
    Preset::new("gpt2-large", "GPT-2 large, 774 M parameters", || gpt(36, 1280, 20, 50_257, 1024)),
    Preset::new("gpt2-xl", "GPT-2 XL, 1.56 B parameters", || gpt(48, 1600, 25, 50_257, 1024)).also(&["gpt2 1.5b"]),
    Preset::new("gpt3-1.3b", "GPT-3 XL, 1.3 B parameters", || gpt(24, 2048, 16, 50_257, 2048)),
    Preset::new("gpt3-6.7b", "GPT-3 6.7B", || gpt(32, 4096, 32, 50_257, 2048)),
    Preset::new("gpt3-13b", "GPT-3 13B, with 40 heads of 128", || gpt(40, 5120, 40, 50_257, 2048)),
    Preset::new("gpt3-175b", "GPT-3 175B", || gpt(96, 12_288, 96, 50_257, 2048)).also(&["gpt3", "gpt 175b"]),
    Preset::new("megatron-22b", "Megatron 22B", || gpt(48, 6144, 64, 51_200, 2048)).also(&["gpt 22b"]),
    Preset::new("mt-nlg-530b", "Megatron-Turing NLG 530B", || gpt(105, 20_480, 128, 51_200, 2048))
        .also(&["gpt 530b", "megatron 530b"]),
    Preset::new("megatron-1t", "Megatron 1T, 1008 B parameters", || gpt(128, 25_600, 160, 51_200, 2048))
        .also(&["gpt 1t"]),
    Preset::new("opt-1.3b", "OPT 1.3B", || gpt(24, 2048, 32, 50_272, 2048)),
    Preset::new("opt-6.7b", "OPT 6.7B", || gpt(32, 4096, 32, 50_272, 2048)),
    Preset::new("opt-13b", "OPT 13B", || gpt(40, 5120, 40, 50_272, 2048)),
    Preset::new("opt-30b", "OPT 30B", || gpt(48, 7168, 56, 50_272, 2048)),
    Preset::new("opt-66b", "OPT 66B", || gpt(64, 9216, 72, 50_272, 2048)),
    Preset::new("bloom-176b", "BLOOM 176B", transformers::bloom).also(&["bloom"]),
    Preset::new("gpt-j-6b", "GPT-J 6B", transformers::gpt_j).also(&["gpt j"]),
    Preset::new("gpt-neox-20b", "GPT-NeoX 20B", || neox(44, 6144, 64, 50_432)),
    Preset::new("mpt-1b", "MPT 1.3B", || mpt(24, 2048, 16)),
    Preset::new("mpt-7b", "MPT 7B, 6.65 B parameters", || mpt(32, 4096, 32)),
    Preset::new("mpt-13b", "MPT 13B", || mpt(40, 5120, 40)),
    Preset::new("mpt-30b", "MPT 30B, 29.96 B parameters", || mpt(48, 7168, 64)),
    Preset::new("mpt-70b", "MPT 70B", || mpt(80, 8192, 64)),
    Preset::new("llama-7b", "LLaMA 7B", || llama([32, 4096, 32, 32, 11_008], 32_000, 2048)),
    Preset::new("llama-13b", "LLaMA 13B", || llama([40, 5120, 40, 40, 13_824], 32_000, 2048)),
    Preset::new("llama-33b", "LLaMA 33B", || llama([60, 6656, 52, 52, 17_920], 32_000, 2048)).also(&["llama 30b"]),
    Preset::new("llama-65b", "LLaMA 65B", || llama([80, 8192, 64, 64, 22_016], 32_000, 2048)),
    Preset::new("llama2-7b", "Llama 2 7B", || llama([32, 4096, 32, 32, 11_008], 32_000, 4096)),
    Preset::new("llama2-13b", "Llama 2 13B", || llama([40, 5120, 40, 40, 13_824], 32_000, 4096)),
    Preset::new("llama2-70b", "Llama 2 70B", || llama([80, 8192, 64, 8, 28_672], 32_000, 4096)).also(&["llama 70b"]),
    Preset::new("llama3-8b", "Llama 3 and 3.1 8B", || llama([32, 4096, 32, 8, 14_336], 128_256, 8192))
        .also(&["llama 3.1 8b"]),
    Preset::new("llama3-70b", "Llama 3, 3.1 and 3.3 70B", || llama([80, 8192, 64, 8, 28_672], 128_256, 8192))
        .also(&["llama 3.1 70b", "llama 3.3 70b"]),
    Preset::new("llama3-405b", "Llama 3.1 405B", || llama([126, 16_384, 128, 8, 53_248], 128_256, 8192))
        .also(&["llama 3.1 405b"]),
    Preset::new("llama3.2-1b", "Llama 3.2 1B", || llama_tied([16, 2048, 32, 8, 8192], 128_256, 8192)),
    Preset::new("llama3.2-3b", "Llama 3.2 3B", || llama_tied([28, 3072, 24, 8, 8192], 128_256, 8192)),
    Preset::new("llama4-scout", "Llama 4 Scout without its vision part, 108 B", transformers::llama4_scout)
        .also(&["llama 4 scout 17b 16e"]),
    Preset::new("mistral-7b", "Mistral 7B", || llama([32, 4096, 32, 8, 14_336], 32_000, 8192)),
    Preset::new("mixtral-8x7b", "Mixtral 8×7B, 12.9 B active", || mixtral([32, 4096, 32, 8, 14_336], 4096)),
    Preset::new("mixtral-8x22b", "Mixtral 8×22B, 39 B active", || mixtral([56, 6144, 48, 8, 16_384], 8192)),
    Preset::new("qwen3-0.6b", "Qwen3 0.6B", || qwen3([28, 1024, 16, 8, 3072], true)),
    Preset::new("qwen3-8b", "Qwen3 8B", || qwen3([36, 4096, 32, 8, 12_288], false)),
    Preset::new("qwen3-14b", "Qwen3 14B", || qwen3([40, 5120, 40, 8, 17_408], false)),
    Preset::new("qwen3-32b", "Qwen3 32B", || qwen3([64, 5120, 64, 8, 25_600], false)),
    Preset::new("qwen3-30b-a3b", "Qwen3 30B, 3 B active", || qwen3_moe([48, 2048, 32, 4, 768])),
    Preset::new("qwen3-235b-a22b", "Qwen3 235B, 22 B active", || qwen3_moe([94, 4096, 64, 4, 1536])),
];

pub(super) fn find(name: &str) -> Result<&'static Preset, ShapeError> {
    PRESETS.iter().find(|preset| preset.name == name).ok_or_else(|| ShapeError::UnknownPreset { name: name.to_owned() })
}

const fn n(value: usize) -> NonZeroUsize {
    NonZeroUsize::new(value).expect("presets have no zero sizes")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameters(name: &str) -> u64 {
        Model::Preset(name.to_owned()).parameters().unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    #[test]
    fn every_preset_is_a_network() {
        for preset in PRESETS {
            assert!(parameters(preset.name) > 0);
            let json = serde_json::to_string(&preset.model()).expect("it is plain");
            assert_eq!(serde_json::from_str::<Model>(&json).ok(), Some(preset.model()), "{}", preset.name);
        }
    }

    /// torchvision's model pages, Hugging Face's `num_parameters`, NVIDIA's GNMT log, and for ResNet-20 its
    /// well-known re-implementation.
    #[test]
    fn parameter_counts_are_the_published_ones() {
        let check = |name: &str, expected: u64| assert_eq!(parameters(name), expected, "{name}");
        check("mnist-cnn", 21_840);
        check("mnist-linear", 7_850);
        check("mnist-mlp", 235_146);
        check("vgg16", 138_357_544);
        check("resnet18", 11_689_512);
        check("resnet34", 21_797_672);
        check("resnet50", 25_557_032);
        check("resnet101", 44_549_160);
        check("resnet152", 60_192_808);
        check("resnext50-32x4d", 25_028_904);
        check("resnext101-32x4d", 44_177_704);
        check("resnext101-32x8d", 88_791_336);
        check("resnet20", 269_722);
        check("efficientnet-b0", 5_288_548);
        check("efficientnet-b1", 7_794_184);
        check("efficientnet-b2", 9_109_994);
        check("efficientnet-b3", 12_233_232);
        check("efficientnet-b4", 19_341_616);
        // torchvision counts no batch normalisation, which it freezes: 53,120 parameters.
        check("retinanet-resnet50", 34_014_999 + 53_120);
        check("gnmt-v2", 160_671_297);
        check("bert-base", 110_106_428);
        check("bert-large", 336_226_108);
        check("gpt2", 124_439_808);
        check("gpt2-medium", 354_823_168);
        check("gpt2-large", 774_030_080);
        check("gpt2-xl", 1_557_611_200);
        check("gpt-neox-20b", 20_554_567_680);
        check("mpt-7b", 6_649_286_656);
        check("llama-7b", 6_738_415_616);
        check("llama2-70b", 68_976_648_192);
        check("llama3-8b", 8_030_261_248);
        check("llama3-70b", 70_553_706_496);
        check("llama3-405b", 405_853_388_800);
        check("llama3.2-1b", 1_235_814_400);
        check("llama3.2-3b", 3_212_749_824);
        check("mistral-7b", 7_241_732_096);
        check("mixtral-8x7b", 46_702_792_704);
        check("mixtral-8x22b", 140_620_634_112);
    }

    /// Networks that differ in what the description leaves out, or whose counts are published rounded; in billions.
    #[test]
    fn other_parameter_counts_are_close() {
        let check = |name: &str, billions: f64, tolerance: f64| {
            let found = parameters(name) as f64 / 1e9;
            assert!((found / billions - 1.0).abs() < tolerance, "{name}: {found} instead of {billions}");
        };
        check("lstm-lm", 0.066, 0.001);
        check("transformer-big", 0.210, 0.01);
        check("gpt3-13b", 12.9, 0.01);
        check("gpt3-175b", 174.6, 0.001);
        check("megatron-1t", 1008.04, 1e-4);
        check("mt-nlg-530b", 529.6, 1e-3);
        check("megatron-22b", 22.0, 0.03);
        check("opt-6.7b", 6.658_473_984, 1e-4);
        check("bloom-176b", 176.247_271_424, 1e-4);
        check("gpt-j-6b", 6.050_882_784, 1e-3);
        check("mpt-30b", 29.957_275_648, 1e-3);
        check("qwen3-8b", 8.190_735_360, 1e-4);
        check("qwen3-32b", 32.762_123_264, 1e-4);
        check("qwen3-30b-a3b", 30.532_122_624, 1e-4);
        check("qwen3-235b-a22b", 235.093_634_560, 1e-4);
        check("llama4-scout", 107.8, 0.01);
        check("dlrm-small", 15.6 * 0.25 * 1.073_741_824, 0.01);
        check("dlrm-large", 84.8 * 0.25 * 1.073_741_824, 0.01);
        check("dlrm-dcnv2", 26.1, 0.01);
    }

    #[test]
    fn active_parameters_leave_out_idle_experts() {
        let check = |name: &str, billions: f64| {
            let Ok(Model::Transformer(transformer)) = Model::Preset(name.to_owned()).resolved() else {
                panic!("{name} is a transformer")
            };
            let found = transformer.active_parameters() as f64 / 1e9;
            assert!((found / billions - 1.0).abs() < 0.02, "{name}: {found} instead of {billions}");
        };
        check("mixtral-8x7b", 12.9);
        check("mixtral-8x22b", 39.1);
        check("qwen3-30b-a3b", 3.35);
        check("qwen3-235b-a22b", 22.2);
        check("llama4-scout", 17.2);
    }
}
