//! `planner solve`: finds the best plan and writes it.

use std::path::Path;

use scenarios::catalog::Catalog;
use scenarios::document;
use scenarios::plan::SolverStatus;
use scenarios::terminal::{Exit, Printer};
use scenarios::units::Seconds;

use super::failure::{AlternativesToStdout, Failure};
use super::{alternatives, load};
use crate::candidates::World;
use crate::cli::{Global, SolveArguments};
use crate::planning::{Options, plans};

pub(super) fn run(arguments: &SolveArguments, global: &Global, printer: Printer) -> Result<Exit, Failure> {
    let loaded = load::scenario(&arguments.file, global)?;
    let options = Options {
        held: load::held(&loaded, &arguments.held)?,
        time_limit_seconds: arguments.time_limit.map(Seconds::get),
        gap: arguments.gap,
        ..Options::default()
    };
    if arguments.alternatives > 0 && arguments.output == Path::new("-") {
        return Err(AlternativesToStdout.into());
    }
    let world = World { loaded: &loaded, catalog: Catalog::bundled() };
    let mut plans = plans(world, &options, arguments.alternatives as usize, arguments.within)?;
    let others = plans.split_off(1);
    let Some(mut plan) = plans.pop() else { return Ok(Exit::Bug) };
    if arguments.output == Path::new("-") {
        document::seal(&mut plan);
        printer.data(&document::to_json(&plan));
    } else {
        document::write(&mut plan, &arguments.output)?;
    }
    for sentence in &plan.explanation.summary {
        printer.status(sentence);
    }
    if arguments.output != Path::new("-") {
        printer.status(&format!("Written to `{}`.", arguments.output.display()));
    }
    if arguments.alternatives > 0 {
        alternatives::write(&plan, others, arguments, global, printer)?;
    }
    if plan.solver.status == SolverStatus::Optimal {
        return Ok(Exit::Done);
    }
    let allowed = options.gap.unwrap_or(loaded.scenario.gap) * 100.0;
    printer.warning(&format!(
        "the time limit ended the search with a gap of {:.3} %, more than the {allowed} % asked for; \
         give it more time with --time-limit",
        plan.solver.gap * 100.0
    ));
    Ok(Exit::Gap)
}
