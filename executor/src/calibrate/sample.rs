//! Records to measure with: their values don't matter, their shapes do.

use burn::tensor::{Device, Distribution, Int, Tensor, TensorData};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use scenarios::model::TensorShape;
use scenarios::model::pieces::{PieceKind, Pieces};

use crate::data::{Inputs, Targets};
use crate::model::Description;

/// A prime, so that whole numbers wander over their range.
const STRIDE: usize = 7919;

/// Objects in every image.
const OBJECTS: usize = 3;

/// What a network reads.
pub fn inputs(description: &Description, records: usize, device: &Device) -> Inputs {
    let numbers = |values: usize, row: usize| Tensor::from_data(waves(records, values, row), device);
    match description {
        Description::Transformer(model) => {
            Inputs::Tokens(whole(records, &vec![model.vocabulary.get(); model.sequence.get()], device), None)
        }
        Description::Recurrent(model) => {
            Inputs::Tokens(whole(records, &vec![model.vocabulary.get(); model.sequence.get()], device), None)
        }
        Description::Factors(model) => Inputs::Pairs(whole(records, &[model.users.get(), model.items.get()], device)),
        Description::Dlrm(model) => {
            let of_tables = model
                .tables
                .iter()
                .flat_map(|tables| std::iter::repeat_n(tables.rows.get(), tables.count.get() * tables.lookups.get()));
            let rows = whole(records, &of_tables.collect::<Vec<_>>(), device);
            Inputs::Clicks(numbers(model.dense_inputs.get(), 1), rows)
        }
        Description::Chain(layers) => Inputs::Numbers(numbers(description.input(), row(layers[0].input))),
        Description::Blocks(plan) => Inputs::Numbers(numbers(description.input(), row(plan.image))),
        Description::Detector(plan) => Inputs::Numbers(numbers(description.input(), row(plan.trunk.image))),
    }
}

/// What is true of the records.
pub fn targets(description: &Description, pieces: &Pieces, records: usize, device: &Device) -> Targets {
    match (pieces.loss.kind, description) {
        (PieceKind::ClassLoss, _) => {
            let classes = whole(records, &[pieces.loss.work.entering as usize], device);
            Targets::Classes(classes.reshape([records]))
        }
        (PieceKind::TokenLoss, _) => {
            let positions = description.input();
            let entries = (pieces.loss.work.entering / pieces.loss.work.leaving) as usize;
            let tokens = whole(records, &vec![entries; positions], device);
            Targets::Tokens(tokens, Tensor::ones([records, positions], device))
        }
        (PieceKind::BoxLoss, Description::Detector(plan)) => {
            let place = |number: usize| [0.25 + 0.2 * number as f32, 0.4, 0.3, 0.2 + 0.1 * number as f32];
            let objects = (0..OBJECTS).map(|number| (number % plan.classes(), place(number)));
            Targets::Boxes(vec![objects.collect(); records])
        }
        _ => Targets::Numbers(Tensor::random([records, 1], Distribution::Bernoulli(0.5), device)),
    }
}

/// Values of a row of an image, or of a vector.
const fn row(shape: TensorShape) -> usize {
    match shape {
        TensorShape::Image { width, .. } => width,
        TensorShape::Vector(values) => values,
    }
}

/// Records whose neighbouring values are alike but for noise as large as their slope, as those of images and of what layers
/// make of them are: how fast a maximum is found depends on it. `[records, values]`
fn waves(records: usize, values: usize, row: usize) -> TensorData {
    let mut noise = ChaCha8Rng::seed_from_u64(values as u64);
    let wave = |at: usize| ((at / row) as f32 * 0.29 + (at % row) as f32 * 0.17).sin();
    let all: Vec<f32> = (0..records * values).map(|at| wave(at) + noise.random_range(-0.2..0.2)).collect();
    TensorData::new(all, [records, values])
}

/// Whole numbers below the limit of each column: `[records, columns]`
fn whole(records: usize, limits: &[usize], device: &Device) -> Tensor<2, Int> {
    let at = |record: usize, column: usize| (record * limits.len() + column) * STRIDE % limits[column];
    let values: Vec<i32> = (0..records)
        .flat_map(|record| (0..limits.len()).map(move |column| (at(record, column) as u32).cast_signed()))
        .collect();
    Tensor::from_data(TensorData::new(values, [records, limits.len()]), device)
}
