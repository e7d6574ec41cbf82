//! A network as a chain of pieces.

use std::ops::Range;

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Device, Tensor};
use scenarios::model::{Dlrm, MatrixFactorization, Model, ShapeError, Shaped};

use super::build::{Build, Parameter, Share};
use super::detector::{self, DetectorPiece};
use super::dlrm::{self, DlrmPiece};
use super::factors::Factors;
use super::flow::{Flow, Value};
use super::host;
use super::layer::NetworkLayer;
use super::pass::Pass;
use super::residual::{self, ImagePiece};
use super::running::Running;
use crate::data::Inputs;

/// A network, or the part of it that a rank holds.
#[derive(Module, Debug)]
pub struct Network {
    pieces: Vec<Piece>,
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
        Ok(match &model {
            Model::BlockCnn(network) => Self::Blocks(residual::Plan::of(network)),
            Model::Detector(network) => Self::Detector(detector::Plan::of(network)),
            Model::MatrixFactorization(factors) => Self::Factors(*factors),
            Model::Dlrm(network) => Self::Dlrm(network.clone()),
            other => Self::Chain(other.shaped()?),
        })
    }

    /// Number of pieces.
    #[must_use]
    pub fn pieces(&self) -> usize {
        match self {
            Self::Chain(layers) => layers.len(),
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
            Self::Blocks(plan) => plan.image.elements(),
            Self::Detector(plan) => plan.trunk.image.elements(),
            Self::Factors(_) => 2,
            Self::Dlrm(network) => network.dense_inputs.get() + network.lookups(),
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
            Self::Blocks(plan) => Piece::Image(ImagePiece::new(&plan.steps[index], build)),
            Self::Detector(plan) => match plan.trunk.steps.get(index) {
                Some(step) => Piece::Image(ImagePiece::new(step, build)),
                None => Piece::Detector(DetectorPiece::new(plan, index, build)),
            },
            Self::Factors(factors) => Piece::Factors(Factors::new(factors, build)),
            Self::Dlrm(network) => Piece::Dlrm(DlrmPiece::new(network, index, build)),
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
            (Self::Factors(_), Inputs::Pairs(pairs)) => Value::Numbers(pairs).into(),
            (Self::Dlrm(_), Inputs::Clicks(numbers, rows)) => Flow(vec![Value::Vector(numbers), Value::Numbers(rows)]),
            (Self::Factors(_) | Self::Dlrm(_), _) => unreachable!("a recommender is given other inputs"),
        }
    }
}

impl Piece {
    /// What it makes of what flows to it.
    #[must_use]
    pub fn forward(&self, flow: Flow, pass: &Pass<'_>) -> Flow {
        match self {
            Self::Layer(layer) => layer.forward(flow.single()).into(),
            Self::Image(piece) => piece.forward(flow, pass),
            Self::Detector(piece) => piece.forward(flow),
            Self::Factors(factors) => Value::Vector(factors.forward(&flow.single().numbers())).into(),
            Self::Dlrm(piece) => piece.forward(flow),
        }
    }

    /// What happens to each of the values that it gives, where that is more than flowing on.
    #[must_use]
    pub const fn seams(&self) -> &'static [Seam] {
        match self {
            Self::Image(piece) => piece.seams(),
            Self::Layer(_) | Self::Detector(_) | Self::Factors(_) | Self::Dlrm(_) => &[],
        }
    }

    /// Running figures that it keeps beside its parameters.
    #[must_use]
    pub const fn running(&self) -> Option<&Running> {
        match self {
            Self::Image(piece) => piece.running(),
            Self::Layer(_) | Self::Detector(_) | Self::Factors(_) | Self::Dlrm(_) => None,
        }
    }
}

impl Network {
    /// A part of a network with initial parameters drawn by `seed`: the same on every device and rank.
    #[must_use]
    pub fn new(description: &Description, part: Part, seed: u64, device: &Device) -> Self {
        let mut build = Build::new(device, part.share, seed);
        let pieces = part.pieces.clone().map(|index| description.piece(index, &mut build)).collect();
        Self { pieces, parameters: build.parameters, description: description.clone(), part }
    }

    /// What a whole network makes of its inputs.
    #[must_use]
    pub fn output(&self, inputs: Inputs, pass: &Pass<'_>) -> Flow {
        self.forward(0..self.pieces.len(), self.description.start(inputs), pass)
    }

    /// What the pieces of a range of this part make of what flows to the first of them.
    #[must_use]
    pub fn forward(&self, pieces: Range<usize>, flow: Flow, pass: &Pass<'_>) -> Flow {
        self.pieces[pieces].iter().fold(flow, |flow, piece| piece.forward(flow, pass))
    }

    /// Pieces of this part.
    #[must_use]
    pub fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// The network, leaving one without pieces in its place.
    #[must_use]
    pub fn take(&mut self) -> Self {
        let (description, part) = (self.description.clone(), self.part.clone());
        let (pieces, parameters) = (std::mem::take(&mut self.pieces), std::mem::take(&mut self.parameters));
        Self { pieces, parameters, description, part }
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

    /// Numbers in the parameters that this part holds.
    #[must_use]
    pub fn size(&self) -> usize {
        self.num_params()
    }

    /// All parameters in the order of a visit, on the host.
    #[must_use]
    pub fn values(&self) -> Vec<f32> {
        struct Collector(Vec<f32>);
        impl ModuleVisitor for Collector {
            fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
                self.0.extend(host(parameter.val()));
            }
        }
        let mut collector = Collector(Vec::with_capacity(self.size()));
        self.visit(&mut collector);
        collector.0
    }
}
