//! A network as a chain of pieces.

use std::ops::Range;

use burn::module::Module;
use burn::tensor::Device;
use scenarios::model::{Model, Operator, ShapeError, Shaped};
use scenarios::strategy::Recompute;

use super::build::{Build, Parameter, Share};
use super::flow::Flow;
use super::layer::NetworkLayer;
use super::pass::Pass;
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
pub enum Piece {
    /// A layer of a simple chain.
    Layer(NetworkLayer),
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
}

impl Description {
    /// The pieces of a model.
    ///
    /// # Errors
    /// The model is impossible, or of a kind that is planned but not carried out.
    pub fn of(model: &Model) -> Result<Self, ShapeError> {
        Ok(Self::Chain(model.shaped()?))
    }

    /// Number of pieces.
    #[must_use]
    pub const fn pieces(&self) -> usize {
        match self {
            Self::Chain(layers) => layers.len(),
        }
    }

    /// Numbers of a record that the network reads.
    #[must_use]
    pub fn input(&self) -> usize {
        match self {
            Self::Chain(layers) => layers[0].input.elements(),
        }
    }

    /// Whether as many ranks can share its matrices.
    ///
    /// # Errors
    /// They cannot; the text says why.
    pub fn shared_by(&self, ranks: usize) -> Result<(), String> {
        match self {
            Self::Chain(_) if ranks > 1 => {
                Err(format!("the layers of this network are not shared between {ranks} ranks; transformers' are"))
            }
            Self::Chain(_) => Ok(()),
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
        }
    }

    /// Everything.
    #[must_use]
    pub const fn whole(&self) -> Part {
        Part { pieces: 0..self.pieces(), share: Share::WHOLE }
    }

    fn piece(&self, index: usize, build: &mut Build<'_>) -> Piece {
        match self {
            Self::Chain(layers) => Piece::Layer(NetworkLayer::new(index, &layers[index], build)),
        }
    }

    /// Values of the first piece's input as the network takes them.
    #[must_use]
    pub fn start(&self, inputs: Inputs) -> Flow {
        match self {
            Self::Chain(layers) => inputs.shaped(layers[0].input).into(),
        }
    }
}

impl Piece {
    /// What it makes of what flows to it.
    #[must_use]
    pub fn forward(&self, flow: Flow, _: &Pass<'_>) -> Flow {
        match self {
            Self::Layer(layer) => layer.forward(flow.single()).into(),
        }
    }

    /// Whether its pass is made again on the way back.
    #[must_use]
    pub const fn is_recomputed(&self, recompute: Recompute) -> bool {
        match recompute {
            Recompute::None | Recompute::Selective => false,
            Recompute::Full => true,
        }
    }

    /// What happens to each of the values that it gives, where that is more than flowing on.
    #[must_use]
    pub const fn seams(&self) -> &'static [Seam] {
        match self {
            Self::Layer(_) => &[],
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

    /// Numbers in the parameters that this part holds.
    #[must_use]
    pub fn size(&self) -> usize {
        self.num_params()
    }
}
