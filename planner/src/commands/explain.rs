//! `planner explain`: why a plan is as it is.

use std::fmt::Write as _;

use scenarios::catalog::Catalog;
use scenarios::diagnostics::did_you_mean;
use scenarios::plan::{Binding, Plan, Verdict};
use scenarios::scenario::Loaded;
use scenarios::terminal::{Exit, OutputFormat, Printer, Table};
use scenarios::units::Seconds;

use super::failure::{Failure, StalePlan, UnknownName};
use super::load;
use crate::candidates::World;
use crate::cli::{ExplainArguments, Global};
use crate::explain::{Account, Outcome, PERMISSION, Question, Rival, WhyNot};
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
    let _ = write!(text, "\n{}", binding_words(&account.binding));
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

fn binding_words(binding: &[Binding]) -> String {
    if binding.is_empty() {
        return "Nothing is used up: no pool, deadline, budget or rule keeps the plan from being better.\n".to_owned();
    }
    let mut text = "What the plan is up against\n".to_owned();
    for rule in binding {
        let saved = if rule.worth > 0.0 { format!("{} {}", rule.worth, rule.unit) } else { "nothing".to_owned() };
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
        let _ = writeln!(text, "    {}: {}{count}: {}", verdict(fate.verdict), fate.example, fate.reason);
    }
    let _ = writeln!(text, "    held there: {}", outcome_words(&why_not.held));
    if let Some((permissions, outcome)) = &why_not.permitted {
        let _ = writeln!(text, "    with {}: {}", permissions.join(" and "), outcome_words(outcome));
    }
    text
}

const fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Chosen => "chosen",
        Verdict::Lost => "lost",
        Verdict::Dominated => "dominated",
        Verdict::Refused => "refused",
    }
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
    let mut add = |cells: [String; 6]| table.rows.push(cells.to_vec());
    let rival = |kind: &str, workload: &str, rival: &Rival| {
        let figure = |of: fn(&crate::explain::Figures) -> String| rival.plan.as_ref().map(of).unwrap_or_default();
        let usd = figure(|plan| plan.cost_usd.to_string());
        let seconds = figure(|plan| plan.finish_seconds.to_string());
        [kind.to_owned(), workload.to_owned(), rival.placement.clone(), usd, seconds, rival.reason.clone()]
    };
    for placed in &account.workloads {
        let (usd, seconds) = (placed.cost_usd.to_string(), placed.end_seconds.to_string());
        let (name, placement) = (placed.workload.clone(), placed.placement.clone());
        add(["chosen".to_owned(), name, placement, usd, seconds, String::new()]);
        placed.runner_up.iter().for_each(|other| add(rival("runner-up", &placed.workload, other)));
    }
    for rule in &account.binding {
        let worth = format!("{} more saves {} {}", rule.step, rule.worth, rule.unit);
        add(["binding".to_owned(), String::new(), rule.what.clone(), String::new(), String::new(), worth]);
    }
    for why_not in &account.why_not {
        for fate in &why_not.fates {
            let kind = verdict(fate.verdict).to_owned();
            let (name, example) = (why_not.workload.clone(), fate.example.clone());
            add([kind, name, example, String::new(), String::new(), fate.reason.clone()]);
        }
        let outcomes = [("held", Some(&why_not.held)), ("permitted", why_not.permitted.as_ref().map(|other| &other.1))];
        for (kind, outcome) in outcomes.into_iter().filter_map(|(kind, outcome)| Some((kind, outcome?))) {
            match outcome {
                Outcome::Plan(other) => add(rival(kind, &why_not.workload, other)),
                other => {
                    let (name, place) = (why_not.workload.clone(), why_not.place.clone());
                    add([kind.to_owned(), name, place, String::new(), String::new(), outcome_words(other)]);
                }
            }
        }
    }
    table
}
