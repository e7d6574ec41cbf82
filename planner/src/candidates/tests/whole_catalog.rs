//! Every accelerator type in every region of the catalogue, with fifty workloads of many kinds.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use scenarios::catalog::Catalog;

use super::{loaded, world};
use crate::candidates::{Held, Network, enumerate};
use crate::clock::Clock;

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

fn workloads() -> String {
    let presets = ["resnet50", "bert-large", "gpt3-13b", "dlrm-small", "llama-7b", "gpt2", "lstm-lm", "yolo-tiny"];
    let mut text = String::new();
    for index in 0..50 {
        let (model, batch) = (presets[index % 8], [256, 128, 512, 64, 1024][index % 5]);
        let _ = writeln!(
            text,
            "  w{index}: {{ job: {{ train: {{ model: {{ preset: {model} }}, data: d{}, samples: 1000000, global_batch: {batch}, \
             precision: bf16, optimizer: {{ adam: {{ learning_rate: 0.001 }} }} }} }} }}",
            index % 3
        );
    }
    text
}

#[test]
fn fifty_workloads_meet_the_whole_catalogue() {
    let text = format!(
        "horizon: 60 d\nsites:\n{}datasets:\n  d0: {{ class: public, at: [aws-us-east-1], size: 150 GB, records: 1280000 }}\n  \
         d1: {{ class: health, at: [aws-eu-central-1], size: 60 GB, records: 400000 }}\n  \
         d2: {{ class: public, at: [azure-westeurope], size: 5 GB, records: 900000 }}\n\
         policies:\n  eea: {{ effect: allow, classes: [health], forms: [raw], places: [eea] }}\nworkloads:\n{}",
        sites(),
        workloads()
    );
    let loaded = loaded(&text);
    let world = world(&loaded);
    let network = Network::new(world);
    let found = enumerate(&world, &network, &Held::new(), Clock::new(60.0)).expect("in time");
    assert!(found.workloads.iter().all(|workload| !workload.columns.is_empty()));
    let memory: usize = found.workloads.iter().map(|workload| workload.columns.len() + workload.refused.len()).sum();
    assert!(memory * 1000 < 1 << 30, "{memory} columns and refusals");
}
