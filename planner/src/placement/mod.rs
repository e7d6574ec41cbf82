//! Chooses one column for each workload, and when it starts, at least cost or earliest finish.
//!
//! A mixed-integer linear program, solved by HiGHS; `planner/MODEL.md` lists its constraints.
//! Nodes that would be occupied twice at one time are forbidden as they are found
//! (`conflicts.rs`), so workloads that never meet cost nothing.

mod bound;
mod conflicts;
mod constraints;
mod highs;
mod infeasible;
mod model;
mod node_count;
mod problem;
mod reduce;
mod schedule;
mod search;

pub use highs::SolverError;
pub use infeasible::{WayOut, WaysOut, ways_out};
pub use problem::{Choice, Job, Problem, WeightsFlow};
pub use search::{Limits, Solution, Unsolved, solve};
