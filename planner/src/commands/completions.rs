//! `planner completions`: completions for a shell.

use clap::CommandFactory as _;
use scenarios::terminal::{Exit, Printer};

use super::failure::Failure;
use crate::cli::{Cli, CompletionsArguments};

#[allow(clippy::unnecessary_wraps, reason = "all commands have one form")]
pub(super) fn run(arguments: &CompletionsArguments, printer: Printer) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut Cli::command(), "planner", &mut script);
    printer.data(&String::from_utf8_lossy(&script));
    Ok(Exit::Done)
}
