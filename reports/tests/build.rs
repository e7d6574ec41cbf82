//! The binary `reports` over the sample documents.

#[path = "../src/fixture.rs"]
mod fixture;

use std::path::{Path, PathBuf};
use std::process::Output;

use scenarios::document::{self, Document};
use scenarios::run::RunStatus;
use tempfile::TempDir;

struct Bench {
    folder: TempDir,
}

impl Bench {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a temporary folder") }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write<D: Document>(&self, name: &str, mut document: D) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("created");
        document::write(&mut document, &path).expect("written");
    }

    /// The plan and three runs.
    fn with_samples() -> Self {
        let bench = Self::new();
        bench.write("plan.json", fixture::plan());
        bench.write("run-1/run.json", fixture::run_single());
        bench.write("run-2/run.json", fixture::run_two_ranks());
        bench.write("run-3/run.json", fixture::run_interrupted());
        bench
    }

    fn reports(&self, arguments: &[&str]) -> Output {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_reports"));
        command.args(arguments).current_dir(self.folder.path()).output().expect("the binary runs")
    }

    fn build(&self, runs: &[&str]) -> Output {
        let runs = runs.iter().flat_map(|run| ["--run", run]);
        let arguments: Vec<_> = ["build", "--plan", "plan.json", "-o", "report"].into_iter().chain(runs).collect();
        self.reports(&arguments)
    }

    fn page(&self) -> String {
        std::fs::read_to_string(self.path("report/index.html")).expect("a page").replace('\u{a0}', " ")
    }
}

fn code(output: &Output) -> i32 {
    output.status.code().expect("an exit code")
}

fn errors(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

const SECTIONS: [&str; 13] = [
    "verdict",
    "decision",
    "considered",
    "provenance",
    "schedule",
    "residency",
    "cost",
    "throughput",
    "phases",
    "learning",
    "confusion",
    "reproduce",
    "understanding",
];

/// What every page must be: whole, self-contained, without scripts, with a text for each chart.
fn check_page(html: &str) {
    let places: Vec<_> = SECTIONS
        .iter()
        .map(|id| html.find(&format!("<section id=\"{id}\"")).unwrap_or_else(|| panic!("no section {id}")))
        .collect();
    assert!(places.is_sorted(), "the sections are in order");
    for forbidden in ["<script", "http://", "https://", "<link", "<img", "<iframe", "@import", "url(", "NaN", "inf "] {
        assert!(!html.contains(forbidden), "the page has `{forbidden}`");
    }
    for svg in html.split("<svg ").skip(1) {
        let (tag, rest) = svg.split_once('>').expect("a whole tag");
        assert!(tag.contains("role=\"img\"") && tag.contains("aria-labelledby"), "{tag}");
        assert!(rest.trim_start().starts_with("<title id="), "{}", &rest[..80]);
        let desc = rest.split_once("<desc id=").expect("a description").1;
        assert!(desc.split_once('>').is_some_and(|(_, text)| !text.starts_with("</desc>")), "{}", &desc[..80]);
    }
    let mut ids: Vec<_> = html.split(" id=\"").skip(1).filter_map(|part| part.split('"').next()).collect();
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), count, "ids are unique");
    for tag in ["section", "table", "figure", "details", "svg", "ul", "dl", "tr", "td", "th", "small"] {
        let opened = html.matches(&format!("<{tag}>")).count() + html.matches(&format!("<{tag} ")).count();
        assert_eq!(opened, html.matches(&format!("</{tag}>")).count(), "every <{tag}> is closed");
    }
}

#[test]
fn a_plan_with_runs_becomes_a_whole_page() {
    let bench = Bench::with_samples();
    let output = bench.build(&["run-1", "run-2/run.json", "run-3"]);
    assert_eq!(code(&output), 0, "{}", errors(&output));
    assert_eq!(String::from_utf8_lossy(&output.stdout), "report/index.html\n");
    assert!(errors(&output).contains("`run-2/run.json` applied another plan"), "{}", errors(&output));
    let page = bench.page();
    check_page(&page);
    for words in [
        "Run 1 was completed, reached a test accuracy of 98.90 %",
        "Run 3 was interrupted; its figures cover",
        "Run 3 used generated data",
        "Run 2 applied another plan than this one",
        "proved that no plan within the rules costs less",
        "planner solve scenarios/library/mnist-hospital.yaml -o plan.json --profiles build",
        "Planned, but in no run: <code>evaluate-cloud</code>",
    ] {
        assert!(page.contains(words), "no `{words}`");
    }
    let charts: Vec<_> = std::fs::read_dir(bench.path("report/charts")).expect("charts").collect();
    let names: Vec<_> = charts.into_iter().map(|file| file.expect("a file").path()).collect();
    let svgs = names.iter().filter(|name| name.extension().is_some_and(|e| e == "svg"));
    for svg in svgs {
        assert!(names.contains(&svg.with_extension("csv")), "{} has its figures", svg.display());
        assert!(std::fs::read_to_string(svg).expect("a file").contains("<desc id="));
    }
    assert_eq!(page.matches("<svg ").count() * 2, names.len());
}

#[test]
fn equal_documents_give_equal_bytes() {
    let bench = Bench::with_samples();
    assert_eq!(code(&bench.build(&["run-1", "run-2"])), 0);
    let first = files(&bench.path("report"));
    assert_eq!(code(&bench.build(&["run-1", "run-2"])), 0);
    assert_eq!(first, files(&bench.path("report")));
    assert!(first.keys().all(|name| !name.contains(".causeway-")));
}

fn files(folder: &Path) -> std::collections::BTreeMap<String, Vec<u8>> {
    let mut found = std::collections::BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.insert(path.display().to_string(), std::fs::read(&path).expect("a file"));
            }
        }
    }
    found
}

#[test]
fn a_plan_alone_is_enough() {
    let bench = Bench::with_samples();
    assert_eq!(code(&bench.build(&[])), 0);
    let page = bench.page();
    check_page(&page);
    for words in ["No run was given", "Nothing was measured", "No run evaluated a model", "No run trained"] {
        assert!(page.contains(words), "no `{words}`");
    }
}

#[test]
fn names_are_shown_as_text_everywhere() {
    let hostile = "<script>alert(1)</script>&\"'`=1";
    let mut plan = fixture::plan();
    plan.scenario.name = hostile.to_owned();
    plan.scenario.purpose = Some(hostile.to_owned());
    plan.solver.name = hostile.to_owned();
    plan.explanation.summary = vec![hostile.to_owned()];
    plan.explanation.considered.iter_mut().for_each(|c| {
        (c.workload, c.site, c.machine, c.reason) =
            (hostile.to_owned(), hostile.to_owned(), hostile.to_owned(), hostile.to_owned());
    });
    plan.assignments.iter_mut().for_each(|a| {
        a.workload = hostile.to_owned();
        a.groups[0].site = hostile.to_owned();
    });
    plan.flows[0].what = hostile.to_owned();
    plan.residency.refusals[0].reason = hostile.to_owned();
    let mut run = fixture::run_single();
    run.scenario = hostile.to_owned();
    run.software = hostile.to_owned();
    run.workloads.iter_mut().for_each(|w| {
        w.workload = hostile.to_owned();
        w.throughput_unit = hostile.to_owned();
        w.data.source = hostile.to_owned();
        w.metrics.insert(hostile.to_owned(), 1.0);
        w.phases_seconds.insert(hostile.to_owned(), 0.001);
    });
    let bench = Bench::new();
    bench.write("plan.json", plan);
    bench.write("run/run.json", run);
    let output = bench.build(&["run"]);
    assert_eq!(code(&output), 0, "{}", errors(&output));
    check_page(&bench.page());
    for (name, content) in files(&bench.path("report")) {
        let text = String::from_utf8(content).expect("text");
        if Path::new(&name).extension().is_none_or(|extension| extension != "csv") {
            assert!(!text.contains("<script"), "{name}");
        }
    }
}

#[test]
fn odd_runs_are_reported_without_a_stumble() {
    let check = |name: &str, change: &dyn Fn(&mut scenarios::run::Run), words: &str| {
        let mut run = fixture::run_single();
        change(&mut run);
        let bench = Bench::new();
        bench.write("plan.json", fixture::plan());
        bench.write("run/run.json", run);
        let output = bench.build(&["run"]);
        assert_eq!(code(&output), 0, "{name}: {}", errors(&output));
        let page = bench.page();
        check_page(&page);
        assert!(page.contains(words), "{name}: no `{words}`");
    };
    check("no workloads", &|run| run.workloads.clear(), "Run 1 holds no workload");
    check("failed", &|run| run.status = RunStatus::Failed, "Run 1 failed");
    check("one epoch", &|run| run.workloads[0].epochs.truncate(1), "after epoch 1");
    check("no epochs", &|run| run.workloads[0].epochs.clear(), "No run trained for a whole epoch");
    check(
        "nothing timed",
        &|run| {
            for w in &mut run.workloads {
                (w.steps, w.throughput, w.predicted.throughput) = (0, 0.0, 0.0);
                w.phases_seconds.values_mut().for_each(|value| *value = 0.0);
                w.confusion = vec![vec![0; 3]; 3];
            }
        },
        "Not compared, because no step was timed",
    );
    check(
        "huge figures",
        &|run| {
            for w in &mut run.workloads {
                (w.throughput, w.seconds, w.step_seconds.p90) = (1e300, 1e300, f64::MAX);
                w.phases_seconds.values_mut().for_each(|value| *value = 1e300);
                w.epochs.iter_mut().for_each(|epoch| epoch.train_loss = 1e308);
                w.confusion.iter_mut().flatten().for_each(|count| *count = u64::MAX);
                w.confusion.iter_mut().for_each(|row| row[0] = 0);
                w.traffic = vec![scenarios::run::Traffic {
                    form: scenarios::scenario::Form::Raw,
                    from: "a".to_owned(),
                    to: "b".to_owned(),
                    bytes: u64::MAX,
                }];
            }
        },
        "crossed from one site to another",
    );
    check("ragged matrix", &|run| run.workloads[1].confusion = vec![vec![1, 2], vec![3]], "No run evaluated a model");
    check("many classes", &|run| run.workloads[1].confusion = vec![vec![1; 40]; 40], "too many classes");
}

#[test]
fn bad_input_is_refused_and_nothing_is_written() {
    let check = |prepare: &dyn Fn(&Bench), arguments: &[&str], expected: i32, words: &str| {
        let bench = Bench::with_samples();
        prepare(&bench);
        let output = bench.reports(arguments);
        assert_eq!(code(&output), expected, "{arguments:?}: {}", errors(&output));
        assert!(errors(&output).contains(words), "{}", errors(&output));
        assert!(!bench.path("report/index.html").exists());
        assert!(output.stdout.is_empty());
    };
    let edit = |bench: &Bench, name: &str, from: &str, to: &str| {
        let text = std::fs::read_to_string(bench.path(name)).expect("a file");
        std::fs::write(bench.path(name), text.replacen(from, to, 1)).expect("written");
    };
    let build = ["build", "--plan", "plan.json", "--run", "run-1", "-o", "report"];
    check(&|_| (), &["build", "--plan", "none.json"], 2, "help: make the plan first");
    check(&|_| (), &["build", "--plan", "plan.json", "--run", "none"], 2, "a folder that `executor apply -o` wrote");
    check(&|_| (), &["build", "--plan", "run-1/run.json"], 3, "has format `causeway.run/1`");
    check(&|_| (), &["build", "--run", "run-1"], 2, "--plan");
    check(&|bench| edit(bench, "plan.json", "98", "99"), &build, 31, "was changed after it was written");
    check(
        &|bench| edit(bench, "plan.json", "0.034225", "0.024225"),
        &build,
        31,
        "help: use the plan as it was written",
    );
    check(&|bench| edit(bench, "run-1/run.json", "completed", "failed"), &build, 31, "run record");
    check(&|bench| std::fs::write(bench.path("plan.json"), "{").expect("written"), &build, 3, "no valid plan");
    check(&|bench| std::fs::write(bench.path("report"), "").expect("written"), &build, 2, "help: choose a folder");
    let foreign = |bench: &Bench| std::fs::create_dir_all(bench.path("report/charts")).expect("created");
    check(&foreign, &build, 2, "which is not part of a report");
}

#[test]
fn an_older_report_is_replaced_and_other_files_stay() {
    let bench = Bench::with_samples();
    assert_eq!(code(&bench.build(&["run-1", "run-3"])), 0);
    std::fs::write(bench.path("report/notes.txt"), "mine").expect("written");
    assert!(bench.path("report/charts/loss-train.svg").exists());
    assert_eq!(code(&bench.build(&[])), 0);
    assert!(!bench.path("report/charts/loss-train.svg").exists());
    assert_eq!(std::fs::read_to_string(bench.path("report/notes.txt")).ok().as_deref(), Some("mine"));
}

#[test]
fn a_run_given_twice_counts_once() {
    let bench = Bench::with_samples();
    let output = bench.build(&["run-1", "run-1/run.json"]);
    assert!(errors(&output).contains("counted once"), "{}", errors(&output));
    assert!(!bench.page().contains("Run 2"));
}

#[test]
fn completions_and_the_manual_are_printed() {
    let check = |arguments: &[&str], words: &str| {
        let output = Bench::new().reports(arguments);
        assert_eq!(code(&output), 0);
        assert!(String::from_utf8_lossy(&output.stdout).contains(words));
    };
    check(&["completions", "bash"], "_reports");
    check(&["completions", "zsh"], "#compdef reports");
    check(&["man"], ".TH");
    check(&["man"], "reports\\-build");
}
