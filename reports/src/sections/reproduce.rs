//! Reproduce: the commands that lead here.

use std::path::Path;

use askama::Template;
use scenarios::plan::ScenarioReference;

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
            format!("planner solve {} -o {}{}", shell(scenario), shell(file), profiles(&plan.scenario)),
            format!("plan digest {}", plan.digest),
        ),
        step("Read the plan.", format!("planner show {}", shell(file)), String::new()),
    ];
    for (named, number) in evidence.runs.iter().zip(1..) {
        steps.push(apply(evidence, &named.path, &named.run.plan_digest, file, number));
    }
    let runs = evidence.runs.iter().fold(String::new(), |words, named| words + " --run " + &shell(&named.path));
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

/// The option that names the folder of the machine profiles, where that is not the scenario's own.
fn profiles(scenario: &ScenarioReference) -> String {
    let parent = |path: &str| Path::new(path).parent().map(Path::to_owned);
    let folder = scenario.profiles.keys().next().and_then(|path| parent(path));
    match folder {
        Some(folder) if Some(&folder) != scenario.path.as_deref().and_then(parent).as_ref() => {
            let folder = if folder.as_os_str().is_empty() { ".".to_owned() } else { folder.display().to_string() };
            format!(" --profiles {}", shell(&folder))
        }
        _ => String::new(),
    }
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
