//! Normalisation, and where the chain forks into the residual stream and what enters matrices.

use burn::module::{Module, Param};
use burn::tensor::module::layer_norm;
use burn::tensor::{FloatDType, Tensor};
use scenarios::model::{Norm, Transformer, TransformerKind};

use super::super::build::{Build, Initial, Wanted};
use super::super::flow::{Flow, Value};
use super::super::network::Seam;
use super::names::Style;

/// Normalisation over the width, with a scale: by mean and deviation (arXiv 1607.06450), then with a bias too, or by the root
/// mean square (arXiv 1910.07467).
#[derive(Module, Debug)]
pub struct Normal {
    weight: Param<Tensor<1>>,
    bias: Option<Param<Tensor<1>>>,
    #[module(skip)]
    epsilon: f64,
}

/// A norm between two parts of a transformer: from the residual stream it makes what goes on.
#[derive(Module, Debug)]
pub struct NormPiece {
    normal: Normal,
    #[module(skip)]
    gives: Gives,
}

/// What a norm gives to the piece behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Gives {
    /// The stream as it was, and its norm (GPT, LLaMA).
    StreamAndNorm,
    /// The norm twice: it is the stream (BERT).
    NormTwice,
    /// The norm, at the end of the chain, to a piece whose ranks have a part of the vocabulary each.
    NormToParts,
    /// The norm, at the end of the chain, to pieces that each rank has whole.
    NormToWhole,
}

impl Normal {
    /// With weights `NAME.weight`, and `NAME.bias` if it subtracts the mean.
    pub(super) fn new(name: &str, model: &Transformer, build: &mut Build<'_>) -> Self {
        let width = [model.hidden.get()];
        let weight = build.parameter(format!("{name}.weight"), Wanted::new(width, Initial::Constant(1.0)));
        let bias = (model.norm == Norm::Layer)
            .then(|| build.parameter(format!("{name}.bias"), Wanted::new(width, Initial::Constant(0.0))));
        // As in Hugging Face's configurations of BERT, GPT-2 and LLaMA 2.
        let epsilon = if model.kind == TransformerKind::Encoder { 1e-12 } else { 1e-5 };
        Self { weight, bias, epsilon }
    }

    /// Computed in 32 bits, whatever it is given.
    pub(super) fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        let (format, x) = (x.dtype(), x.cast(FloatDType::F32));
        let weight = self.weight.val().cast(FloatDType::F32);
        let normal = if let Some(bias) = &self.bias {
            layer_norm(x, weight, Some(bias.val().cast(FloatDType::F32)), self.epsilon)
        } else {
            let square = (x.clone() * x.clone()).mean_dim(2);
            x / (square + self.epsilon).sqrt() * weight.unsqueeze()
        };
        normal.cast(format)
    }
}

impl NormPiece {
    /// Norm `index` of 2 × layers + 1.
    pub(super) fn new(index: usize, model: &Transformer, build: &mut Build<'_>) -> Self {
        let (layers, is_encoder) = (model.layers.get(), model.kind == TransformerKind::Encoder);
        let gives = match (index == 2 * layers, is_encoder) {
            (true, true) => Gives::NormToWhole,
            (true, false) => Gives::NormToParts,
            (false, true) => Gives::NormTwice,
            (false, false) => Gives::StreamAndNorm,
        };
        Self { normal: Normal::new(&Style::of(model).norm(index, layers), model, build), gives }
    }

    /// The stream x, and the mask if there is one → x, what enters matrices, and the mask; at the end the norm alone.
    pub(super) fn forward(&self, Flow(mut values): Flow) -> Flow {
        let rest = values.split_off(1);
        let x = Flow(values).single().sequence();
        let norm = Value::Sequence(self.normal.forward(x.clone()));
        let mut values = match self.gives {
            Gives::StreamAndNorm => vec![Value::Sequence(x), norm],
            Gives::NormTwice => vec![norm.clone(), norm],
            Gives::NormToParts | Gives::NormToWhole => return norm.into(),
        };
        values.extend(rest);
        Flow(values)
    }

    pub(super) const fn seams(&self) -> &'static [Seam] {
        match self.gives {
            Gives::StreamAndNorm | Gives::NormTwice => &[Seam::Plain, Seam::GradientOverTensor],
            Gives::NormToParts => &[Seam::GradientOverTensor],
            Gives::NormToWhole => &[],
        }
    }
}
