//! What a transformer sees, and what it learns from.

use burn::tensor::{Device, Int, Tensor};
use scenarios::model::Transformer;

use super::super::super::{Pass, host};
use super::{bert, gpt, llama, n, network, texts};
use crate::data::{Inputs, Targets};
use crate::model::loss::loss;

/// Scores of each position, `vocabulary` each.
fn scores(model: &Transformer, tokens: [[i32; 6]; 1], mask: Option<[[f32; 6]; 1]>) -> Vec<Vec<f32>> {
    let device = Device::flex();
    let mask = mask.map(|mask| Tensor::from_data(mask, &device));
    let inputs = Inputs::Tokens(Tensor::<2, Int>::from_data(tokens, &device), mask);
    let output = network(model.clone(), &device).output(inputs, &Pass::plain()).single().sequence();
    assert_eq!(output.dims(), [1, 6, 8]);
    host(output).chunks(8).map(<[f32]>::to_vec).collect()
}

#[test]
fn a_decoder_sees_only_what_precedes() {
    for model in [gpt(), llama(), Transformer { tied: true, ..llama() }] {
        let before = scores(&model, [[1, 3, 5, 7, 2, 0]], None);
        let after = scores(&model, [[1, 3, 5, 6, 2, 0]], None);
        assert_eq!(before[..3], after[..3]);
        assert!((3..6).all(|position| before[position] != after[position]));
    }
}

#[test]
fn an_encoder_sees_all_but_what_is_masked() {
    let mask = Some([[1.0, 1.0, 1.0, 1.0, 0.0, 0.0]]);
    let check = |change: [[i32; 6]; 1], mask, is_seen: bool| {
        let before = scores(&bert(), [[1, 3, 5, 7, 2, 0]], mask);
        let after = scores(&bert(), change, mask);
        assert!((0..3).all(|position| (before[position] != after[position]) == is_seen), "{change:?}");
    };
    check([[1, 3, 5, 6, 2, 0]], None, true);
    check([[1, 3, 5, 6, 2, 0]], mask, true);
    check([[1, 3, 5, 7, 2, 6]], None, true);
    check([[1, 3, 5, 7, 6, 6]], mask, false);
}

#[test]
fn one_batch_is_learned_by_heart() {
    for model in [gpt(), llama(), bert(), Transformer { classes: Some(n(3)), ..bert() }] {
        let device = Device::flex().autodiff();
        let mut network = network(model.clone(), &device);
        let pass = Pass { learns: true, counts: true, ..Pass::plain() };
        let (units, mut losses) = (if model.classes.is_some() { 2.0 } else { 10.0 }, Vec::new());
        let mut optimizer = burn::optim::AdamConfig::new().init();
        for _ in 0..60 {
            let (inputs, mut targets) = texts(&device);
            if model.classes.is_some() {
                targets = Targets::Classes(Tensor::from_data([2, 0], &device));
            }
            let sum = loss(network.description(), network.output(inputs, &pass), targets, &pass).sum;
            let gradients = burn::optim::GradientsParams::from_grads(sum.backward(), &network);
            network = optimizer.step(0.01, network, gradients);
            losses.push(sum.into_scalar::<f32>() / units);
        }
        assert!(losses[0] > 0.8 && losses[59] < 0.1, "{model:?}: {losses:?}");
    }
}
