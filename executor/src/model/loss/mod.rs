//! What a network's output is worth against the truth.

mod classes;
mod tokens;

use burn::tensor::Tensor;

use super::{Flow, Pass};
use crate::data::Targets;

/// Loss of the records of a pass.
#[derive(Debug, Clone)]
pub struct Loss {
    /// Sum over the units of the targets (see [`crate::data::Batch::units`]), `[1]`; a mean is taken over all ranks together.
    pub sum: Tensor<1>,
    /// How many answers are right, `[1]`; 0 where there is no right and wrong.
    pub right: Tensor<1>,
}

/// Loss of a network's output.
///
/// # Panics
/// Targets are of another kind than the output: both were checked against the description before.
#[must_use]
pub fn loss(output: Flow, targets: Targets, pass: &Pass<'_>) -> Loss {
    match targets {
        Targets::Classes(classes) => classes::loss(output.single().flat(), classes),
        Targets::Tokens(tokens, counts) => tokens::loss(output.single().sequence(), tokens, counts, pass),
        Targets::Numbers(_) | Targets::Boxes(_) => todo!(),
    }
}
