//! The two ends of networks on tokens: rows of a matrix for tokens, and a value for each entry of the vocabulary. Ranks of a
//! tensor group share the vocabulary (arXiv 1909.08053, section 3).

use burn::module::{Module, Param};
use burn::tensor::module::embedding;
use burn::tensor::{Int, Tensor};

use super::affine::product;
use super::build::{Build, Initial, Share, Wanted};
use super::pass::Pass;

/// A matrix `[vocabulary, width]`: a row for each token.
#[derive(Module, Debug)]
pub struct Rows {
    weight: Param<Tensor<2>>,
    /// Rows of the matrix of all ranks.
    entries: usize,
}

/// A value for each entry of the vocabulary: the product with each row of a matrix `[vocabulary, width]`, and a bias.
#[derive(Module, Debug)]
pub struct Output {
    /// None where the embedding's matrix is used.
    weight: Option<Rows>,
    bias: Option<Param<Tensor<1>>>,
}

impl Rows {
    /// The matrix `NAME.weight`, with the vocabulary shared by the ranks of a tensor group.
    pub(crate) fn new(name: &str, size: [usize; 2], initial: Initial, build: &mut Build<'_>) -> Self {
        let weight = build.parameter(format!("{name}.weight"), Wanted::new(size, initial).split(0));
        Self { weight, entries: size[0] }
    }

    /// Rows of tokens: `[records, positions]` → `[records, positions, width]`
    pub(crate) fn of(&self, tokens: Tensor<2, Int>, pass: &Pass<'_>) -> Tensor<3> {
        let weight = self.weight.val();
        if pass.tensor.size() == 1 {
            return embedding(weight, tokens);
        }
        let own = Own::of(self.entries, pass);
        let (local, is_own) = own.local(tokens);
        let is_own = is_own.cast(weight.dtype());
        pass.whole(embedding(weight, local) * is_own.unsqueeze_dim(2))
    }

    /// Product of values with each row: `[records, positions, width]` → `[records, positions, vocabulary]`
    fn times(&self, x: Tensor<3>, bias: Option<Tensor<1>>) -> Tensor<3> {
        product(x, self.weight.val().transpose(), bias)
    }
}

impl Output {
    /// With a matrix `NAME.weight` of its own, of this size and with these initial values, or the embedding's; with a bias of
    /// a name and length, or without.
    pub(crate) fn new(
        own: Option<(&str, [usize; 2], Initial)>,
        bias: Option<(&str, usize)>,
        build: &mut Build<'_>,
    ) -> Self {
        let weight = own.map(|(name, size, initial)| Rows::new(name, size, initial, build));
        let bias = bias.map(|(name, size)| build.parameter(name, Wanted::new([size], Initial::Constant(0.0)).split(0)));
        Self { weight, bias }
    }

    /// Values of the part of the vocabulary that the rank has.
    ///
    /// # Panics
    /// The output uses the embedding's matrix, and the part of the network doesn't hold it.
    pub(crate) fn forward(&self, x: Tensor<3>, tied: Option<&Rows>) -> Tensor<3> {
        let rows = self.weight.as_ref().or(tied).expect("a part with an output has a matrix for it");
        rows.times(x, self.bias.as_ref().map(Param::val))
    }
}

/// Entries of the vocabulary that a rank has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Own {
    first: i64,
    count: i64,
}

impl Own {
    /// The part of a rank of a group that has so many in all.
    #[must_use]
    pub fn of(entries: usize, pass: &Pass<'_>) -> Self {
        let own = Share { rank: pass.tensor.rank(), of: pass.tensor.size() }.range(entries);
        let number = |count: usize| count.cast_signed() as i64;
        Self { first: number(own.start), count: number(own.len()) }
    }

    /// Numbers of tokens inside the part, 0 for tokens of other ranks; and 1 for own tokens, 0 for others.
    #[must_use]
    pub fn local<const D: usize>(self, tokens: Tensor<D, Int>) -> (Tensor<D, Int>, Tensor<D>) {
        let local = tokens - self.first;
        let is_own = local.clone().greater_equal_elem(0).float() * local.clone().lower_elem(self.count).float();
        (local * is_own.clone().int(), is_own)
    }
}
