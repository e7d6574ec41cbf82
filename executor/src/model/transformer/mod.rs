//! Transformers as chains of pieces.
//!
//! The chain is embedding, then for each layer norm, attention, norm, feed-forward network, then a norm and what the network is
//! for: the vocabulary, masked tokens, or classes. Between them flows the residual stream `[records, positions, width]`, from a
//! norm to the piece behind it also what enters its matrices, and at last the mask where there is one. So a pipeline cut before
//! a norm sends one tensor.
//!
//! Decoders norm what enters attention and feed-forward network (GPT-2, LLaMA); encoders norm the stream behind them (BERT).

mod attention;
mod embedding;
mod feed_forward;
mod heads;
mod names;
mod norm;
mod rotary;
#[cfg(test)]
mod tests;

use burn::module::Module;
use scenarios::model::{ShapeError, Transformer, TransformerKind};

use super::affine::{Cut, Matrix};
use super::build::{Build, Initial};
use super::flow::{Flow, Value};
use super::generate::Memory;
use super::network::Seam;
use super::pass::Pass;
use super::vocabulary::{Output, Rows};
use attention::Attention;
use embedding::Embedding;
use feed_forward::FeedForward;
use heads::{Classifier, Transform};
use names::Style;
use norm::NormPiece;

/// Deviation of initial values: `initializer_range` of BERT (arXiv 1810.04805), GPT-2 and LLaMA.
const DEVIATION: f32 = 0.02;

/// Pieces of one layer.
pub(super) const PER_LAYER: usize = 4;

/// A piece of a transformer.
#[derive(Module, Debug)]
pub enum TransformerPiece {
    /// From tokens to vectors.
    Embedding(Embedding),
    /// A norm.
    Norm(NormPiece),
    /// Attention.
    Attention(Attention),
    /// Feed-forward network.
    FeedForward(FeedForward),
    /// What masked tokens are predicted from.
    Transform(Transform),
    /// A value for each entry of the vocabulary.
    Output(Output),
    /// Scores of classes.
    Classifier(Classifier),
}

/// Whether it can be carried out.
pub(super) fn check(model: &Transformer) -> Result<(), ShapeError> {
    model.check()?;
    if model.experts.is_some() {
        return Err(ShapeError::PlannedOnly { what: "experts" });
    }
    if model.positions == scenarios::model::Positions::Rotary && !model.head_size().is_multiple_of(2) {
        let what = if model.head_size.is_some() { "head_size" } else { "hidden / heads" };
        return Err(ShapeError::Indivisible {
            what,
            value: model.head_size(),
            by: "pairs of rotary positions",
            divisor: 2,
        });
    }
    Ok(())
}

/// Number of pieces.
pub(super) fn pieces(model: &Transformer) -> usize {
    let head = if predicts_masked(model) { 2 } else { 1 };
    2 + PER_LAYER * model.layers.get() + head
}

/// How much work piece `index` is for a token, in multiply-adds: products with parameters and, in attention, with all tokens of
/// the sequence.
pub(super) fn work(model: &Transformer, index: usize) -> f64 {
    let [hidden, sequence, vocabulary] = [model.hidden, model.sequence, model.vocabulary].map(|size| size.get() as f64);
    let Some(at) = index.checked_sub(1) else { return hidden };
    match (at / PER_LAYER == model.layers.get(), at % PER_LAYER) {
        (_, 0) | (false, 2) => hidden,
        (false, 1) => {
            model.attention_parameters() as f64 + 2.0 * sequence * (model.heads.get() * model.head_size()) as f64
        }
        (false, _) => model.ffn_parameters() as f64,
        (true, _) if index + 1 < pieces(model) || model.classes.is_some() => hidden * hidden,
        (true, _) => hidden * vocabulary,
    }
}

/// Whether embedding and output use one matrix, which the network holds.
pub(super) fn shares_rows(model: &Transformer) -> bool {
    model.tied && model.classes.is_none()
}

/// Whether piece `index` uses the matrix that the network holds.
pub(super) fn uses_rows(model: &Transformer, index: usize) -> bool {
    shares_rows(model) && (index == 0 || index + 1 == pieces(model))
}

/// The matrix of the embedding.
pub(super) fn rows(model: &Transformer, build: &mut Build<'_>) -> Rows {
    let size = [model.vocabulary.get(), model.hidden.get()];
    Rows::new(Style::of(model).ends().tokens, size, Initial::Normal(DEVIATION), build)
}

const fn predicts_masked(model: &Transformer) -> bool {
    matches!(model.kind, TransformerKind::Encoder) && model.classes.is_none()
}

/// A matrix of a layer.
fn matrix(model: &Transformer, size: [usize; 2], cut: Cut) -> Matrix {
    Matrix {
        size,
        bias: model.bias,
        initial: Initial::Normal(DEVIATION),
        bias_initial: Initial::Constant(0.0),
        cut,
        layout: Style::of(model).layout(),
        part: None,
    }
}

/// The same for a matrix that adds to the residual stream: GPT-2 scales those by 1/√N for the N = 2·layers additions
/// (Radford et al. 2019, section 2.3).
fn residual(model: &Transformer, matrix: Matrix) -> Matrix {
    match Style::of(model) {
        Style::Gpt2 => {
            let deviation = DEVIATION / (2.0 * model.layers.get() as f32).sqrt();
            Matrix { initial: Initial::Normal(deviation), ..matrix }
        }
        Style::Llama | Style::Bert => matrix,
    }
}

impl TransformerPiece {
    /// Piece `index` of a chain.
    pub(super) fn new(index: usize, model: &Transformer, build: &mut Build<'_>) -> Self {
        let Some(at) = index.checked_sub(1) else { return Self::Embedding(Embedding::new(model, build)) };
        let layer = at / PER_LAYER;
        match (layer == model.layers.get(), at % PER_LAYER) {
            (_, 0) => Self::Norm(NormPiece::new(2 * layer, model, build)),
            (false, 1) => Self::Attention(Attention::new(layer, model, build)),
            (false, 2) => Self::Norm(NormPiece::new(2 * layer + 1, model, build)),
            (false, _) => Self::FeedForward(FeedForward::new(layer, model, build)),
            (true, 1) if predicts_masked(model) => Self::Transform(Transform::new(model, build)),
            (true, _) => match model.classes {
                Some(classes) => Self::Classifier(Classifier::new("classifier", classes.get(), model, build)),
                None => Self::Output(output(model, build)),
            },
        }
    }

    /// What it makes of what flows to it, after the positions that it remembers.
    pub(super) fn forward(
        &self,
        flow: Flow,
        pass: &Pass<'_>,
        tied: Option<&Rows>,
        memory: Option<&mut Memory>,
    ) -> Flow {
        match self {
            Self::Embedding(piece) => piece.forward(flow, pass, tied, memory.map_or(0, |memory| memory.seen)),
            Self::Norm(piece) => piece.forward(flow),
            Self::Attention(piece) => piece.forward(flow, pass, memory),
            Self::FeedForward(piece) => piece.forward(flow, pass),
            Self::Transform(piece) => piece.forward(flow, pass),
            Self::Output(piece) => Value::Sequence(piece.forward(flow.single().sequence(), tied)).into(),
            Self::Classifier(piece) => piece.forward(flow, pass),
        }
    }

    pub(super) const fn seams(&self) -> &'static [Seam] {
        match self {
            Self::Norm(piece) => piece.seams(),
            Self::Transform(_) => Transform::SEAMS,
            Self::Embedding(_) | Self::Attention(_) | Self::FeedForward(_) | Self::Output(_) | Self::Classifier(_) => {
                &[]
            }
        }
    }
}

fn output(model: &Transformer, build: &mut Build<'_>) -> Output {
    let size = [model.vocabulary.get(), model.hidden.get()];
    let own = (!model.tied).then_some((Style::of(model).ends().output, size, Initial::Normal(DEVIATION)));
    let bias = predicts_masked(model).then_some(("cls.predictions.bias", size[0]));
    Output::new(own, bias, build)
}
