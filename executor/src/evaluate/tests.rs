use scenarios::model::Model;
use scenarios::scenario::Preprocessing;

use super::*;
use crate::device::Choice;
use crate::model::Description;

fn network(model: &str) -> Network {
    let model: Model = serde_json::from_str(model).expect("it is a description");
    let description = Description::of(&model).expect("it can be carried out");
    Network::new(&description, description.whole(), 4, &Device::flex())
}

/// 25 images of ten classes.
fn images() -> Records {
    let pixels = (0..784 * 25).map(|at| (at * 7 % 251) as u8).collect();
    Records::grey(28, 28, pixels, &(0..25).map(|at| at % 10).collect::<Vec<u8>>())
}

#[test]
fn answers_do_not_depend_on_batches_and_ranks() {
    let network = network(r#"{"preset": "mnist-cnn"}"#);
    let (records, reader) = (images(), Reader::new(&Preprocessing::default(), 1));
    let devices = Devices::select(Choice::Cpu).expect("there is a processor");
    let judge = |batch, ranks| evaluate(&network, &records, &reader, (batch, ranks), &devices).expect("they fit");
    let whole = judge(25, 1);
    assert_eq!((whole.records(), whole.batch_seconds.len()), (25, 1));
    assert_eq!(whole.confusion().iter().flatten().sum::<u64>(), 25);
    for (batch, ranks, full) in [(10, 1, 2), (10, 3, 5), (4, 2, 12), (100, 30, 0)] {
        let found = judge(batch, ranks);
        assert_eq!((found.confusion(), found.batch_seconds.len()), (whole.confusion(), full), "{batch} {ranks}");
        assert!((found.figures()["loss"].value - whole.figures()["loss"].value).abs() < 1e-5);
    }
}

#[test]
fn what_cannot_be_judged_is_told() {
    let network = network(r#"{"preset": "mnist-linear"}"#);
    let refused = |records: &Records, expected| {
        assert_eq!(check(network.description(), records), expected);
    };
    refused(&images(), Ok(()));
    refused(&images().select(&[]), Err(EvaluateError::Empty));
    refused(&Records { truth: Truth::Unknown, ..images() }, Err(EvaluateError::Unlabelled));
    let small = Records::grey(2, 2, vec![0; 4], &[1]);
    refused(&small, Err(EvaluateError::Shape { found: 4, expected: 784 }));
}

#[test]
fn a_network_that_gives_no_numbers_is_told() {
    let network = crate::model::harness::changed(network(r#"{"preset": "mnist-linear"}"#), |_, _| f32::NAN);
    let devices = Devices::select(Choice::Cpu).expect("there is a processor");
    let found = evaluate(&network, &images(), &Reader::new(&Preprocessing::default(), 1), (10, 1), &devices);
    assert_eq!(found, Err(EvaluateError::NotFinite { record: 1 }));
}
