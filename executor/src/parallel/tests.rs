//! Memory of ranks by strategy, by the meter.

use std::num::NonZeroUsize;

use burn::module::Module as _;
use burn::tensor::{Device, FloatDType, Int, Tensor, TensorData};
use scenarios::model::Model;
use scenarios::scenario::{Adam, Optimizer, Precision, Preprocessing, Rate, Training};
use scenarios::strategy::Strategy;
use serde_json::json;

use super::exchange::{Buckets, Exchange};
use super::stage::{Scale, Stage};
use super::topology::{Shape, Topology};
use super::update::{self, Step};
use crate::data::{Batch, Inputs, Targets};
use crate::device::memory::metered;
use crate::model::Description;
use crate::train::StepClock;
use crate::transport::{ThreadTransport, thread_group};

/// Bytes of a rank.
#[derive(Debug, Clone, Copy)]
struct Bytes {
    /// Parameters that it holds.
    parameters: u64,
    /// Most in use while they were made.
    making: u64,
    /// Most in use in a step.
    step: u64,
}

fn training(model: Model) -> Training {
    let adam = Adam { learning_rate: 0.001, beta_1: 0.9, beta_2: 0.999, epsilon: 1e-8, weight_decay: 0.0 };
    Training {
        model,
        data: "none".to_owned(),
        preprocessing: Preprocessing::default(),
        weights_of: None,
        new_head: false,
        adapters: false,
        epochs: None,
        samples: None,
        tokens: None,
        validate_every: None,
        global_batch: NonZeroUsize::MIN,
        optimizer: Optimizer::Adam(adam),
        rate: Rate::default(),
        clip_norm: None,
        outer: None,
        precision: Precision::Fp32,
    }
}

/// Two micro-batches of records that hold little beside the parameters.
fn micros(description: &Description, device: &Device) -> Vec<Batch> {
    let width = description.input();
    let micro = |first: i32| {
        let (inputs, targets) = if description.next_of().is_some() {
            let tokens: Vec<i32> = (first..).take(width).map(|at| at % 7).collect();
            let tokens = Tensor::<2, Int>::from_data(TensorData::new(tokens, [1, width]), device);
            (Inputs::Tokens(tokens.clone(), None), Targets::Tokens(tokens, Tensor::ones([1, width], device)))
        } else {
            let classes = Tensor::from_data(TensorData::new(vec![first], [1]), device);
            (Inputs::Numbers(Tensor::full([1, width], 0.5, device)), Targets::Classes(classes))
        };
        Batch { inputs, targets, units: 1.0 }
    };
    vec![micro(0), micro(1)]
}

/// Two steps of a rank.
fn of_rank(transport: ThreadTransport, training: &Training, strategy: &Strategy) -> Bytes {
    let description = Description::of(&training.model).expect("it is possible");
    let device = Device::flex().autodiff();
    let buckets = Buckets { bytes: 1 << 18, beside: false };
    metered(|meter| {
        let topology = Topology::new(Shape::of(strategy), Box::new(transport)).expect("nobody leaves");
        let (stage, mut held) =
            Stage::new(&description, (strategy, buckets), &topology, (true, FloatDType::F32), (1, &device));
        let making = meter.peak();
        let parameters = 4 * held.num_params() as u64;
        let mut exchange = Exchange::new(&held, strategy, buckets, &topology).expect("nobody leaves");
        let mut update =
            update::of(training, strategy, (&held, exchange.buckets()), &topology, &device).expect("nobody leaves");
        let micros = micros(&description, &device);
        let mut clock = StepClock::start(None);
        for _ in 0..2 {
            let ways = (&mut exchange, &mut clock);
            let passed =
                stage.learn(&held, &topology, &micros, Scale { loss: 0.5, up: 1.0 }, ways).expect("nobody leaves");
            let mut step = Step { learning_rate: 0.001, topology: &topology, clock: &mut clock };
            held = update.apply(held.take(), passed.learned, &mut step).expect("nobody leaves");
        }
        Bytes { parameters, making, step: meter.peak() }
    })
}

/// Bytes of all ranks of a strategy.
fn bytes(model: &Model, strategy: &str) -> Vec<Bytes> {
    let (training, strategy) = (training(model.clone()), strategy.parse::<Strategy>().expect("a strategy"));
    std::thread::scope(|scope| {
        let (training, strategy) = (&training, &strategy);
        let ranks: Vec<_> = thread_group(strategy.ranks() as usize)
            .into_iter()
            .map(|transport| scope.spawn(move || of_rank(transport, training, strategy)))
            .collect();
        ranks.into_iter().map(|rank| rank.join().expect("no rank panics")).collect()
    })
}

fn model(description: serde_json::Value) -> Model {
    serde_json::from_value(description).expect("a model")
}

#[test]
fn replicas_that_share_more_hold_less() {
    let model = model(json!({ "mlp": { "inputs": 256, "hidden": [256, 256, 256, 256, 256, 256], "outputs": 8 } }));
    // Parameters P, gradients P, Adam's two means 2 P: each part that four replicas share counts a quarter.
    let check = |strategy: &str, least: f64, most: f64| {
        for rank in bytes(&model, strategy) {
            let times = rank.step as f64 / rank.parameters as f64;
            assert!((least..most).contains(&times), "{strategy}: {times} times the parameters, {rank:?}");
        }
    };
    check("data:4,micro_batch:1", 4.0, 6.5);
    check("data:4,micro_batch:1,zero:1", 2.5, 3.6);
    check("data:4,micro_batch:1,zero:2", 1.75, 2.6);
}

#[test]
fn ranks_that_share_a_network_hold_and_make_their_part_only() {
    let model = model(json!({ "transformer": {
        "kind": "decoder", "layers": 4, "hidden": 128, "heads": 4, "ffn": 512, "vocabulary": 512, "sequence": 16,
    } }));
    let one = bytes(&model, "data:1,micro_batch:1")[0];
    let check = |strategy: &str, most: f64| {
        for rank in bytes(&model, strategy) {
            let (step, making) = (rank.step as f64 / one.step as f64, rank.making as f64 / rank.parameters as f64);
            assert!(step < most, "{strategy}: {step} of one rank's memory, {rank:?} and {one:?}");
            assert!(making < 1.5, "{strategy}: {making} times what it holds, {rank:?}");
        }
    };
    check("tensor:2", 0.6);
    check("tensor:4", 0.4);
    check("pipeline:2,micro_batch:1", 0.6);
    check("tensor:2,pipeline:2,micro_batch:1", 0.4);
}

#[test]
fn what_is_computed_again_is_not_held_meanwhile() {
    let model = model(json!({ "transformer": {
        "kind": "decoder", "layers": 6, "hidden": 32, "heads": 4, "ffn": 128, "vocabulary": 64, "sequence": 192,
    } }));
    let step = |strategy: &str| bytes(&model, strategy)[0].step;
    let (kept, again) = (step("data:1"), step("data:1,recompute:full"));
    assert!(again < kept / 2, "{again} of {kept}");
}
