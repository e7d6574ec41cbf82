//! Jobs of every kind.

use super::{candidates, columns, loaded};

const SITE: &str = "
horizon: 60 d
sites:
  cloud:
    kind: public
    provider: aws
    region: eu-central-1
    pools:
      a100: { machine: { instance: p4d.24xlarge }, nodes: 4 }
  home:
    kind: private
    country: DE
    pools:
      cpu: { machine: { inline: { cores: 16, memory: 64 GiB, peak: 1 TFLOP/s } }, nodes: 4, purchase: { owned: { price: 1 USD/h } } }
links: [{ between: [home, cloud], bandwidth: 10 Gbit/s, latency: 5 ms }]
datasets:
  d: { class: public, at: [cloud, home], size: 10 GB, records: 1000000 }
";

fn job(job: &str, more: &str) -> String {
    format!("{SITE}workloads:\n  w:\n    job: {job}\n{more}")
}

#[test]
fn every_family_is_placed() {
    let check = |model: &str| {
        let train = format!(
            "{{ train: {{ model: {{ preset: {model} }}, data: d, epochs: 1, global_batch: 512, precision: bf16, optimizer: {{ adam: {{ learning_rate: 0.001 }} }} }} }}"
        );
        let found = columns(&loaded(&job(&train, "")));
        assert!(found.iter().any(|words| words.contains("p4d")), "{model}: {found:?}");
    };
    for model in [
        "mnist-mlp",
        "mnist-cnn",
        "resnet50",
        "lstm-lm",
        "bert-large",
        "gpt3-13b",
        "mf-movielens",
        "dlrm-small",
        "yolo-tiny",
    ] {
        check(model);
    }
}

#[test]
fn strategies_are_those_that_the_workload_allows() {
    let train = "{ train: { model: { preset: gpt3-13b }, data: d, samples: 5120, global_batch: 512, precision: bf16, optimizer: { adam: { learning_rate: 0.001 } } } }";
    let check = |lists: &str, holds: fn(&str) -> bool| {
        let found = columns(&loaded(&job(train, &format!("    strategies: {lists}\n"))));
        assert!(!found.is_empty() && found.iter().all(|words| holds(words)), "{lists}: {found:?}");
    };
    check("{ tensor: [8] }", |words| words.contains("tensor 8"));
    check("{ pipeline: [1] }", |words| !words.contains("pipeline"));
    check("{ data: [16] }", |words| words.contains("data 16"));
    check("{ zero: [3], pipeline: [1], tensor: [1] }", |words| words.contains("ZeRO 3"));
    check("{ recompute: [full] }", |words| words.contains("full recompute"));
}

#[test]
fn forward_passes_preparation_and_generation_are_placed() {
    let check = |text: &str, machine: &str, steps: u64| {
        let found = candidates(&loaded(&job(text, "")));
        let world_steps = found.workloads[0].columns.iter().map(|column| column.prediction.steps).collect::<Vec<_>>();
        assert!(world_steps.contains(&steps), "{text}: {world_steps:?}");
        let words = columns(&loaded(&job(text, "")));
        assert!(words.iter().any(|words| words.contains(machine)), "{text}: {words:?}");
    };
    // 16 cores on each of 4 nodes; records are steps.
    check("{ preprocess: { data: d, per_core: 100 /s, output: 1 GB } }", "4 × cpu", 1_000_000);
    // 100,000 records in batches of 64 on 8 devices.
    check("{ batch_inference: { model: { preset: resnet50 }, data: d, records: 100000 } }", "p4d", 196);
    check(
        "{ batch_inference: { model: { preset: llama-13b }, data: d, records: 100000, output_tokens: 100, precision: bf16 } }",
        "p4d",
        196,
    );
}

#[test]
fn amounts_are_epochs_samples_or_tokens() {
    let check = |amount: &str, steps: u64| {
        let train = format!(
            "{{ train: {{ model: {{ preset: bert-large }}, data: d, {amount}, global_batch: 512, precision: bf16, optimizer: {{ adam: {{ learning_rate: 0.001 }} }} }} }}"
        );
        let found = candidates(&loaded(&job(&train, "")));
        assert!(found.workloads[0].columns.iter().all(|column| column.prediction.steps == steps), "{amount}");
    };
    check("epochs: 2", 2 * 1953);
    check("samples: 5121", 11);
    check("tokens: 2621440", 10);
}

#[test]
fn a_measured_rate_beats_the_prediction() {
    let train = "{ train: { model: { preset: bert-large }, data: d, samples: 512000, global_batch: 512, precision: bf16, optimizer: { adam: { learning_rate: 0.001 } } } }";
    let measured =
        "    measured: [{ machine: p4d.24xlarge, nodes: 2, strategy: { data: 16 }, throughput: 100000 /s }]\n";
    let found = candidates(&loaded(&job(train, measured)));
    let seconds = |nodes: u32| {
        let columns = &found.workloads[0].columns;
        let column = columns.iter().find(|column| column.first().place.site == 0 && column.nodes() == nodes);
        column.map(|column| (column.seconds, column.prediction.predicted.basis.clone()))
    };
    assert_eq!(seconds(2), Some((5.12, "measured rate".to_owned())));
    assert!(seconds(1).is_some_and(|(seconds, basis)| seconds > 100.0 && basis != "measured rate"));
}
