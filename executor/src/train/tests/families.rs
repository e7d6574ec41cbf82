//! Every family of networks by every strategy that it can take.

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use serde_json::json;

use super::*;
use crate::data::shapes;
use crate::data::{Columns, Documents, Images, Layout, Records, Stream, Truth};

const RECORDS: usize = 200;
/// A number that ranks do not divide.
const VOCABULARY: u32 = 13;
const SEQUENCE: usize = 8;

/// Whole numbers that follow from those before them, so that there is something to learn.
fn numbers(count: usize, below: u32) -> Vec<u32> {
    let mut random = ChaCha8Rng::seed_from_u64(5);
    let mut last = 1;
    (0..count)
        .map(|_| {
            last = (last * 3 + random.random_range(0..2)) % below;
            last
        })
        .collect()
}

pub fn text() -> Records {
    let tokens = Arc::new(numbers(RECORDS * SEQUENCE + 1, VOCABULARY));
    Records { columns: Columns::Stream(Stream { sequence: SEQUENCE, tokens, starts: None }), truth: Truth::Next }
}

fn documents(truth: Truth) -> Records {
    let layout = Layout {
        sequence: SEQUENCE,
        vocabulary: VOCABULARY - 1,
        padding: 0,
        first: None,
        last: None,
        mask: Some(VOCABULARY - 1),
    };
    let lengths = (0..RECORDS).map(|record| 4 + record % 6);
    let ends = lengths.scan(0, |end, length| {
        *end += length;
        Some(*end)
    });
    let ends: Vec<usize> = ends.collect();
    let tokens = numbers(ends[RECORDS - 1], VOCABULARY - 1);
    Records { columns: Columns::Documents(Documents { layout, ends, tokens }), truth }
}

fn classes(count: u32) -> Truth {
    Truth::Classes((0..RECORDS as u32).map(|record| record * 7 % count).collect())
}

pub fn photos() -> Records {
    let pixels = numbers(RECORDS * 3 * 64, 256).into_iter().map(|pixel| pixel as u8).collect();
    let images = Images { channels: 3, height: 8, width: 8, pixels };
    Records { columns: Columns::Images(images), truth: classes(4) }
}

fn drawn() -> Records {
    let shapes = shapes::draw(RECORDS, 32, 4);
    let images = Images { channels: 1, height: 32, width: 32, pixels: shapes.pixels };
    Records { columns: Columns::Images(images), truth: Truth::Boxes(shapes.boxes) }
}

fn ratings() -> Records {
    let pair = |record: u32| [record * 13 % 30, record * 5 % 20];
    let pairs: Vec<[u32; 2]> = (0..RECORDS as u32).map(pair).collect();
    let values = pairs.iter().map(|[user, item]| 1.0 + ((user + item) % 5) as f32).collect();
    Records { columns: Columns::Pairs(pairs), truth: Truth::Numbers { width: 1, values } }
}

fn clicks() -> Records {
    let values = numbers(RECORDS * 4, 9).into_iter().map(|value| value as f32 / 9.0).collect();
    let columns = Columns::Clicks { numbers: 4, lookups: 3, values, rows: numbers(RECORDS * 3, 10) };
    let clicked = (0..RECORDS).map(|record| f32::from(u8::from(record % 3 == 0))).collect();
    Records { columns, truth: Truth::Numbers { width: 1, values: clicked } }
}

fn transformer(more: &serde_json::Value) -> Model {
    let mut description = json!({
        "kind": "decoder", "layers": 2, "hidden": 16, "heads": 4, "ffn": 32, "vocabulary": VOCABULARY,
        "sequence": SEQUENCE,
    });
    let (Some(all), Some(more)) = (description.as_object_mut(), more.as_object()) else { unreachable!("objects") };
    all.extend(more.clone());
    model(json!({ "transformer": description }))
}

/// A decoder whose ends share a matrix.
pub fn gpt() -> Model {
    transformer(&json!({ "positions": "learned", "norm": "layer", "bias": true, "tied": true }))
}

/// A network of blocks with batch statistics.
pub fn residual() -> Model {
    model(json!({ "block_cnn": {
        "image": { "channels": 3, "height": 8, "width": 8 },
        "stem": { "channels": 4, "kernel": 3 },
        "stages": [
            { "block": { "basic": {} }, "count": 1, "channels": 4 },
            { "block": { "basic": { "shortcut": "padding" } }, "count": 1, "channels": 8, "stride": 2 },
        ],
        "head": { "classes": 4 },
    } }))
}

fn model(description: serde_json::Value) -> Model {
    serde_json::from_value(description).expect("a model")
}

/// A case of a network that is given its records.
pub fn on(strategy: &str, model: &Model, records: &Records) -> Case {
    let mut case = Case::by("mnist-linear", strategy);
    case.training.model = model.clone();
    case.training.preprocessing = Preprocessing::default();
    if strategy.contains("average_every") {
        case.training.optimizer = Optimizer::Sgd(Sgd { learning_rate: 0.01 });
    }
    case.data.train = Arc::new(records.clone());
    case.data.validation = Arc::new(records.range(0..30));
    case
}

/// The steps of every strategy are those of one device, and every third of them is repeated bit by bit.
fn check(model: &Model, records: &Records, strategies: &[&str]) {
    let run = |strategy: &str| on(strategy, model, records).outcome();
    let (momentum, descent) = (run("data:1"), run("data:1,average_every:1"));
    for (at, strategy) in strategies.iter().enumerate() {
        let (many, about) = (run(strategy), format!("{} by {strategy}", model.family()));
        let one = if strategy.contains("average_every") { &descent } else { &momentum };
        assert_same_steps(&many, one, &about);
        for (many, one) in many.progress.epochs.iter().zip(&one.progress.epochs) {
            let close = |a: Option<f64>, b: Option<f64>| a.zip(b).is_some_and(|(a, b)| (a - b).abs() <= 1e-3 * b.abs());
            assert!(close(many.validation_loss, one.validation_loss), "{about}: {many:?} and {one:?}");
        }
        if at.is_multiple_of(3) {
            let again = run(strategy);
            assert_eq!(again.progress.first_losses, many.progress.first_losses, "{about}");
            assert_eq!(values(&again.network), values(&many.network), "{about}");
        }
    }
}

/// What every network can take: replicas, alone and with what each of them does for itself.
const REPLICAS: [&str; 10] = [
    "data:2",
    "data:4",
    "data:1,recompute:full",
    "data:2,recompute:full",
    "data:2,zero:1",
    "data:4,zero:2",
    "data:2,zero:2,recompute:full",
    "data:2,servers:2",
    "data:4,servers:1",
    "data:2,servers:1,recompute:full",
];

/// What networks can take whose records do not meet in batch statistics: micro-batches, and means of replicas.
const MICRO: [&str; 8] = [
    "data:1,micro_batch:5",
    "data:2,micro_batch:2",
    "data:4,zero:2,micro_batch:1",
    "data:2,servers:1,micro_batch:5",
    "data:2,micro_batch:5,recompute:full",
    "data:2,average_every:1",
    "data:4,average_every:1",
    "data:2,average_every:1,micro_batch:5",
];

/// Stages, alone and with replicas, for networks that can take micro-batches.
const STAGES: [&str; 8] = [
    "pipeline:2,micro_batch:5",
    "pipeline:2,schedule:gpipe,micro_batch:4",
    "pipeline:2,micro_batch:5,recompute:full",
    "data:2,pipeline:2,micro_batch:2",
    "data:2,pipeline:2,schedule:gpipe,micro_batch:5,recompute:full",
    "data:2,pipeline:2,zero:1,micro_batch:5",
    "data:2,pipeline:2,zero:2,micro_batch:5",
    "data:2,pipeline:2,micro_batch:5,average_every:1",
];

/// Stages whose micro-batch is a replica's whole share.
const WHOLE_STAGES: [&str; 5] = [
    "pipeline:2,micro_batch:20",
    "pipeline:2,schedule:gpipe,micro_batch:20",
    "pipeline:2,micro_batch:20,recompute:full",
    "data:2,pipeline:2,micro_batch:10",
    "data:2,pipeline:2,zero:1,micro_batch:10",
];

/// Shared matrices, alone and with everything else.
const TENSOR: [&str; 9] = [
    "tensor:2",
    "tensor:4",
    "tensor:2,recompute:full",
    "tensor:2,micro_batch:5",
    "data:2,tensor:2",
    "data:2,tensor:2,zero:1",
    "data:2,tensor:2,average_every:1",
    "tensor:2,pipeline:2,micro_batch:5,recompute:selective",
    "tensor:2,pipeline:2,chunks:2,micro_batch:5",
];

#[test]
fn decoders() {
    check(&gpt(), &text(), &[&REPLICAS[..], &MICRO, &STAGES, &TENSOR, &["pipeline:4,micro_batch:5"]].concat());
    let llama = json!({ "kv_heads": 4, "gated": true });
    check(&transformer(&llama), &text(), &[&REPLICAS[..], &STAGES, &TENSOR].concat());
    check(&transformer(&json!({ "kv_heads": 2, "gated": true })), &text(), &["tensor:2", "data:2,tensor:2"]);
}

#[test]
fn encoders() {
    let bert = json!({ "kind": "encoder", "positions": "learned", "norm": "layer", "bias": true, "tied": true });
    // Replicas hide different numbers of tokens, so the mean of their parameters is not that of all tokens.
    let together = |strategy: &&str| !strategy.contains("average_every");
    let strategies: Vec<&str> = [&REPLICAS[..], &STAGES, &TENSOR].concat().into_iter().filter(together).collect();
    check(&transformer(&bert), &documents(Truth::Masked), &strategies);
    let classifier = json!({ "kind": "encoder", "positions": "learned", "norm": "layer", "bias": true, "classes": 3 });
    check(&transformer(&classifier), &documents(classes(3)), &[&REPLICAS[..], &MICRO, &STAGES, &TENSOR].concat());
}

#[test]
fn recurrent_networks() {
    for cell in ["lstm", "gru"] {
        let network = json!({ "rnn": {
            "cell": cell, "layers": 2, "hidden": 12, "vocabulary": VOCABULARY, "sequence": SEQUENCE, "tied": true,
        } });
        check(
            &model(network),
            &text(),
            &[&REPLICAS[..], &MICRO, &STAGES, &["pipeline:3,schedule:gpipe,micro_batch:4"]].concat(),
        );
    }
}

#[test]
fn networks_of_blocks_with_batch_statistics_of_all_replicas() {
    check(&residual(), &photos(), &[&REPLICAS[..], &WHOLE_STAGES].concat());
}

#[test]
fn recommenders() {
    let factors = json!({ "matrix_factorization": { "users": 30, "items": 20, "factors": 6, "biases": true } });
    check(&model(factors), &ratings(), &[&REPLICAS[..], &MICRO].concat());
    let dlrm = json!({ "dlrm": {
        "dense_inputs": 4, "width": 6, "tables": [{ "count": 3, "rows": 10 }], "bottom": [8, 6], "top": [8, 1],
    } });
    check(&model(dlrm), &clicks(), &[&REPLICAS[..], &MICRO, &STAGES].concat());
}

#[test]
fn detectors() {
    let detector = json!({ "detector": {
        "image": { "channels": 1, "height": 32, "width": 32 },
        "stem": { "channels": 4, "kernel": 3, "stride": 2 },
        "stages": [
            { "block": "plain", "count": 1, "channels": 8, "stride": 2 },
            { "block": "plain", "count": 1, "channels": 8, "stride": 2 },
        ],
        "neck": { "stages": 2 },
        "heads": { "anchors": [2, 2], "classes": 4, "kernel": 1 },
    } });
    check(&model(detector), &drawn(), &[&REPLICAS[..], &WHOLE_STAGES].concat());
}
