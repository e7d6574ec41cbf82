//! What encoders have behind their last layer.

use burn::module::Module;
use burn::tensor::Tensor;
use burn::tensor::activation::gelu;
use scenarios::model::Transformer;

use super::super::affine::{Affine, Cut, Matrix};
use super::super::build::Build;
use super::super::flow::{Flow, Value};
use super::super::network::Seam;
use super::super::pass::Pass;
use super::matrix;
use super::norm::Normal;

/// tanh(W·h + b) of the first position (arXiv 1810.04805, section 3.1, and its published code).
#[derive(Module, Debug)]
struct Pooler {
    dense: Affine,
}

/// Scores of classes from the pooled first position.
#[derive(Module, Debug)]
pub struct Classifier {
    pooler: Pooler,
    output: Affine,
}

/// What masked tokens are predicted from: norm(gelu(W·h + b)). The pooler and the head of the next sentence lie here too, so
/// that files are complete and fine-tuning finds them; no target is about the next sentence, so they stay as they were drawn.
#[derive(Module, Debug)]
pub struct Transform {
    dense: Affine,
    normal: Normal,
    next_sentence: Classifier,
}

impl Pooler {
    fn new(model: &Transformer, build: &mut Build<'_>) -> Self {
        Self { dense: Affine::new("bert.pooler.dense", square(model), build) }
    }

    fn forward(&self, h: Tensor<3>, pass: &Pass<'_>) -> Tensor<2> {
        let [records, _, width] = h.dims();
        let first = h.narrow(1, 0, 1).reshape([records, width]);
        self.dense.forward(first, pass).tanh()
    }
}

impl Classifier {
    /// Named `NAME.weight` and `NAME.bias` behind the pooler.
    pub(super) fn new(name: &str, classes: usize, model: &Transformer, build: &mut Build<'_>) -> Self {
        let pooler = Pooler::new(model, build);
        let size = [model.hidden.get(), classes];
        Self { pooler, output: Affine::new(name, Matrix { size, ..square(model) }, build) }
    }

    /// `[records, positions, width]` → `[records, classes]`
    pub(super) fn forward(&self, flow: Flow, pass: &Pass<'_>) -> Flow {
        let pooled = self.pooler.forward(flow.single().sequence(), pass);
        Value::Vector(self.output.forward(pooled, pass)).into()
    }
}

impl Transform {
    pub(super) fn new(model: &Transformer, build: &mut Build<'_>) -> Self {
        Self {
            dense: Affine::new("cls.predictions.transform.dense", square(model), build),
            normal: Normal::new("cls.predictions.transform.LayerNorm", model, build),
            next_sentence: Classifier::new("cls.seq_relationship", 2, model, build),
        }
    }

    pub(super) fn forward(&self, flow: Flow, pass: &Pass<'_>) -> Flow {
        let x = gelu(self.dense.forward(flow.single().sequence(), pass));
        Value::Sequence(self.normal.forward(x)).into()
    }

    /// The output's matrix behind it is shared over the vocabulary.
    pub(super) const SEAMS: &'static [Seam] = &[Seam::GradientOverTensor];
}

/// A matrix with a bias, whatever the layers have, that all ranks hold whole.
fn square(model: &Transformer) -> Matrix {
    let width = model.hidden.get();
    Matrix { bias: true, ..matrix(model, [width, width], Cut::Whole) }
}
