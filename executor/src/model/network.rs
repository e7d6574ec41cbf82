//! A network as a chain of pieces.

use std::ops::Range;

use burn::module::Module;
use burn::tensor::{Device, Int, Tensor};
use scenarios::carried_out;
use scenarios::model::{
    Dlrm, MatrixFactorization, Model, Operator, Rnn, ShapeError, Shaped, Transformer, TransformerKind,
};
use scenarios::strategy::Recompute;

use super::build::{Build, Parameter, Share};
use super::detector::{self, DetectorPiece};
use super::dlrm::{self, DlrmPiece};
use super::factors::Factors;
use super::flow::{Flow, Value};
use super::generate::Memory;
use super::layer::NetworkLayer;
use super::pass::Pass;
use super::recurrent::{self, RecurrentPiece};
use super::residual::{self, ImagePiece};
use super::running::Running;
use super::transformer::{self, TransformerPiece};
use super::vocabulary::Rows;
use crate::data::Inputs;

/// A network, or the part of it that a rank holds.
#[derive(Module, Debug)]
pub struct Network {
    pieces: Vec<Piece>,
    /// The embedding's matrix, where the output uses it too.
    tied: Option<Rows>,
    #[module(skip)]
    parameters: Vec<Parameter>,
    #[module(skip)]
    description: Description,
    #[module(skip)]
    part: Part,
}

/// A piece of a network.
#[derive(Module, Debug)]
#[allow(clippy::large_enum_variant, reason = "burn has no modules in boxes, and a network has few pieces")]
pub enum Piece {
    /// A layer of a simple chain.
    Layer(NetworkLayer),
    /// A piece of a transformer.
    Transformer(TransformerPiece),
    /// A piece of a recurrent network.
    Recurrent(RecurrentPiece),
    /// A piece of a network of blocks on images.
    Image(ImagePiece),
    /// A piece of a detector after its trunk.
    Detector(DetectorPiece),
    /// Matrix factorisation, the whole of it.
    Factors(Factors),
    /// A piece of a recommender of tables and dense layers.
    Dlrm(DlrmPiece),
}

/// What happens to a value between two pieces, beyond that it flows on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Seam {
    /// Nothing.
    #[default]
    Plain,
    /// Its gradient is the sum over the ranks of a tensor group, each of which goes on with a part of it (Megatron's f).
    GradientOverTensor,
    /// It is the sum over all replicas of the data, and so is its gradient: statistics of a whole batch.
    SumOverReplicas,
}

/// Which part of a network a rank holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Pieces.
    pub pieces: Range<usize>,
    /// What is held of matrices that ranks share.
    pub share: Share,
}

/// A description that unfolds into pieces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Description {
    /// A simple chain of layers.
    Chain(Vec<Shaped>),
    /// A transformer.
    Transformer(Transformer),
    /// A recurrent network.
    Recurrent(Rnn),
    /// Blocks on images.
    Blocks(residual::Plan),
    /// One-stage detector.
    Detector(detector::Plan),
    /// Matrix factorisation.
    Factors(MatrixFactorization),
    /// Tables and dense layers.
    Dlrm(Dlrm),
}

impl Description {
    /// The pieces of a model.
    ///
    /// # Errors
    /// The model is impossible, or of a kind that is planned but not carried out.
    pub fn of(model: &Model) -> Result<Self, ShapeError> {
        let model = model.resolved()?;
        model.parameters()?;
        match model {
            Model::Transformer(transformer) => {
                transformer::check(&transformer)?;
                Ok(Self::Transformer(transformer))
            }
            Model::Rnn(network) => {
                recurrent::check(&network)?;
                Ok(Self::Recurrent(network))
            }
            Model::BlockCnn(network) => Ok(Self::Blocks(residual::Plan::of(&network))),
            Model::Detector(network) => Ok(Self::Detector(detector::Plan::of(&network))),
            Model::MatrixFactorization(factors) => Ok(Self::Factors(factors)),
            Model::Dlrm(network) => Ok(Self::Dlrm(network)),
            other => Ok(Self::Chain(other.shaped()?)),
        }
    }

    /// Whether so many ranks can share the matrices evenly.
    ///
    /// # Errors
    /// They cannot: the first size that they do not divide, or that this family's layers are not shared.
    pub fn check_shares(&self, ranks: usize) -> Result<(), ShapeError> {
        match self {
            Self::Transformer(model) => carried_out::check_shares(model.vocabulary, &model.shared_sizes(), ranks),
            Self::Recurrent(model) => carried_out::check_shares(model.vocabulary, &[], ranks),
            _ if ranks > 1 => Err(ShapeError::PlannedOnly { what: "tensor parallelism" }),
            _ => Ok(()),
        }
    }

    /// Number of pieces.
    #[must_use]
    pub fn pieces(&self) -> usize {
        match self {
            Self::Chain(layers) => layers.len(),
            Self::Transformer(model) => transformer::pieces(model),
            Self::Recurrent(model) => recurrent::pieces(model),
            Self::Blocks(plan) => plan.steps.len(),
            Self::Detector(plan) => plan.pieces(),
            Self::Factors(_) => 1,
            Self::Dlrm(network) => dlrm::pieces(network),
        }
    }

    /// Numbers of a record that the network reads.
    #[must_use]
    pub fn input(&self) -> usize {
        match self {
            Self::Chain(layers) => layers[0].input.elements(),
            Self::Transformer(model) => model.sequence.get(),
            Self::Recurrent(model) => model.sequence.get(),
            Self::Blocks(plan) => plan.image.elements(),
            Self::Detector(plan) => plan.trunk.image.elements(),
            Self::Factors(_) => 2,
            Self::Dlrm(network) => network.dense_inputs.get() + network.lookups(),
        }
    }

    /// Name of the family as documents write it.
    #[must_use]
    pub const fn family(&self) -> &'static str {
        match self {
            Self::Chain(_) => "chain of layers",
            Self::Transformer(_) => "transformer",
            Self::Recurrent(_) => "rnn",
            Self::Blocks(_) => "block_cnn",
            Self::Detector(_) => "detector",
            Self::Factors(_) => "matrix_factorization",
            Self::Dlrm(_) => "dlrm",
        }
    }

    /// Entries of the vocabulary of a network that reads tokens.
    #[must_use]
    pub const fn vocabulary(&self) -> Option<usize> {
        match self {
            Self::Transformer(Transformer { vocabulary, .. }) | Self::Recurrent(Rnn { vocabulary, .. }) => {
                Some(vocabulary.get())
            }
            _ => None,
        }
    }

    /// Entries of the vocabulary of a network that gives a next token: a decoder, or a recurrent network that runs forward
    /// only.
    #[must_use]
    pub const fn next_of(&self) -> Option<usize> {
        match self {
            Self::Transformer(model) if !matches!(model.kind, TransformerKind::Decoder) => None,
            Self::Recurrent(model) if model.bidirectional > 0 => None,
            _ => self.vocabulary(),
        }
    }

    /// Tokens that a network sees at once, where that is limited.
    #[must_use]
    pub const fn reach(&self) -> Option<usize> {
        match self {
            Self::Transformer(model) => Some(model.sequence.get()),
            _ => None,
        }
    }

    /// How much work each piece is, beside the others.
    #[must_use]
    pub fn work(&self) -> Vec<f64> {
        match self {
            // Layers without products still read and write what flows through them.
            Self::Chain(layers) => layers
                .iter()
                .map(|layer| {
                    let operator = Operator::of(layer);
                    operator.multiply_adds() + (layer.input.elements() + layer.output.elements()) as f64
                })
                .collect(),
            Self::Transformer(model) => (0..self.pieces()).map(|index| transformer::work(model, index)).collect(),
            Self::Recurrent(model) => (0..self.pieces()).map(|index| recurrent::work(model, index)).collect(),
            // Blocks have about equal work: where there are fewer pixels there are more channels.
            Self::Blocks(_) | Self::Detector(_) | Self::Factors(_) | Self::Dlrm(_) => vec![1.0; self.pieces()],
        }
    }

    /// Everything.
    #[must_use]
    pub fn whole(&self) -> Part {
        Part { pieces: 0..self.pieces(), share: Share::WHOLE }
    }

    fn piece(&self, index: usize, build: &mut Build<'_>) -> Piece {
        match self {
            Self::Chain(layers) => Piece::Layer(NetworkLayer::new(index, &layers[index], build)),
            Self::Transformer(model) => Piece::Transformer(TransformerPiece::new(index, model, build)),
            Self::Recurrent(model) => Piece::Recurrent(RecurrentPiece::new(index, model, build)),
            Self::Blocks(plan) => Piece::Image(ImagePiece::new(&plan.steps[index], build)),
            Self::Detector(plan) => match plan.trunk.steps.get(index) {
                Some(step) => Piece::Image(ImagePiece::new(step, build)),
                None => Piece::Detector(DetectorPiece::new(plan, index, build)),
            },
            Self::Factors(factors) => Piece::Factors(Factors::new(factors, build)),
            Self::Dlrm(network) => Piece::Dlrm(DlrmPiece::new(network, index, build)),
        }
    }

    /// The matrix that embedding and output share, where a part has one of them. Where two stages of a pipeline have one
    /// each, both make it, under one name: their gradients are to be summed.
    fn tied(&self, pieces: &Range<usize>, build: &mut Build<'_>) -> Option<Rows> {
        let mut pieces = pieces.clone();
        match self {
            Self::Transformer(model) => {
                pieces.any(|index| transformer::uses_rows(model, index)).then(|| transformer::rows(model, build))
            }
            Self::Recurrent(model) => {
                pieces.any(|index| recurrent::uses_rows(model, index)).then(|| recurrent::rows(model, build))
            }
            _ => None,
        }
    }

    /// Values of the first piece's input as the network takes them.
    ///
    /// # Panics
    /// The inputs are of another kind: files are checked against the description first.
    #[must_use]
    pub fn start(&self, inputs: Inputs) -> Flow {
        match (self, inputs) {
            (Self::Chain(layers), inputs) => inputs.shaped(layers[0].input).into(),
            (Self::Blocks(plan), inputs) => inputs.shaped(plan.image).into(),
            (Self::Detector(plan), inputs) => inputs.shaped(plan.trunk.image).into(),
            (Self::Transformer(model), inputs) => {
                let (tokens, mask) = inputs.tokens();
                // Nothing that counts in a decoder sees what was filled up behind it.
                let mask = mask.filter(|_| model.kind == TransformerKind::Encoder);
                Flow([Some(tokens), mask.map(Tensor::<2>::int)].into_iter().flatten().map(Value::Numbers).collect())
            }
            (Self::Recurrent(_), inputs) => Value::Numbers(inputs.tokens().0).into(),
            (Self::Factors(_), Inputs::Pairs(pairs)) => Value::Numbers(pairs).into(),
            (Self::Dlrm(_), Inputs::Clicks(numbers, rows)) => Flow(vec![Value::Vector(numbers), Value::Numbers(rows)]),
            (Self::Factors(_) | Self::Dlrm(_), _) => unreachable!("a recommender is given other inputs"),
        }
    }
}

impl Piece {
    /// What it makes of what flows to it, after what it remembers.
    fn forward(&self, flow: Flow, pass: &Pass<'_>, tied: Option<&Rows>, memory: Option<&mut Memory>) -> Flow {
        match self {
            Self::Layer(layer) => layer.forward(flow.single()).into(),
            Self::Image(piece) => piece.forward(flow, pass),
            Self::Detector(piece) => piece.forward(flow),
            Self::Factors(factors) => Value::Vector(factors.forward(&flow.single().numbers())).into(),
            Self::Dlrm(piece) => piece.forward(flow),
            Self::Transformer(piece) => piece.forward(flow, pass, tied, memory),
            Self::Recurrent(piece) => piece.forward(flow, pass, tied, memory),
        }
    }

    /// Whether its pass is made again on the way back.
    #[must_use]
    pub const fn is_recomputed(&self, recompute: Recompute) -> bool {
        match (recompute, self) {
            (Recompute::Full, _) => true,
            (Recompute::Selective, Self::Transformer(piece)) => matches!(piece, TransformerPiece::Attention(_)),
            (Recompute::None | Recompute::Selective, _) => false,
        }
    }

    /// What happens to each of the values that it gives, where that is more than flowing on.
    #[must_use]
    pub const fn seams(&self) -> &'static [Seam] {
        match self {
            Self::Image(piece) => piece.seams(),
            Self::Transformer(piece) => piece.seams(),
            Self::Recurrent(piece) => piece.seams(),
            Self::Layer(_) | Self::Detector(_) | Self::Factors(_) | Self::Dlrm(_) => &[],
        }
    }

    /// Running figures that it keeps beside its parameters.
    #[must_use]
    pub const fn running(&self) -> Option<&Running> {
        match self {
            Self::Image(piece) => piece.running(),
            _ => None,
        }
    }
}

impl Network {
    /// A part of a network with initial parameters drawn by `seed`: the same on every device and rank.
    #[must_use]
    pub fn new(description: &Description, part: Part, seed: u64, device: &Device) -> Self {
        let mut build = Build::new(device, part.share, seed);
        let pieces = part.pieces.clone().map(|index| description.piece(index, &mut build)).collect();
        let tied = description.tied(&part.pieces, &mut build);
        Self { pieces, tied, parameters: build.parameters, description: description.clone(), part }
    }

    /// What a whole network makes of its inputs.
    #[must_use]
    pub fn output(&self, inputs: Inputs, pass: &Pass<'_>) -> Flow {
        self.forward(0..self.pieces.len(), self.description.start(inputs), pass)
    }

    /// What the pieces of a range of this part make of what flows to the first of them.
    #[must_use]
    pub fn forward(&self, pieces: Range<usize>, flow: Flow, pass: &Pass<'_>) -> Flow {
        self.pieces[pieces].iter().fold(flow, |flow, piece| piece.forward(flow, pass, self.tied.as_ref(), None))
    }

    /// Scores of the token after the last position, of a whole network on tokens that goes on from what its pieces remember.
    ///
    /// # Panics
    /// It has no pieces, or takes something else.
    #[must_use]
    pub fn next(&self, tokens: Tensor<2, Int>, memories: &mut [Memory], pass: &Pass<'_>) -> Tensor<2> {
        let (records, positions) = (tokens.dims()[0], tokens.dims()[1]);
        let (output, before) = self.pieces.split_last().expect("a whole network has pieces");
        let mut flow: Flow = Value::Numbers(tokens).into();
        for (piece, memory) in before.iter().zip(memories) {
            flow = piece.forward(flow, pass, self.tied.as_ref(), Some(memory));
            memory.seen += positions;
        }
        let last = flow.single().sequence().narrow(1, positions - 1, 1);
        let scores = output.forward(Value::Sequence(last).into(), pass, self.tied.as_ref(), None).single().sequence();
        let vocabulary = scores.dims()[2];
        scores.reshape([records, vocabulary])
    }

    /// Pieces of this part.
    #[must_use]
    pub fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// What it unfolds from.
    #[must_use]
    pub const fn description(&self) -> &Description {
        &self.description
    }

    /// Which part of it this is.
    #[must_use]
    pub const fn part(&self) -> &Part {
        &self.part
    }

    /// Parameters of this part, in the order of their making.
    #[must_use]
    pub fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    /// Running figures that this part keeps beside its parameters, in order. They change in learning passes that count,
    /// also behind a shared reference.
    pub fn running(&self) -> impl Iterator<Item = &Running> {
        self.pieces.iter().filter_map(Piece::running)
    }

    /// Takes over the running figures of pieces of a copy that has learned.
    pub fn follow(&self, copy: &Self, pieces: Range<usize>) {
        let pairs = self.pieces[pieces.clone()].iter().zip(&copy.pieces[pieces]);
        pairs.filter_map(|(own, copy)| own.running().zip(copy.running())).for_each(|(own, copy)| own.follow(copy));
    }

    /// Numbers in the parameters that this part holds.
    #[must_use]
    pub fn size(&self) -> usize {
        self.num_params()
    }
}
