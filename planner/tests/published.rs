//! Published answers to placement problems, through whole scenarios.

use planner::candidates::World;
use planner::planning::{Options, PlanError, plan};
use scenarios::catalog::Catalog;
use scenarios::plan::Plan;
use scenarios::scenario::load;
use serde_json::Value;

/// Mélange's example, where the published cases are at hand.
fn example() -> Option<Value> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data/placement/cases.json");
    let text = std::fs::read_to_string(path).ok()?;
    Some(serde_json::from_str::<Value>(&text).expect("JSON")["melange_example"].clone())
}

/// Mélange's example: two kinds of GPU, requests of four sizes, rates that one GPU answers of each size.
fn melange(example: &Value, requests_per_second: f64, a100s: u32) -> Result<Plan, PlanError> {
    let sizes = [(0, 0), (0, 1), (1, 0), (1, 1)];
    let tokens = |(row, column): (usize, usize)| format!("input: {}, output: {}", 100 * (row + 1), 50 * (column + 1));
    let at = |table: &Value, (row, column): (usize, usize)| table[row][column].as_f64().expect("a number");
    let asked = sizes
        .map(|size| format!("{{ rate: {} /s, {} }}", requests_per_second * at(&example["mix"], size), tokens(size)));
    let measured = ["A10G", "A100-80GB"].map(|gpu| {
        let rates = &example["gpu"][gpu]["req_s"];
        let rates = sizes.map(|size| format!("{{ {}, rate: {} /s }}", tokens(size), at(rates, size)));
        format!("{{ machine: {gpu}, requests: [{}] }}", rates.join(", "))
    });
    let pools = [("A10G", "A10G", 100), ("A100-80GB", "A100-80GB", a100s)].map(|(pool, accelerator, nodes)| {
        let price = &example["gpu"][pool]["usd_hr"];
        format!(
            "      {pool}: {{ machine: {{ inline: {{ accelerator: {accelerator}, cores: 8, memory: 64 GiB }} }}, nodes: {nodes}, \
             purchase: {{ owned: {{ price: {price} USD/h }} }} }}\n"
        )
    });
    let text = format!(
        "format: causeway.scenario/1\nname: mix\nhorizon: 1 h\nsites:\n  here:\n    kind: private\n    country: US\n    \
         pools:\n{}workloads:\n  chat:\n    job:\n      serve:\n        model: {{ preset: llama-7b }}\n        \
         precision: bf16\n        demand: [{{ requests: [{}] }}]\n    measured: [{}]\n",
        pools.concat(),
        asked.join(", "),
        measured.join(", ")
    );
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("mix.yaml");
    std::fs::write(&path, text).expect("the folder can be written to");
    let loaded = load(&path, None, Catalog::bundled()).expect("a valid scenario");
    plan(World { loaded: &loaded, catalog: Catalog::bundled() }, &Options::default())
}

#[test]
fn a_mix_of_gpus_costs_what_fractional_routing_allows() {
    let Some(example) = example() else {
        eprintln!("not checked: the published cases are not in ../shared/data/placement");
        return;
    };
    for (name, expected) in example["optimum_usd_hr"].as_object().expect("rates") {
        let rate: f64 = name.trim_start_matches("rate").parse().expect("a rate");
        let expected = expected.get("continuous").or_else(|| expected.get("all")).and_then(Value::as_f64).expect("USD");
        let plan = melange(&example, rate, 100).expect("a plan");
        let found: f64 = plan.totals.cost_usd.try_into().expect("a number");
        assert!((found - expected).abs() < 1e-6, "{name}: {found} instead of {expected}");
    }
}

#[test]
fn a_quota_that_is_too_small_is_told() {
    let Some(example) = example() else {
        eprintln!("not checked: the published cases are not in ../shared/data/placement");
        return;
    };
    assert!(melange(&example, 30.0, 0).is_ok(), "a hundred of the small ones suffice");
    let Err(PlanError::Infeasible(why)) = melange(&example, 300.0, 0) else {
        panic!("a hundred of the small ones cannot answer that")
    };
    let help = why.help().unwrap_or_default();
    assert!(help.contains("nodes") && help.contains("A10G"), "{why}: {help}");
}
