//! Recurrent language models as chains of pieces: embedding, layers, output.
//!
//! The ranks of a tensor group share the vocabulary of embedding and output; each has all of the layers.

mod cell;
mod layer;
#[cfg(test)]
mod tests;

use burn::module::Module;
use scenarios::model::{RecurrentLayer, Rnn, ShapeError};

use super::build::{Build, Initial};
use super::flow::{Flow, Value};
use super::generate::Memory;
use super::network::Seam;
use super::pass::Pass;
use super::vocabulary::{Output, Rows};
use layer::Layer;

pub use cell::State;

/// Bound of the initial values of embedding and output, as in PyTorch's example of a word language model.
const BOUND: f32 = 0.1;

/// A piece of a recurrent network.
#[derive(Module, Debug)]
#[allow(clippy::large_enum_variant, reason = "most pieces are layers")]
pub enum RecurrentPiece {
    /// A vector for each token; none of its own where the output uses the same matrix, which the network holds then.
    Embedding(Option<Rows>),
    /// One layer.
    Layer(Layer),
    /// A value for each entry of the vocabulary.
    Output(Output),
}

/// Whether it can be carried out.
pub(super) fn check(model: &Rnn) -> Result<(), ShapeError> {
    model.parameters()?;
    match model.decoder {
        Some(_) => Err(ShapeError::PlannedOnly { what: "decoder" }),
        None => Ok(()),
    }
}

/// Number of pieces.
pub(super) const fn pieces(model: &Rnn) -> usize {
    2 + model.layers.get()
}

/// How much work piece `index` is for a token, in multiply-adds.
pub(super) fn work(model: &Rnn, index: usize) -> f64 {
    let hidden = model.hidden.get() as f64;
    match index {
        0 => model.embedding() as f64,
        last if last + 1 == pieces(model) => hidden * model.vocabulary.get() as f64,
        _ => 2.0 * model.cell.gates() as f64 * hidden * hidden,
    }
}

/// Whether piece `index` uses the matrix that the network holds.
pub(super) const fn uses_rows(model: &Rnn, index: usize) -> bool {
    model.tied && (index == 0 || index + 1 == pieces(model))
}

/// The matrix of the embedding.
pub(super) fn rows(model: &Rnn, build: &mut Build<'_>) -> Rows {
    Rows::new("encoder", [model.vocabulary.get(), model.embedding()], Initial::Uniform(BOUND), build)
}

/// Every layer of a network, equal ones too.
fn layers(model: &Rnn) -> Vec<RecurrentLayer> {
    model.encoder_layers().into_iter().flat_map(|layer| std::iter::repeat_n(layer, layer.repeat)).collect()
}

impl RecurrentPiece {
    /// Piece `index` of a chain.
    pub(super) fn new(index: usize, model: &Rnn, build: &mut Build<'_>) -> Self {
        match index.checked_sub(1) {
            None => Self::Embedding((!model.tied).then(|| rows(model, build))),
            Some(at) if at < model.layers.get() => Self::Layer(Layer::new(at, model, layers(model)[at], build)),
            Some(_) => {
                let vocabulary = model.vocabulary.get();
                let size = [vocabulary, model.output_inputs()];
                let own = (!model.tied).then_some(("decoder", size, Initial::Uniform(BOUND)));
                Self::Output(Output::new(own, Some(("decoder.bias", vocabulary)), build))
            }
        }
    }

    /// What it makes of what flows to it, after what it remembers.
    ///
    /// # Panics
    /// The embedding's matrix is the network's, and this part of it has none.
    pub(super) fn forward(
        &self,
        flow: Flow,
        pass: &Pass<'_>,
        tied: Option<&Rows>,
        memory: Option<&mut Memory>,
    ) -> Flow {
        let sequence = match self {
            Self::Embedding(rows) => {
                let rows = rows.as_ref().or(tied).expect("a part with an embedding has its matrix");
                rows.of(flow.single().numbers(), pass)
            }
            Self::Layer(layer) => layer.forward(flow.single().sequence(), memory),
            Self::Output(output) => output.forward(flow.single().sequence(), tied),
        };
        Value::Sequence(sequence).into()
    }

    pub(super) const fn seams(&self) -> &'static [Seam] {
        match self {
            Self::Layer(layer) if layer.is_last() => &[Seam::GradientOverTensor],
            Self::Embedding(_) | Self::Layer(_) | Self::Output(_) => &[],
        }
    }
}
