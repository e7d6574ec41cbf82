//! HiGHS: options, status, bound and counts.

use std::collections::HashMap;
use std::num::NonZeroU32;

use good_lp::solvers::highs::highs;
use good_lp::{Expression, SolverModel as _, Variable};
use highs::{HighsModelStatus, HighsSolutionStatus, Model, SolvedModel};

use super::{Answer, Options, Program, SolverError, node_count};

/// Name and version, as the crate links it.
pub(crate) const NAME: &str = "HiGHS 1.16";

/// Tolerance on rows: big-M rows must hold to the millisecond.
const FEASIBILITY: f64 = 1e-9;

/// Tolerance on integrality. It has to be above the numbers that HiGHS takes for zero (`mip_epsilon`, 1e-9): at 1e-9 its
/// cuts took away optimal solutions.
const INTEGRALITY: f64 = 1e-8;

/// Solves a program.
///
/// # Errors
/// HiGHS failed.
pub(crate) fn run(program: Program, options: Options) -> Result<Answer, SolverError> {
    let Program { variables, objective, rows, start } = program;
    let order: Vec<Variable> = variables.iter_variables_with_def().map(|(variable, _)| variable).collect();
    let mut problem = variables.minimise(objective.clone()).using(highs);
    for row in rows {
        problem.add_constraint(row);
    }
    // good_lp keeps bound and counts to itself, so the model is solved without it; options set on
    // its problem would be lost.
    let mut model = problem.try_into_inner().map_err(|error| failed(&error))?;
    set(&mut model, options)?;
    if !start.is_empty() {
        let known: HashMap<Variable, f64> = start.into_iter().collect();
        let columns: Vec<f64> = order.iter().map(|variable| known.get(variable).copied().unwrap_or(0.0)).collect();
        model.try_set_solution(Some(&columns), None, None, None).map_err(|error| failed(&error))?;
    }
    let solved = model.try_solve().map_err(|error| failed(&error))?;
    let answer = answer(&solved, &order)?;
    let is_consistent = is_consistent(&answer, &objective, solved.objective_value());
    Ok(if is_consistent { answer } else { Answer::StartReturned })
}

/// Whether the values are those of the objective that HiGHS states.
fn is_consistent(answer: &Answer, objective: &Expression, stated: f64) -> bool {
    let Answer::Solved { values, .. } = answer else { return true };
    let value = objective.eval_with(values);
    (value - stated).abs() <= 1e-6 * (1.0 + stated.abs())
}

fn answer(solved: &SolvedModel, order: &[Variable]) -> Result<Answer, SolverError> {
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
        values: order.iter().copied().zip(solved.get_solution().columns().iter().copied()).collect(),
        bound: bound.unwrap_or(if optimal { objective } else { 0.0 }),
        optimal,
        nodes: node_count::of(solved),
        iterations: u64::try_from(solved.simplex_iteration_count()).unwrap_or(0),
    })
}

fn failed(what: &dyn std::fmt::Debug) -> SolverError {
    SolverError(format!("{what:?}"))
}

fn set(model: &mut Model, options: Options) -> Result<(), SolverError> {
    model.make_quiet();
    let seed = i32::try_from(options.seed % 2_147_483_647).unwrap_or(0);
    let floats = [
        ("mip_rel_gap", options.gap),
        ("mip_abs_gap", 0.0),
        ("time_limit", options.clock.left().max(0.01)),
        ("mip_feasibility_tolerance", INTEGRALITY),
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
    Ok(())
}
