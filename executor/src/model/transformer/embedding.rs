//! From tokens to vectors.

use burn::module::{Module, Param};
use burn::tensor::Tensor;
use scenarios::model::{Positions, Transformer, TransformerKind};

use super::super::build::{Build, Initial, Wanted};
use super::super::flow::{Flow, Value};
use super::super::pass::Pass;
use super::super::vocabulary::Rows;
use super::names::Style;
use super::{DEVIATION, rows};

/// Sum of a token's vector, of its place's, and for encoders of its segment's: all tokens belong to the first.
#[derive(Module, Debug)]
pub struct Embedding {
    /// None where the output uses it too: the network holds it then.
    tokens: Option<Rows>,
    positions: Option<Param<Tensor<2>>>,
    segments: Option<Param<Tensor<2>>>,
}

impl Embedding {
    pub(super) fn new(model: &Transformer, build: &mut Build<'_>) -> Self {
        let [width, sequence] = [model.hidden.get(), model.sequence.get()];
        let is_encoder = model.kind == TransformerKind::Encoder;
        let initial = Initial::Normal(DEVIATION);
        let mut table = |name: &str, count| build.parameter(name, Wanted::new([count, width], initial));
        let positions =
            (model.positions == Positions::Learned).then(|| table(Style::of(model).ends().positions, sequence));
        let segments = is_encoder.then(|| table("bert.embeddings.token_type_embeddings.weight", 2));
        Self { tokens: (!super::shares_rows(model)).then(|| rows(model, build)), positions, segments }
    }

    /// Tokens, and the mask if there is one → the stream, and the mask. The first token is at a position.
    ///
    /// # Panics
    /// The matrix is the network's, and this part of it has none.
    pub(super) fn forward(&self, Flow(mut values): Flow, pass: &Pass<'_>, tied: Option<&Rows>, first: usize) -> Flow {
        let rest = values.split_off(1);
        let tokens = Flow(values).single().numbers();
        let count = tokens.dims()[1];
        let rows = self.tokens.as_ref().or(tied).expect("a part with an embedding has its matrix");
        let mut x = rows.of(tokens, pass);
        if let Some(positions) = &self.positions {
            x = x + positions.val().narrow(0, first, count).unsqueeze();
        }
        if let Some(segments) = &self.segments {
            x = x + segments.val().narrow(0, 0, 1).unsqueeze();
        }
        let mut values = vec![Value::Sequence(x)];
        values.extend(rest);
        Flow(values)
    }
}
