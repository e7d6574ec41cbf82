//! What records have to be, to fit a network.

use std::num::NonZeroUsize;

use scenarios::model::{Model, ShapeError, TensorShape, TransformerKind};
use serde::{Deserialize, Serialize};

/// What a network reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Needs {
    /// Numbers, or images of a size; it gives so many values, one for each class.
    Numbers {
        /// Shape of a record.
        shape: TensorShape,
        /// Values that it gives.
        outputs: usize,
    },
    /// Images, in which it finds objects.
    Objects {
        /// Shape of an image.
        shape: TensorShape,
        /// Classes of objects that it tells apart.
        classes: usize,
    },
    /// Tokens.
    Tokens {
        /// Tokens of a record.
        sequence: usize,
        /// Tokens that it knows.
        vocabulary: usize,
        /// Whether each token sees all others, so that it learns by filling in and not by going on.
        sees_all: bool,
        /// Classes that it tells apart; none where it finds tokens.
        classes: Option<usize>,
    },
    /// Pairs of users and items.
    Pairs {
        /// Users that it knows.
        users: usize,
        /// Items that it knows.
        items: usize,
    },
    /// Numbers, and rows of tables.
    Clicks {
        /// Numbers of a record.
        numbers: usize,
        /// Rows of the table that each lookup of a record is in.
        tables: Vec<usize>,
    },
}

impl Needs {
    /// What a model reads.
    ///
    /// # Errors
    /// The model is impossible.
    pub fn of(model: &Model) -> Result<Self, ShapeError> {
        Ok(match model.resolved()? {
            Model::BlockCnn(network) => Self::Numbers { shape: model.input()?, outputs: network.head.classes.get() },
            Model::Detector(detector) => {
                // The first of the heads' classes says whether there is an object.
                Self::Objects { shape: model.input()?, classes: (detector.heads.classes.get() - 1).max(1) }
            }
            Model::Rnn(network) => Self::Tokens {
                sequence: network.sequence.get(),
                vocabulary: network.vocabulary.get(),
                sees_all: network.bidirectional > 0,
                classes: None,
            },
            Model::Transformer(network) => Self::Tokens {
                sequence: network.sequence.get(),
                vocabulary: network.vocabulary.get(),
                sees_all: network.kind == TransformerKind::Encoder,
                classes: network.classes.map(NonZeroUsize::get),
            },
            Model::MatrixFactorization(factors) => {
                Self::Pairs { users: factors.users.get(), items: factors.items.get() }
            }
            Model::Dlrm(network) => {
                let rows = |tables: &scenarios::model::Tables| {
                    vec![tables.rows.get(); tables.count.get() * tables.lookups.get()]
                };
                let tables = network.tables.iter().flat_map(rows).collect();
                Self::Clicks { numbers: network.dense_inputs.get(), tables }
            }
            Model::Preset(_) | Model::Mlp(_) | Model::Cnn(_) => {
                Self::Numbers { shape: model.input()?, outputs: model.classes()? }
            }
        })
    }

    /// What it reads, in words.
    #[must_use]
    pub const fn words(&self) -> &'static str {
        match self {
            Self::Numbers { shape: TensorShape::Vector(_), .. } => "numbers",
            Self::Numbers { .. } | Self::Objects { .. } => "images",
            Self::Tokens { .. } => "tokens",
            Self::Pairs { .. } => "users and items",
            Self::Clicks { .. } => "numbers and categories",
        }
    }

    /// Shape of the numbers or images that it reads; empty where it reads something else.
    #[must_use]
    pub const fn shape(&self) -> TensorShape {
        match self {
            Self::Numbers { shape, .. } | Self::Objects { shape, .. } => *shape,
            Self::Tokens { .. } | Self::Pairs { .. } | Self::Clicks { .. } => TensorShape::Vector(0),
        }
    }

    /// Classes that records may have.
    #[must_use]
    pub const fn classes(&self) -> usize {
        match self {
            Self::Numbers { outputs, .. } => *outputs,
            Self::Objects { classes, .. } | Self::Tokens { classes: Some(classes), .. } => *classes,
            Self::Tokens { .. } | Self::Pairs { .. } | Self::Clicks { .. } => usize::MAX,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_family_says_what_it_reads() {
        let check = |preset: &str, words: &str, classes: usize| {
            let needs = Needs::of(&Model::Preset(preset.to_owned())).expect(preset);
            assert_eq!((needs.words(), needs.classes()), (words, classes), "{preset}");
        };
        check("mnist-cnn", "images", 10);
        check("resnet20", "images", 10);
        check("bert-base", "tokens", usize::MAX);
        check("dlrm-dcnv2", "numbers and categories", usize::MAX);
        check("ssd300-resnet50", "images", 80);
    }
}
