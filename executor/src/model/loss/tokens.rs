//! A token at each position.

use burn::tensor::{IndexingUpdateOp, Int, Tensor};

use super::super::vocabulary::Own;
use super::{Loss, Pass};

/// Cross-entropy of scores `[records, positions, vocabulary]` against tokens `[records, positions]`, summed over those that
/// count. Ranks of a tensor group have the scores of their `own` part of the vocabulary each (arXiv 1909.08053, section 3).
///
/// The gradient, weight × (softmax − one-hot), is known; it is computed here once in place of a graph over tensors as large
/// as the scores.
pub(super) fn loss(
    scores: Tensor<3>,
    (tokens, counts): (Tensor<2, Int>, Tensor<2>),
    own: Own,
    pass: &Pass<'_>,
) -> Loss {
    let [records, positions, entries] = scores.dims();
    let rows = records * positions;
    let scores = scores.reshape([rows, entries]);
    let weights = counts.reshape([rows, 1]);
    let (local, is_own) = own.local(tokens.reshape([rows, 1]));
    let values = scores.clone().detach();
    let greatest = pass.greatest(values.clone().max_dim(1));
    let of_token = pass.whole(values.clone().gather(1, local.clone()) * is_own.clone());
    let shares = Shares::of(values, &greatest, pass);
    let losses = (greatest.clone() + shares.sum.log() - of_token.clone()) * weights.clone();
    let of_truth = (is_own * weights.clone()).neg();
    let gradient = (shares.softmax * weights.clone()).scatter(1, local, of_truth, IndexingUpdateOp::Add);
    let slope = (scores * gradient.detach()).sum();
    let right = (of_token.greater_equal(greatest).float() * weights).sum();
    Loss { sum: losses.sum().detach() + (slope.clone() - slope.detach()), right }
}

/// Exponentials of scores over the whole vocabulary.
struct Shares {
    /// Softmax of the rank's scores: `[rows, entries]`
    softmax: Tensor<2>,
    /// Sum of exp(score − greatest) over the vocabulary: `[rows, 1]`
    sum: Tensor<2>,
}

impl Shares {
    fn of(scores: Tensor<2>, greatest: &Tensor<2>, pass: &Pass<'_>) -> Self {
        let powers = (scores - greatest.clone()).exp();
        let sum = pass.whole(powers.clone().sum_dim(1));
        Self { softmax: powers / sum.clone(), sum }
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::activation::log_softmax;
    use burn::tensor::{Device, TensorData};

    use super::super::super::{Pass, host};
    use super::*;

    #[test]
    fn value_and_gradient_are_those_of_the_formula() {
        let device = Device::flex().autodiff();
        let values: Vec<f32> = (0..2 * 3 * 5).map(|i| 40.0 * (i as f32 * 1.3).sin()).collect();
        let scores = Tensor::<3>::from_data(TensorData::new(values, [2, 3, 5]), &device).require_grad();
        let tokens = Tensor::<2, Int>::from_data([[1, 0, 4], [2, 3, 3]], &device);
        let counts = Tensor::<2>::from_data([[1.0, 0.0, 1.0], [1.0, 1.0, 0.5]], &device);
        let pass = Pass::plain();
        let found = loss(scores.clone(), (tokens.clone(), counts.clone()), Own::of(5, &pass), &pass);
        let of_token = log_softmax(scores.clone(), 2).gather(2, tokens.clone().unsqueeze_dim(2));
        let expected = (of_token.reshape([2, 3]) * counts.clone()).sum().neg();
        let gradient = |sum: &Tensor<1>| host(scores.grad(&sum.backward()).expect("it depends on the scores"));
        assert!((host(found.sum.clone())[0] - host(expected.clone())[0]).abs() < 1e-4);
        // A factor before the backward pass, as for a mean, is taken up.
        for (found, expected) in gradient(&(found.sum * 0.25)).iter().zip(gradient(&(expected * 0.25))) {
            assert!((found - expected).abs() < 1e-6, "{found} {expected}");
        }
        let is_right = scores.clone().argmax(2).reshape([2, 3]).equal(tokens).float() * counts;
        assert_eq!(host(found.right), host(is_right.sum()));
    }
}
