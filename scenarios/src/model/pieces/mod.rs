//! What a network is cut into: the pieces of the chain that the executor runs, with the work of each.
//!
//! Planner and executor share it, so that both cut pipelines alike and measure and predict the same things.

mod images;
mod partition;
mod recommenders;
mod tokens;

pub use partition::balanced;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Model, ShapeError};

/// A network as a chain of pieces.
#[derive(Debug, Clone, PartialEq)]
pub struct Pieces {
    /// Pieces in order.
    pub list: Vec<Piece>,
    /// The loss behind the last piece.
    pub loss: PieceOperation,
    /// Sums over a tensor group that the loss takes forward, in values of one record each.
    pub loss_sums: Vec<f64>,
    /// Parameters of the matrix that the first and the last piece share; 0 where they share none. The first one counts them.
    pub tied: u64,
}

/// A piece, which is not cut further.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Piece {
    /// What it computes; none where it only moves values about.
    pub operation: Option<PieceOperation>,
    /// Work beside that of the other pieces, by which pipelines are cut.
    pub weight: f64,
    /// Values of one record that flow to the next piece.
    pub leaving: f64,
    /// Tensors that hold its parameters.
    pub tensors: u64,
    /// Sums over a tensor group that it takes forward, in values of one record each.
    pub forward_sums: Vec<f64>,
    /// Sums over a tensor group that its gradient takes, in values of one record each.
    pub backward_sums: Vec<f64>,
    /// Values of a sum over all replicas behind it, in both passes, however many records there are (batch statistics).
    pub replica_sum: f64,
}

/// An operation with its sizes for one record.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PieceOperation {
    /// What is computed.
    pub kind: PieceKind,
    /// Its sizes.
    pub work: Work,
}

/// What a piece computes, forward and backward.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PieceKind {
    /// Fully connected layer.
    Linear,
    /// Fully connected layer with max(0, x) behind it.
    Dense,
    /// Convolution.
    Convolution,
    /// Convolution in groups of channels.
    GroupedConvolution,
    /// Activation function that needs a comparison.
    Relu,
    /// Hyperbolic tangent.
    Tanh,
    /// Maximum over windows.
    MaxPool,
    /// Mean over an image.
    Mean,
    /// Batch normalisation with its activation.
    BatchNorm,
    /// Sum of two images with its activation.
    Add,
    /// Fewer pixels, more channels.
    Shrink,
    /// Weighing of channels by the whole image.
    Excite,
    /// Feature pyramid.
    Pyramid,
    /// Heads of a detector.
    Heads,
    /// Rows of a table of tokens, with places.
    Embedding,
    /// Norm by mean and deviation.
    LayerNorm,
    /// Norm by root mean square.
    RmsNorm,
    /// Attention with the residual sum.
    Attention,
    /// The same with rotated queries and keys.
    RotaryAttention,
    /// Feed-forward network with the residual sum.
    FeedForward,
    /// The same with a gate.
    GatedFeedForward,
    /// What masked tokens are predicted from.
    Transform,
    /// Classes from the first position.
    Classifier,
    /// A score for each entry of a vocabulary.
    Output,
    /// Long short-term memory over all steps.
    Lstm,
    /// Gated recurrent units over all steps.
    Gru,
    /// Rows of several tables, summed table by table.
    Tables,
    /// Products of all pairs of vectors.
    Dot,
    /// Low-rank cross layer.
    Cross,
    /// Factors of users and items with their product.
    Factors,
    /// Cross-entropy of classes.
    ClassLoss,
    /// Cross-entropy of tokens.
    TokenLoss,
    /// Cross-entropy of clicks.
    ClickLoss,
    /// Squared error.
    NumberLoss,
    /// Loss of boxes.
    BoxLoss,
    /// A cut: values leave one graph and enter the next.
    Cut,
}

impl PieceKind {
    /// Name as machine profiles write it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Linear => "linear",
            Self::Dense => "dense",
            Self::Convolution => "convolution",
            Self::GroupedConvolution => "grouped_convolution",
            Self::Relu => "relu",
            Self::Tanh => "tanh",
            Self::MaxPool => "max_pool",
            Self::Mean => "mean",
            Self::BatchNorm => "batch_norm",
            Self::Add => "add",
            Self::Shrink => "shrink",
            Self::Excite => "excite",
            Self::Pyramid => "pyramid",
            Self::Heads => "heads",
            Self::Embedding => "embedding",
            Self::LayerNorm => "layer_norm",
            Self::RmsNorm => "rms_norm",
            Self::Attention => "attention",
            Self::RotaryAttention => "rotary_attention",
            Self::FeedForward => "feed_forward",
            Self::GatedFeedForward => "gated_feed_forward",
            Self::Transform => "transform",
            Self::Classifier => "classifier",
            Self::Output => "output",
            Self::Lstm => "lstm",
            Self::Gru => "gru",
            Self::Tables => "tables",
            Self::Dot => "dot",
            Self::Cross => "cross",
            Self::Factors => "factors",
            Self::ClassLoss => "class_loss",
            Self::TokenLoss => "token_loss",
            Self::ClickLoss => "click_loss",
            Self::NumberLoss => "number_loss",
            Self::BoxLoss => "box_loss",
            Self::Cut => "cut",
        }
    }
}

/// Sizes that the time of a piece follows from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Work {
    /// Multiply-adds of products, of all records.
    pub multiply_adds: f64,
    /// Values that enter.
    pub entering: f64,
    /// Values that leave.
    pub leaving: f64,
    /// Values between: unfolded windows, scores of attention, gates.
    pub inner: f64,
    /// Parameters, whatever the records.
    pub parameters: f64,
    /// Steps that are taken one after the other, whatever the records.
    pub steps: f64,
}

impl Work {
    /// The sizes for so many records.
    #[must_use]
    pub fn of_records(self, records: f64) -> Self {
        Self {
            multiply_adds: self.multiply_adds * records,
            entering: self.entering * records,
            leaving: self.leaving * records,
            inner: self.inner * records,
            ..self
        }
    }
}

/// The pieces of a network of whose matrices each of `tensor` ranks holds a part.
///
/// # Errors
/// The model is impossible.
pub fn pieces(model: &Model, tensor: u32) -> Result<Pieces, ShapeError> {
    let model = model.resolved()?;
    model.parameters()?;
    Ok(match &model {
        Model::Transformer(network) => tokens::transformer(network, f64::from(tensor)),
        Model::Rnn(network) => tokens::recurrent(network, f64::from(tensor)),
        Model::BlockCnn(network) => images::blocks(network),
        Model::Detector(network) => images::detector(network)?,
        Model::MatrixFactorization(factors) => recommenders::factors(factors),
        Model::Dlrm(network) => recommenders::dlrm(network),
        chain => images::chain(&chain.shaped()?),
    })
}

impl Piece {
    /// A piece whose values flow on by themselves.
    fn new(kind: PieceKind, work: Work, weight: f64, tensors: u64) -> Self {
        let operation = Some(PieceOperation { kind, work });
        Self { operation, weight, leaving: work.leaving, tensors, ..Self::default() }
    }

    /// Whether it is attention, whose activations alone are computed again where that is selective.
    #[must_use]
    pub fn is_attention(&self) -> bool {
        let kind = self.operation.map(|operation| operation.kind);
        matches!(kind, Some(PieceKind::Attention | PieceKind::RotaryAttention))
    }

    /// Parameters that it holds.
    #[must_use]
    pub fn parameters(&self) -> f64 {
        self.operation.map_or(0.0, |operation| operation.work.parameters)
    }
}

/// Cross-entropy of so many classes.
fn class_loss(classes: usize) -> PieceOperation {
    let work = Work { entering: classes as f64, leaving: 1.0, ..Work::default() };
    PieceOperation { kind: PieceKind::ClassLoss, work }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_hold_the_parameters_of_their_network() {
        for preset in super::super::PRESETS {
            let model = preset.model();
            // What the executor does not carry out has no pieces of its own.
            let planned_only = match &model {
                Model::Transformer(network) => network.experts.is_some(),
                Model::Rnn(network) => network.decoder.is_some(),
                _ => false,
            };
            if !planned_only {
                let found: f64 = pieces(&model, 1).expect("it is valid").list.iter().map(Piece::parameters).sum();
                assert_eq!(found as u64, model.parameters().expect("it is valid"), "{}", preset.name);
            }
        }
    }

    #[test]
    fn ranks_of_a_tensor_group_share_products_and_scores() {
        let model = Model::Preset("megatron-22b".to_owned());
        let [one, two] = [1, 2].map(|ranks| pieces(&model, ranks).expect("it is valid"));
        let products = |pieces: &Pieces| {
            pieces
                .list
                .iter()
                .filter_map(|piece| piece.operation)
                .map(|operation| operation.work.multiply_adds)
                .sum::<f64>()
        };
        assert!((products(&one) / products(&two) - 2.0).abs() < 1e-9);
        assert!((one.loss.work.entering / two.loss.work.entering - 2.0).abs() < 1e-9);
    }
}
