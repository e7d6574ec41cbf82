//! Bad input: a clear message, the right exit code, and nothing half-written.

use std::path::{Path, PathBuf};

use tests::{fixtures, plan, root, run, text};

/// A folder with a valid scenario, its plan and digits, to be damaged.
struct Place {
    folder: tempfile::TempDir,
}

const SCENARIO: &str = r"format: causeway.scenario/1
name: Bad input
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
  digits: { class: health, at: [here], size: 1 MB, records: 200, files: { format: idx, path: digits } }
policies:
  at-home: { effect: allow, classes: [health], forms: [raw, gradients, weights], places: [here] }
workloads:
  train:
    job:
      train:
        model: { preset: mnist-linear }
        data: digits
        epochs: 1
        global_batch: 20
        optimizer: { sgd: { learning_rate: 0.01 } }
    strategies: { data: [1] }
";

impl Place {
    fn new() -> Self {
        let place = Self { folder: tempfile::tempdir().expect("a folder") };
        place.write("scenario.yaml", SCENARIO.as_bytes());
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        let path = self.path(name);
        fs_err::create_dir_all(path.parent().expect("it has a folder")).expect("a folder");
        fs_err::write(path, bytes).expect("it can be written");
    }

    /// Names of all files, to see that nothing was left behind.
    fn names(&self) -> Vec<String> {
        let mut names: Vec<_> = fs_err::read_dir(self.folder.path())
            .expect("a folder")
            .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    /// Digits as IDX files.
    fn write_digits(&self) {
        for (split, count) in [("train", 200_u32), ("t10k", 20)] {
            let head = [0x0803, count, 28, 28].map(u32::to_be_bytes);
            let pixels: Vec<u8> = (0..count * 784).map(|at| (at * 7 % 253) as u8).collect();
            self.write(&format!("data/digits/{split}-images-idx3-ubyte"), &[head.as_flattened(), &pixels].concat());
            let head = [0x0801, count].map(u32::to_be_bytes);
            let labels: Vec<u8> = (0..count).map(|at| (at % 10) as u8).collect();
            self.write(&format!("data/digits/{split}-labels-idx1-ubyte"), &[head.as_flattened(), &labels].concat());
        }
    }
}

/// Solving a scenario with `from` replaced by `to` ends with `code`, says all of `messages`, and writes nothing.
fn check_scenario(from: &str, to: &str, code: i32, messages: &[&str]) {
    let place = Place::new();
    assert!(SCENARIO.contains(from), "`{from}` is not in the scenario");
    place.write("scenario.yaml", SCENARIO.replacen(from, to, 1).as_bytes());
    let (scenario, output, profiles) = (place.path("scenario.yaml"), place.path("plan.json"), fixtures());
    let ended = run("planner", &["--profiles", text(&profiles), "solve", text(&scenario), "-o", text(&output)]);
    for message in messages {
        assert!(ended.stderr.contains(message), "`{message}` is missing in\n{}", ended.stderr);
    }
    assert_eq!(ended.code, Some(code), "{}", ended.stderr);
    assert_eq!((place.names(), ended.stdout), (vec!["scenario.yaml".to_owned()], String::new()));
}

#[test]
fn a_scenario_with_problems_is_refused_with_place_and_fix() {
    check_scenario("kind: private", "kind: privat", 3, &["privat", "private", "scenario.yaml:5"]);
    check_scenario("country:", "contry:", 3, &["contry", "country"]);
    check_scenario("size: 1 MB", "size: 1", 3, &["has no unit"]);
    check_scenario("size: 1 MB", "size: 1 MX", 3, &["unknown unit `MX`"]);
    check_scenario("size: 1 MB", "size: -1 MB", 3, &["negative"]);
    check_scenario("size: 1 MB", "size: 99999 PB", 3, &["is more than"]);
    check_scenario("at: [here]", "at: [there]", 3, &["there"]);
    check_scenario("data: digits", "data: didgits", 3, &["didgits", "digits"]);
    check_scenario("preset: mnist-linear", "preset: mnist-liner", 3, &["mnist-liner", "mnist-linear"]);
    check_scenario("    strategies: { data: [1] }", "    after: [train]", 3, &["train"]);
    check_scenario(
        "{ profile: machine.json }",
        "{ profile: nowhere.json }",
        3,
        &["nowhere.json", "executor calibrate"],
    );
    let public = "kind: public\n    provider: aws\n    region: eu-centrale-1";
    check_scenario("kind: private\n    country: DE", public, 3, &["eu-centrale-1", "eu-central-1"]);
    check_scenario("sites:", "sites: [", 3, &["scenario.yaml"]);
    check_scenario("kind: private", "kind: privat\n    contry: DE", 3, &["privat", "contry"]);
}

#[test]
fn what_no_plan_can_satisfy_is_infeasible_and_says_which_rule() {
    check_scenario("places: [here]", "places: [FR]", 20, &["no rule allows", "here", "digits"]);
    let deny = "places: [here] }\n  never: { effect: deny, data: [digits], forms: [raw], places: [DE] }\nworkloads:";
    check_scenario("places: [here] }\nworkloads:", deny, 20, &["rule `never` denies"]);
    check_scenario("    strategies:", "    deadline: 1 us\n    strategies:", 20, &["deadline"]);
}

#[test]
fn files_that_cannot_be_read_or_written() {
    let place = Place::new();
    let (scenario, missing, profiles) = (place.path("scenario.yaml"), place.path("missing.yaml"), fixtures());
    let check = |name: &str, arguments: &[&str], code: i32, message: &str| {
        let ended = run(name, arguments);
        assert!(ended.stderr.contains(message), "`{message}` is missing in\n{}", ended.stderr);
        assert_eq!(ended.code, Some(code), "{}", ended.stderr);
        assert_eq!(ended.stdout, "");
    };
    check("planner", &["check", text(&missing)], 2, "missing.yaml");
    check("planner", &["check", text(place.folder.path())], 2, "cannot read");
    let solve = |output: &Path, message: &str| {
        let arguments = ["--profiles", text(&profiles), "solve", text(&scenario), "-o", text(output)];
        check("planner", &arguments, 2, message);
    };
    solve(&place.path("no/such/folder/plan.json"), "cannot write");
    solve(&scenario.join("plan.json"), "cannot write");
    check("executor", &["apply", text(&missing)], 2, "missing.yaml");
    check("executor", &["apply", text(&scenario)], 3, "is no valid plan");
    check("reports", &["build", "--plan", text(&missing), "-o", text(&place.path("report"))], 2, "missing.yaml");
    assert_eq!(place.names(), ["scenario.yaml"]);
}

#[test]
fn a_full_disk_leaves_nothing_half_written() {
    let place = Place::new();
    let small = place.path("small");
    fs_err::create_dir_all(&small).expect("a folder");
    let mounted = std::process::Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=4k", "tmpfs", text(&small)])
        .stderr(std::process::Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    if !mounted {
        eprintln!(
            "no small disk could be mounted (it needs root): a folder that cannot be written to is tested elsewhere"
        );
        return;
    }
    let plan = plan(&place.path("scenario.yaml"), place.folder.path());
    let (scenario, profiles) = (place.path("scenario.yaml"), fixtures());
    let ends: Vec<_> = [
        run(
            "planner",
            &["--profiles", text(&profiles), "solve", text(&scenario), "-o", text(&small.join("plan.json"))],
        ),
        run("reports", &["build", "--plan", text(&plan), "-o", text(&small.join("report"))]),
    ]
    .into();
    let left: Vec<_> = fs_err::read_dir(&small).expect("a folder").flatten().map(|entry| entry.file_name()).collect();
    let unmounted = std::process::Command::new("umount").arg(&small).status();
    assert!(unmounted.is_ok_and(|status| status.success()));
    for ended in ends {
        assert_eq!(ended.code, Some(2), "{}", ended.stderr);
        assert!(ended.stderr.contains("cannot write") || ended.stderr.contains("No space left"), "{}", ended.stderr);
    }
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_plan_that_is_not_what_was_made_is_refused() {
    let place = Place::new();
    place.write_digits();
    let plan = plan(&place.path("scenario.yaml"), place.folder.path());
    let data = place.path("data");
    let apply = |code: i32, message: &str| {
        let output = place.path("run");
        let ended =
            run("executor", &["apply", text(&plan), "-o", text(&output), "--data", text(&data), "--device", "cpu"]);
        assert!(ended.stderr.contains(message), "`{message}` is missing in\n{}", ended.stderr);
        assert_eq!(ended.code, Some(code), "{}", ended.stderr);
        assert!(!output.exists(), "nothing was written");
    };
    let good = fs_err::read_to_string(&plan).expect("it was written");
    fs_err::write(&plan, good.replacen("\"epochs\": 1", "\"epochs\": 2", 1)).expect("it can be written");
    apply(31, "was changed after it was written");
    fs_err::write(&plan, good.replacen("causeway.plan/1", "causeway.plan/9", 1)).expect("it can be written");
    apply(3, "has format `causeway.plan/9`");
    fs_err::write(&plan, &good[..good.len() / 2]).expect("it can be written");
    apply(3, "is no valid plan");
    fs_err::write(&plan, &good).expect("it can be written");
    place.write("scenario.yaml", SCENARIO.replacen("1 USD/h", "2 USD/h", 1).as_bytes());
    apply(30, "has changed since the plan was made");
    place.write("scenario.yaml", format!("# a comment does not count\n{SCENARIO}").as_bytes());
    let ended = run("executor", &["apply", text(&plan), "--data", text(&data), "-o", text(&place.path("run")), "-q"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
}

#[test]
fn damaged_data_stops_the_run_with_its_reason() {
    let place = Place::new();
    let plan = plan(&place.path("scenario.yaml"), place.folder.path());
    let data = place.path("data");
    let check = |damage: &dyn Fn(), message: &str| {
        place.write_digits();
        damage();
        let output = place.path("run");
        let arguments =
            ["apply", text(&plan), "-o", text(&output), "--data", text(&data), "--replace", "--device", "cpu"];
        let ended = run("executor", &arguments);
        assert!(ended.stderr.contains(message), "`{message}` is missing in\n{}", ended.stderr);
        assert_eq!(ended.code, Some(40), "{}", ended.stderr);
        let record: scenarios::run::Run =
            scenarios::document::read(&output.join("run.json")).expect("the record is valid");
        assert_eq!(record.status, scenarios::run::RunStatus::Failed);
    };
    let images = "data/digits/train-images-idx3-ubyte";
    let bytes = || fs_err::read(place.path(images)).expect("it was written");
    check(&|| place.write(images, &bytes()[..1000]), "but its header promises");
    check(&|| place.write(images, &bytes()[..7]), "is truncated");
    check(&|| place.write(images, b"GIF89a"), "is no IDX file of images");
    check(&|| place.write("data/digits/train-labels-idx1-ubyte", &[0, 0, 8, 1, 0, 0, 0, 1, 5]), "images, but");
    check(&|| fs_err::remove_dir_all(place.path("data/digits")).expect("it is there"), "no files for the data set");
}

#[test]
fn a_gpu_is_not_pretended() {
    let place = Place::new();
    place.write_digits();
    let plan = plan(&place.path("scenario.yaml"), place.folder.path());
    let (output, data) = (place.path("run"), place.path("data"));
    let ended = run("executor", &["apply", text(&plan), "-o", text(&output), "--data", text(&data), "--device", "gpu"]);
    match ended.code {
        Some(0) => eprintln!("this machine has a GPU: it was used"),
        code => {
            assert_eq!(code, Some(40), "{}", ended.stderr);
            assert!(ended.stderr.contains("no GPU: ") && ended.stderr.contains("--device cpu"), "{}", ended.stderr);
            assert!(!output.exists());
        }
    }
}

#[test]
fn a_hostile_name_is_text_in_the_report() {
    let place = Place::new();
    let name = "<script>alert(1)</script> & \"more\"";
    place.write("scenario.yaml", SCENARIO.replacen("Bad input", &format!("'{name}'"), 1).as_bytes());
    let plan = plan(&place.path("scenario.yaml"), place.folder.path());
    let report = place.path("report");
    tests::succeed("reports", &["build", "--plan", text(&plan), "-o", text(&report)]);
    let page = fs_err::read_to_string(report.join("index.html")).expect("it was written");
    assert!(!page.contains("<script"), "the name became markup");
    assert!(page.contains("&#60;script&#62;") || page.contains("&lt;script&gt;"), "the name is shown");
}

#[test]
fn usage_errors_end_with_2_and_help_is_there() {
    for name in ["planner", "executor", "reports"] {
        assert_eq!(run(name, &["no-such-command"]).code, Some(2));
        let help = run(name, &["--help"]);
        assert_eq!(help.code, Some(0));
        assert!(help.stdout.contains("Usage:"), "{}", help.stdout);
        assert!(tests::succeed(name, &["completions", "bash"]).stdout.contains(name));
        assert!(tests::succeed(name, &["man"]).stdout.contains(".TH"));
    }
    assert!(root().join("README.md").exists());
}
