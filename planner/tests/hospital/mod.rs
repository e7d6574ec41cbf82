//! The bundled hospital scenario with a machine profile made up for tests: 50 GFLOP/s, 10 GB/s.

use std::path::{Path, PathBuf};

use planner::performance::Task;
use planner::performance::operations::{step, work};
use scenarios::catalog::Catalog;
use scenarios::document;
use scenarios::machine::{
    Collective, Device, DeviceKind, FORMAT, Host, InputMeasurement, MachineProfile, OperationMeasurement,
    PieceMeasurement, TransportMeasurement,
};
use scenarios::model::pieces::{PieceOperation, pieces};
use scenarios::scenario::{Loaded, load};
use scenarios::units::Interval;

/// A bundled scenario.
pub fn library(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios/library").join(name)
}

/// Reads the hospital's scenario, changed by `edit`, with a profile that lies in `folder`.
pub fn loaded(folder: &Path, edit: impl Fn(String) -> String) -> Loaded {
    let text = std::fs::read_to_string(library("mnist-hospital.yaml")).expect("the bundled scenario");
    let path = folder.join("scenario.yaml");
    std::fs::write(&path, edit(text)).expect("the temporary folder can be written to");
    std::fs::copy(library("mnist-hospital.yaml"), folder.join("original.yaml")).expect("a copy");
    document::write(&mut profile(), &folder.join("machine.json")).expect("the temporary folder can be written to");
    load(&path, None, Catalog::bundled()).expect("the scenario is valid")
}

/// Measurements of all operations of the scenario, for one and two ranks.
pub fn profile() -> MachineProfile {
    let public = load(&library("mnist-public.yaml"), None, Catalog::bundled()).expect("the bundled scenario");
    let mut operations: Vec<OperationMeasurement> = Vec::new();
    let mut measured: Vec<PieceMeasurement> = Vec::new();
    for (workload, batch, ranks) in [("train", 100, 1), ("train", 50, 2), ("evaluate", 1000, 1)] {
        let task = Task::of(&public.scenario, workload).expect("a workload");
        for needed in step(&task, batch, ranks).expect("a network") {
            let work = work(&needed.operation, needed.pass);
            let seconds = work.flops / 5e10 + work.bytes / 1e10 + 5e-6;
            operations.push(OperationMeasurement {
                operation: needed.operation,
                pass: needed.pass,
                ranks,
                seconds: spread(seconds * f64::from(ranks)),
                peak_bytes: 0,
                samples: 50,
            });
        }
        let network = pieces(task.model, 1).expect("a network");
        let all = network.list.iter().filter_map(|piece| piece.operation).chain([network.loss]);
        measured.extend(all.enumerate().map(|(index, operation)| piece(operation, index == 0, batch, ranks)));
    }
    let input = |records, ranks, seconds| InputMeasurement {
        values_per_record: 784,
        records,
        augmented: false,
        ranks,
        seconds: spread(seconds),
        samples: 50,
    };
    let transport = |bytes, seconds| TransportMeasurement {
        transport: "threads".to_owned(),
        collective: Collective::AllReduce,
        ranks: 2,
        bytes,
        seconds: spread(seconds),
        samples: 50,
    };
    MachineProfile {
        format: FORMAT.to_owned(),
        digest: String::new(),
        name: "workstation".to_owned(),
        measured_at: "2026-01-01T00:00:00Z".to_owned(),
        host: Host { os: "Linux".to_owned(), cpu: "two cores".to_owned(), cores: 2, memory_bytes: 16 << 30 },
        device: Device {
            kind: DeviceKind::Cpu,
            name: "two cores".to_owned(),
            backend: "flex".to_owned(),
            count: 1,
            memory_bytes: 16 << 30,
        },
        software: "made up for tests".to_owned(),
        operations,
        pieces: measured,
        waits: vec![],
        references: vec![],
        rank_bytes: None,
        transports: vec![transport(1 << 10, 2e-5), transport(1 << 20, 4e-4)],
        inputs: vec![input(100, 1, 1e-4), input(50, 2, 1e-4), input(1000, 1, 1e-3)],
    }
}

fn piece(operation: PieceOperation, first: bool, records: u64, ranks: u32) -> PieceMeasurement {
    let work = operation.work.of_records(records as f64);
    let bytes = 4.0 * (work.entering + work.leaving + work.inner + work.parameters);
    let seconds = f64::from(ranks) * (2.0 * work.multiply_adds / 5e10 + bytes / 1e10 + 5e-6);
    PieceMeasurement {
        kind: operation.kind,
        work,
        records,
        first,
        shared: false,
        ranks,
        forward: spread(seconds),
        backward: spread(2.0 * seconds),
        kept_bytes: 4 * (work.entering + work.leaving) as u64,
        forward_peak_bytes: bytes as u64,
        backward_peak_bytes: bytes as u64,
        samples: 50,
    }
}

fn spread(seconds: f64) -> Interval {
    Interval { p10: 0.9 * seconds, p50: seconds, p90: 1.2 * seconds }
}
