//! Numbers: ratings, measurements.

use burn::tensor::Tensor;

use super::{Loss, none};

/// Squared errors of `[records, values]`, their mean over the values summed over the records.
pub(super) fn loss(found: Tensor<2>, truth: Tensor<2>) -> Loss {
    let values = truth.dims()[1] as f32;
    let right = none(&found);
    Loss { sum: (found - truth).powi_scalar(2).sum() / values, right }
}
