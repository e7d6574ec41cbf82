//! `planner explain`: why a plan is as it is.

use std::fmt::Write as _;

use scenarios::catalog::Catalog;
use scenarios::diagnostics::did_you_mean;
use scenarios::plan::{Binding, Plan};
use scenarios::scenario::Loaded;
use scenarios::terminal::{Exit, OutputFormat, Printer, Table};
use scenarios::units::Seconds;

use super::failure::{Failure, StalePlan, UnknownName};
use super::load;
use crate::candidates::World;
use crate::cli::{ExplainArguments, Global};
use crate::explain::{Account, Outcome, PERMISSION, Permitted, Question, Rival, WhyNot};
use crate::planning::{Options, PlacePattern, explained};

pub(super) fn run(arguments: &ExplainArguments, global: &Global, printer: Printer) -> Result<Exit, Failure> {
    let loaded = load::scenario(&arguments.file, global)?;
    let world = World { loaded: &loaded, catalog: Catalog::bundled() };
    check(&world, arguments)?;
    let plan = arguments.plan.as_deref().map(load::plan).transpose()?;
    if plan.as_ref().is_some_and(|plan: &Plan| plan.scenario.digest != loaded.digest) {
        return Err(Failure::Stale(StalePlan));
    }
    let options = Options { time_limit_seconds: arguments.time_limit.map(Seconds::get), ..Options::default() };
    let question = Question { workload: arguments.workload.clone(), why_not: arguments.why_not.clone() };
    let (plan, account) = explained(world, plan, &question, &options)?;
    match global.format {
        OutputFormat::Table => printer.data(&text(&plan, &account)),
        OutputFormat::Csv => printer.data(&table(&account).to_csv()),
        OutputFormat::Json => printer.data(&scenarios::document::to_json(&account)),
    }
    Ok(Exit::Done)
}

/// Whether the scenario has everything that is asked about.
fn check(world: &World<'_>, arguments: &ExplainArguments) -> Result<(), UnknownName> {
    let Loaded { scenario, .. } = world.loaded;
    if let Some(name) = arguments.workload.as_ref().filter(|name| !scenario.workloads.contains_key(*name)) {
        let help = did_you_mean(name, scenario.workloads.keys().map(String::as_str));
        return Err(UnknownName { what: "workload", name: name.clone(), help });
    }
    let unknown = arguments.why_not.iter().find(|pattern| pattern.places(world).is_empty());
    unknown.map_or(Ok(()), |pattern| Err(unknown_place(world, pattern)))
}

fn unknown_place(world: &World<'_>, pattern: &PlacePattern) -> UnknownName {
    let all = PlacePattern { site: pattern.site.clone(), machine: None };
    let places = all.places(world);
    match &pattern.machine {
        Some(machine) if !places.is_empty() => {
            let types: Vec<String> = places.iter().map(|place| world.machine_name(*place)).collect();
            let pools = places.iter().map(|place| world.pool_name(*place));
            let help = did_you_mean(machine, pools.chain(types.iter().map(String::as_str)));
            UnknownName { what: "pool or machine", name: pattern.to_string(), help }
        }
        _ => {
            let sites = world.loaded.scenario.sites.iter().filter(|(_, site)| !site.pools.is_empty());
            let help = did_you_mean(&pattern.site, sites.map(|(name, _)| name.as_str()));
            UnknownName { what: "site with machines", name: pattern.site.clone(), help }
        }
    }
}

fn text(plan: &Plan, account: &Account) -> String {
    let mut text = String::new();
    for sentence in plan.explanation.summary.iter().take(1) {
        let _ = writeln!(text, "{sentence}");
    }
    for placed in &account.workloads {
        let span = format!("{} to {}", time(placed.start_seconds), time(placed.end_seconds));
        let _ = writeln!(text, "\n`{}` on {}\n    {span}, {} USD", placed.workload, placed.placement, placed.cost_usd);
        let _ = match &placed.runner_up {
            Some(rival) => writeln!(text, "    next best: {}", rival_words(rival)),
            None => writeln!(text, "    next best: none; without this placement there is no plan"),
        };
    }
    let _ = write!(text, "\n{}", binding_words(&account.binding, plan.solver.gap));
    for why_not in &account.why_not {
        let _ = write!(text, "\n{}", why_not_words(why_not));
    }
    text
}

fn time(seconds: f64) -> String {
    Seconds::new(seconds).rounded()
}

fn rival_words(rival: &Rival) -> String {
    let whole = rival.plan.as_ref().map_or_else(String::new, |plan| {
        format!("; the whole plan would cost {} USD and be done after {}", plan.cost_usd, time(plan.finish_seconds))
    });
    let others: Vec<String> = rival.also_changed.iter().map(|name| format!("`{name}`")).collect();
    let others = if others.is_empty() { String::new() } else { format!("; {} would change, too", others.join(", ")) };
    format!("{}\n        {}{whole}{others}", rival.placement, rival.reason)
}

fn binding_words(binding: &[Binding], gap: f64) -> String {
    if binding.is_empty() {
        return "Nothing is used up: no pool, deadline, budget or rule keeps the plan from being better.\n".to_owned();
    }
    let mut text = "What the plan is up against\n".to_owned();
    let nothing = if gap > 1e-6 { "no more than the gap leaves open" } else { "nothing" };
    for rule in binding {
        let saved = if rule.worth > 0.0 { format!("{} {}", rule.worth, rule.unit) } else { nothing.to_owned() };
        let _ = match rule.step.as_str() {
            PERMISSION => writeln!(text, "    {} would save {saved}", rule.what),
            step => writeln!(text, "    {}: {step} more saves {saved}", rule.what),
        };
    }
    text
}

fn why_not_words(why_not: &WhyNot) -> String {
    let mut text = format!("Why is `{}` not at `{}`?\n", why_not.workload, why_not.place);
    for fate in &why_not.fates {
        let count = if fate.placements > 1 { format!(" ({} placements)", fate.placements) } else { String::new() };
        let _ = writeln!(text, "    {}: {}{count}: {}", fate.verdict, fate.example, fate.reason);
    }
    let _ = writeln!(text, "    held there: {}", outcome_words(&why_not.held));
    if let Some(Permitted { permissions, outcome }) = &why_not.permitted {
        let _ = writeln!(text, "    with {}: {}", permissions.join(" and "), outcome_words(outcome));
    }
    text
}

fn outcome_words(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Chosen => "it is there".to_owned(),
        Outcome::Plan(rival) => rival_words(rival),
        Outcome::Infeasible(reason) => reason.clone(),
        Outcome::NotFound => "no plan was found within the time limit".to_owned(),
    }
}

/// One row for each thing that is told.
fn table(account: &Account) -> Table {
    let mut table = Table::new(&["kind", "workload", "what", "USD", "seconds", "reason"]);
    for placed in &account.workloads {
        let (usd, seconds) = (placed.cost_usd.to_string(), placed.end_seconds.to_string());
        table.rows.push(row("chosen", &placed.workload, &placed.placement, (usd, seconds), ""));
        table.rows.extend(placed.runner_up.iter().map(|rival| rival_row("runner-up", &placed.workload, rival)));
    }
    for rule in &account.binding {
        let worth = format!("{} more saves {} {}", rule.step, rule.worth, rule.unit);
        table.rows.push(row("binding", "", &rule.what, nothing(), &worth));
    }
    for why_not in &account.why_not {
        let fates = why_not.fates.iter();
        table.rows.extend(
            fates.map(|fate| row(&fate.verdict.to_string(), &why_not.workload, &fate.example, nothing(), &fate.reason)),
        );
        table.rows.push(outcome_row("held", why_not, &why_not.held));
        table
            .rows
            .extend(why_not.permitted.iter().map(|permitted| outcome_row("permitted", why_not, &permitted.outcome)));
    }
    table
}

const fn nothing() -> (String, String) {
    (String::new(), String::new())
}

fn row(kind: &str, workload: &str, what: &str, (usd, seconds): (String, String), reason: &str) -> Vec<String> {
    vec![kind.to_owned(), workload.to_owned(), what.to_owned(), usd, seconds, reason.to_owned()]
}

fn rival_row(kind: &str, workload: &str, rival: &Rival) -> Vec<String> {
    let figures = |plan: &crate::explain::Figures| (plan.cost_usd.to_string(), plan.finish_seconds.to_string());
    let figures = rival.plan.as_ref().map_or_else(nothing, figures);
    row(kind, workload, &rival.placement, figures, &rival.reason)
}

fn outcome_row(kind: &str, why_not: &WhyNot, outcome: &Outcome) -> Vec<String> {
    match outcome {
        Outcome::Plan(rival) => rival_row(kind, &why_not.workload, rival),
        other => row(kind, &why_not.workload, &why_not.place, nothing(), &outcome_words(other)),
    }
}
