//! Why a plan is as it is: what was considered, what became of it, and what decided.

mod considered;
mod refusals;
mod runner_up;
mod summary;

pub use considered::{candidate, machines};

use scenarios::plan::Plan;

use crate::planning::Decision;

/// Adds the explanation, the runners-up and the refusals to a plan.
pub(crate) fn explain(decision: &Decision<'_>, plan: &mut Plan) {
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
