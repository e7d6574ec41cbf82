//! Recommenders.

use super::n;
use crate::model::{Cross, Dlrm, Interaction, MatrixFactorization, Model, Tables};

/// Users and items of MovieLens-20M, 64 factors.
pub(super) fn movielens() -> Model {
    Model::MatrixFactorization(MatrixFactorization {
        users: n(138_493),
        items: n(26_744),
        factors: n(64),
        biases: true,
    })
}

/// Rows of the Criteo 1 TB tables whose values occur at least 15 times (16 GiB in 32-bit floating point), from
/// NVIDIA's DeepLearningExamples.
const CRITEO_SMALL: [usize; 26] = [
    7_912_889, 33_823, 17_139, 7_339, 20_046, 4, 7_105, 1_382, 63, 5_554_114, 582_469, 245_828, 11, 2_209, 10_667, 104,
    4, 968, 15, 8_165_896, 2_675_940, 7_156_453, 302_516, 12_022, 97, 35,
];

/// The same for at least 3 times (85 GiB).
const CRITEO_LARGE: [usize; 26] = [
    45_833_188, 36_747, 1_572_176, 345_139, 11, 2_209, 11_268, 128, 4, 975, 15, 48_937_457, 17_246, 11_316_796,
    40_094_537, 452_104, 12_607, 105, 36, 7_414, 20_244, 4, 7_115, 1_442, 63, 29_275_261,
];

/// Rows and lookups of MLPerf's multi-hot Criteo.
const CRITEO_MULTI_HOT: [(usize, usize); 26] = [
    (40_000_000, 3),
    (39_060, 2),
    (17_295, 1),
    (7_424, 2),
    (20_265, 6),
    (3, 1),
    (7_122, 1),
    (1_543, 1),
    (63, 1),
    (40_000_000, 7),
    (3_067_956, 3),
    (405_282, 8),
    (10, 1),
    (2_209, 6),
    (11_938, 9),
    (155, 5),
    (4, 1),
    (976, 1),
    (14, 1),
    (40_000_000, 12),
    (40_000_000, 100),
    (40_000_000, 27),
    (590_152, 10),
    (12_973, 3),
    (108, 1),
    (36, 1),
];

/// DLRM on Criteo as in NVIDIA's DeepLearningExamples.
fn dlrm(tables: impl IntoIterator<Item = (usize, usize)>, interaction: Interaction) -> Model {
    let table = |(rows, lookups)| Tables { count: n(1), rows: n(rows), lookups: n(lookups) };
    Model::Dlrm(Dlrm {
        dense_inputs: n(13),
        width: n(128),
        tables: tables.into_iter().map(table).collect(),
        bottom: [512, 256, 128].map(n).to_vec(),
        top: [1024, 1024, 512, 256, 1].map(n).to_vec(),
        interaction,
    })
}

pub(super) fn dlrm_small() -> Model {
    dlrm(CRITEO_SMALL.map(|rows| (rows, 1)), Interaction::Dot)
}

pub(super) fn dlrm_large() -> Model {
    dlrm(CRITEO_LARGE.map(|rows| (rows, 1)), Interaction::Dot)
}

/// MLPerf's recommender since v3.0: three cross layers of rank 512.
pub(super) fn dlrm_dcnv2() -> Model {
    dlrm(CRITEO_MULTI_HOT, Interaction::Cross(Cross { layers: n(3), rank: n(512) }))
}
