//! One direction of a recurrent layer.

use burn::module::{Module, Param};
use burn::tensor::Tensor;
use burn::tensor::activation::sigmoid;
use burn::tensor::module::linear;
use scenarios::model::Cell;

use super::super::affine::product;
use super::super::build::{Build, Initial, Wanted};

/// The matrices of all gates side by side, in the order of PyTorch: i, f, g, o of an LSTM (Hochreiter and Schmidhuber 1997,
/// with forget gates), r, z, n of a GRU (arXiv 1406.1078, with the reset after the product as cuDNN computes it).
#[derive(Module, Debug)]
pub struct Direction {
    /// Of the input: `[inputs, gates × hidden]`
    of_input: Param<Tensor<2>>,
    /// Of the state: `[hidden, gates × hidden]`
    of_state: Param<Tensor<2>>,
    input_bias: Param<Tensor<1>>,
    state_bias: Param<Tensor<1>>,
    #[module(skip)]
    cell: Cell,
    #[module(skip)]
    is_backward: bool,
}

/// State of a layer in one direction: `[records, hidden]`, of an LSTM with its cell.
#[derive(Debug, Clone)]
pub struct State {
    hidden: Tensor<2>,
    cell: Option<Tensor<2>>,
}

impl Direction {
    /// Layer `index`, forward or backward in time, with PyTorch's names and initial values: uniform between ± 1/√hidden.
    pub(super) fn new(
        index: usize,
        is_backward: bool,
        cell: Cell,
        [inputs, hidden]: [usize; 2],
        build: &mut Build<'_>,
    ) -> Self {
        let suffix = if is_backward { "_reverse" } else { "" };
        let initial = Initial::Uniform(1.0 / (hidden as f32).sqrt());
        let gates = cell.gates() * hidden;
        let mut matrix = |name: &str, rows| {
            build.parameter(format!("rnn.{name}_l{index}{suffix}"), Wanted::new([rows, gates], initial).transposed())
        };
        let of_input = matrix("weight_ih", inputs);
        let of_state = matrix("weight_hh", hidden);
        let mut bias =
            |name: &str| build.parameter(format!("rnn.{name}_l{index}{suffix}"), Wanted::new([gates], initial));
        let input_bias = bias("bias_ih");
        let state_bias = bias("bias_hh");
        Self { of_input, of_state, input_bias, state_bias, cell, is_backward }
    }

    /// States at all time steps, and the last one, after a state or zero: `[records, steps, inputs]` →
    /// `[records, steps, hidden]`. The products of all inputs are one.
    pub(super) fn forward(&self, x: Tensor<3>, before: Option<State>) -> (Tensor<3>, State) {
        let (records, device, format) = (x.dims()[0], x.device(), x.dtype());
        let hidden = self.of_state.val().dims()[0];
        let zero = || Tensor::<2>::zeros([records, hidden], &device).cast(format);
        let mut state = before.unwrap_or_else(|| State { hidden: zero(), cell: (self.cell == Cell::Lstm).then(zero) });
        let mut inputs = steps(product(x, self.of_input.val(), Some(self.input_bias.val())));
        if self.is_backward {
            inputs.reverse();
        }
        let mut outputs = Vec::with_capacity(inputs.len());
        for input in inputs {
            let [records, _, gates] = input.dims();
            state = self.step(input.reshape([records, gates]), state);
            outputs.push(state.hidden.clone().unsqueeze_dim(1));
        }
        if self.is_backward {
            outputs.reverse();
        }
        (Tensor::cat(outputs, 1), state)
    }

    fn step(&self, input: Tensor<2>, State { hidden, cell }: State) -> State {
        let of_state = linear(hidden.clone(), self.of_state.val(), Some(self.state_bias.val()));
        match cell {
            Some(cell) => lstm(input + of_state, cell),
            None => gru(input, of_state, hidden),
        }
    }
}

/// c' = σ(f)·c + σ(i)·tanh(g), h' = σ(o)·tanh(c')
fn lstm(gates: Tensor<2>, cell: Tensor<2>) -> State {
    let width = cell.dims()[1];
    // The first two gates have one function.
    let input_and_forget = sigmoid(gates.clone().narrow(1, 0, 2 * width));
    let candidate = gates.clone().narrow(1, 2 * width, width).tanh();
    let output = sigmoid(gates.narrow(1, 3 * width, width));
    let kept = input_and_forget.clone().narrow(1, width, width) * cell;
    let cell = kept + input_and_forget.narrow(1, 0, width) * candidate;
    State { hidden: output * cell.clone().tanh(), cell: Some(cell) }
}

/// n = tanh(xₙ + σ(r)·hₙ), h' = (1 − σ(z))·n + σ(z)·h
fn gru(input: Tensor<2>, of_state: Tensor<2>, hidden: Tensor<2>) -> State {
    let width = hidden.dims()[1];
    let both = sigmoid(input.clone().narrow(1, 0, 2 * width) + of_state.clone().narrow(1, 0, 2 * width));
    let [reset, update] = [0, width].map(|start| both.clone().narrow(1, start, width));
    let candidate = (input.narrow(1, 2 * width, width) + reset * of_state.narrow(1, 2 * width, width)).tanh();
    State { hidden: candidate.clone() + update * (hidden - candidate), cell: None }
}

/// A sequence as its steps, `[records, 1, width]` each. It is halved again and again: the gradient of a slice is as large as
/// what it is cut from, so that cutting every step from the whole would take time in the square of the steps.
fn steps(x: Tensor<3>) -> Vec<Tensor<3>> {
    let count = x.dims()[1];
    if count == 1 {
        return vec![x];
    }
    let half = count / 2;
    let mut list = steps(x.clone().narrow(1, 0, half));
    list.extend(steps(x.narrow(1, half, count - half)));
    list
}
