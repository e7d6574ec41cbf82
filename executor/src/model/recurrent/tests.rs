//! Recurrent networks beside loops over single numbers.

use std::collections::HashMap;
use std::num::NonZeroUsize;

use burn::tensor::{Device, Int, Tensor};
use safetensors::tensor::View as _;
use scenarios::model::{Cell, Decoder, Model, Rnn};

use super::super::harness::{self, assert_equal, texts};
use super::super::{Description, Network, Pass, host};
use crate::data::Inputs;

fn n(value: usize) -> NonZeroUsize {
    NonZeroUsize::new(value).expect("not zero")
}

fn tiny(cell: Cell) -> Rnn {
    Rnn {
        cell,
        layers: n(2),
        hidden: n(5),
        embedding: Some(n(4)),
        bidirectional: 0,
        vocabulary: n(8),
        sequence: n(6),
        decoder: None,
        tied: false,
    }
}

fn all() -> Vec<Rnn> {
    let of_cell = |cell| {
        [
            tiny(cell),
            Rnn { bidirectional: 1, layers: n(3), ..tiny(cell) },
            Rnn { bidirectional: 2, ..tiny(cell) },
            Rnn { embedding: None, tied: true, ..tiny(cell) },
            Rnn { embedding: Some(n(10)), bidirectional: 2, tied: true, ..tiny(cell) },
        ]
    };
    [Cell::Lstm, Cell::Gru].into_iter().flat_map(of_cell).collect()
}

fn network(model: Rnn) -> Network {
    let description = Description::of(&Model::Rnn(model)).expect("it can be carried out");
    Network::new(&description, description.whole(), 7, &Device::flex())
}

#[test]
fn parameters_are_those_of_the_description() {
    for model in all() {
        let expected = model.parameters().expect("it is a network");
        assert_eq!(network(model.clone()).size() as u64, expected, "{model:?}");
    }
}

#[test]
fn an_encoder_and_decoder_is_refused() {
    let decoder = Some(Decoder { layers: n(1), sequence: n(3) });
    let error = Description::of(&Model::Rnn(Rnn { decoder, ..tiny(Cell::Lstm) })).expect_err("it has a decoder");
    assert_eq!(error.to_string(), "`decoder` can be planned, but not carried out");
}

/// Weights by the names and layouts of PyTorch's `nn.LSTM` and `nn.GRU`, and the formulas of its documentation.
struct Reference {
    model: Rnn,
    tensors: HashMap<String, (Vec<usize>, Vec<f64>)>,
}

impl Reference {
    /// W·x + b
    fn product(&self, weight: &str, bias: &str, x: &[f64]) -> Vec<f64> {
        let (_, values) = &self.tensors[weight];
        let rows = values.chunks(x.len());
        let dot = |(row, bias): (&[f64], &f64)| row.iter().zip(x).map(|(w, x)| w * x).sum::<f64>() + bias;
        rows.zip(&self.tensors[bias].1).map(dot).collect()
    }

    fn direction(&self, suffix: &str, inputs: &[Vec<f64>]) -> Vec<Vec<f64>> {
        let size = self.model.hidden.get();
        let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
        let (mut h, mut c) = (vec![0.0; size], vec![0.0; size]);
        let mut outputs = Vec::new();
        for x in inputs {
            let of_x = self.product(&format!("rnn.weight_ih_{suffix}"), &format!("rnn.bias_ih_{suffix}"), x);
            let of_h = self.product(&format!("rnn.weight_hh_{suffix}"), &format!("rnn.bias_hh_{suffix}"), &h);
            for j in 0..size {
                let gate = |k: usize| of_x[k * size + j] + of_h[k * size + j];
                match self.model.cell {
                    Cell::Lstm => {
                        c[j] = sigmoid(gate(1)) * c[j] + sigmoid(gate(0)) * gate(2).tanh();
                        h[j] = sigmoid(gate(3)) * c[j].tanh();
                    }
                    Cell::Gru => {
                        let (r, z) = (sigmoid(gate(0)), sigmoid(gate(1)));
                        let new = (of_x[2 * size + j] + r * of_h[2 * size + j]).tanh();
                        h[j] = (1.0 - z) * new + z * h[j];
                    }
                }
            }
            outputs.push(h.clone());
        }
        outputs
    }

    fn scores(&self, tokens: &[usize]) -> Vec<f64> {
        let (shape, rows) = &self.tensors["encoder.weight"];
        let row = |token: &usize| rows[token * shape[1]..(token + 1) * shape[1]].to_vec();
        let mut x: Vec<Vec<f64>> = tokens.iter().map(row).collect();
        for layer in 0..self.model.layers.get() {
            let mut states = self.direction(&format!("l{layer}"), &x);
            if layer < self.model.bidirectional {
                x.reverse();
                let mut back = self.direction(&format!("l{layer}_reverse"), &x);
                back.reverse();
                states.iter_mut().zip(back).for_each(|(state, back)| state.extend(back));
            }
            x = states;
        }
        let matrix = if self.model.tied { "encoder.weight" } else { "decoder.weight" };
        x.iter().flat_map(|x| self.product(matrix, "decoder.bias", x)).collect()
    }
}

#[test]
fn every_network_gives_what_loops_give() {
    let tokens = [1u8, 3, 5, 7, 2];
    for model in all() {
        let network = network(model.clone());
        let tensor = |(name, plain): (String, super::super::Plain)| {
            let bytes = plain.data();
            let (words, _) = bytes.as_chunks::<4>();
            let values = words.iter().map(|word| f64::from(f32::from_le_bytes(*word))).collect();
            (name, (plain.shape().to_vec(), values))
        };
        let tensors = network.tensors().into_iter().map(tensor).collect();
        let expected = Reference { model: model.clone(), tensors }.scores(&tokens.map(usize::from));
        let tokens = Tensor::<1, Int>::from_data(tokens.map(i32::from), &Device::flex());
        let output = network.output(Inputs::Tokens(tokens.unsqueeze(), None), &Pass::plain());
        let found = host(output.single().flat());
        assert_eq!(found.len(), expected.len());
        for (found, expected) in found.iter().zip(&expected) {
            assert!((f64::from(*found) - expected).abs() < 1e-6, "{model:?}: {found} {expected}");
        }
    }
}

#[test]
fn ranks_that_share_the_vocabulary_compute_what_one_does() {
    for model in all() {
        let model = Model::Rnn(model);
        for ranks in [1, 2, 4] {
            let (found, expected) = (harness::shared(&model, ranks, texts), harness::whole(&model, texts));
            assert_equal(&found, &expected, &format!("{ranks} ranks of {model:?}"));
        }
    }
}
