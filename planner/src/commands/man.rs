//! `planner man`: the manual page, with a section for each command.

use clap::CommandFactory as _;
use scenarios::terminal::{Exit, Printer};

use super::failure::Failure;
use crate::cli::Cli;

#[allow(clippy::unnecessary_wraps, reason = "all commands have one form")]
pub(super) fn run(printer: Printer) -> Result<Exit, Failure> {
    let mut command = Cli::command().flatten_help(true);
    command.build();
    let mut page = Vec::new();
    clap_mangen::Man::new(command).render(&mut page).expect("writing to memory does not fail");
    printer.data(&String::from_utf8_lossy(&page));
    Ok(Exit::Done)
}
