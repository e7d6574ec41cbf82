//! Time of one prediction, of a search over all strategies, and of a fit to the public table of runs.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use planner::performance::calibration::{bundled, fit};
use planner::performance::runs::{Run, read};
use planner::performance::training::{self, Cluster, Training};
use scenarios::catalog::Catalog;
use scenarios::model::find_alias;
use scenarios::precision::Precision;
use scenarios::strategy::Strategy;

/// GPT-3 175B on 128 nodes of eight H100, 1,536 sequences a step.
fn gpt3(strategy: Strategy) -> Training {
    let sheet = Catalog::bundled().find_accelerator("H100").expect("the catalogue has H100");
    Training {
        model: find_alias("gpt3-175b").expect("a preset").model(),
        strategy,
        global_batch: 1536,
        precision: Precision::Bf16,
        optimizer_bytes: 8.0,
        fused_attention: true,
        frozen: false,
        cluster: Cluster::new(sheet, 128, 8, None),
    }
}

fn predictions(criterion: &mut Criterion) {
    for (name, text) in [
        ("data 1024, ZeRO 3", "data:1024,zero:3"),
        ("8 stages", "data:16,tensor:8,pipeline:8,zero:1,sequence:true"),
        ("16 stages, 2 chunks", "data:8,tensor:8,pipeline:16,zero:1,sequence:true,chunks:2"),
    ] {
        let mut training = gpt3(text.parse().expect("a strategy"));
        if training.strategy.pipeline.get() == 1 {
            training.global_batch = 2048;
        }
        let constants = bundled().constants(&training, "");
        training::predict(&training, &constants).expect("it is possible");
        criterion.bench_function(&format!("predict gpt3-175b on 1024 H100, {name}"), |bencher| {
            bencher.iter(|| training::predict(black_box(&training), black_box(&constants)));
        });
    }
}

fn searches(criterion: &mut Criterion) {
    let training = gpt3(Strategy::SINGLE);
    let search = || training::search(black_box(&training), &bundled().constants(&training, ""));
    assert!(search().found.len() > 10, "{:?}", search().possible);
    let mut group = criterion.benchmark_group("search");
    group.sample_size(10);
    group.bench_function("gpt3-175b on 1024 H100", |bencher| bencher.iter(search));
    group.finish();
}

/// The public table of runs, where it is at hand.
fn public_runs() -> Option<Vec<Run>> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data/performance/training_runs.csv");
    let table = std::fs::File::open(path).ok()?;
    Some(read(table).expect("a table").runs)
}

#[allow(clippy::print_stderr, reason = "a bench tells what it leaves out")]
fn fits(criterion: &mut Criterion) {
    let Some(runs) = public_runs() else {
        eprintln!("the public table of training runs is absent: no fit is timed");
        return;
    };
    let mut group = criterion.benchmark_group("fit");
    group.sample_size(10);
    group.bench_function("public table", |bencher| bencher.iter(|| fit(black_box(&runs), |_| true)));
    group.finish();
}

criterion_group!(benches, predictions, searches, fits);
criterion_main!(benches);
