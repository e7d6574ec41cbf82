//! Trainings that cannot be, or go wrong: the exit code, what is said, and what is kept.

use std::path::PathBuf;

use scenarios::document;
use scenarios::plan::Plan;
use scenarios::run::{Run, RunStatus};
use tests::{Ended, run, succeed, text};

const SCENARIO: &str = r"format: causeway.scenario/1
name: Failures
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
  digits: { class: public, at: [here], size: 1 MB, records: 200, files: { format: { csv: { header: true, target: { class: class } } }, path: digits } }
workloads:
  train:
    job:
      train:
        model: { mlp: { inputs: 4, hidden: [8], outputs: 2 } }
        data: digits
        epochs: 4
        global_batch: 20
        optimizer: { sgd: { learning_rate: 0.01 } }
    strategies: { data: [1] }
";

/// A folder with a plan and its data.
struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    /// A place for the scenario with `from` replaced by `to`.
    fn with(from: &str, to: &str) -> Self {
        let place = Self { folder: tempfile::tempdir().expect("a folder") };
        fs_err::create_dir_all(place.path("data/digits")).expect("a folder");
        fs_err::write(place.path("scenario.yaml"), SCENARIO.replacen(from, to, 1)).expect("it can be written");
        let lines = (0..200).map(|at| format!("{},{},{},{},{}\n", at % 7, at % 5, at % 3, at, at % 2));
        let table: String = std::iter::once("a,b,c,d,class\n".to_owned()).chain(lines).collect();
        fs_err::write(place.path("data/digits/train.csv"), table).expect("it can be written");
        let plan = tests::plan(&place.path("scenario.yaml"), place.folder.path());
        assert!(plan.exists());
        place
    }

    fn new() -> Self {
        Self::with("", "")
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Changes the plan and seals it anew.
    fn change(&self, change: impl FnOnce(&mut Plan)) {
        let mut plan: Plan = document::read(&self.path("plan.json")).expect("it is valid");
        change(&mut plan);
        document::write(&mut plan, &self.path("plan.json")).expect("it can be written");
    }

    fn apply(&self, more: &[&str]) -> Ended {
        let (plan, output, data) = (self.path("plan.json"), self.path("run"), self.path("data"));
        let arguments = ["apply", text(&plan), "-o", text(&output), "--data", text(&data), "--device", "cpu"];
        run("executor", &[&arguments[..], more].concat())
    }

    /// That a run fails with 40 and says all of `messages`.
    fn fails(&self, more: &[&str], messages: &[&str]) {
        let ended = self.apply(more);
        for message in messages {
            assert!(ended.stderr.contains(message), "`{message}` is missing in\n{}", ended.stderr);
        }
        assert_eq!(ended.code, Some(40), "{}", ended.stderr);
        assert_eq!(self.record().status, RunStatus::Failed);
    }

    /// Says that the run was stopped, as an interrupt would have it.
    fn change_record(&self, status: RunStatus) {
        let mut record = self.record();
        record.status = status;
        record.workloads.iter_mut().for_each(|workload| workload.status = status);
        document::write(&mut record, &self.path("run/run.json")).expect("it can be written");
    }

    fn record(&self) -> Run {
        document::read(&self.path("run/run.json")).expect("the record is valid")
    }
}

#[test]
fn more_ranks_than_there_is_room_for() {
    let place = Place::new();
    place.change(|plan| plan.assignments[0].strategy = "data:100000".parse().expect("a strategy"));
    place.fails(&[], &["needs 100000 ranks", "core(s) take at most", "plan with at most"]);
}

#[test]
fn a_batch_that_the_replicas_cannot_share() {
    let place = Place::new();
    place.change(|plan| plan.assignments[0].strategy = "data:3".parse().expect("a strategy"));
    place.fails(&[], &["global batch of 20 cannot be shared evenly by 3 replicas, but 18 or 21 can"]);
}

#[test]
fn a_loss_that_is_no_number_keeps_no_checkpoint() {
    let place = Place::with("learning_rate: 0.01", "learning_rate: 1.0e30");
    place.fails(&[], &["the loss is", "of epoch 1", "has diverged", "lower the learning rate"]);
    assert!(!place.path("run/checkpoints/train.safetensors").exists());
}

#[test]
fn a_damaged_state_is_not_gone_on_from() {
    let place = Place::new();
    let ended = place.apply(&["--steps", "15"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    place.change_record(RunStatus::Interrupted);
    let state = place.path("run/checkpoints/train.state");
    let good = fs_err::read(&state).expect("it was written");
    let last = good.len() - 1;
    for damaged in [&good[..last], &[&good[..last], &[good[last] ^ 1]].concat()] {
        fs_err::write(&state, damaged).expect("it can be written");
        place.fails(&["--resume"], &["train.state", "is damaged"]);
    }
    fs_err::write(&state, &good).expect("it can be written");
    let ended = place.apply(&["--resume"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(ended.stderr.contains("going on after step 15"), "{}", ended.stderr);
}

#[test]
fn broken_records_are_skipped_and_counted_up_to_a_limit() {
    let limit = |share: &str| format!("path: digits, max_broken: {share} }}");
    for (share, fails) in [("0.05", false), ("0.01", true)] {
        let place = Place::with("path: digits }", &limit(share));
        let table = place.path("data/digits/train.csv");
        let lines = fs_err::read_to_string(&table).expect("it was written");
        let broken: String = lines.lines().enumerate().map(|(at, line)| broken(at, line)).collect();
        fs_err::write(&table, broken).expect("it can be written");
        if fails {
            place.fails(&[], &["5 of 200 records are broken, more than the 2 allowed", "max_broken"]);
        } else {
            let ended = place.apply(&[]);
            assert_eq!(ended.code, Some(0), "{}", ended.stderr);
            assert_eq!(place.record().workloads[0].data.dropped_malformed, 5);
        }
    }
}

/// Every fortieth line of a table without its numbers.
fn broken(at: usize, line: &str) -> String {
    if at % 40 == 39 { "nothing,that,is,a,number\n".to_owned() } else { format!("{line}\n") }
}

#[test]
fn the_record_says_what_ranks_did() {
    let place = Place::with("data: [1]", "data: [2]");
    let ended = place.apply(&[]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let record = place.record();
    let workload = &record.workloads[0];
    assert_eq!(workload.ranks.len(), 2);
    for rank in &workload.ranks {
        assert!(rank.memory_peak_bytes.is_some_and(|bytes| bytes > 0) && rank.sharing >= 1, "{rank:?}");
        assert!(rank.phases_seconds["forward"] > 0.0);
    }
    let all_reduce =
        |exchange: &&scenarios::run::Exchange| exchange.group == "replicas" && exchange.operation == "all_reduce";
    assert!(workload.exchanges.iter().find(all_reduce).is_some_and(|exchange| exchange.bytes > 0));
    assert!(workload.overheads.is_some_and(|overheads| overheads.checkpoints == 4));
    assert!(workload.throughput_interval.is_some_and(|interval| interval.p10 <= interval.p90));
    let plan = place.path("plan.json");
    let (folder, report) = (place.path("run"), place.path("report"));
    succeed("reports", &["build", "--plan", text(&plan), "--run", text(&folder), "-o", text(&report)]);
    assert!(fs_err::read_to_string(report.join("index.html")).is_ok_and(|page| page.contains("Most memory")));
}
