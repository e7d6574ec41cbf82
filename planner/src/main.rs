//! The planner at the command line.

use clap::Parser as _;
use planner::cli::Cli;
use planner::commands;
use scenarios::terminal::{Exit, guarded};

fn main() -> Exit {
    guarded(|| commands::run(Cli::parse()))
}
