//! HiGHS: options, status, bound and counts.

use std::num::NonZeroU32;

use good_lp::solvers::highs::HighsProblem;
use highs::{HighsModelStatus, HighsSolutionStatus};

/// How to solve.
#[derive(Debug, Clone, Copy)]
pub(super) struct Options {
    pub seconds: f64,
    pub gap: f64,
    pub seed: u64,
    /// Branch-and-bound nodes after which the search ends.
    pub most_nodes: Option<i32>,
}

/// What came of it.
#[derive(Debug)]
pub(super) enum Answer {
    Solved { values: Vec<f64>, bound: f64, optimal: bool, nodes: u64, iterations: u64 },
    Infeasible,
    OutOfTime,
}

/// The solver failed; with our models that is a bug.
#[derive(Debug, Clone, thiserror::Error)]
#[error("HiGHS failed: {0}")]
pub struct SolverError(pub String);

/// Tolerance on rows and integrality: big-M rows must hold to the millisecond.
const FEASIBILITY: f64 = 1e-9;

pub(super) fn run(problem: HighsProblem, options: Options) -> Result<Answer, SolverError> {
    let failed = |what: &dyn std::fmt::Debug| SolverError(format!("{what:?}"));
    // good_lp keeps bound and counts to itself, so the model is solved without it; options set on
    // its problem would be lost.
    let mut model = problem.try_into_inner().map_err(|error| failed(&error))?;
    model.make_quiet();
    let seed = i32::try_from(options.seed % 2_147_483_647).unwrap_or(0);
    let floats = [
        ("mip_rel_gap", options.gap),
        ("mip_abs_gap", 0.0),
        ("time_limit", options.seconds.max(0.01)),
        ("mip_feasibility_tolerance", FEASIBILITY),
        ("primal_feasibility_tolerance", FEASIBILITY),
        ("dual_feasibility_tolerance", FEASIBILITY),
    ];
    for (name, value) in floats {
        model.try_set_option(name, value).map_err(|error| failed(&(name, error)))?;
    }
    if let Some(nodes) = options.most_nodes {
        model.try_set_option("mip_max_nodes", nodes).map_err(|error| failed(&error))?;
    }
    model.try_set_option("random_seed", seed).map_err(|error| failed(&error))?;
    model.try_set_option("parallel", "off").map_err(|error| failed(&error))?;
    model.set_threads(NonZeroU32::MIN);
    let solved = model.try_solve().map_err(|error| failed(&error))?;
    let status = solved.status();
    match status {
        HighsModelStatus::Infeasible | HighsModelStatus::UnboundedOrInfeasible => return Ok(Answer::Infeasible),
        HighsModelStatus::Optimal
        | HighsModelStatus::ReachedTimeLimit
        | HighsModelStatus::ReachedSolutionLimit
        | HighsModelStatus::ReachedIterationLimit => {}
        other => return Err(failed(&other)),
    }
    if solved.primal_solution_status() != HighsSolutionStatus::Feasible {
        return Ok(Answer::OutOfTime);
    }
    let optimal = status == HighsModelStatus::Optimal;
    let objective = solved.objective_value();
    let bound = solved.double_info_value(c"mip_dual_bound").ok().filter(|bound| bound.is_finite());
    Ok(Answer::Solved {
        values: solved.get_solution().columns().to_vec(),
        bound: bound.unwrap_or(if optimal { objective } else { 0.0 }),
        optimal,
        nodes: super::node_count::of(&solved),
        iterations: u64::try_from(solved.simplex_iteration_count()).unwrap_or(0),
    })
}
