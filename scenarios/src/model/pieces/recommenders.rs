//! Recommenders.

use super::super::{Dlrm, Interaction, MatrixFactorization};
use super::{Piece, PieceKind, PieceOperation, Pieces, Work};

/// The one piece of a matrix factorisation.
pub(super) fn factors(model: &MatrixFactorization) -> Pieces {
    let factors = model.factors.get() as f64;
    let rows = (model.users.get() + model.items.get()) as f64;
    let biases = if model.biases { rows + 1.0 } else { 0.0 };
    let work = Work {
        entering: 2.0,
        leaving: 1.0,
        inner: 2.0 * factors,
        parameters: rows * factors + biases,
        ..Work::default()
    };
    let tensors = if model.biases { 5 } else { 2 };
    Pieces { list: vec![Piece::new(PieceKind::Factors, work, 1.0, tensors)], ..losing(PieceKind::NumberLoss) }
}

/// The pieces of a recommender of tables: tables, bottom layers, interaction, top layers.
pub(super) fn dlrm(model: &Dlrm) -> Pieces {
    let (width, tables) = (model.width.get() as f64, model.table_count() as f64);
    let beside = tables * width;
    let lookups = model.lookups() as f64;
    let rows = Work {
        entering: lookups,
        leaving: beside,
        inner: lookups * width,
        parameters: model.table_parameters() as f64,
        steps: tables,
        ..Work::default()
    };
    let leaving = beside + model.dense_inputs.get() as f64;
    let mut list = vec![Piece { leaving, ..Piece::new(PieceKind::Tables, rows, 1.0, model.table_count() as u64) }];
    for (inputs, outputs) in model.bottom_layers() {
        list.push(Piece { leaving: beside + outputs as f64, ..layer(PieceKind::Dense, inputs, outputs) });
    }
    interaction(model, &mut list);
    let top = model.top_layers();
    for (index, (inputs, outputs)) in top.iter().enumerate() {
        let kind = if index + 1 < top.len() { PieceKind::Dense } else { PieceKind::Linear };
        list.push(layer(kind, *inputs, *outputs));
    }
    Pieces { list, ..losing(PieceKind::ClickLoss) }
}

fn interaction(model: &Dlrm, list: &mut Vec<Piece>) {
    let (width, features, inputs) = (model.width.get() as f64, model.features() as f64, model.top_inputs() as f64);
    match model.interaction {
        Interaction::Dot => {
            let work = Work {
                multiply_adds: features * features * width,
                entering: features * width,
                leaving: inputs,
                inner: features * features,
                ..Work::default()
            };
            list.push(Piece::new(PieceKind::Dot, work, 1.0, 0));
        }
        Interaction::Cross(cross) => {
            let rank = cross.rank.get() as f64;
            let work = Work {
                multiply_adds: 2.0 * inputs * rank,
                entering: inputs,
                leaving: inputs,
                inner: rank,
                parameters: 2.0 * inputs * rank + inputs,
                steps: 0.0,
            };
            let layers = cross.layers.get();
            for index in 0..layers {
                let leaving = if index + 1 < layers { 2.0 * inputs } else { inputs };
                list.push(Piece { leaving, ..Piece::new(PieceKind::Cross, work, 1.0, 3) });
            }
        }
    }
}

fn layer(kind: PieceKind, inputs: usize, outputs: usize) -> Piece {
    let (inputs, outputs) = (inputs as f64, outputs as f64);
    let work = Work {
        multiply_adds: inputs * outputs,
        entering: inputs,
        leaving: outputs,
        parameters: (inputs + 1.0) * outputs,
        ..Work::default()
    };
    Piece::new(kind, work, 1.0, 2)
}

/// A network without pieces that gives one number.
fn losing(kind: PieceKind) -> Pieces {
    let work = Work { entering: 1.0, leaving: 1.0, ..Work::default() };
    Pieces { list: Vec::new(), loss: PieceOperation { kind, work }, loss_sums: Vec::new(), tied: 0 }
}
