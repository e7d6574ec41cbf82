//! An independent computation, position by position in 64 bits, from a file's tensors as Hugging Face's `transformers` reads
//! them.

use std::collections::HashMap;

use burn::tensor::{Device, Int, Tensor};
use safetensors::tensor::View as _;
use scenarios::model::{Norm, Positions, Transformer, TransformerKind};

use super::super::super::Plain;
use super::super::super::{Pass, harness, host};
use super::{all, network};
use crate::data::Inputs;

type Rows = Vec<Vec<f64>>;

struct Reference {
    model: Transformer,
    tensors: HashMap<String, (Vec<usize>, Vec<f64>)>,
}

impl Reference {
    fn style(&self) -> usize {
        match (self.model.kind, self.model.positions) {
            (TransformerKind::Decoder, Positions::Learned) => 0,
            (TransformerKind::Decoder, Positions::Rotary) => 1,
            (TransformerKind::Encoder, _) => 2,
        }
    }

    fn row(&self, name: &str, row: usize) -> &[f64] {
        let (shape, values) = &self.tensors[name];
        &values[row * shape[1]..(row + 1) * shape[1]]
    }

    fn vector(&self, name: &str) -> Option<&[f64]> {
        self.tensors.get(name).map(|(_, values)| values.as_slice())
    }

    /// GPT-2 multiplies by `[in, out]`, the others by `[out, in]`; heads of classes and vocabularies always by the latter.
    fn linear(&self, name: &str, x: &Rows, is_out_in: bool) -> Rows {
        let (shape, values) = &self.tensors[&format!("{name}.weight")];
        let [inputs, outputs] = if is_out_in { [shape[1], shape[0]] } else { [shape[0], shape[1]] };
        let weight = |i: usize, o: usize| if is_out_in { values[o * inputs + i] } else { values[i * outputs + o] };
        let bias = self.vector(&format!("{name}.bias"));
        let output = |row: &Vec<f64>, o: usize| {
            (0..inputs).map(|i| row[i] * weight(i, o)).sum::<f64>() + bias.map_or(0.0, |bias| bias[o])
        };
        x.iter().map(|row| (0..outputs).map(|o| output(row, o)).collect()).collect()
    }

    fn norm(&self, name: &str, x: &Rows) -> Rows {
        let epsilon = if self.style() == 2 { 1e-12 } else { 1e-5 };
        let weight = self.vector(&format!("{name}.weight")).expect("norms have a weight");
        let bias = self.vector(&format!("{name}.bias"));
        let of_row = |row: &Vec<f64>| {
            let width = row.len() as f64;
            let mean = if self.model.norm == Norm::Layer { row.iter().sum::<f64>() / width } else { 0.0 };
            let variance = row.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / width;
            let scaled = row.iter().map(|value| (value - mean) / (variance + epsilon).sqrt());
            scaled.enumerate().map(|(i, value)| value * weight[i] + bias.map_or(0.0, |bias| bias[i])).collect()
        };
        x.iter().map(of_row).collect()
    }

    fn projections(&self, layer: usize, x: &Rows) -> [Rows; 3] {
        let names = match self.style() {
            0 if self.model.kv_heads.is_none() => {
                let joined = self.linear(&format!("transformer.h.{layer}.attn.c_attn"), x, false);
                let width = joined[0].len() / 3;
                return [0, 1, 2]
                    .map(|part| joined.iter().map(|row| row[part * width..(part + 1) * width].to_vec()).collect());
            }
            0 => ["q_attn", "k_attn", "v_attn"].map(|name| format!("transformer.h.{layer}.attn.{name}")),
            1 => ["q_proj", "k_proj", "v_proj"].map(|name| format!("model.layers.{layer}.self_attn.{name}")),
            _ => ["query", "key", "value"].map(|name| format!("bert.encoder.layer.{layer}.attention.self.{name}")),
        };
        names.map(|name| self.linear(&name, x, self.style() != 0))
    }

    /// `rotate_half` of LLaMA.
    fn turned(&self, head: &[f64], position: usize) -> Vec<f64> {
        if self.model.positions == Positions::Learned {
            return head.to_vec();
        }
        let half = head.len() / 2;
        let angle = |i: usize| position as f64 / 10_000f64.powf(2.0 * (i % half) as f64 / head.len() as f64);
        let partner = |i: usize| if i < half { -head[i + half] } else { head[i - half] };
        (0..head.len()).map(|i| head[i] * angle(i).cos() + partner(i) * angle(i).sin()).collect()
    }

    fn attention(&self, layer: usize, x: &Rows) -> Rows {
        let [q, k, v] = self.projections(layer, x);
        let (size, shared) = (self.model.head_size(), self.model.heads.get() / self.model.kv_heads());
        let mut mixed = vec![Vec::new(); x.len()];
        for head in 0..self.model.heads.get() {
            let [own, of] = [head * size..(head + 1) * size, head / shared * size..(head / shared + 1) * size];
            for (at, out) in mixed.iter_mut().enumerate() {
                let seen = if self.model.kind == TransformerKind::Decoder { at + 1 } else { x.len() };
                let query = self.turned(&q[at][own.clone()], at);
                let score = |other: usize| {
                    let key = self.turned(&k[other][of.clone()], other);
                    query.iter().zip(key).map(|(a, b)| a * b).sum::<f64>() / (size as f64).sqrt()
                };
                let powers: Vec<f64> = (0..seen).map(|other| score(other).exp()).collect();
                let sum: f64 = powers.iter().sum();
                out.extend(of.clone().map(|i| (0..seen).map(|other| powers[other] / sum * v[other][i]).sum::<f64>()));
            }
        }
        let name = match self.style() {
            0 => format!("transformer.h.{layer}.attn.c_proj"),
            1 => format!("model.layers.{layer}.self_attn.o_proj"),
            _ => format!("bert.encoder.layer.{layer}.attention.output.dense"),
        };
        self.linear(&name, &mixed, self.style() != 0)
    }

    fn feed_forward(&self, layer: usize, x: &Rows) -> Rows {
        let [gate, first, second] = match self.style() {
            0 => ["c_gate", "c_fc", "c_proj"].map(|name| format!("transformer.h.{layer}.mlp.{name}")),
            1 => ["gate_proj", "up_proj", "down_proj"].map(|name| format!("model.layers.{layer}.mlp.{name}")),
            _ => ["intermediate.gate", "intermediate.dense", "output.dense"]
                .map(|name| format!("bert.encoder.layer.{layer}.{name}")),
        };
        let is_out_in = self.style() != 0;
        let mut inner = self.linear(&first, x, is_out_in);
        if self.model.gated {
            let gates = self.linear(&gate, x, is_out_in);
            let weighted = |(value, by): (&mut f64, &f64)| *value *= by / (1.0 + (-by).exp());
            inner.iter_mut().zip(&gates).for_each(|(row, gates)| row.iter_mut().zip(gates).for_each(weighted));
        } else {
            inner.iter_mut().flatten().for_each(|value| *value = gelu(*value));
        }
        self.linear(&second, &inner, is_out_in)
    }

    fn embedded(&self, tokens: &[usize]) -> Rows {
        let [words, places] = [
            ["transformer.wte.weight", "transformer.wpe.weight"],
            ["model.embed_tokens.weight", ""],
            ["bert.embeddings.word_embeddings.weight", "bert.embeddings.position_embeddings.weight"],
        ][self.style()];
        let mut x: Rows = tokens.iter().map(|token| self.row(words, *token).to_vec()).collect();
        for (position, row) in x.iter_mut().enumerate() {
            if self.model.positions == Positions::Learned {
                add(row, self.row(places, position));
            }
            if self.style() == 2 {
                add(row, self.row("bert.embeddings.token_type_embeddings.weight", 0));
            }
        }
        x
    }

    /// Scores of the vocabulary at each position, or of classes.
    fn scores(&self, tokens: &[usize]) -> Rows {
        let mut x = self.embedded(tokens);
        let layers = 0..self.model.layers.get();
        if self.style() == 2 {
            x = self.norm("bert.embeddings.LayerNorm", &x);
            for layer in layers {
                let name = format!("bert.encoder.layer.{layer}");
                x = self.norm(&format!("{name}.attention.output.LayerNorm"), &sum(&x, &self.attention(layer, &x)));
                x = self.norm(&format!("{name}.output.LayerNorm"), &sum(&x, &self.feed_forward(layer, &x)));
            }
            return self.encoder_head(&x);
        }
        let [first, second, last] = match self.style() {
            0 => ["transformer.h.N.ln_1", "transformer.h.N.ln_2", "transformer.ln_f"],
            _ => ["model.layers.N.input_layernorm", "model.layers.N.post_attention_layernorm", "model.norm"],
        };
        for layer in layers {
            let name = |name: &str| name.replace('N', &layer.to_string());
            x = sum(&x, &self.attention(layer, &self.norm(&name(first), &x)));
            x = sum(&x, &self.feed_forward(layer, &self.norm(&name(second), &x)));
        }
        let tied = ["transformer.wte", "model.embed_tokens"][self.style()];
        self.linear(if self.model.tied { tied } else { "lm_head" }, &self.norm(last, &x), true)
    }

    fn encoder_head(&self, x: &Rows) -> Rows {
        if self.model.classes.is_some() {
            let mut pooled = self.linear("bert.pooler.dense", &vec![x[0].clone()], true);
            pooled[0].iter_mut().for_each(|value| *value = value.tanh());
            return self.linear("classifier", &pooled, true);
        }
        let mut x = self.linear("cls.predictions.transform.dense", x, true);
        x.iter_mut().flatten().for_each(|value| *value = gelu(*value));
        let x = self.norm("cls.predictions.transform.LayerNorm", &x);
        let tied = "bert.embeddings.word_embeddings";
        let mut scores = self.linear(if self.model.tied { tied } else { "cls.predictions.decoder" }, &x, true);
        let bias = self.vector("cls.predictions.bias").expect("it has one");
        for row in &mut scores {
            add(row, bias);
        }
        scores
    }
}

fn add(row: &mut [f64], other: &[f64]) {
    row.iter_mut().zip(other).for_each(|(value, other)| *value += other);
}

fn sum(x: &Rows, y: &Rows) -> Rows {
    x.iter().zip(y).map(|(x, y)| x.iter().zip(y).map(|(x, y)| x + y).collect()).collect()
}

/// x·Φ(x), with Φ by Simpson's rule.
fn gelu(x: f64) -> f64 {
    let density = |t: f64| (-t * t / 2.0).exp() / std::f64::consts::TAU.sqrt();
    let (steps, width) = (200, x / 200.0);
    let weight = |i: usize| {
        if i == 0 || i == steps {
            1.0
        } else if i % 2 == 1 {
            4.0
        } else {
            2.0
        }
    };
    let area: f64 = (0..=steps).map(|i| weight(i) * density(i as f64 * width)).sum();
    x * (0.5 + area * width / 3.0)
}

#[test]
fn every_network_gives_what_an_independent_computation_gives() {
    let tokens = [1u8, 3, 5, 7, 2, 0];
    for model in all() {
        let device = Device::flex();
        // Larger values than at the start, so that every part matters.
        let network =
            harness::changed(network(model.clone(), &device), |i, value| 8.0 * value + 0.05 * (i as f32).sin());
        let tensor = |(name, plain): (String, Plain)| {
            let bytes = plain.data();
            let (words, _) = bytes.as_chunks::<4>();
            let values = words.iter().map(|word| f64::from(f32::from_le_bytes(*word))).collect();
            (name, (plain.shape().to_vec(), values))
        };
        let tensors = network.tensors().into_iter().map(tensor).collect();
        let expected: Vec<f64> = Reference { model: model.clone(), tensors }.scores(&tokens.map(usize::from)).concat();
        let inputs = Inputs::Tokens(Tensor::<1, Int>::from_data(tokens.map(i32::from), &device).unsqueeze(), None);
        let found = host(network.output(inputs, &Pass::plain()).single().flat());
        assert_eq!(found.len(), expected.len());
        for (found, expected) in found.iter().zip(&expected) {
            assert!(
                (f64::from(*found) - expected).abs() < 2e-4 * (1.0 + expected.abs()),
                "{model:?}: {found} {expected}"
            );
        }
    }
}
