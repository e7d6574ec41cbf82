//! Matrices with a bias, whole or shared by the ranks of a tensor group.

use burn::module::{Module, Param};
use burn::tensor::Tensor;
use burn::tensor::module::linear;

use super::build::{Build, FilePart, Initial, Layout, Wanted};
use super::pass::Pass;

/// x·W + b over the last dimension.
#[derive(Module, Debug)]
pub struct Affine {
    /// `[inputs, outputs]`, or the part of it that a rank holds.
    weight: Param<Tensor<2>>,
    /// `[outputs]`
    bias: Option<Param<Tensor<1>>>,
    #[module(skip)]
    cut: Cut,
}

/// How the ranks of a tensor group share a matrix (arXiv 1909.08053, section 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// Each rank has the whole.
    Whole,
    /// Each rank has some outputs; the gradient of the input must be summed over the group, which is the business of the
    /// seam before it.
    Columns,
    /// Each rank has some inputs; outputs are summed over the group, then the bias is added once.
    Rows,
}

/// What a matrix is to be.
#[derive(Debug, Clone, Copy)]
pub struct Matrix {
    /// Inputs and outputs.
    pub size: [usize; 2],
    /// Whether it has a bias, which begins at `bias_initial`.
    pub bias: bool,
    /// Initial values of the matrix.
    pub initial: Initial,
    /// Initial values of the bias.
    pub bias_initial: Initial,
    /// How ranks share it.
    pub cut: Cut,
    /// How it lies in a file.
    pub layout: Layout,
    /// Which part of a file's tensor it is.
    pub part: Option<FilePart>,
}

impl Affine {
    /// The matrix `NAME.weight` and its bias `NAME.bias`.
    pub(crate) fn new(name: &str, matrix: Matrix, build: &mut Build<'_>) -> Self {
        let Matrix { size, bias, initial, bias_initial, cut, layout, part } = matrix;
        let split = match cut {
            Cut::Whole => None,
            Cut::Columns => Some(1),
            Cut::Rows => Some(0),
        };
        let weight = build.parameter(format!("{name}.weight"), Wanted { shape: size, initial, split, layout, part });
        let split = split.filter(|_| cut == Cut::Columns).map(|_| 0);
        let wanted = Wanted { split, part, ..Wanted::new([size[1]], bias_initial) };
        let bias = bias.then(|| build.parameter(format!("{name}.bias"), wanted));
        Self { weight, bias, cut }
    }

    pub(crate) fn forward<const D: usize>(&self, x: Tensor<D>, pass: &Pass<'_>) -> Tensor<D> {
        let bias = self.bias.as_ref().map(Param::val);
        if self.cut != Cut::Rows || pass.tensor.size() == 1 {
            return linear(x, self.weight.val(), bias);
        }
        let whole = pass.whole(linear(x, self.weight.val(), None));
        match bias {
            Some(bias) => whole + bias.unsqueeze(),
            None => whole,
        }
    }
}
