//! One class a record.

use burn::tensor::activation::log_softmax;
use burn::tensor::{Int, Tensor};

use super::Loss;

/// Cross-entropy of scores `[records, classes]` against the classes `[records]`.
pub(super) fn loss(scores: Tensor<2>, classes: Tensor<1, Int>) -> Loss {
    let right = scores.clone().detach().argmax(1).squeeze_dim::<1>(1).equal(classes.clone()).float().sum();
    let of_class = log_softmax(scores, 1).gather(1, classes.unsqueeze_dim(1));
    Loss { sum: of_class.sum().neg(), right }
}
