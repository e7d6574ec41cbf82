//! Feed-forward network with the residual connection around it.

use burn::module::Module;
use burn::tensor::activation::{gelu, silu};
use scenarios::model::Transformer;

use super::super::affine::{Affine, Cut};
use super::super::build::Build;
use super::super::flow::{Flow, Value};
use super::super::pass::Pass;
use super::names::Style;
use super::{matrix, residual};

/// Feed-forward network of one layer: x + W₂·gelu(W₁·h), or with a gate x + W₂·(silu(G·h) · W₁·h) (SwiGLU, arXiv 2002.05202).
/// gelu is the exact one, x·Φ(x). Ranks of a tensor group have some of the values between the matrices each.
#[derive(Module, Debug)]
pub struct FeedForward {
    gate: Option<Affine>,
    first: Affine,
    second: Affine,
}

impl FeedForward {
    pub(super) fn new(layer: usize, model: &Transformer, build: &mut Build<'_>) -> Self {
        let [gate, first, second] = Style::of(model).feed_forward(layer);
        let [width, inner] = [model.hidden.get(), model.ffn.get()];
        let up = matrix(model, [width, inner], Cut::Columns);
        Self {
            gate: model.gated.then(|| Affine::new(&gate, up, build)),
            first: Affine::new(&first, up, build),
            second: Affine::new(&second, residual(model, matrix(model, [inner, width], Cut::Rows)), build),
        }
    }

    /// The stream x, what enters the matrices, and the mask if there is one → x, and the mask.
    pub(super) fn forward(&self, Flow(mut values): Flow, pass: &Pass<'_>) -> Flow {
        let rest = values.split_off(2);
        let [x, h] = Flow(values).array().map(Value::sequence);
        let inner = match &self.gate {
            Some(gate) => silu(gate.forward(h.clone(), pass)) * self.first.forward(h, pass),
            None => gelu(self.first.forward(h, pass)),
        };
        let mut values = vec![Value::Sequence(x + self.second.forward(inner, pass))];
        values.extend(rest);
        Flow(values)
    }
}
