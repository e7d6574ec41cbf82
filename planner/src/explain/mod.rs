//! Why a plan is as it is: what was considered, what became of it, and what decided.

mod account;
mod apply;
mod binding;
mod considered;
mod diff;
mod figures;
mod frontier;
mod permission;
mod refusals;
mod runner_up;
mod setting;
mod summary;
mod ways_out;
mod why_not;

pub(crate) use account::account;
pub use account::{Account, Placed, Question, Rival};
pub use binding::PERMISSION;
pub use considered::{candidate, machines};
pub use diff::{Changed, Difference, Movement, Reservation, Run};
pub use figures::{Figures, placement};
pub use frontier::{Efficient, Second, frontier};
pub use setting::{Setting, SettingError, changed};
pub(crate) use ways_out::ways_out;
pub use why_not::{Fate, Outcome, Permitted, WhyNot};

use scenarios::plan::Plan;

use crate::placement::{Limits, Solution};
use crate::planning::{Case, Decision, Options};

/// Adds the explanation, the runners-up and the refusals to the best plan of a case; what its limits are worth only where
/// it takes little time to find that out.
pub(crate) fn explain(case: &Case<'_>, solution: &Solution, plan: &mut Plan, options: &Options, limits: Limits) {
    describe(&case.decision(solution), plan);
    if binding::is_cheap(case) {
        plan.explanation.binding = binding::binding(case, plan, binding::Base::of(plan), options, limits, false);
    }
}

/// Adds the explanation to a plan but for what its limits are worth.
pub(crate) fn describe(decision: &Decision<'_>, plan: &mut Plan) {
    for assignment in &mut plan.assignments {
        let names = &decision.world.loaded.scenario.workloads;
        if let Some(job) = names.get_index_of(&assignment.workload) {
            assignment.runner_up = runner_up::of(decision, job);
        }
    }
    plan.residency.refusals = refusals::of(decision);
    plan.explanation.considered = considered::all(decision);
    plan.explanation.summary = summary::of(decision, plan);
}
