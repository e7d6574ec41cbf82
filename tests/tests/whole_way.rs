//! Scenario to plan to run to report, over the real binaries.

use std::path::Path;

use scenarios::run::{Run, RunStatus};
use tests::{binary, fixtures, plan, root, run, succeed, text};

fn hospital() -> std::path::PathBuf {
    root().join("scenarios/library/mnist-hospital.yaml")
}

fn record(folder: &Path) -> Run {
    scenarios::document::read(&folder.join("run.json")).expect("the record is valid")
}

#[test]
fn a_plan_repeats_byte_by_byte_and_says_why() {
    let folder = tempfile::tempdir().expect("a folder");
    let first = plan(&hospital(), folder.path());
    let bytes = fs_err::read(&first).expect("it was written");
    assert_eq!(fs_err::read(plan(&hospital(), folder.path())).expect("it was written"), bytes);
    let shown = succeed("planner", &["show", text(&first)]).stdout;
    for word in ["hospital", "images-stay-in-the-hospital", "aws-frankfurt", "alibaba-hangzhou", "no rule allows"] {
        assert!(shown.contains(word), "`{word}` is missing in\n{shown}");
    }
    let plan: scenarios::plan::Plan = scenarios::document::read(&first).expect("it is valid");
    let sites: Vec<_> = plan.assignments.iter().flat_map(|work| &work.groups).map(|group| &group.site[..]).collect();
    assert_eq!(sites, ["hospital", "hospital"]);
    assert!(plan.flows.is_empty());
}

#[test]
fn a_plan_is_applied_and_reported() {
    let folder = tempfile::tempdir().expect("a folder");
    let plan = plan(&hospital(), folder.path());
    let (record_folder, report) = (folder.path().join("run"), folder.path().join("report"));
    let arguments =
        ["apply", text(&plan), "-o", text(&record_folder), "--generate", "--steps", "40", "--device", "cpu"];
    let cache = folder.path().join("cache");
    let ended = binary("executor").args(arguments).env("XDG_CACHE_HOME", &cache).output().expect("it was built");
    assert_eq!(ended.status.code(), Some(0), "{}", String::from_utf8_lossy(&ended.stderr));
    let run = record(&record_folder);
    assert_eq!(run.status, RunStatus::Completed);
    let [train, evaluate] = &run.workloads[..] else { panic!("two workloads ran") };
    assert!(train.data.source.contains("drawn by Causeway's generator, not MNIST"), "{}", train.data.source);
    assert!(train.throughput > 0.0 && train.first_losses.len() == 40);
    assert!(train.first_losses[39] < train.first_losses[0]);
    assert_eq!(evaluate.confusion.iter().flatten().sum::<u64>(), 10_000);
    let events = fs_err::read_to_string(record_folder.join("events.jsonl")).expect("it was written");
    assert!(events.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()));
    let build = ["build", "--plan", text(&plan), "--run", text(&record_folder), "-o", text(&report)];
    succeed("reports", &build);
    let page = fs_err::read_to_string(report.join("index.html")).expect("it was written");
    for word in ["MNIST at the hospital", "images-stay-in-the-hospital", "not MNIST", "</svg>"] {
        assert!(page.contains(word), "`{word}` is missing in the report");
    }
    weights_are_usable(&record_folder.join("checkpoints/train.safetensors"), folder.path());
}

/// `executor predict` classifies images with the weights of a run.
fn weights_are_usable(weights: &Path, folder: &Path) {
    let images = folder.join("images");
    let header = [0x0803_u32, 3, 28, 28].map(u32::to_be_bytes);
    fs_err::write(&images, [header.as_flattened(), &[0; 3 * 784]].concat()).expect("it can be written");
    let arguments = ["predict", text(weights), text(&images), "--format", "json", "--device", "cpu"];
    let found: serde_json::Value = serde_json::from_str(&succeed("executor", &arguments).stdout).expect("it is JSON");
    assert_eq!(found.as_array().map(Vec::len), Some(3));
    let wrong = folder.join("small");
    let header = [0x0803_u32, 3, 14, 14].map(u32::to_be_bytes);
    fs_err::write(&wrong, [header.as_flattened(), &[0; 3 * 196]].concat()).expect("it can be written");
    let ended = run("executor", &["predict", text(weights), text(&wrong), "--device", "cpu"]);
    assert_eq!(ended.code, Some(40));
    assert!(ended.stderr.contains("images have 196 pixels, but the network takes 784"), "{}", ended.stderr);
}

#[test]
fn two_ranks_take_the_steps_of_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let losses = |ranks: u32| {
        let plan = folder.path().join(format!("plan-{ranks}.json"));
        let profiles = fixtures();
        let strategy = format!("train=data:{ranks}");
        let scenario = hospital();
        let solve =
            ["--profiles", text(&profiles), "solve", text(&scenario), "-o", text(&plan), "--strategy", &strategy];
        succeed("planner", &solve);
        let output = folder.path().join(format!("run-{ranks}"));
        let apply = ["apply", text(&plan), "-o", text(&output), "--steps", "20", "--device", "cpu", "-w", "train"];
        let shared = root().join("../shared/data/datasets");
        if shared.join("mnist").exists() {
            succeed("executor", &[&apply[..], &["--data", text(&shared)]].concat());
        } else {
            eprintln!("the MNIST files are not at ../shared/data/datasets: digits are drawn instead");
            succeed("executor", &[&apply[..], &["--generate"]].concat());
        }
        let record = record(&output);
        assert_eq!(record.workloads[0].strategy.ranks(), ranks);
        record.workloads[0].first_losses.clone()
    };
    let (one, two) = (losses(1), losses(2));
    assert_eq!((one.len(), two.len()), (20, 20));
    for (step, (a, b)) in one.iter().zip(&two).enumerate() {
        assert!((a - b).abs() <= 1e-4 * a.abs(), "step {step}: {a} and {b}");
    }
}
