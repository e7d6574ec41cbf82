//! Services without the workloads beside them: where the search for a first plan begins, and a bound.

use super::model::{Learned, Model, Relax};
use super::problem::{Choice, Copy, Problem};
use super::scale::Scale;
use super::search::{Limits, Unsolved};
use super::solver::{Answer, Options};
use super::staffing::Staffing;

/// Longest search, in seconds.
const SECONDS: f64 = 5.0;

/// The best staffing of all services alone.
#[derive(Debug, Default)]
pub(super) struct Alone {
    pub staffing: Staffing,
    /// The least that services count in any plan.
    pub least: f64,
}

/// Staffs the services as if no workload were beside them and copies were free.
///
/// # Errors
/// Not even that is possible, or the solver failed.
pub(super) fn alone(problem: &Problem, limits: Limits) -> Result<Alone, Unsolved> {
    if problem.services.is_empty() {
        return Ok(Alone::default());
    }
    // Copies are free here: whoever shares them may pay.
    let copies = vec![Copy::default(); problem.copies.len()];
    let mut only = Problem { flows: vec![], copies, ..problem.clone() };
    for job in only.jobs.iter_mut().filter(|job| job.finishes) {
        job.choices = vec![Choice::default()];
        job.latest_end = f64::MAX;
        job.after.clear();
    }
    let Limits { clock, gap, seed } = limits;
    let options = Options { clock: clock.at_most(SECONDS), gap, seed, most_nodes: None };
    let unit = Scale::of(&only).of_objective(problem.objective);
    match Model::new(&only, Relax::default(), Learned::default()).solve(options)? {
        (Answer::Solved { bound, .. }, Some(pick)) => {
            Ok(Alone { staffing: pick.staffing, least: (bound * unit).max(0.0) })
        }
        (Answer::Infeasible, _) => Err(Unsolved::Infeasible),
        _ => Err(clock.out_of_time().into()),
    }
}
