//! Yes or no: clicks.

use burn::tensor::Tensor;

use super::Loss;

/// Cross-entropy of logits `[records, 1]` against 0 or 1, `[records, 1]`.
pub(super) fn loss(logits: Tensor<2>, truth: Tensor<2>) -> Loss {
    let right = logits.clone().detach().greater_elem(0.0).float().equal(truth.clone()).float().sum();
    Loss { sum: cross_entropy(logits, truth).sum(), right }
}

/// −ln of the probability that a logit gives to its truth of 0 or 1, as max(x, 0) − x·t + ln(1 + e^−|x|), which neither
/// overflows nor cancels.
pub(super) fn cross_entropy<const D: usize>(logits: Tensor<D>, truth: Tensor<D>) -> Tensor<D> {
    logits.clone().clamp_min(0.0) - logits.clone() * truth + (logits.abs().neg().exp() + 1.0).log()
}
