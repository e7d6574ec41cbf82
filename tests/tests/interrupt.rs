//! Ctrl-C keeps a checkpoint, and the run goes on from it to the same result.

#![cfg(unix)]

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use scenarios::run::{Run, RunStatus};
use tests::{binary, plan, succeed, text};

const SCENARIO: &str = r"
format: causeway.scenario/1
name: Interrupted
seed: 7
sites:
  here:
    kind: private
    country: DE
    pools:
      machine:
        machine: { profile: machine.json }
        nodes: 1
        purchase: { owned: { price: 1 USD/h } }
datasets:
  digits: { class: public, at: [here], size: 1 MB, records: 4000, files: { format: idx, path: mnist } }
workloads:
  train:
    job:
      train:
        model: { preset: mnist-cnn }
        data: digits
        epochs: 3
        global_batch: 20
        optimizer: { adam: { learning_rate: 0.001 } }
    strategies: { data: [2] }
";

fn apply(plan: &Path, output: &Path, more: &[&str]) -> Command {
    let mut command = binary("executor");
    let cache = output.with_extension("cache");
    command.args(["apply", text(plan), "-o", text(output), "--generate", "--device", "cpu"]).args(more);
    command.env("XDG_CACHE_HOME", cache).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

fn record(folder: &Path) -> Run {
    scenarios::document::read(&folder.join("run.json")).expect("the record is valid")
}

#[test]
fn an_interrupted_run_keeps_its_checkpoint_and_goes_on_to_the_same_result() {
    let folder = tempfile::tempdir().expect("a folder");
    let scenario = folder.path().join("scenario.yaml");
    fs_err::write(&scenario, SCENARIO).expect("it can be written");
    let plan = plan(&scenario, folder.path());
    let (whole, stopped) = (folder.path().join("whole"), folder.path().join("stopped"));
    assert!(apply(&plan, &whole, &[]).status().expect("it was built").success());

    let mut child = apply(&plan, &stopped, &[]).spawn().expect("it was built");
    wait_for_steps(&stopped.join("events.jsonl"));
    let interrupt = Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("a Unix has kill");
    assert!(interrupt.success());
    assert_eq!(child.wait().expect("it ends").code(), Some(130));
    let first = record(&stopped);
    assert_eq!((first.status, first.workloads[0].status), (RunStatus::Interrupted, RunStatus::Interrupted));
    assert!(stopped.join("checkpoints/train.safetensors").exists());

    let again = apply(&plan, &stopped, &[]).status().expect("it was built");
    assert_eq!(again.code(), Some(2), "an earlier run is not touched unasked");
    assert!(apply(&plan, &stopped, &["--resume"]).status().expect("it was built").success());
    let (resumed, expected) = (record(&stopped), record(&whole));
    assert_eq!(resumed.status, RunStatus::Completed);
    assert_eq!(resumed.workloads[0].first_losses, expected.workloads[0].first_losses);
    let weights = |folder: &Path| fs_err::read(folder.join("checkpoints/train.safetensors")).expect("it was kept");
    assert!(weights(&stopped) == weights(&whole), "the weights differ");
    succeed("executor", &["devices"]);
}

fn wait_for_steps(events: &Path) {
    let patience = Instant::now();
    while !fs_err::read_to_string(events).is_ok_and(|text| text.contains("\"stepped\"")) {
        assert!(patience.elapsed() < Duration::from_mins(1), "no step in a minute");
        std::thread::sleep(Duration::from_millis(20));
    }
}
