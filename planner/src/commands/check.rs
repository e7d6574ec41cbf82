//! `planner check`: reads a scenario and tells all its problems.

use scenarios::terminal::{Exit, Printer};

use super::failure::Failure;
use super::load;
use crate::cli::{Global, ScenarioFile};

pub(super) fn run(file: &ScenarioFile, global: &Global, printer: Printer) -> Result<Exit, Failure> {
    let loaded = load::scenario(file, global)?;
    let scenario = &loaded.scenario;
    let pools: usize = scenario.sites.values().map(|site| site.pools.len()).sum();
    printer.status(&format!(
        "`{}` is valid: {} site(s) with {pools} pool(s), {} data set(s), {} rule(s), {} workload(s), {} machine profile(s).",
        scenario.name,
        scenario.sites.len(),
        scenario.datasets.len(),
        scenario.policies.len(),
        scenario.workloads.len(),
        loaded.profiles.len()
    ));
    Ok(Exit::Done)
}
