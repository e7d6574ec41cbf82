//! Multi-head attention with the residual connection around it.

use burn::module::Module;
use burn::tensor::activation::softmax;
use burn::tensor::{Device, FloatDType, Int, Tensor};
use scenarios::model::{Positions, Transformer, TransformerKind};

use super::super::affine::{Affine, Cut};
use super::super::build::{Build, FilePart, Share};
use super::super::flow::{Flow, Value};
use super::super::pass::Pass;
use super::names::Style;
use super::rotary::Rotary;
use super::{Memory, matrix};

/// What is added to the score of a position that must not be seen: its weight becomes exactly zero.
const UNSEEN: f64 = -1e9;

/// Attention of one layer: x + W·softmax(q·kᵀ/√d)·v (arXiv 1706.03762), with several heads of queries for each of keys and
/// values where the description says so (arXiv 2305.13245). Ranks of a tensor group have some heads each.
#[derive(Module, Debug)]
pub struct Attention {
    queries: Affine,
    keys: Affine,
    values: Affine,
    output: Affine,
    #[module(skip)]
    heads: Heads,
    #[module(skip)]
    rotary: Option<Rotary>,
}

/// Heads that a rank has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Heads {
    /// Of keys and values.
    groups: usize,
    /// Of queries, for each of keys and values.
    queries: usize,
    /// Values of one.
    size: usize,
    /// Whether a position sees only itself and what precedes it.
    is_causal: bool,
}

impl Attention {
    pub(super) fn new(layer: usize, model: &Transformer, build: &mut Build<'_>) -> Self {
        let [width, heads, groups, size] = [model.hidden.get(), model.heads.get(), model.kv_heads(), model.head_size()];
        let style = Style::of(model);
        let is_joined = style == Style::Gpt2 && heads == groups;
        let [q, k, v, o] = style.attention(layer, is_joined);
        let mut project = |index: usize, name: &str, outputs: usize| {
            let part = is_joined.then_some(FilePart { index, of: 3 });
            let matrix = matrix(model, [width, outputs], Cut::Columns);
            Affine::new(name, super::Matrix { part, ..matrix }, build)
        };
        let queries = project(0, &q, heads * size);
        let keys = project(1, &k, groups * size);
        let values = project(2, &v, groups * size);
        let output = Affine::new(&o, super::residual(model, matrix(model, [heads * size, width], Cut::Rows)), build);
        let Share { of, .. } = build.share;
        let heads = Heads {
            groups: groups / of,
            queries: heads / groups,
            size,
            is_causal: model.kind == TransformerKind::Decoder,
        };
        let rotary =
            (model.positions == Positions::Rotary).then(|| Rotary::new(model.sequence.get(), model.head_size()));
        Self { queries, keys, values, output, heads, rotary }
    }

    /// The stream x, what enters the matrices, and the mask if there is one → x, and the mask.
    pub(super) fn forward(&self, Flow(mut values): Flow, pass: &Pass<'_>, memory: Option<&mut Memory>) -> Flow {
        let rest = values.split_off(2);
        let [x, h] = Flow(values).array().map(Value::sequence);
        let mask = rest.first().map(|mask| mask.clone().numbers());
        let attended = self.attended(h, mask, pass, memory);
        let mut values = vec![Value::Sequence(x + attended)];
        values.extend(rest);
        Flow(values)
    }

    fn attended(
        &self,
        h: Tensor<3>,
        mask: Option<Tensor<2, Int>>,
        pass: &Pass<'_>,
        memory: Option<&mut Memory>,
    ) -> Tensor<3> {
        let Heads { groups, queries, size, is_causal } = self.heads;
        let ([records, positions, _], device) = (h.dims(), h.device());
        let first = memory.as_ref().map_or(0, |memory| memory.seen);
        let q = self.turned(self.queries.forward(h.clone(), pass), first);
        let k = self.turned(self.keys.forward(h.clone(), pass), first);
        let v = heads(self.values.forward(h, pass), size);
        let (k, v) = match memory {
            Some(memory) => memory.with(k, v),
            None => (k, v),
        };
        let seen = first + positions;
        // Heads of queries that share keys and values lie side by side, so that one product serves them.
        let q = (q / (size as f64).sqrt()).reshape([records, groups, queries * positions, size]);
        // Shares add up to one in 32 bits only.
        let scores = q.matmul(k.swap_dims(2, 3)).cast(FloatDType::F32);
        let scores = scores.reshape([records, groups * queries, positions, seen]);
        let scores = match mask {
            Some(mask) => scores + unseen_of(mask).reshape([records, 1, 1, seen]),
            None => scores,
        };
        let scores = if is_causal && positions > 1 { scores + later(first, positions, &device) } else { scores };
        let weights = softmax(scores, 3).cast(v.dtype()).reshape([records, groups, queries * positions, seen]);
        let values = weights.matmul(v).reshape([records, groups * queries, positions, size]).swap_dims(1, 2);
        self.output.forward(values.reshape([records, positions, groups * queries * size]), pass)
    }

    fn turned(&self, x: Tensor<3>, first: usize) -> Tensor<4> {
        let x = heads(x, self.heads.size);
        match &self.rotary {
            Some(rotary) => rotary.turned(x, first),
            None => x,
        }
    }
}

/// `[records, positions, heads × size]` → `[records, heads, positions, size]`
fn heads(x: Tensor<3>, size: usize) -> Tensor<4> {
    let [records, positions, width] = x.dims();
    x.reshape([records, positions, width / size, size]).swap_dims(1, 2)
}

/// What is added to scores where a mask is 0: `[records, positions]`
fn unseen_of(mask: Tensor<2, Int>) -> Tensor<2> {
    (mask.float() - 1.0) * -UNSEEN
}

/// What is added to scores of later positions, `[1, 1, positions, seen]`: the first position is number `first`.
fn later(first: usize, positions: usize, device: &Device) -> Tensor<4> {
    let hidden = Tensor::<2>::full([positions, first + positions], UNSEEN, device);
    hidden.triu(first.cast_signed() as i64 + 1).unsqueeze()
}
