//! Chooses one column for each workload, and when it starts, at least cost or earliest finish.
//!
//! A mixed-integer linear program, solved by HiGHS; `planner/MODEL.md` lists its constraints.
//! Nodes that would be occupied twice at one time are forbidden as they are found
//! (`conflicts.rs`), so workloads that never meet cost nothing.

mod alternatives;
mod bound;
mod change;
mod conflicts;
mod constraints;
mod infeasible;
mod model;
mod problem;
mod reduce;
mod scale;
mod schedule;
mod search;
mod services;
pub(crate) mod solver;
mod staffing;
mod value;

pub use alternatives::alternatives;
pub use change::Change;
pub use infeasible::{WaysOut, ways_out};
pub use problem::{Bill, Choice, Copy, Job, Offers, Pool, Problem, ProductFlow, Replica, Service, Worth};
pub use search::{Limits, Solution, Unsolved, solve, solve_from};
pub use solver::SolverError;
pub use staffing::Staffing;
