//! Recurrent networks.

use super::n;
use crate::model::{Cell, Decoder, Model, Rnn};

/// The "large" language model of arXiv 1409.2329 on Penn Treebank: two layers of 1500, 35 steps.
pub(super) fn language_model(cell: Cell) -> Model {
    Model::Rnn(Rnn {
        cell,
        layers: n(2),
        hidden: n(1500),
        embedding: None,
        bidirectional: 0,
        vocabulary: n(10_000),
        sequence: n(35),
        decoder: None,
        tied: false,
    })
}

/// GNMT v2 as in NVIDIA's DeepLearningExamples: four layers of 1024 on both sides, the first one of the encoder in both
/// directions. 25 tokens a side is about the mean of sentences of at most 50.
pub(super) fn gnmt() -> Model {
    Model::Rnn(Rnn {
        cell: Cell::Lstm,
        layers: n(4),
        hidden: n(1024),
        embedding: None,
        bidirectional: 1,
        vocabulary: n(32_320),
        sequence: n(25),
        decoder: Some(Decoder { layers: n(4), sequence: n(25) }),
        tied: false,
    })
}
