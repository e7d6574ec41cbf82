//! Deep learning recommendation model: tables of embeddings, dense layers and their interaction (Naumov et al. 2019,
//! arXiv 1906.00091; cross layers: Wang et al. 2021, arXiv 2008.13535). Names are those of facebookresearch/dlrm and of
//! torchrec's cross network.

mod interaction;
mod tables;
#[cfg(test)]
mod tests;

use burn::module::Module;
use burn::nn::Linear;
use burn::tensor::activation::relu;
use scenarios::model::{Dlrm, Interaction};

use super::build::{Build, Initial, Wanted};
use super::flow::{Flow, Value};
use interaction::{CrossLayer, Dot};
use tables::Embeddings;

/// A piece of the network.
#[derive(Module, Debug)]
pub enum DlrmPiece {
    /// Rows of the tables, summed for each table: numbers and rows → numbers `[records, numbers]` and embeddings
    /// `[records, tables, width]`
    Embeddings(Embeddings),
    /// A layer on the first value.
    Dense(Dense),
    /// Products of all pairs of embeddings and numbers.
    Dot(Dot),
    /// A cross layer; the first one puts embeddings and numbers side by side.
    Cross(CrossLayer),
}

/// A fully connected layer, and whether max(0, x) follows.
#[derive(Module, Debug)]
pub struct Dense {
    linear: Linear,
    activated: bool,
}

/// Where a piece stands.
enum Place {
    Embeddings,
    Bottom(usize),
    Dot,
    Cross(usize),
    Top(usize),
}

/// Number of pieces.
pub(super) fn pieces(network: &Dlrm) -> usize {
    1 + network.bottom.len() + network.cross_layers().max(1) + network.top.len()
}

fn place(network: &Dlrm, index: usize) -> Place {
    let interaction = 1 + network.bottom.len();
    let top = interaction + network.cross_layers().max(1);
    match (index, network.interaction) {
        (0, _) => Place::Embeddings,
        (index, _) if index < interaction => Place::Bottom(index - 1),
        (index, Interaction::Dot) if index < top => Place::Dot,
        (index, Interaction::Cross(_)) if index < top => Place::Cross(index - interaction),
        (index, _) => Place::Top(index - top),
    }
}

impl DlrmPiece {
    pub(super) fn new(network: &Dlrm, index: usize, build: &mut Build<'_>) -> Self {
        match place(network, index) {
            Place::Embeddings => Self::Embeddings(Embeddings::new(network, build)),
            Place::Bottom(layer) => {
                Self::Dense(Dense::new(&format!("bot_l.{}", 2 * layer), network.bottom_layers()[layer], true, build))
            }
            Place::Dot => Self::Dot(Dot::new(network.features())),
            Place::Cross(layer) => Self::Cross(CrossLayer::new(network, layer, build)),
            Place::Top(layer) => {
                let activated = layer + 1 < network.top.len();
                Self::Dense(Dense::new(&format!("top_l.{}", 2 * layer), network.top_layers()[layer], activated, build))
            }
        }
    }

    pub(super) fn forward(&self, flow: Flow) -> Flow {
        match self {
            Self::Embeddings(piece) => {
                let [numbers, rows] = flow.array();
                Flow(vec![numbers, Value::Sequence(piece.forward(&rows.numbers()))])
            }
            Self::Dense(layer) => layer.forward(flow),
            Self::Dot(piece) => {
                let [numbers, embeddings] = flow.array();
                Value::Vector(piece.forward(numbers.flat(), embeddings.sequence())).into()
            }
            Self::Cross(layer) => {
                let [at, beside] = flow.array();
                layer.forward(at.flat(), beside.flat())
            }
        }
    }
}

impl Dense {
    /// A layer drawn as facebookresearch/dlrm does: weights with variance 2 / (inputs + outputs), biases 1 / outputs.
    fn new(name: &str, (inputs, outputs): (usize, usize), activated: bool, build: &mut Build<'_>) -> Self {
        let weight = Initial::Normal((2.0 / (inputs + outputs) as f32).sqrt());
        let bias = Initial::Normal((1.0 / outputs as f32).sqrt());
        let linear = Linear {
            weight: build.parameter(format!("{name}.weight"), Wanted::new([inputs, outputs], weight).transposed()),
            bias: Some(build.parameter(format!("{name}.bias"), Wanted::new([outputs], bias))),
        };
        Self { linear, activated }
    }

    /// The layer of the first value; the others flow on.
    fn forward(&self, flow: Flow) -> Flow {
        let mut values = flow.0.into_iter();
        let first = values.next().unwrap_or_else(|| unreachable!("a layer is given no value")).flat();
        let found = self.linear.forward(first);
        let found = Value::Vector(if self.activated { relu(found) } else { found });
        Flow(std::iter::once(found).chain(values).collect())
    }
}
