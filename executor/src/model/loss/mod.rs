//! What a network's output is worth against the truth.

mod boxes;
mod classes;
mod clicks;
mod numbers;
#[cfg(test)]
mod tests;
mod tokens;

use burn::tensor::Tensor;

use super::vocabulary::Own;
use super::{Description, Flow, Pass};
use crate::data::Targets;

/// Loss of the records of a pass.
#[derive(Debug, Clone)]
pub struct Loss {
    /// Sum over the units of the targets (see [`crate::data::Batch::units`]), `[1]`; a mean is taken over all ranks together.
    pub sum: Tensor<1>,
    /// How many answers are right, `[1]`; 0 where there is no right and wrong.
    pub right: Tensor<1>,
}

/// Loss of the output of a network of this description: cross-entropy of classes, of tokens and of the clicks of a
/// recommender of tables; squared error of other numbers; the detector's loss of boxes.
///
/// # Panics
/// Targets are of another kind than the output: both were checked against the description before.
#[must_use]
pub fn loss(description: &Description, output: Flow, targets: Targets, pass: &Pass<'_>) -> Loss {
    match (targets, description) {
        (Targets::Classes(classes), _) => classes::loss(output.single().flat(), classes),
        (Targets::Numbers(numbers), Description::Dlrm(_)) => clicks::loss(output.single().flat(), numbers),
        (Targets::Numbers(numbers), _) => numbers::loss(output.single().flat(), numbers),
        (Targets::Boxes(objects), Description::Detector(plan)) => boxes::loss(output, &objects, plan),
        (Targets::Boxes(_), _) => unreachable!("boxes where a network is no detector"),
        (Targets::Tokens(tokens, counts), _) => {
            let scores = output.single().sequence();
            let vocabulary = description.vocabulary().unwrap_or_else(|| scores.dims()[2]);
            tokens::loss(scores, (tokens, counts), Own::of(vocabulary, pass), pass)
        }
    }
}

/// No right answers, where there is no right and wrong.
fn none(like: &Tensor<2>) -> Tensor<1> {
    Tensor::zeros([1], &like.device())
}
