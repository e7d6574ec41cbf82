//! Recommenders: matrix factorisation, and networks of embedding tables and dense layers.

use std::num::NonZeroUsize;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ShapeError;
use super::limits::{self, product};

/// Matrix factorisation: a rating is the product of a user's and an item's factors, plus biases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MatrixFactorization {
    /// Users.
    pub users: NonZeroUsize,
    /// Items.
    pub items: NonZeroUsize,
    /// Factors of each user and item.
    pub factors: NonZeroUsize,
    /// Whether users, items and the whole have biases.
    #[serde(default)]
    pub biases: bool,
}

impl MatrixFactorization {
    /// All trainable parameters.
    ///
    /// # Errors
    /// A table is too large to count.
    pub fn parameters(&self) -> Result<u64, ShapeError> {
        let [users, items, factors] = [self.users.get(), self.items.get(), self.factors.get()];
        for rows in [users, items] {
            limits::part("table", product(&[rows, factors]))?;
        }
        let rows = users as u64 + items as u64;
        Ok(rows * factors as u64 + if self.biases { rows + 1 } else { 0 })
    }
}

/// Deep learning recommendation model (DLRM): embedding tables for categories, a bottom network for numbers, their
/// interaction, and a top network that gives one value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Dlrm {
    /// Numbers of one record.
    pub dense_inputs: NonZeroUsize,
    /// Values of an embedding; the bottom network ends in as many.
    pub width: NonZeroUsize,
    /// Embedding tables.
    pub tables: Vec<Tables>,
    /// Widths of the bottom network's layers; the last one is `width`.
    pub bottom: Vec<NonZeroUsize>,
    /// Widths of the top network's layers; the last one is that of the output.
    pub top: Vec<NonZeroUsize>,
    /// How embeddings and numbers meet.
    #[serde(default)]
    pub interaction: Interaction,
}

/// Equal embedding tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tables {
    /// Tables.
    #[serde(default = "one")]
    pub count: NonZeroUsize,
    /// Rows of each table.
    pub rows: NonZeroUsize,
    /// Rows that one record looks up in each table and sums (more than one: multi-hot).
    #[serde(default = "one")]
    pub lookups: NonZeroUsize,
}

/// How embeddings and numbers meet.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Interaction {
    /// Products of all pairs, beside the bottom network's output.
    #[default]
    Dot,
    /// Low-rank cross layers over all of them side by side (DCN-v2).
    Cross(Cross),
}

/// Low-rank cross layers: x₀ ⊙ (U·V·x + b) + x.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cross {
    /// Layers.
    pub layers: NonZeroUsize,
    /// Rank of the product U·V.
    pub rank: NonZeroUsize,
}

const fn one() -> NonZeroUsize {
    NonZeroUsize::MIN
}

impl Dlrm {
    /// Embedding tables.
    #[must_use]
    pub fn table_count(&self) -> usize {
        self.tables.iter().map(|tables| tables.count.get()).sum()
    }

    /// Rows that one record looks up in all tables.
    #[must_use]
    pub fn lookups(&self) -> usize {
        self.tables.iter().map(|tables| tables.count.get() * tables.lookups.get()).sum()
    }

    /// Vectors that interact: one for each table, and the bottom network's output.
    #[must_use]
    pub fn features(&self) -> usize {
        self.table_count() + 1
    }

    /// Values that enter the top network.
    #[must_use]
    pub fn top_inputs(&self) -> usize {
        let (features, width) = (self.features(), self.width.get());
        match self.interaction {
            Interaction::Dot => features * (features - 1) / 2 + width,
            Interaction::Cross(_) => features * width,
        }
    }

    /// Inputs and outputs of the bottom network's layers.
    #[must_use]
    pub fn bottom_layers(&self) -> Vec<(usize, usize)> {
        layers(self.dense_inputs.get(), &self.bottom)
    }

    /// Inputs and outputs of the top network's layers.
    #[must_use]
    pub fn top_layers(&self) -> Vec<(usize, usize)> {
        layers(self.top_inputs(), &self.top)
    }

    /// Parameters of all embedding tables.
    #[must_use]
    pub fn table_parameters(&self) -> u64 {
        let rows: u64 = self.tables.iter().map(|tables| (tables.count.get() * tables.rows.get()) as u64).sum();
        rows * self.width.get() as u64
    }

    /// Cross layers.
    #[must_use]
    pub fn cross_layers(&self) -> usize {
        match self.interaction {
            Interaction::Dot => 0,
            Interaction::Cross(cross) => cross.layers.get(),
        }
    }

    /// Parameters of the cross layers: U, V and a bias each.
    #[must_use]
    pub fn cross_parameters(&self) -> u64 {
        match self.interaction {
            Interaction::Dot => 0,
            Interaction::Cross(Cross { layers, rank }) => {
                let inputs = self.top_inputs() as u64;
                layers.get() as u64 * inputs * (2 * rank.get() as u64 + 1)
            }
        }
    }

    /// Parameters that every record passes through: all but the tables.
    #[must_use]
    pub fn dense_parameters(&self) -> u64 {
        let layers = [self.bottom_layers(), self.top_layers()].concat();
        self.cross_parameters() + layers.iter().map(|(i, o)| (*i as u64 + 1) * *o as u64).sum::<u64>()
    }

    /// All trainable parameters.
    ///
    /// # Errors
    /// No tables or layers, a bottom network that does not end in `width`, or sizes that are too large to count.
    pub fn parameters(&self) -> Result<u64, ShapeError> {
        self.check()?;
        Ok(self.table_parameters() + self.dense_parameters())
    }

    fn check(&self) -> Result<(), ShapeError> {
        let width = self.width.get();
        for (what, missing) in [("tables", self.tables.is_empty()), ("top", self.top.is_empty())] {
            if missing {
                return Err(ShapeError::Empty { what });
            }
        }
        let last = self.bottom.last().ok_or(ShapeError::Empty { what: "bottom" })?.get();
        if last != width {
            return Err(ShapeError::Width { last, width });
        }
        for tables in &self.tables {
            limits::part("table", product(&[tables.rows.get(), width]))?;
            limits::part("sum of lookups", product(&[tables.count.get(), tables.lookups.get(), width]))?;
        }
        limits::network(self.tables.iter().map(|t| product(&[t.count.get(), t.rows.get(), width])))?;
        let features = 1.0 + self.tables.iter().map(|tables| tables.count.get() as f64).sum::<f64>();
        limits::part("interaction", features * features.max(width as f64))?;
        for (inputs, outputs) in [self.bottom_layers(), self.top_layers()].concat() {
            limits::part("layer", product(&[inputs, outputs]))?;
        }
        if let Interaction::Cross(Cross { layers, rank }) = self.interaction {
            limits::part("cross layer", 2.0 * product(&[self.top_inputs(), rank.get()]))?;
            limits::network([2.0 * product(&[layers.get(), self.top_inputs(), rank.get()])])?;
        }
        Ok(())
    }
}

fn layers(inputs: usize, widths: &[NonZeroUsize]) -> Vec<(usize, usize)> {
    let outputs = widths.iter().map(|width| width.get());
    std::iter::once(inputs).chain(outputs.clone()).zip(outputs).collect()
}
