//! Figures that papers publish, reproduced: operations, activations, states, memory and times.
#![allow(clippy::print_stdout, reason = "a test tells what it measured and what it leaves out")]
#![allow(clippy::many_single_char_names, reason = "formulas are written as published")]

use std::collections::BTreeMap;

use planner::performance::calibration::{Prediction, Split, bundled, cross_validate};
use planner::performance::network::transformer::{Work, segments};
use planner::performance::runs::{Measured, Run, read};
use planner::performance::training::{self, Cluster, Training, memory};
use scenarios::catalog::Catalog;
use scenarios::model::{Model, Transformer, find_alias};
use scenarios::precision::Precision;
use scenarios::strategy::Strategy;

fn is_close(found: f64, expected: f64, tolerance: f64) -> bool {
    (found / expected - 1.0).abs() <= tolerance
}

fn training(model: &str, machine: &str, nodes: u32, strategy: &str, global_batch: u64) -> Training {
    let sheet = Catalog::bundled().find_accelerator(machine).expect("a machine of the catalogue");
    Training {
        model: find_alias(model).expect("a preset").model(),
        strategy: strategy.parse().expect("a strategy"),
        global_batch,
        precision: Precision::Fp16,
        optimizer_bytes: 8.0,
        fused_attention: false,
        frozen: false,
        cluster: Cluster::new(sheet, nodes, 8, None),
    }
}

/// Narayanan et al. 2021 (SC'21), table 1: 1,008 billion parameters on 3,072 A100 at 163 TFLOP/s each, full recomputation.
///
/// By equation 3 a step is 96·B·s·L·h²(1 + s/(6h) + V/(16Lh)) = 5.139e19 FLOP, which those devices take 102.6 s for.
#[test]
fn the_trillion_parameter_run_of_sc21_has_its_published_size() {
    let run = training("megatron-1t", "A100-SXM-80GB", 384, "data:6,tensor:8,pipeline:64", 3072);
    let parameters = run.model.parameters().expect("a network") as f64;
    let flops = run.flops(true).expect("a transformer");
    let [b, s, l, h, v] = [3072.0_f64, 2048.0, 128.0, 25_600.0, 51_200.0];
    let equation = 96.0 * b * s * l * h * h * (1.0 + s / (6.0 * h) + v / (16.0 * l * h));
    let check = |what: &str, found: f64, expected: f64, tolerance: f64| {
        assert!(is_close(found, expected, tolerance), "{what}: {found}, not {expected}");
    };
    check("parameters", parameters, 1008.04e9, 1e-4);
    check("FLOP of a step", flops, 5.139e19, 1e-3);
    check("FLOP of a step by the equation", flops, equation, 1e-12);
    check("seconds of a step", flops / (3072.0 * 163e12), 102.6, 1e-3);
}

fn transformer(name: &str) -> Transformer {
    match find_alias(name).expect("a preset").model() {
        Model::Transformer(transformer) => transformer,
        other => panic!("{name} is a {}", other.family()),
    }
}

/// Korthikanti et al. 2022, table 2: bytes that a layer keeps, in 16 bits, with dropout, scores in memory.
#[test]
fn a_layer_keeps_the_activations_of_the_selective_recomputation_paper() {
    type Formula = fn(t: f64, core: f64) -> f64;
    let check = |model: &str, strategy: &str, formula: Formula| {
        let model = transformer(model);
        let strategy: Strategy = strategy.parse().expect("a strategy");
        let (sequences, tokens) = (4.0, model.sequence.get() as f64);
        let work = Work { sequences, tokens, precision: Precision::Fp16, fused_attention: false, frozen: false };
        let (h, a) = (model.hidden.get() as f64, model.heads.get() as f64);
        let t = f64::from(strategy.tensor.get());
        let expected = sequences * tokens * h * formula(t, 5.0 * a * tokens / h);
        let [_, layer, _] = segments(&model, &strategy, &work);
        assert!(is_close(layer.saved_bytes, expected, 1e-9), "{strategy}: {} not {expected}", layer.saved_bytes);
    };
    for model in ["megatron-22b", "gpt3-175b", "mt-nlg-530b", "megatron-1t"] {
        check(model, "data:1", |_, core| 34.0 + core);
        check(model, "tensor:8", |t, core| 10.0 + 24.0 / t + core / t);
        check(model, "tensor:8,sequence:true", |t, core| (34.0 + core) / t);
        check(model, "tensor:8,recompute:selective", |t, _| 10.0 + 24.0 / t);
        check(model, "tensor:8,sequence:true,recompute:selective", |t, _| 34.0 / t);
        check(model, "tensor:8,recompute:full", |_, _| 2.0);
        check(model, "tensor:8,sequence:true,recompute:full", |t, _| 2.0 / t);
    }
}

/// Megatron's `theoretical_memory_usage.py`: 18 bytes a parameter, 6 + 12/d with the distributed optimiser.
#[test]
fn states_take_the_bytes_that_megatron_counts() {
    let check = |strategy: &str, nodes: u32, bytes: f64| {
        let run = training("gpt3-1.3b", "A100-SXM-80GB", nodes, strategy, 64);
        let segments = training::lower(&run).expect("a network");
        let memory = memory::of(&run, &segments);
        let parameters: f64 = segments.iter().map(|segment| segment.repeat * segment.parameters).sum();
        let states = memory.parameters + memory.gradients + memory.optimizer;
        assert!(is_close(states / parameters, bytes, 1e-9), "{strategy}: {}", states / parameters);
    };
    check("data:8", 1, 18.0);
    check("data:8,zero:1", 1, 6.0 + 12.0 / 8.0);
    check("data:64,zero:1", 8, 6.0 + 12.0 / 64.0);
    check("data:8,tensor:8", 8, 18.0);
    check("data:8,tensor:8,zero:1", 8, 6.0 + 12.0 / 8.0);
    check("data:8,zero:2", 1, 2.0 + 16.0 / 8.0);
    check("data:8,zero:3", 1, 16.0 / 8.0);
}

/// The public table of runs, where it is at hand.
fn public_runs() -> Option<Vec<Run>> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data/performance/training_runs.csv");
    let Ok(table) = std::fs::File::open(path) else {
        println!("the public table of training runs is absent: not compared");
        return None;
    };
    Some(read(table).expect("a table").runs)
}

/// Calculon's validation: the runs of Korthikanti et al. 2022, table 5, with full and selective recomputation.
#[test]
fn the_runs_that_calculon_validates_with_take_their_published_time() {
    let Some(runs) = public_runs() else { return };
    let mut count = 0;
    for run in runs.iter().filter(|run| run.id.starts_with("P-megatron-seqsel-")) {
        let Measured::StepSeconds(measured) = run.measured else { continue };
        let constants = bundled().constants(&run.training, &run.source);
        let step = training::predict(&run.training, &constants).expect("it is possible").total();
        println!("{}: {step:.2} s, measured {measured:.2}", run.id);
        assert!(is_close(step, measured, 0.1), "{}: {step} s, measured {measured}", run.id);
        count += 1;
    }
    assert!(count >= 5, "{count} runs");
}

#[test]
fn memory_is_as_measured_and_hardly_underestimated() {
    let Some(runs) = public_runs() else { return };
    let error = |run: &Run| {
        let Measured::PeakBytes(measured) = run.measured else { return None };
        let segments = training::lower(&run.training).expect("a network");
        Some((run.id.clone(), memory::of(&run.training, &segments).total() / measured - 1.0))
    };
    let errors: Vec<(String, f64)> = runs.iter().filter_map(error).collect();
    let mean = errors.iter().map(|(_, error)| error.abs()).sum::<f64>() / errors.len() as f64;
    println!("{} runs, mean error {:.1} %", errors.len(), 100.0 * mean);
    assert!(errors.len() >= 15 && mean <= 0.05, "{} runs, mean error {mean}", errors.len());
    for (id, error) in errors {
        assert!(error >= -0.08, "{id}: {error}");
    }
}

/// A run with the prediction of a fit that has not seen it.
type Seen<'a> = (&'a Run, Prediction);

fn mean_error<'a>(rows: impl Iterator<Item = &'a Seen<'a>>) -> (usize, f64) {
    let errors: Vec<f64> = rows.map(|(_, prediction)| (prediction.error.exp() - 1.0).abs()).collect();
    (errors.len(), errors.iter().sum::<f64>() / errors.len().max(1) as f64)
}

#[test]
fn steps_are_predicted_as_the_goal_says() {
    let Some(runs) = public_runs() else { return };
    let predictions = cross_validate(&runs, Split::Folds);
    let seen: Vec<Seen<'_>> = runs.iter().zip(predictions).filter_map(|(run, found)| Some((run, found?))).collect();
    let check = |what: &str, most: f64, least: usize, holds: fn(&Run) -> bool| {
        let (count, mean) = mean_error(seen.iter().filter(|(run, _)| holds(run)));
        println!("{what}: {count} runs, mean error {:.1} %", 100.0 * mean);
        assert!(count >= least && mean <= most, "{what}: {count} runs, mean error {mean}");
    };
    check("transformers, full configuration", 0.08, 300, |run| {
        run.training.transformer().is_some() && run.grade == "A"
    });
    check("other networks", 0.15, 50, |run| run.training.transformer().is_none());
    inside_in_every_part(&seen);
    good_picks(&seen);
}

/// Between 70 and 90 % of measured values lie between p10 and p90.
fn inside_in_every_part(seen: &[Seen<'_>]) {
    let mut parts = BTreeMap::<usize, (f64, f64)>::new();
    for (_, prediction) in seen {
        let (count, inside) = parts.entry(prediction.part).or_default();
        *count += 1.0;
        *inside += f64::from(u8::from(prediction.is_inside()));
    }
    for (part, (count, inside)) in parts {
        println!("part {part}: {:.1} % of {count} inside", 100.0 * inside / count);
        assert!((0.7..=0.9).contains(&(inside / count)), "part {part}: {inside} of {count} inside");
    }
}

/// Of vTrain's runs of one network on as many devices, the one that is predicted fastest is the fastest, or within 5 %.
fn good_picks(seen: &[Seen<'_>]) {
    let mut groups = BTreeMap::<String, Vec<[f64; 2]>>::new();
    for (run, prediction) in seen.iter().filter(|(run, _)| run.id.starts_with("P-vtrain-")) {
        let Measured::StepSeconds(measured) = run.measured else { continue };
        let records = run.training.global_batch as f64;
        let key = format!("{:?} on {}", run.training.model, run.training.cluster.devices());
        groups.entry(key).or_default().push([prediction.interval.p50 / records, measured / records]);
    }
    groups.retain(|_, rows| rows.len() > 1);
    let is_good = |rows: &&Vec<[f64; 2]>| {
        let best = rows.iter().map(|[_, measured]| *measured).fold(f64::INFINITY, f64::min);
        rows.iter().min_by(|a, b| a[0].total_cmp(&b[0])).is_some_and(|[_, measured]| *measured <= 1.05 * best)
    };
    let good = groups.values().filter(is_good).count();
    println!("{good} of {} picks are the best or within 5 %", groups.len());
    assert!(groups.len() >= 10 && good * 10 >= groups.len() * 9, "{good} of {} picks", groups.len());
}
