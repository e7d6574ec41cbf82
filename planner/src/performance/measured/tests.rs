//! Steps on a made-up machine whose every piece takes 1 ns a multiply-add and 2 ns backward, and keeps three times what leaves
//! it.

use scenarios::machine::{
    Collective, Device, DeviceKind, FORMAT, Host, InputMeasurement, MachineProfile, Operation, OperationMeasurement,
    OptimizerRule, Pass, PieceMeasurement, TransportMeasurement, WaitMeasurement,
};
use scenarios::model::pieces::{Piece, PieceKind, PieceOperation, Work, pieces};
use scenarios::scenario::Scenario;
use scenarios::units::Interval;

use super::*;
use crate::performance::{Layout, Prediction, Rates, Task, predict};

const SCENARIO: &str = r#"{
    "format": "causeway.scenario/1", "name": "made up", "sites": {},
    "datasets": { "d": { "class": "public", "at": [], "size": "1 MB", "records": 1000 } },
    "workloads": { "w": { "job": { "train": {
        "model": { "transformer": { "kind": "decoder", "layers": 4, "hidden": 64, "heads": 4, "ffn": 256,
            "vocabulary": 128, "sequence": 32, "positions": "learned", "norm": "layer", "bias": true } },
        "data": "d", "epochs": 1, "global_batch": 8, "optimizer": { "adam": { "learning_rate": 0.1 } }
    } } } } }"#;

fn exact(seconds: f64) -> Interval {
    Interval { p10: seconds, p50: seconds, p90: seconds }
}

fn piece(operation: PieceOperation, records: f64, ranks: u32) -> PieceMeasurement {
    let work = operation.work.of_records(records);
    PieceMeasurement {
        kind: operation.kind,
        work,
        records: records as u64,
        first: false,
        shared: false,
        ranks,
        forward: exact(1e-9 * work.multiply_adds),
        backward: exact(2e-9 * work.multiply_adds),
        kept_bytes: 12 * work.leaving as u64,
        forward_peak_bytes: 16 * work.leaving as u64,
        backward_peak_bytes: 4 * work.leaving as u64,
        samples: 1,
    }
}

fn profile(scenario: &Scenario) -> MachineProfile {
    let task = Task::of(scenario, "w").expect("a workload");
    let mut measured = Vec::new();
    for (records, tensor) in [(1.0, 1), (2.0, 1), (4.0, 1), (8.0, 1), (2.0, 2), (8.0, 2)] {
        let network = pieces(task.model, tensor).expect("a network");
        let cut = PieceOperation { kind: PieceKind::Cut, work: Work { entering: 1000.0, ..Work::default() } };
        let all = network.list.iter().filter_map(|piece| piece.operation).chain([network.loss, cut]);
        measured.extend(all.flat_map(|operation| [1, 2].map(|ranks| piece(operation, records, ranks))));
    }
    let operation = |operation, ranks, seconds: f64| OperationMeasurement {
        operation,
        pass: Pass::Forward,
        ranks,
        seconds: exact(seconds),
        peak_bytes: 0,
        samples: 1,
    };
    let operations = [1, 2].into_iter().flat_map(|ranks| {
        let step = |rule, parameters| Operation::OptimizerStep { rule, parameters, tensors: 1 };
        [
            operation(step(OptimizerRule::Adam, 1_000_000), ranks, 1e-3),
            operation(step(OptimizerRule::Sgd, 1_000_000), ranks, 1e-4),
            operation(Operation::GradientExchange { parameters: 1_000_000, tensors: 1 }, ranks, 1e-3),
            operation(Operation::HostToDevice { bytes: 1 << 20 }, ranks, 1e-4),
        ]
    });
    let all = [Collective::AllReduce, Collective::ReduceScatter, Collective::AllGather, Collective::Message];
    let transports = all.into_iter().flat_map(|collective| {
        [(1 << 10, 1e-6), (1 << 20, 1e-4), (1 << 24, 1.6e-3)].map(|(bytes, seconds)| TransportMeasurement {
            transport: "threads".to_owned(),
            collective,
            ranks: 2,
            bytes,
            seconds: exact(seconds),
            samples: 1,
        })
    });
    let input = |ranks| InputMeasurement {
        values_per_record: 32,
        records: 8,
        augmented: false,
        ranks,
        seconds: exact(1e-6),
        samples: 1,
    };
    MachineProfile {
        format: FORMAT.to_owned(),
        digest: String::new(),
        name: "made up".to_owned(),
        measured_at: "2026-01-01T00:00:00Z".to_owned(),
        host: Host { os: String::new(), cpu: String::new(), cores: 2, memory_bytes: 1 << 34 },
        device: Device {
            kind: DeviceKind::Cpu,
            name: String::new(),
            backend: "flex".to_owned(),
            count: 1,
            memory_bytes: 1 << 34,
        },
        software: String::new(),
        operations: operations.collect(),
        pieces: measured,
        references: vec![],
        rank_bytes: None,
        waits: [(1e-6, 0.5), (1e-3, 0.1)]
            .map(|(seconds, share)| WaitMeasurement { ranks: 2, seconds, share, samples: 1 })
            .to_vec(),
        transports: transports.collect(),
        inputs: vec![input(1), input(2)],
    }
}

/// What is predicted of a strategy.
fn predicted(strategy: &str) -> Result<Prediction, Unpredictable> {
    let scenario: Scenario = serde_json::from_str(SCENARIO).expect("the scenario is valid");
    let profile = profile(&scenario);
    let strategy: scenarios::strategy::Strategy = strategy.parse().expect("it is a strategy");
    let task = Task::of(&scenario, "w").expect("a workload");
    let layout = Layout { nodes: 1, devices_per_node: 1, ranks_per_node: strategy.ranks() };
    predict(&task, &Rates::Measured(MeasuredMachine::new(&profile)), strategy, layout)
}

/// Multiply-adds of a step on one rank.
fn products() -> f64 {
    let scenario: Scenario = serde_json::from_str(SCENARIO).expect("the scenario is valid");
    let network = pieces(Task::of(&scenario, "w").expect("a workload").model, 1).expect("a network");
    8.0 * network.list.iter().filter_map(|piece| piece.operation).map(|one| one.work.multiply_adds).sum::<f64>()
}

#[test]
fn parts_of_a_step_are_those_of_the_formulas() {
    let whole = products();
    let check = |strategy: &str, phase: &str, expected: f64| {
        let found = predicted(strategy).expect("it is measured").predicted.breakdown[phase];
        assert!((found / expected - 1.0).abs() < 0.02, "{strategy} {phase}: {found} instead of {expected}");
    };
    check("data:1", "forward", 1e-9 * whole);
    check("data:1", "backward", 2e-9 * whole);
    check("data:1,recompute:full", "backward", 3e-9 * whole);
    check("data:2", "forward", 0.5e-9 * whole);
    check("tensor:2", "forward", 0.5e-9 * whole);
    // Four ranks on two cores compute at half the rate.
    check("data:4", "forward", 0.5e-9 * whole);
    let optimizer = predicted("data:1").expect("it is measured").predicted.breakdown["optimizer"];
    check("data:2,zero:1", "optimizer", 0.5 * optimizer);
    check("data:2,average_every:4", "optimizer", optimizer);
}

#[test]
fn pipelines_wait_less_with_more_micro_batches_and_hold_less() {
    let of = |strategy: &str| predicted(strategy).expect("it is measured");
    let waiting = |strategy: &str| of(strategy).predicted.breakdown["waiting"];
    assert!(waiting("pipeline:2,micro_batch:4") > 2.0 * waiting("pipeline:2,micro_batch:1"));
    assert!(waiting("data:1") < 1e-12);
    let held = |strategy: &str| of(strategy).memory;
    assert!(held("data:2,zero:1").optimizer < held("data:2").optimizer);
    assert!(held("data:1,recompute:full").total() <= held("data:1").total());
    assert!(held("pipeline:2,micro_batch:1").activations < held("pipeline:2,micro_batch:1,schedule:gpipe").activations);
    let parameters = pieces(Task::of(&serde_json::from_str(SCENARIO).expect("valid"), "w").expect("one").model, 1);
    let parameters: f64 = parameters.expect("a network").list.iter().map(Piece::parameters).sum();
    assert_eq!(held("data:1").parameters, 4 * parameters as u64);
}

#[test]
fn waits_lie_on_lines_over_the_logarithm_of_the_time() {
    let profile = profile(&serde_json::from_str(SCENARIO).expect("the scenario is valid"));
    let machine = MeasuredMachine::new(&profile);
    for (seconds, expected) in [(1e-9, 0.5), (1e-6, 0.5), (1e-6 * 1000_f64.sqrt(), 0.3), (1e-3, 0.1), (1.0, 0.1)] {
        let found = machine.wait(seconds, 2);
        assert!((found - expected).abs() < 1e-9, "{seconds}: {found}");
    }
}

#[test]
fn what_is_not_carried_out_or_not_measured_is_refused() {
    let check = |strategy: &str, expected: &str| {
        let found = predicted(strategy).expect_err("it is refused").to_string();
        assert!(found.contains(expected), "{found}");
    };
    check("data:2,zero:3", "ZeRO 3");
    check("tensor:3", "heads");
    check("data:3", "8 records");
    let scenario: Scenario = serde_json::from_str(SCENARIO).expect("the scenario is valid");
    let mut other = profile(&scenario);
    other.pieces.retain(|piece| piece.kind != PieceKind::Attention);
    let task = Task::of(&scenario, "w").expect("a workload");
    let layout = Layout { nodes: 1, devices_per_node: 1, ranks_per_node: 1 };
    let machine = Rates::Measured(MeasuredMachine::new(&other));
    let found = predict(&task, &machine, scenarios::strategy::Strategy::SINGLE, layout).expect_err("it is refused");
    assert!(found.to_string().contains("`attention`"), "{found}");
}
