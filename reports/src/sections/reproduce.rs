//! Reproduce: the commands that lead here.

use askama::Template;

use super::Section;
use crate::error::ReportError;
use crate::evidence::Evidence;
use crate::format::shell;

#[derive(Template)]
#[template(path = "sections/reproduce.html")]
struct Body {
    steps: Vec<Step>,
}

struct Step {
    what: String,
    command: String,
    expect: String,
}

/// The commands that lead from the scenario to this report.
pub(super) fn section(evidence: &Evidence) -> Result<Section, ReportError> {
    let plan = &evidence.plan;
    let file = if evidence.plan_path == "-" { "plan.json" } else { &evidence.plan_path };
    let scenario = plan.scenario.path.as_deref().unwrap_or("-");
    let mut steps = vec![
        step(
            "Plan. The same scenario, catalogue and machine profiles give the same bytes.",
            format!("planner solve {} -o {}", shell(scenario), shell(file)),
            format!("plan digest {}", plan.digest),
        ),
        step("Read the plan.", format!("planner show {}", shell(file)), String::new()),
    ];
    for (named, number) in evidence.runs.iter().zip(1..) {
        steps.push(apply(evidence, &named.path, &named.run.plan_digest, file, number));
    }
    let runs: String = evidence.runs.iter().map(|named| format!(" --run {}", shell(&named.path))).collect();
    steps.push(step(
        "Make this report. The same documents give the same bytes.",
        format!("reports build --plan {}{runs} -o report", shell(file)),
        String::new(),
    ));
    Section::new("reproduce", "Reproduce", &Body { steps }, &[], &[])
}

fn step(what: &str, command: String, expect: String) -> Step {
    Step { what: what.to_owned(), command, expect }
}

fn apply(evidence: &Evidence, path: &str, digest: &str, file: &str, number: usize) -> Step {
    let folder = path.strip_suffix("run.json").unwrap_or(path);
    let folder = if folder.is_empty() { "run" } else { folder };
    let what = format!("Run {number}. Times vary between machines and runs.");
    if digest == evidence.plan.digest {
        return step(&what, format!("executor apply {} -o {}", shell(file), shell(folder)), String::new());
    }
    let expect = format!("PLAN stands for the other plan that this run applied: {digest}");
    step(&what, format!("executor apply PLAN -o {}", shell(folder)), expect)
}
