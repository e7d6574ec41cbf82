//! Small networks of every family, with a scenario and the strategies that each can take.

use serde_json::{Value, json};

use crate::samples::Sample;

/// A network to predict and to run.
#[derive(Debug, Clone)]
pub struct Family {
    /// Name.
    pub name: &'static str,
    /// Its description as scenarios write it.
    pub model: Value,
    /// What it learns from.
    pub sample: Sample,
    /// Records of a step.
    pub global_batch: u32,
    /// Optimiser as scenarios write it.
    pub optimizer: Value,
    /// Strategies as text, besides training on one device.
    pub strategies: Vec<&'static str>,
}

/// Strategies that every family takes.
const ALL: [&str; 5] = ["data:2", "data:2,zero:1", "data:2,servers:1", "data:2,average_every:4", "recompute:full"];

/// Every family. None of the networks is one that calibration measures.
#[must_use]
pub fn families() -> Vec<Family> {
    let momentum = json!({ "momentum": { "learning_rate": 0.01, "momentum": 0.9 } });
    let adam = json!({ "adam": { "learning_rate": 0.001 } });
    let of = |name, model, sample, global_batch, optimizer: &Value, more: &[&'static str]| Family {
        name,
        model,
        sample,
        global_batch,
        optimizer: optimizer.clone(),
        strategies: ALL.iter().chain(more).copied().collect(),
    };
    let cut = ["pipeline:2,micro_batch:8"];
    let both = ["pipeline:2,micro_batch:4", "tensor:2"];
    let words = ["pipeline:2,micro_batch:8", "tensor:2"];
    let items = ["pipeline:2,micro_batch:64"];
    vec![
        of("mlp", json!({ "preset": "mnist-mlp" }), Sample::Digits, 128, &momentum, &["pipeline:2,micro_batch:32"]),
        of("cnn", json!({ "preset": "mnist-cnn" }), Sample::Digits, 100, &momentum, &["pipeline:2,micro_batch:25"]),
        of("residual", residual(), Sample::Photos, 32, &momentum, &cut),
        of("lstm", recurrent("lstm"), Sample::Text, 32, &adam, &words),
        of("gru", recurrent("gru"), Sample::Text, 32, &adam, &words),
        of("gpt", gpt(), Sample::Text, 12, &adam, &["pipeline:2,micro_batch:3", "tensor:2"]),
        of("llama", llama(), Sample::Text, 16, &adam, &both),
        of("bert", bert(), Sample::Documents, 16, &adam, &both),
        of("factors", factors(), Sample::Ratings, 512, &adam, &[]),
        of("dlrm", dlrm(), Sample::Clicks, 256, &momentum, &items),
        of("detector", detector(), Sample::Boxes, 16, &momentum, &["pipeline:2,micro_batch:4"]),
    ]
}

fn residual() -> Value {
    let stage = |channels: u32, stride: u32| json!({ "block": { "basic": { "shortcut": "padding" } }, "count": 2, "channels": channels, "stride": stride });
    json!({ "block_cnn": {
        "image": { "channels": 3, "height": 32, "width": 32 }, "stem": { "channels": 16, "kernel": 3 },
        "stages": [stage(16, 1), stage(32, 2)], "head": { "classes": 10 }
    } })
}

fn recurrent(cell: &str) -> Value {
    json!({ "rnn": { "cell": cell, "layers": 2, "hidden": 128, "vocabulary": 64, "sequence": 32 } })
}

/// The well-known small recipe for characters: 4 layers, 4 heads, width 128, 64 characters at once.
fn gpt() -> Value {
    json!({ "transformer": {
        "kind": "decoder", "layers": 4, "hidden": 128, "heads": 4, "ffn": 512, "vocabulary": 64, "sequence": 64,
        "positions": "learned", "norm": "layer", "bias": true, "tied": true
    } })
}

fn llama() -> Value {
    json!({ "transformer": {
        "kind": "decoder", "layers": 3, "hidden": 128, "heads": 4, "kv_heads": 2, "ffn": 344, "gated": true,
        "vocabulary": 64, "sequence": 64
    } })
}

fn bert() -> Value {
    json!({ "transformer": {
        "kind": "encoder", "layers": 3, "hidden": 128, "heads": 4, "ffn": 512, "vocabulary": 64, "sequence": 48,
        "positions": "learned", "norm": "layer", "bias": true, "tied": true, "classes": 4
    } })
}

fn factors() -> Value {
    json!({ "matrix_factorization": { "users": 2000, "items": 1200, "factors": 16, "biases": true } })
}

fn dlrm() -> Value {
    json!({ "dlrm": {
        "dense_inputs": 13, "width": 16, "tables": [{ "count": 6, "rows": 1000 }], "bottom": [64, 16], "top": [64, 1]
    } })
}

fn detector() -> Value {
    let stage = |channels: u32| json!({ "block": "pooled", "count": 1, "channels": channels, "stride": 2 });
    json!({ "detector": {
        "image": { "channels": 3, "height": 48, "width": 48 },
        "stem": { "channels": 12, "kernel": 3, "stride": 2 }, "stages": [stage(24), stage(40)],
        "neck": { "stages": 2 }, "heads": { "anchors": [3, 3], "classes": 4, "kernel": 3, "depth": 1 }
    } })
}

impl Family {
    /// A scenario that trains it on the machine of a profile.
    #[must_use]
    pub fn scenario(&self, epochs: u32) -> Value {
        json!({
            "format": "causeway.scenario/1", "name": self.name, "horizon": "30 d",
            "sites": { "here": { "kind": "private", "country": "DE", "pools": { "machine": {
                "machine": { "profile": "machine.json" }, "nodes": 1,
                "purchase": { "owned": { "price": "1 USD/h" } }
            } } } },
            "datasets": { "data": {
                "class": "public", "at": ["here"], "size": "1 MB", "records": self.sample.records(),
                "files": self.sample.files()
            } },
            "workloads": { "train": { "job": { "train": {
                "model": self.model, "data": "data", "epochs": epochs, "global_batch": self.global_batch,
                "optimizer": self.optimizer
            } } } }
        })
    }
}
