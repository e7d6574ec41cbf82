//! The planner at the command line.

use clap::Parser as _;
use planner::cli::Cli;
use planner::commands;
use scenarios::terminal::Exit;

fn main() -> Exit {
    commands::run(Cli::parse())
}
