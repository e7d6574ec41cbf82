//! What became of a place for a workload, and what the plan would be with the workload held to it.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use scenarios::plan::{Assignment, Plan, Verdict};
use scenarios::residency::labels;
use scenarios::units::Seconds;
use serde::Serialize;

use super::account::{Rival, is_among, is_as_assigned};
use super::apply::{apply, named};
use super::considered::{committed_usd, machines, movement_usd};
use crate::candidates::{Column, Refused, Replica, WorkloadCandidates, World};
use crate::placement::{Change, Limits, Unsolved};
use crate::planning::{Case, Infeasible, Options, PlacePattern};

/// What became of a place for a workload.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WhyNot {
    /// Workload.
    pub workload: String,
    /// The place that was asked about.
    pub place: String,
    /// Placements there by what became of them; those that are in the plan first.
    pub fates: Vec<Fate>,
    /// The plan with the workload held to the place.
    pub held: Outcome,
    /// Permissions that the place lacks, and the plan with them and the workload held to it; none where no rule is in
    /// the way.
    pub permitted: Option<Permitted>,
}

/// What plan there would be with permissions.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Permitted {
    /// The permissions in words.
    pub permissions: Vec<String>,
    /// The plan with the workload held to the place.
    pub outcome: Outcome,
}

/// What became of equal placements.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Fate {
    /// What became of them.
    pub verdict: Verdict,
    /// How many there are.
    pub placements: usize,
    /// One of them in words, the best of those that are possible.
    pub example: String,
    /// Why.
    pub reason: String,
}

/// What plan there would be.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The workload runs there already.
    Chosen,
    /// Another plan.
    Plan(Rival),
    /// None: the reason.
    Infeasible(String),
    /// None was found in time.
    NotFound,
}

/// Most reasons that are told for a place where nothing can run.
const MOST_REASONS: usize = 3;

/// Most kinds of fates that are told.
const MOST_FATES: usize = 12;

/// Says what became of the placements of a workload at a place.
pub(super) fn of(
    case: &Case<'_>,
    plan: &Plan,
    assignment: &Assignment,
    at: &PlacePattern,
    options: &Options,
    limits: Limits,
) -> WhyNot {
    let name = &assignment.workload;
    let workload = case.candidates.workloads.iter().find(|workload| workload.workload == *name);
    let fates = workload.map(|workload| fates(case, workload, assignment, at)).unwrap_or_default();
    let is_denied = workload.is_some_and(|workload| {
        workload
            .refused
            .iter()
            .any(|refused| at.covers(&case.world, refused.place) && refused.reason.denied().is_some())
    });
    let held = held(case, plan, assignment, at, limits);
    let is_open = matches!(held, Outcome::Infeasible(_)) && is_denied;
    WhyNot {
        workload: name.clone(),
        place: at.to_string(),
        fates,
        permitted: is_open.then(|| permitted(case, plan, name, at, options, limits)),
        held,
    }
}

fn fates(case: &Case<'_>, workload: &WorkloadCandidates, assignment: &Assignment, at: &PlacePattern) -> Vec<Fate> {
    let world = &case.world;
    let mut fates = Fates::default();
    let columns = workload.columns.iter().map(|column| (column, None));
    let dominated = workload.dominated.iter().map(|dominated| (&dominated.column, workload.columns.get(dominated.by)));
    for (column, by) in columns.chain(dominated).filter(|(column, _)| touches(case, column, at)) {
        let example = words(case, column);
        match by {
            _ if is_as_assigned(world, column, assignment) => {
                fates.add(Verdict::Chosen, example, "it is in the plan".to_owned());
            }
            None => fates.add_like(Verdict::Lost, example, by_itself(case, column)),
            Some(by) => {
                let better = format!("{} is at least as good in everything: {}", words(case, by), by_itself(case, by));
                fates.add(Verdict::Dominated, example, better);
            }
        }
    }
    let replicas = workload.service.iter().flat_map(|service| &service.replicas);
    for replica in replicas.filter(|replica| at.covers(world, replica.group.place)) {
        let is_chosen = is_among(world, &replica.group, assignment);
        let verdict = if is_chosen { Verdict::Chosen } else { Verdict::Lost };
        let example = format!("{}, {}", machines(world, &replica.group), replica.strategy);
        fates.add_like(verdict, example, rate(replica));
    }
    for Refused { place, strategy, nodes, reason, .. } in workload.refused.iter().filter(|r| at.covers(world, r.place))
    {
        let example = format!("{nodes} × {} (`{}`), {strategy}", world.machine_name(*place), world.pool_name(*place));
        fates.add(Verdict::Refused, example, reason.to_string());
    }
    fates.list()
}

/// A placement in words.
fn words(case: &Case<'_>, column: &Column) -> String {
    let groups: Vec<String> = column.groups.iter().map(|group| machines(&case.world, group)).collect();
    format!("{}, {}", groups.join(" and "), column.strategy)
}

/// Whether some machines of a placement are at a place.
fn touches(case: &Case<'_>, column: &Column, at: &PlacePattern) -> bool {
    column.groups.iter().any(|group| at.covers(&case.world, group.place))
}

fn by_itself(case: &Case<'_>, column: &Column) -> String {
    let moved = column.copies.iter().map(|copy| &case.candidates.copies[*copy]).chain(&column.exchanges);
    let moved = moved.map(|movement| movement_usd(&case.network, &case.problem, movement));
    let usd = column.compute_usd + committed_usd(&case.world, column) + moved.sum::<Decimal>();
    format!("{} USD and {} by itself", usd.normalize(), Seconds::new(column.seconds).rounded())
}

fn rate(replica: &Replica) -> String {
    let most = replica.most.iter().flatten().copied().fold(0.0, f64::max);
    format!("one replica costs {} USD and answers at most {most:.2} requests/s", replica.usd.normalize())
}

/// Placements by verdict and reason.
#[derive(Debug, Default)]
struct Fates(BTreeMap<(Verdict, String), Fate>);

impl Fates {
    fn add(&mut self, verdict: Verdict, example: String, reason: String) {
        let fate = Fate { verdict, placements: 0, example, reason };
        self.0.entry((verdict, fate.reason.clone())).or_insert(fate).placements += 1;
    }

    /// Adds a placement whose figures are its own: only the first of each verdict is told.
    fn add_like(&mut self, verdict: Verdict, example: String, reason: String) {
        let fate = Fate { verdict, placements: 0, example, reason };
        self.0.entry((verdict, String::new())).or_insert(fate).placements += 1;
    }

    fn list(self) -> Vec<Fate> {
        let mut list: Vec<Fate> = self.0.into_values().collect();
        list.sort_by(|a, b| a.verdict.cmp(&b.verdict).then(b.placements.cmp(&a.placements)));
        list.truncate(MOST_FATES);
        list
    }
}

/// The best plan with the workload held to the place.
fn held(case: &Case<'_>, plan: &Plan, assignment: &Assignment, at: &PlacePattern, limits: Limits) -> Outcome {
    let covers = |group: &scenarios::plan::Group| {
        let places = at.places(&case.world);
        let is_own = |place: &crate::candidates::Place| {
            case.world.site_name(place.site) == group.site && case.world.pool_name(*place) == group.pool
        };
        places.iter().any(is_own)
    };
    if assignment.groups.iter().all(covers) {
        return Outcome::Chosen;
    }
    let name = &assignment.workload;
    let limits = limits.anew();
    let there = case.filtered(
        |workload, column| workload != name || at.covers_column(&case.world, column),
        |workload, replica| workload != name || at.covers(&case.world, replica.group.place),
        limits.clock,
    );
    let Ok(there) = there else { return Outcome::NotFound };
    match there.solve(limits) {
        Ok(solution) => outcome(plan, &there.plan(&solution), name),
        Err(Unsolved::Infeasible) => Outcome::Infeasible(no_plan(&Infeasible::of(&there, vec![]), name, 0)),
        Err(_) => Outcome::NotFound,
    }
}

/// Why there is no plan, in a line, with some reasons why the workload cannot run there.
fn no_plan(why: &Infeasible, workload: &str, most: usize) -> String {
    let Some((_, reasons)) = why.blocked.iter().find(|(blocked, _)| blocked == workload) else {
        return why.to_string().lines().map(str::trim).collect::<Vec<_>>().join(" ");
    };
    let told: Vec<String> = reasons.iter().take(most).map(|(reason, _)| format!("; {reason}")).collect();
    format!("there is no plan: `{workload}` cannot run there{}", told.concat())
}

fn outcome(plan: &Plan, other: &Plan, workload: &str) -> Outcome {
    Rival::of(plan, other, workload).map_or(Outcome::NotFound, Outcome::Plan)
}

/// The best plan with the workload held to the place and everything that it reads permitted there.
fn permitted(
    case: &Case<'_>,
    plan: &Plan,
    name: &str,
    at: &PlacePattern,
    options: &Options,
    limits: Limits,
) -> Permitted {
    let world = &case.world;
    let mut sites: Vec<usize> = at.places(world).iter().map(|place| place.site).collect();
    sites.dedup();
    let changes: Vec<Change> = sites
        .iter()
        .flat_map(|site| labels(&world.loaded.scenario, name).into_iter().map(move |label| (label, *site)))
        .map(|(label, site)| Change::Permission {
            label: label.to_owned(),
            forms: vec![],
            site: world.site_name(site).to_owned(),
        })
        .collect();
    let mut options = options.clone();
    options.held_to.insert(name.to_owned(), at.clone());
    let granted = apply(&changes, world.loaded);
    let words = |changes: &[Change]| changes.iter().map(ToString::to_string).collect();
    let limits = limits.anew();
    let Ok(there) = Case::new(World { loaded: &granted, catalog: world.catalog }, &options, limits.clock) else {
        return Permitted { permissions: words(&changes), outcome: Outcome::NotFound };
    };
    let (permissions, outcome) = match there.solve(limits) {
        Ok(solution) => {
            let other = there.plan(&solution);
            let mut needed = named(&changes, &other, world.loaded, world.catalog);
            needed.retain(|change| !matches!(change, Change::Permission { forms, .. } if forms.is_empty()));
            (words(&needed), outcome(plan, &other, name))
        }
        Err(Unsolved::Infeasible) => {
            (words(&changes), Outcome::Infeasible(no_plan(&Infeasible::of(&there, vec![]), name, MOST_REASONS)))
        }
        Err(_) => (words(&changes), Outcome::NotFound),
    };
    Permitted { permissions, outcome }
}
