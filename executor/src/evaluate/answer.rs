//! What a network answered to one record, beside what is true.

use burn::tensor::activation::log_softmax;
use burn::tensor::{Device, Int, Tensor, TensorData};

use crate::data::{HostBatch, HostInputs, HostTargets};
use crate::model::detector::boxes::Place;
use crate::model::detector::{Detection, Limits, detect};
use crate::model::{Description, Network, Pass, host};

/// What a network answered to one record, beside what is true.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// A class.
    Class {
        /// The true class.
        truth: usize,
        /// The class with the highest score; the first of equals.
        found: usize,
        /// Classes that the network tells apart.
        of: usize,
        /// Cross-entropy in nats.
        loss: f64,
    },
    /// The tokens of a text.
    Tokens {
        /// Sum of the cross-entropy of the tokens that count, in nats.
        loss: f64,
        /// Tokens that were found rightly.
        right: f64,
        /// Tokens that count.
        count: f64,
    },
    /// Numbers.
    Numbers {
        /// User whose rating it is.
        user: Option<usize>,
        /// What was found, and what is true.
        pairs: Vec<(f64, f64)>,
    },
    /// Whether something was clicked.
    Click {
        /// Logarithm of the odds.
        logit: f64,
        /// Whether it was.
        clicked: bool,
    },
    /// Objects in an image.
    Objects {
        /// What was found, best first.
        found: Vec<Detection>,
        /// What is there.
        truth: Vec<(usize, Place)>,
    },
}

impl Answer {
    /// Whether it is made of numbers.
    pub(super) fn is_finite(&self) -> bool {
        match self {
            Self::Class { loss, .. } | Self::Tokens { loss, .. } => loss.is_finite(),
            Self::Numbers { pairs, .. } => pairs.iter().all(|(found, _)| found.is_finite()),
            Self::Click { logit, .. } => logit.is_finite(),
            Self::Objects { found, .. } => found.iter().all(|one| one.place.iter().all(|share| share.is_finite())),
        }
    }
}

/// Numbers that a network gives for a record, about.
pub(super) fn scores(description: &Description) -> usize {
    match description {
        Description::Transformer(model) if model.classes.is_none() => model.sequence.get() * model.vocabulary.get(),
        Description::Recurrent(model) => model.sequence.get() * model.vocabulary.get(),
        _ => 1,
    }
}

/// What a network answers to records, beside what is true of them.
///
/// # Panics
/// Nothing is known to be true of them, or they do not fit the network ([`super::check`]).
#[must_use]
pub fn of(network: &Network, batch: HostBatch, device: &Device) -> Vec<Answer> {
    let HostBatch { inputs, targets } = batch;
    let users = match &inputs {
        HostInputs::Pairs(pairs) => pairs.chunks(2).map(|pair| Some(pair[0] as usize)).collect(),
        other => vec![None; other.records()],
    };
    let output = network.output(inputs.on(device), &Pass::plain());
    match (targets, network.description()) {
        (HostTargets::Classes(classes), _) => of_classes(output.single().flat(), &classes),
        (HostTargets::Tokens(length, tokens, counts), _) => {
            of_tokens(output.single().sequence(), length, &tokens, &counts)
        }
        (HostTargets::Numbers(_, truth), Description::Dlrm(_)) => {
            let logits = host(output.single().flat());
            let click = |(logit, truth): (f32, f32)| Answer::Click { logit: f64::from(logit), clicked: truth > 0.5 };
            logits.into_iter().zip(truth).map(click).collect()
        }
        (HostTargets::Numbers(width, truth), _) => of_numbers(&host(output.single().flat()), &truth, width, users),
        (HostTargets::Boxes(truth), Description::Detector(plan)) => {
            let found = detect(output, plan, &Limits::default());
            found.into_iter().zip(truth).map(|(found, truth)| Answer::Objects { found, truth }).collect()
        }
        (HostTargets::Boxes(_) | HostTargets::Unknown, _) => {
            unreachable!("records are checked against the network before it is judged")
        }
    }
}

fn of_classes(scores: Tensor<2>, truth: &[i32]) -> Vec<Answer> {
    let of = scores.dims()[1];
    let logarithms = host(log_softmax(scores, 1));
    let answer = |(row, &truth): (&[f32], &i32)| {
        let truth = truth as usize;
        Answer::Class { truth, found: best(row), of, loss: -f64::from(row[truth]) }
    };
    logarithms.chunks(of).zip(truth).map(answer).collect()
}

fn of_tokens(scores: Tensor<3>, length: usize, tokens: &[i32], counts: &[f32]) -> Vec<Answer> {
    let (device, [records, positions, _]) = (scores.device(), scores.dims());
    let tokens = Tensor::<2, Int>::from_data(TensorData::new(tokens.to_vec(), [records, positions]), &device);
    let right = host(scores.clone().argmax(2).squeeze_dim::<2>(2).equal(tokens.clone()).float());
    let of_token = host(log_softmax(scores, 2).gather(2, tokens.unsqueeze_dim(2)));
    let sum = |values: &[f32], counts: &[f32]| {
        values.iter().zip(counts).map(|(value, count)| f64::from(*value) * f64::from(*count)).sum::<f64>()
    };
    let rows = of_token.chunks(length).zip(right.chunks(length)).zip(counts.chunks(length));
    let answer = |((of_token, right), counts): ((&[f32], &[f32]), &[f32])| Answer::Tokens {
        loss: -sum(of_token, counts),
        right: sum(right, counts),
        count: counts.iter().copied().map(f64::from).sum(),
    };
    rows.map(answer).collect()
}

fn of_numbers(found: &[f32], truth: &[f32], width: usize, users: Vec<Option<usize>>) -> Vec<Answer> {
    let rows = found.chunks(width).zip(truth.chunks(width)).zip(users);
    let answer = |((found, truth), user): ((&[f32], &[f32]), Option<usize>)| {
        let pairs = found.iter().zip(truth).map(|(found, truth)| (f64::from(*found), f64::from(*truth))).collect();
        Answer::Numbers { user, pairs }
    };
    rows.map(answer).collect()
}

/// Position of the highest value; the first of equals.
pub(super) fn best(values: &[f32]) -> usize {
    (1..values.len()).fold(0, |best, at| if values[at] > values[best] { at } else { best })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_equal_scores_the_first_class_wins() {
        assert_eq!([best(&[0.0, 1.0, 1.0]), best(&[2.0, 1.0, 0.0])], [1, 0]);
    }

    #[test]
    fn tokens_that_do_not_count_are_left_out() {
        let device = Device::flex();
        let scores = Tensor::<3>::from_data([[[0.0, 3.0_f32.ln()], [0.0, 0.0]], [[0.0, 0.0], [9.0, 0.0]]], &device);
        let found = of_tokens(scores, 2, &[1, 0, 1, 0], &[1.0, 0.0, 1.0, 0.0]);
        for (found, (loss, right)) in found.iter().zip([((4.0_f64 / 3.0).ln(), 1.0), (2.0_f64.ln(), 0.0)]) {
            let Answer::Tokens { loss: of, right: is, count } = found else { unreachable!("they are tokens") };
            assert!((of - loss).abs() < 1e-6 && (is - right).abs() < 1e-9 && (count - 1.0).abs() < 1e-9, "{found:?}");
        }
    }
}
