//! Matrices with a bias, whole or shared by the ranks of a tensor group.

use burn::module::{Module, Param};
use burn::tensor::Tensor;
use burn::tensor::module::linear;

use super::build::{Build, FilePart, Initial, Layout, Wanted};
use super::pass::Pass;

/// x·W + b over the last dimension, as one product of matrices. burn's own keeps one for each record where its rows fill the
/// tiles of GPUs, and on a processor the matrix is then copied for each of them.
pub(crate) fn product<const D: usize>(x: Tensor<D>, weight: Tensor<2>, bias: Option<Tensor<1>>) -> Tensor<D> {
    let (mut shape, [inputs, outputs]) = (x.dims(), weight.dims());
    let rows = shape[..D - 1].iter().product::<usize>();
    shape[D - 1] = outputs;
    linear(x.reshape([rows, inputs]), weight, bias).reshape(shape)
}

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
            return product(x, self.weight.val(), bias);
        }
        let whole = pass.whole(product(x, self.weight.val(), None));
        match bias {
            Some(bias) => whole + bias.unsqueeze(),
            None => whole,
        }
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, Distribution};

    use super::*;
    use crate::device::memory::metered;

    /// Most bytes of a backward pass through a product over so many rows of each record.
    fn peak(rows: usize) -> u64 {
        let device = Device::flex().autodiff();
        let random = |shape: [usize; 2]| Tensor::<2>::random(shape, Distribution::Default, &device).require_grad();
        metered(|meter| {
            let x = random([24 * rows, 64]).reshape([24, rows, 64]);
            let loss = product(x, random([64, 256]), None).sum();
            meter.restart();
            let before = meter.held();
            let gradients = loss.backward();
            let peak = meter.peak() - before;
            drop(gradients);
            peak
        })
    }

    #[test]
    fn the_matrix_is_not_copied_for_each_record() {
        // The first product takes scratch memory.
        peak(8);
        let [less, more] = [31, 32].map(peak);
        assert!(more < less + less / 5, "{less} and {more} bytes");
    }
}
