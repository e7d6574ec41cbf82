//! A small solver in pure Rust, for builds without a C++ compiler. It proves optimality or nothing: it knows neither
//! bounds, gaps nor starts.

use good_lp::solvers::microlp::microlp;
use good_lp::{ResolutionError, Solution as _, SolverModel as _, Variable};

use super::{Answer, Options, Program, SolverError};

/// Name, as the crate links it.
pub(crate) const NAME: &str = "microlp";

/// Solves a program.
///
/// # Errors
/// The solver failed.
pub(crate) fn run(program: Program, _: Options) -> Result<Answer, SolverError> {
    let Program { variables, objective, rows, .. } = program;
    let order: Vec<Variable> = variables.iter_variables_with_def().map(|(variable, _)| variable).collect();
    let mut problem = variables.minimise(objective.clone()).using(microlp);
    for row in rows {
        problem.add_constraint(row);
    }
    match problem.solve() {
        Ok(solved) => Ok(Answer::Solved {
            bound: solved.eval(objective),
            values: order.into_iter().map(|variable| (variable, solved.value(variable))).collect(),
            optimal: true,
            nodes: 0,
            iterations: 0,
        }),
        Err(ResolutionError::Infeasible) => Ok(Answer::Infeasible),
        Err(other) => Err(SolverError(format!("{other:?}"))),
    }
}
