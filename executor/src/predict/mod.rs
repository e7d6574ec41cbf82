//! What a trained network says of records of which nothing is known.

mod said;

pub use said::{Named, Names, Said};

use burn::tensor::activation::softmax;
use burn::tensor::{Device, Tensor};

use crate::data::{HostBatch, HostInputs, HostTargets};
use crate::evaluate::{self, Answer};
use crate::model::detector::{Detection, Limits, detect};
use crate::model::{Description, Network, Pass, host};

/// What a network says of a record.
#[derive(Debug, Clone, PartialEq)]
pub enum Prediction {
    /// Classes, the likeliest first.
    Classes(Vec<Likely>),
    /// Numbers.
    Numbers(Vec<f32>),
    /// Probability of a click.
    Click(f32),
    /// Objects in an image, best first.
    Objects(Vec<Detection>),
    /// Tokens in the place of each one that was hidden, the likeliest first.
    Hidden(Vec<Vec<Likely>>),
    /// How likely a text is.
    Text {
        /// Mean cross-entropy of a token after those before it, in nats.
        loss: f64,
        /// Tokens that were looked at.
        tokens: f64,
    },
}

/// A class or token that is likely.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Likely {
    /// Its number.
    pub number: usize,
    /// Its probability.
    pub probability: f32,
}

/// How much is told.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Told {
    /// Classes or tokens of each place, at most.
    pub top: usize,
    /// Least score of an object.
    pub score: f32,
}

/// What a network says of the records of a batch. Where tokens count ([`HostTargets::Tokens`]), an encoder fills them in and
/// any other network tells how likely they are.
#[must_use]
pub fn predict(network: &Network, batch: HostBatch, told: Told, device: &Device) -> Vec<Prediction> {
    let parts = batch.split(evaluate::at_once(network.description()));
    parts.into_iter().flat_map(|part| of_part(network, part, told, device)).collect()
}

fn of_part(network: &Network, batch: HostBatch, told: Told, device: &Device) -> Vec<Prediction> {
    let description = network.description();
    match (description, &batch.targets, &batch.inputs) {
        (_, HostTargets::Tokens(..), _) if description.next_of().is_some() => texts(network, batch, device),
        (_, HostTargets::Tokens(length, _, hidden), _) => {
            let (length, hidden) = (*length, hidden.clone());
            let scores = network.output(batch.inputs.on(device), &Pass::plain()).single().sequence();
            filled(&scores, length, &hidden, told.top)
        }
        (Description::Detector(plan), ..) => {
            let output = network.output(batch.inputs.on(device), &Pass::plain());
            let limits = Limits { score: told.score, ..Limits::default() };
            detect(output, plan, &limits).into_iter().map(Prediction::Objects).collect()
        }
        _ => flat(network, batch.inputs, told.top, device),
    }
}

/// Predictions of networks that give one row of numbers a record.
fn flat(network: &Network, inputs: HostInputs, top: usize, device: &Device) -> Vec<Prediction> {
    let output = network.output(inputs.on(device), &Pass::plain()).single().flat();
    let width = output.dims()[1];
    match network.description() {
        Description::Dlrm(_) => {
            host(output).into_iter().map(|logit| Prediction::Click(1.0 / (1.0 + (-logit).exp()))).collect()
        }
        // One number is no choice between classes.
        Description::Factors(_) => rows(output, Prediction::Numbers),
        _ if width == 1 => rows(output, Prediction::Numbers),
        _ => rows(softmax(output, 1), |shares| Prediction::Classes(likeliest(&shares, top))),
    }
}

fn rows(output: Tensor<2>, of: impl Fn(Vec<f32>) -> Prediction) -> Vec<Prediction> {
    let width = output.dims()[1].max(1);
    host(output).chunks(width).map(|row| of(row.to_vec())).collect()
}

fn texts(network: &Network, batch: HostBatch, device: &Device) -> Vec<Prediction> {
    let of = |answer| match answer {
        Answer::Tokens { loss, count, .. } => Prediction::Text { loss: loss / count.max(1.0), tokens: count },
        _ => unreachable!("answers to tokens are tokens"),
    };
    evaluate::answers(network, batch, device).into_iter().map(of).collect()
}

/// Likely tokens at the places of hidden ones.
fn filled(scores: &Tensor<3>, length: usize, hidden: &[f32], top: usize) -> Vec<Prediction> {
    let vocabulary = scores.dims()[2];
    let of_record = |(record, hidden): (usize, &[f32])| {
        let places = hidden.iter().enumerate().filter(|(_, hidden)| **hidden > 0.5);
        let of_place = |(place, _): (usize, &f32)| {
            let scores = scores.clone().narrow(0, record, 1).narrow(1, place, 1).reshape([1, vocabulary]);
            likeliest(&host(softmax(scores, 1)), top)
        };
        Prediction::Hidden(places.map(of_place).collect())
    };
    hidden.chunks(length).enumerate().map(of_record).collect()
}

/// The highest shares, the first of equals first.
fn likeliest(shares: &[f32], top: usize) -> Vec<Likely> {
    let mut order: Vec<usize> = (0..shares.len()).collect();
    order.sort_by(|a, b| shares[*b].total_cmp(&shares[*a]));
    order.truncate(top);
    order.into_iter().map(|number| Likely { number, probability: shares[number] }).collect()
}

#[cfg(test)]
mod tests;
