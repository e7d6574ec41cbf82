//! Every kind of job, carried out over the real binaries: prepare, train, evaluate, train further, infer, serve, generate.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use scenarios::run::{Run, RunStatus};
use tests::{run, succeed, text};

const SCENARIO: &str = r"
format: causeway.scenario/1
name: Every kind of job
seed: 7
objective: cost
budget: 100 USD
horizon: 1 d
sites:
  cloud:
    kind: public
    provider: aws
    region: eu-central-1
    pools: { t4: { machine: { instance: g4dn.xlarge }, nodes: 3 } }
datasets:
  notes:
    { class: public, at: [cloud], size: 1 MB, records: 300, files: { format: { lines: { tokens: character, delimiter: tab, class: 1 } }, path: notes } }
  more:
    { class: public, at: [cloud], size: 1 MB, records: 300, files: { format: { lines: { tokens: character, delimiter: tab, class: 1 } }, path: more } }
  text: { class: public, at: [cloud], size: 1 MB, records: 90, files: { format: { text: { tokens: character } }, path: text } }
workloads:
  prepare:
    job: { preprocess: { data: notes, per_core: 1000 /s, output: 1 MB } }
  train:
    job:
      train:
        model: { transformer: { kind: encoder, layers: 1, hidden: 48, heads: 2, ffn: 48, vocabulary: 32, sequence: 12, positions: learned, norm: layer, bias: true, classes: 2 } }
        data: prepare
        epochs: 3
        global_batch: 20
        optimizer: { adam: { learning_rate: 0.01 } }
    strategies: { data: [2], tensor: [1], pipeline: [1] }
  evaluate:
    job: { evaluate: { weights_of: train, data: notes, records: 60, batch: 16 } }
  tune:
    job:
      fine_tune:
        model: { transformer: { kind: encoder, layers: 1, hidden: 48, heads: 2, ffn: 48, vocabulary: 32, sequence: 12, positions: learned, norm: layer, bias: true, classes: 3 } }
        weights_of: train
        new_head: NEW_HEAD
        data: more
        epochs: 30
        global_batch: 20
        optimizer: { adam: { learning_rate: 0.003 } }
    strategies: { data: [1], tensor: [1], pipeline: [1] }
  infer:
    job: { batch_inference: { weights_of: tune, data: more, batch: 50 } }
  speak:
    job:
      train:
        model: { transformer: { kind: decoder, layers: 1, hidden: 16, heads: 2, ffn: 16, vocabulary: 32, sequence: 16 } }
        data: text
        preprocessing: { split: { test: 0.1 } }
        epochs: 2
        global_batch: 8
        optimizer: { adam: { learning_rate: 0.01 } }
    strategies: { data: [1], tensor: [1], pipeline: [1] }
  judge:
    job: { evaluate: { weights_of: speak, data: text, records: 9 } }
  serve:
    job: { serve: { weights_of: speak, demand: [{ requests: [{ rate: 20 /s, input: 8, output: 4 }] }] } }
    earliest_start: 12 h
";

/// Notes of two kinds of letters with their class, and of a third kind; the class follows from the letters.
fn write_data(folder: &Path) -> PathBuf {
    let data = folder.join("data");
    let notes = |classes: u32, count: u32, salt: u32| {
        (0..count).fold(String::new(), |mut rows, row| {
            let class = row % classes;
            let letters = ["abc", "xyz", "mno"][class as usize].as_bytes();
            let letter = |at: u32| letters[((row * 31 + at * 17 + salt) / 3 % 3) as usize] as char;
            let _ = writeln!(rows, "kind{class}\t{row} {}", (0..6).map(letter).collect::<String>());
            rows
        })
    };
    let files = [
        ("notes/train.csv", notes(2, 300, 0)),
        ("notes/test.csv", notes(2, 60, 5)),
        ("more/train.csv", notes(3, 300, 1)),
        ("text/input.txt", "the cat sat on the mat and the dog lay by the log. ".repeat(30)),
    ];
    for (name, content) in files {
        let path = data.join(name);
        fs_err::create_dir_all(path.parent().expect("it is in a folder")).expect("it can be made");
        fs_err::write(path, content).expect("it can be written");
    }
    data
}

fn planned(folder: &Path, new_head: bool) -> PathBuf {
    let (scenario, plan) = (folder.join("kinds.yaml"), folder.join("plan.json"));
    fs_err::write(&scenario, SCENARIO.replace("NEW_HEAD", &new_head.to_string())).expect("it can be written");
    succeed("planner", &["solve", text(&scenario), "-o", text(&plan)]);
    plan
}

#[test]
fn every_kind_of_job_is_carried_out() {
    let folder = tempfile::tempdir().expect("a folder");
    let (data, plan, record) = (write_data(folder.path()), planned(folder.path(), true), folder.path().join("run"));
    let options = ["--device", "cpu", "--serve-seconds", "1", "--data", text(&data), "-o", text(&record)];
    succeed("executor", &[&["apply", text(&plan)], &options[..]].concat());
    let done: Run = scenarios::document::read(&record.join("run.json")).expect("the record is valid");
    assert_eq!((done.status, done.workloads.len()), (RunStatus::Completed, 8));
    let of = |name: &str| done.workloads.iter().find(|one| one.workload == name).expect(name);
    assert_eq!((of("prepare").data.train_records, of("train").data.train_records), (300, 300));
    assert!(record.join("records/prepare.json").exists());
    assert!(of("evaluate").metrics["test_accuracy"] > 0.9, "{:?}", of("evaluate").metrics);
    let bounds = of("evaluate").intervals["test_accuracy"];
    assert!(bounds.low < bounds.high && bounds.high <= 1.0);
    assert!(of("judge").metrics["test_perplexity"] > 1.0);
    let predictions = of("infer").predictions.as_ref().expect("they are kept");
    let lines = fs_err::read_to_string(record.join(predictions)).expect("it was written");
    let right = lines.lines().zip(0..).filter(|(line, row)| line.contains(&format!("\"kind{}\"", row % 3))).count();
    assert_eq!(lines.lines().count(), 300);
    assert!(right > 270, "{right} of 300");
    let served = of("serve");
    assert!(served.steps > 0 && served.metrics["latency_p90_seconds"] >= served.metrics["first_token_p50_seconds"]);
    weights_are_usable(&record, &data);
}

/// The commands take the weights of the run.
fn weights_are_usable(record: &Path, data: &Path) {
    let weights = |of: &str| record.join(format!("checkpoints/{of}.safetensors"));
    let judged = succeed("executor", &["evaluate", text(&weights("speak")), "--data", text(data), "--format", "json"]);
    assert!(judged.stdout.contains("perplexity"), "{}", judged.stdout);
    let unlabelled = data.join("unlabelled.csv");
    fs_err::write(&unlabelled, "1 mnomno\n2 abcabc\n").expect("it can be written");
    let said = succeed("executor", &["predict", text(&weights("tune")), text(&unlabelled), "--format", "csv"]).stdout;
    let classes: Vec<&str> = said.lines().skip(1).filter_map(|line| line.split(',').nth(2)).collect();
    assert_eq!(classes, ["kind2", "kind0"], "{said}");
    let speaker = weights("speak");
    let generate = ["generate", text(&speaker), "--prompt", "the ", "--tokens", "5", "--format", "json"];
    let said: serde_json::Value = serde_json::from_str(&succeed("executor", &generate).stdout).expect("it is JSON");
    assert_eq!(said["texts"][0]["tokens"], 5);
    let refused = run("executor", &["generate", text(&weights("tune")), "--prompt", "a"]);
    assert_eq!(refused.code, Some(40));
    assert!(refused.stderr.contains("gives no next token"), "{}", refused.stderr);
}

#[test]
fn a_head_of_another_size_is_refused_unless_it_is_asked_for() {
    let folder = tempfile::tempdir().expect("a folder");
    let (data, plan, record) = (write_data(folder.path()), planned(folder.path(), false), folder.path().join("run"));
    let options = ["--device", "cpu", "--steps", "1", "--data", text(&data), "-o", text(&record)];
    let ended = run("executor", &[&["apply", text(&plan)], &options[..]].concat());
    assert_eq!(ended.code, Some(40));
    let message = "`classifier.weight` is [48, 2] instead of [48, 3]";
    assert!(ended.stderr.contains(message) && ended.stderr.contains("new_head: true"), "{}", ended.stderr);
}
