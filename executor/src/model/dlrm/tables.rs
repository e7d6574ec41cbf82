//! Tables of embeddings.

use burn::module::{Module, Param};
use burn::tensor::{Int, Tensor};
use scenarios::model::Dlrm;

use super::super::build::{Build, Initial, Wanted};

/// Tables of embeddings. A backward pass gives dense gradients, as large as the tables.
#[derive(Module, Debug)]
pub struct Embeddings {
    tables: Vec<Table>,
}

/// One table.
#[derive(Module, Debug)]
pub struct Table {
    rows: Param<Tensor<2>>,
    lookups: usize,
}

impl Embeddings {
    /// Tables drawn as facebookresearch/dlrm does: uniform within ±1/√rows.
    pub(super) fn new(network: &Dlrm, build: &mut Build<'_>) -> Self {
        let width = network.width.get();
        let each = network.tables.iter().flat_map(|tables| std::iter::repeat_n(tables, tables.count.get()));
        let table = |(index, tables): (usize, &scenarios::model::Tables)| {
            let (rows, lookups) = (tables.rows.get(), tables.lookups.get());
            let wanted = Wanted::new([rows, width], Initial::Uniform(1.0 / (rows as f32).sqrt()));
            Table { rows: build.parameter(format!("emb_l.{index}.weight"), wanted), lookups }
        };
        Self { tables: each.enumerate().map(table).collect() }
    }

    /// The sum of the rows of each table: `[records, lookups]`, table by table → `[records, tables, width]`
    pub(super) fn forward(&self, rows: &Tensor<2, Int>) -> Tensor<3> {
        let records = rows.dims()[0];
        let mut first = 0;
        let summed = self.tables.iter().map(|table| {
            let own = rows.clone().narrow(1, first, table.lookups).reshape([records * table.lookups]);
            first += table.lookups;
            let found = table.rows.val().select(0, own);
            let width = found.dims()[1];
            found.reshape([records, table.lookups, width]).sum_dim(1)
        });
        Tensor::cat(summed.collect(), 1)
    }
}
