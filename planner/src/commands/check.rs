//! `planner check`: reads a scenario and tells all its problems, or checks a plan against it.

mod plan;

use scenarios::scenario::Loaded;
use scenarios::terminal::{Exit, Printer};

use super::failure::Failure;
use super::load;
use crate::cli::{CheckArguments, Global};

pub(super) fn run(arguments: &CheckArguments, global: &Global, printer: Printer) -> Result<Exit, Failure> {
    let loaded = load::scenario(&arguments.file, global)?;
    Ok(match &arguments.plan {
        Some(path) => plan::run(&load::plan(path)?, &loaded, global, printer),
        None => valid(&loaded, printer),
    })
}

fn valid(loaded: &Loaded, printer: Printer) -> Exit {
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
    Exit::Done
}
