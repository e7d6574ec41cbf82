//! Trainings on unequal machines and at several sites, over the real binaries.

use std::path::Path;

use scenarios::plan::Plan;
use scenarios::run::{Run, WorkloadRun};
use scenarios::scenario::Form;
use tests::{binary, succeed, text};

/// A training on a terabyte of digits, by the pools of the first site, the data set's places, and the strategies.
fn scenario(pools: &str, places: &str, strategies: &str) -> String {
    format!(
        "
format: causeway.scenario/1
name: Digits of two hospitals
seed: 3
horizon: 1 d
sites:
  frankfurt: {{ kind: public, provider: aws, region: eu-central-1, pools: {{ {pools} }} }}
  paris: {{ kind: public, provider: aws, region: eu-west-3, pools: {{ t4: {{ machine: {{ instance: g4dn.xlarge }}, nodes: 1 }} }} }}
datasets:
  digits: {{ class: health, {places}, size: 1 TB, records: 1000, files: {{ format: idx, path: mnist }} }}
policies:
  at-home: {{ effect: allow, classes: [health], forms: [raw, gradients, weights, checkpoints, metrics], places: [frankfurt, paris] }}
workloads:
  train:
    job:
      train:
        model: {{ preset: mnist-mlp }}
        data: digits
        epochs: 4
        global_batch: 100
        optimizer: {{ momentum: {{ learning_rate: 0.05, momentum: 0.9 }} }}
    strategies: {{ tensor: [1], pipeline: [1], {strategies} }}
"
    )
}

/// Carries a plan out with drawn digits; gives the exit code and the messages.
fn apply(plan: &Path, folder: &Path) -> (Option<i32>, String) {
    let mut command = binary("executor");
    command.args(["apply", text(plan), "-o", text(&folder.join("run")), "--replace", "--generate", "--device", "cpu"]);
    let ended = command.env("XDG_CACHE_HOME", folder.join("cache")).output().expect("it was built");
    (ended.status.code(), String::from_utf8_lossy(&ended.stderr).into_owned())
}

/// Plans and runs it; gives what was planned and what ran.
fn carried_out(scenario: &str, folder: &Path) -> (Plan, WorkloadRun) {
    let [file, plan] = ["scenario.yaml", "plan.json"].map(|name| folder.join(name));
    fs_err::write(&file, scenario).expect("it can be written");
    succeed("planner", &["solve", text(&file), "-o", text(&plan)]);
    succeed("planner", &["check", text(&file), "--plan", text(&plan)]);
    let (code, messages) = apply(&plan, folder);
    assert_eq!(code, Some(0), "{messages}");
    let planned: Plan = scenarios::document::read(&plan).expect("the plan is valid");
    let record: Run = scenarios::document::read(&folder.join("run/run.json")).expect("the record is valid");
    (planned, record.workloads.into_iter().next().expect("one workload ran"))
}

const ONE_OF_EACH: &str =
    "t4: { machine: { instance: g4dn.xlarge }, nodes: 1 }, v100: { machine: { instance: p3.2xlarge }, nodes: 1 }";

#[test]
fn parts_are_learned_from_where_they_lie_and_weights_travel() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let places = "parts: [{ at: frankfurt, records: 700 }, { at: paris, records: 300 }]";
    let pool = "t4: { machine: { instance: g4dn.xlarge }, nodes: 1 }";
    let (plan, done) =
        carried_out(&scenario(pool, places, "data: [1, 2], mixed: { sites: { average_every: 5 } }"), folder.path());
    let sites: Vec<&str> = done.ranks.iter().filter_map(|rank| rank.site.as_deref()).collect();
    let planned: Vec<&str> = plan.assignments[0].groups.iter().map(|group| &group.site[..]).collect();
    assert_eq!(sites, planned);
    let across: Vec<_> = done.traffic.iter().filter(|traffic| traffic.from != traffic.to).collect();
    assert!(across.iter().all(|traffic| matches!(traffic.form, Form::Weights | Form::Metrics)), "{across:?}");
    let weights = across.iter().filter(|traffic| traffic.form == Form::Weights && traffic.bytes > 1_000_000);
    assert_eq!(weights.count(), 2, "{across:?}");
    assert!(done.metrics["train_accuracy"] > 0.8, "{:?}", done.metrics);
    // A plan whose ranks are elsewhere than the data is refused, whoever made it.
    let mut moved = plan;
    moved.assignments[0].data.as_mut().expect("it reads data").parts[1].at = "frankfurt".to_owned();
    let file = folder.path().join("moved.json");
    scenarios::document::write(&mut moved, &file).expect("it can be written");
    let (code, messages) = apply(&file, folder.path());
    assert_eq!(code, Some(40), "{messages}");
    assert!(messages.contains("where the parts of its data lie, but `paris` holds none"), "{messages}");
}

#[test]
fn faster_machines_take_more_of_a_batch() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let (plan, done) =
        carried_out(&scenario(ONE_OF_EACH, "at: [frankfurt]", "data: [2], mixed: one_site"), folder.path());
    let shares: Vec<u64> = plan.assignments[0].groups.iter().filter_map(|group| group.batch).collect();
    assert!(shares.len() == 2 && shares[0] != shares[1] && shares.iter().sum::<u64>() == 100, "{shares:?}");
    assert_eq!(done.ranks.len(), 2);
    assert!(done.metrics["train_accuracy"] > 0.8, "{:?}", done.metrics);
}
