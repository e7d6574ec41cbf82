//! `reports completions`.

use clap::CommandFactory as _;
use clap_complete::Shell;
use scenarios::terminal::{Exit, Printer};

use crate::cli::Cli;

/// Prints completions for a shell.
pub fn run(shell: Shell, printer: Printer) -> Exit {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "reports", &mut script);
    printer.data(&String::from_utf8_lossy(&script));
    Exit::Done
}
