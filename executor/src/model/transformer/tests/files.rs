//! Names and shapes in files are those that Hugging Face's `transformers` writes.

use burn::tensor::Device;
use safetensors::SafeTensors;
use safetensors::tensor::View as _;
use scenarios::model::{Model, Transformer};

use super::super::super::{Description, Network, flat};
use super::{all, bert, gpt, llama, n, network};

/// Names and shapes without those of further layers.
fn check(model: &Transformer, expected: &[&str]) {
    let tensors = network(Transformer { layers: n(1), ..model.clone() }, &Device::flex()).tensors();
    let mut found: Vec<_> = tensors.iter().map(|(name, plain)| format!("{name} {:?}", plain.shape())).collect();
    let mut expected: Vec<_> = expected.iter().map(|text| (*text).to_owned()).collect();
    found.sort();
    expected.sort();
    assert_eq!(found, expected);
}

#[test]
fn gpt2() {
    check(
        &gpt(),
        &[
            "transformer.wte.weight [8, 16]",
            "transformer.wpe.weight [6, 16]",
            "transformer.h.0.ln_1.weight [16]",
            "transformer.h.0.ln_1.bias [16]",
            "transformer.h.0.attn.c_attn.weight [16, 48]",
            "transformer.h.0.attn.c_attn.bias [48]",
            "transformer.h.0.attn.c_proj.weight [16, 16]",
            "transformer.h.0.attn.c_proj.bias [16]",
            "transformer.h.0.ln_2.weight [16]",
            "transformer.h.0.ln_2.bias [16]",
            "transformer.h.0.mlp.c_fc.weight [16, 24]",
            "transformer.h.0.mlp.c_fc.bias [24]",
            "transformer.h.0.mlp.c_proj.weight [24, 16]",
            "transformer.h.0.mlp.c_proj.bias [16]",
            "transformer.ln_f.weight [16]",
            "transformer.ln_f.bias [16]",
        ],
    );
}

#[test]
fn llama2() {
    check(
        &llama(),
        &[
            "model.embed_tokens.weight [8, 16]",
            "model.layers.0.input_layernorm.weight [16]",
            "model.layers.0.self_attn.q_proj.weight [16, 16]",
            "model.layers.0.self_attn.k_proj.weight [8, 16]",
            "model.layers.0.self_attn.v_proj.weight [8, 16]",
            "model.layers.0.self_attn.o_proj.weight [16, 16]",
            "model.layers.0.post_attention_layernorm.weight [16]",
            "model.layers.0.mlp.gate_proj.weight [24, 16]",
            "model.layers.0.mlp.up_proj.weight [24, 16]",
            "model.layers.0.mlp.down_proj.weight [16, 24]",
            "model.norm.weight [16]",
            "lm_head.weight [8, 16]",
        ],
    );
}

const BERT: [&str; 23] = [
    "bert.embeddings.word_embeddings.weight [8, 16]",
    "bert.embeddings.position_embeddings.weight [6, 16]",
    "bert.embeddings.token_type_embeddings.weight [2, 16]",
    "bert.embeddings.LayerNorm.weight [16]",
    "bert.embeddings.LayerNorm.bias [16]",
    "bert.encoder.layer.0.attention.self.query.weight [16, 16]",
    "bert.encoder.layer.0.attention.self.query.bias [16]",
    "bert.encoder.layer.0.attention.self.key.weight [16, 16]",
    "bert.encoder.layer.0.attention.self.key.bias [16]",
    "bert.encoder.layer.0.attention.self.value.weight [16, 16]",
    "bert.encoder.layer.0.attention.self.value.bias [16]",
    "bert.encoder.layer.0.attention.output.dense.weight [16, 16]",
    "bert.encoder.layer.0.attention.output.dense.bias [16]",
    "bert.encoder.layer.0.attention.output.LayerNorm.weight [16]",
    "bert.encoder.layer.0.attention.output.LayerNorm.bias [16]",
    "bert.encoder.layer.0.intermediate.dense.weight [24, 16]",
    "bert.encoder.layer.0.intermediate.dense.bias [24]",
    "bert.encoder.layer.0.output.dense.weight [16, 24]",
    "bert.encoder.layer.0.output.dense.bias [16]",
    "bert.encoder.layer.0.output.LayerNorm.weight [16]",
    "bert.encoder.layer.0.output.LayerNorm.bias [16]",
    "bert.pooler.dense.weight [16, 16]",
    "bert.pooler.dense.bias [16]",
];

#[test]
fn bert_for_pre_training_and_for_classes() {
    let pre_training = [
        "cls.predictions.transform.dense.weight [16, 16]",
        "cls.predictions.transform.dense.bias [16]",
        "cls.predictions.transform.LayerNorm.weight [16]",
        "cls.predictions.transform.LayerNorm.bias [16]",
        "cls.predictions.bias [8]",
        "cls.seq_relationship.weight [2, 16]",
        "cls.seq_relationship.bias [2]",
    ];
    check(&bert(), &[&BERT[..], &pre_training[..]].concat());
    let classes = ["classifier.weight [3, 16]", "classifier.bias [3]"];
    check(&Transformer { classes: Some(n(3)), ..bert() }, &[&BERT[..], &classes[..]].concat());
}

#[test]
fn every_network_comes_back_from_a_file() {
    for model in all() {
        let written = network(model.clone(), &Device::flex());
        let bytes = safetensors::serialize(written.tensors(), None).expect("it can be written");
        let description = Description::of(&Model::Transformer(model.clone())).expect("it can be carried out");
        let other = Network::new(&description, description.whole(), 8, &Device::flex());
        assert_ne!(flat::parameters(&other), flat::parameters(&written));
        let tensors = SafeTensors::deserialize(&bytes).expect("it is valid");
        let read = other.with_tensors(&tensors).expect("it is the same network");
        assert_eq!(flat::parameters(&read), flat::parameters(&written), "{model:?}");
    }
}
