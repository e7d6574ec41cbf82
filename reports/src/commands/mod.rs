//! Commands: arguments in, exit code out.

pub mod build;
pub mod completions;
pub mod man;
