//! `planner whatif`: what a change of the scenario would do to the plan.

use scenarios::catalog::Catalog;
use scenarios::document;
use scenarios::scenario::{Loaded, load_text};
use scenarios::terminal::{Exit, Printer};
use scenarios::units::Seconds;

use super::failure::Failure;
use super::{diff, load};
use crate::candidates::World;
use crate::cli::{Global, WhatifArguments};
use crate::explain::{Difference, changed};
use crate::planning::{Options, plan};

pub(super) fn run(arguments: &WhatifArguments, global: &Global, printer: Printer) -> Result<Exit, Failure> {
    let catalog = Catalog::bundled();
    let loaded = load::scenario(&arguments.file, global)?;
    let changed = after(&loaded, arguments, global)?;
    let options = Options { time_limit_seconds: arguments.time_limit.map(Seconds::get), ..Options::default() };
    let before = plan(World { loaded: &loaded, catalog }, &options)?;
    let mut after = plan(World { loaded: &changed, catalog }, &options)?;
    if let Some(path) = &arguments.output {
        document::write(&mut after, path)?;
        printer.status(&format!("The changed plan is written to `{}`.", path.display()));
    }
    let mut difference = Difference::between(&before, &after);
    // That the scenario differs is what was asked for.
    difference.same_scenario = true;
    diff::print(&difference, global, printer);
    Ok(Exit::Done)
}

/// The scenario with the changes, checked as any other.
fn after(loaded: &Loaded, arguments: &WhatifArguments, global: &Global) -> Result<Loaded, Failure> {
    let catalog = Catalog::bundled();
    let text = changed(&loaded.scenario, &arguments.set, catalog)?;
    let sets: Vec<String> = arguments.set.iter().map(|setting| format!("--set '{setting}'")).collect();
    let path = &arguments.file.scenario;
    let name = format!("{} with {}", path.display(), sets.join(" "));
    let folder = load::folder(path, global);
    Ok(load_text(&name, &text, folder, catalog)?)
}
