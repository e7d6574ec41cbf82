//! A large scenario: twenty workloads over every region and accelerator type of the catalogue.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use scenarios::catalog::Catalog;
use scenarios::scenario::{Loaded, load};

/// Writes the scenario to a file of `folder` and reads it as users' scenarios are read.
pub fn loaded(folder: &std::path::Path) -> Loaded {
    let path = folder.join("whole-catalog.yaml");
    std::fs::write(&path, text()).expect("the temporary folder can be written to");
    match load(&path, None, Catalog::bundled()) {
        Ok(loaded) => loaded,
        Err(scenarios::scenario::LoadError::Invalid { name, text, problems }) => {
            panic!("{}", scenarios::diagnostics::render(&name, &text, &problems))
        }
        Err(error) => panic!("{error}"),
    }
}

/// Four datasets at different places, one of them confined to the EEA; trainings of several sizes,
/// each with an evaluation or a successor; deadlines; a budget; four nodes in each pool.
pub fn text() -> String {
    let mut text = "format: causeway.scenario/1\nname: whole catalogue\nbudget: 5000 USD\nhorizon: 10 d\n".to_owned();
    text.push_str("sites:\n");
    text.push_str(&sites());
    text.push_str("datasets:\n");
    let datasets = [
        ("photos", "public", "aws-us-east-1", "150 GB", 1_280_000),
        ("scans", "health", "aws-eu-central-1", "60 GB", 400_000),
        ("forms", "public", "azure-westeurope", "5 GB", 900_000),
        ("parts", "internal", "gcp-us-central1", "20 GB", 250_000),
    ];
    for (name, class, at, size, records) in datasets {
        let _ = writeln!(text, "  {name}: {{ class: {class}, at: [{at}], size: {size}, records: {records} }}");
    }
    text.push_str(
        "policies:\n  health-in-the-eea: { effect: allow, classes: [health], forms: [raw, gradients, weights], places: [eea] }\n  \
         internal-outside-mainland-china: { effect: allow, classes: [internal], forms: [raw, gradients, weights], places: [anywhere] }\n  \
         not-in-mainland-china: { effect: deny, classes: [internal, health], forms: [raw, gradients, weights], places: [cn-mainland] }\n",
    );
    text.push_str("workloads:\n");
    for index in 0..12 {
        let data = datasets[index % 4].0;
        let width = [32, 64, 96][index % 3];
        let after = if index >= 8 { format!("\n    after: [train-{}]", index - 8) } else { String::new() };
        let _ = writeln!(
            text,
            "  train-{index}:\n    job:\n      train:\n        model: {{ cnn: {{ image: {{ channels: 3, height: 64, width: 64 }}, \
             layers: [{{ conv2d: {{ channels: {width}, kernel: 3, padding: 1 }} }}, relu, {{ max_pool: {{ kernel: 2 }} }}, \
             {{ conv2d: {{ channels: {}, kernel: 3, padding: 1 }} }}, relu, {{ max_pool: {{ kernel: 2 }} }}, {{ linear: 256 }}, relu, {{ linear: 100 }}] }} }}\n        \
             data: {data}\n        epochs: {}\n        global_batch: 256\n        optimizer: {{ adam: {{ learning_rate: 0.001 }} }}{after}\n    deadline: {} h",
            2 * width,
            100 + 100 * (index % 4),
            24 + 12 * index,
        );
    }
    for index in 0..8 {
        let data = datasets[index % 4].0;
        let _ = writeln!(
            text,
            "  evaluate-{index}: {{ job: {{ evaluate: {{ weights_of: train-{index}, data: {data}, records: 50000 }} }} }}"
        );
    }
    text
}

fn sites() -> String {
    let mut pools: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
    for instance in Catalog::bundled().instances() {
        if instance.accelerator.is_some() && instance.on_demand_usd_per_hour.is_some() {
            pools.entry((&instance.provider, &instance.region)).or_default().push(&instance.instance_type);
        }
    }
    let mut text = String::new();
    for ((provider, region), types) in pools {
        let _ = writeln!(
            text,
            "  {provider}-{region}:\n    kind: public\n    provider: {provider}\n    region: {region}\n    pools:"
        );
        for (index, name) in types.iter().enumerate() {
            let _ = writeln!(text, "      p{index}: {{ machine: {{ instance: \"{name}\" }}, nodes: 4 }}");
        }
    }
    text
}
