//! An account of a plan on request: what was chosen, what would have been next, what binds, and why not elsewhere.

use scenarios::plan::{Assignment, Binding, Plan};
use scenarios::scenario::Job;
use serde::Serialize;

use super::binding::{Base, binding};
use super::figures::{Figures, placement};
use super::why_not::{self, WhyNot};
use crate::candidates::{Column, World};
use crate::placement::Limits;
use crate::planning::{Case, Options, PlacePattern};

/// Most placements and workloads of a case for which runners-up are judged by the whole plan.
const MOST_PLACEMENTS: usize = 5000;
const MOST_WORKLOADS: usize = 20;

/// What is asked of a plan.
#[derive(Debug, Clone, Default)]
pub struct Question {
    /// The workload that is asked about; none for all.
    pub workload: Option<String>,
    /// Places that might have been.
    pub why_not: Vec<PlacePattern>,
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Account {
    /// What the plan comes to.
    pub plan: Figures,
    /// Each workload with its runner-up.
    pub workloads: Vec<Placed>,
    /// What the plan is up against, with what one more unit is worth.
    pub binding: Vec<Binding>,
    /// What became of the places that were asked about.
    pub why_not: Vec<WhyNot>,
}

/// A workload where the plan puts it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Placed {
    /// Workload.
    pub workload: String,
    /// Where and how it runs.
    pub placement: String,
    /// Start, from the start of the period.
    pub start_seconds: f64,
    /// End.
    pub end_seconds: f64,
    /// Price of its machines and flows in US dollars.
    pub cost_usd: rust_decimal::Decimal,
    /// The best plan with this workload placed otherwise; none if there is no such plan.
    pub runner_up: Option<Rival>,
}

/// A plan that might have been.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Rival {
    /// Where and how the workload would run.
    pub placement: String,
    /// What the whole plan would come to; none if the placement was judged by itself.
    pub plan: Option<Figures>,
    /// What that is above the plan.
    pub difference: Option<Figures>,
    /// Other workloads that would run elsewhere or at another time.
    pub also_changed: Vec<String>,
    /// The difference in words.
    pub reason: String,
}

impl Rival {
    /// The placement of one workload in another plan beside this one.
    pub(super) fn of(plan: &Plan, other: &Plan, workload: &str) -> Option<Self> {
        let placed = other.assignments.iter().find(|assignment| assignment.workload == workload)?;
        let figures = Figures::of(other);
        let difference = figures.above(&Figures::of(plan));
        let moved = super::Difference::between(plan, other).workloads.into_iter().map(|changed| changed.what);
        Some(Self {
            placement: placement(placed),
            reason: difference.as_difference(),
            plan: Some(figures),
            difference: Some(difference),
            also_changed: moved.filter(|changed| changed != workload).collect(),
        })
    }
}

/// Answers a question about a plan of a case. Every figure but those of runners-up in large cases comes from solving
/// again.
#[must_use]
pub(crate) fn account(case: &Case<'_>, plan: &Plan, question: &Question, options: &Options, limits: Limits) -> Account {
    let is_asked =
        |assignment: &&Assignment| question.workload.as_ref().is_none_or(|name| *name == assignment.workload);
    let asked: Vec<&Assignment> = plan.assignments.iter().filter(is_asked).collect();
    let by_whole_plan = case.size() <= MOST_PLACEMENTS && case.candidates.workloads.len() <= MOST_WORKLOADS;
    let placed = |assignment: &&Assignment| Placed {
        workload: assignment.workload.clone(),
        placement: placement(assignment),
        start_seconds: assignment.start_seconds,
        end_seconds: assignment.end_seconds,
        cost_usd: assignment.cost_usd,
        runner_up: if by_whole_plan { runner_up(case, plan, assignment, limits) } else { by_itself(assignment) },
    };
    let pairs = asked.iter().flat_map(|assignment| question.why_not.iter().map(move |pattern| (*assignment, pattern)));
    let base = Base::found(case, plan, limits.anew());
    let binding = base.map(|base| binding(case, plan, base, options, limits.anew(), true)).unwrap_or_default();
    Account {
        plan: Figures::of(plan),
        workloads: asked.iter().map(placed).collect(),
        binding,
        why_not: pairs.map(|(assignment, at)| why_not::of(case, plan, assignment, at, options, limits)).collect(),
    }
}

/// The best plan in which a workload is not placed as it is; a service is in none of its pools.
fn runner_up(case: &Case<'_>, plan: &Plan, assignment: &Assignment, limits: Limits) -> Option<Rival> {
    let name = &assignment.workload;
    let world = &case.world;
    let limits = limits.anew();
    let other = case.filtered(
        |workload, column| workload != name || !is_as_assigned(world, column, assignment),
        |workload, replica| workload != name || !is_among(world, &replica.group, assignment),
        limits.clock,
    );
    let other = other.ok()?;
    let solution = other.solve(limits).ok()?;
    Rival::of(plan, &other.plan(&solution), name)
}

/// The runner-up that the plan names.
fn by_itself(assignment: &Assignment) -> Option<Rival> {
    let named = assignment.runner_up.as_ref()?;
    Some(Rival {
        placement: named.placement.clone(),
        plan: None,
        difference: None,
        also_changed: vec![],
        reason: format!("by itself it {}", named.reason),
    })
}

/// Whether a column is what a plan assigns.
pub(super) fn is_as_assigned(world: &World<'_>, column: &Column, assignment: &Assignment) -> bool {
    !matches!(assignment.job, Job::Serve(_))
        && column.strategy == assignment.strategy
        && column.groups.len() == assignment.groups.len()
        && column.groups.iter().all(|group| {
            let own = assignment.groups.iter().find(|own| is_in(world, group, own));
            own.is_some_and(|own| own.nodes == group.layout.nodes && own.ranks_per_node == group.layout.ranks_per_node)
        })
}

/// Whether a group of machines is in a pool that an assignment uses, paid for the same way.
pub(super) fn is_among(world: &World<'_>, group: &crate::candidates::Group, assignment: &Assignment) -> bool {
    assignment.groups.iter().any(|own| is_in(world, group, own))
}

fn is_in(world: &World<'_>, group: &crate::candidates::Group, own: &scenarios::plan::Group) -> bool {
    own.site == world.site_name(group.place.site)
        && own.pool == world.pool_name(group.place)
        && own.purchase == group.purchase
}
