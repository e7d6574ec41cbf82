//! The solver: HiGHS, or the smaller one in pure Rust where HiGHS is left out (feature `microlp`).
#![cfg_attr(not(feature = "highs"), expect(dead_code, reason = "microlp knows neither starts nor limits"))]

#[cfg(feature = "highs")]
mod highs;
#[cfg(not(feature = "highs"))]
mod microlp;
#[cfg(feature = "highs")]
mod node_count;

use std::collections::HashMap;

use good_lp::{Constraint, Expression, ProblemVariables, Variable};

use crate::clock::Clock;

#[cfg(feature = "highs")]
pub(crate) use highs::{NAME, run};
#[cfg(not(feature = "highs"))]
pub(crate) use microlp::{NAME, run};

/// A program to be minimised.
pub(crate) struct Program {
    pub variables: ProblemVariables,
    pub objective: Expression,
    pub rows: Vec<Constraint>,
    /// Values of all variables in a solution that is known; none, or of each.
    pub start: Vec<(Variable, f64)>,
}

/// How to solve.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Options {
    pub clock: Clock,
    pub gap: f64,
    pub seed: u64,
    /// Branch-and-bound nodes after which the search ends.
    pub most_nodes: Option<i32>,
}

/// What came of it.
#[derive(Debug)]
pub(crate) enum Answer {
    Solved {
        values: HashMap<Variable, f64>,
        bound: f64,
        optimal: bool,
        nodes: u64,
        iterations: u64,
    },
    Infeasible,
    OutOfTime,
    /// Values of the start beside the objective of something better: HiGHS does so for some programs that presolve
    /// decides. Without a start it does not.
    StartReturned,
}

/// The solver failed; with our models that is a bug.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the solver failed: {0}")]
pub struct SolverError(pub String);
