//! `reports man`.

use clap::CommandFactory as _;
use scenarios::terminal::{Exit, Printer};

use crate::cli::Cli;

/// Prints the manual page, the pages of the subcommands after it.
pub fn run(printer: Printer) -> Exit {
    let mut command = Cli::command();
    command.build();
    let pages = std::iter::once(command.clone()).chain(command.get_subcommands().filter(|c| !c.is_hide_set()).cloned());
    for page in pages {
        let mut text = Vec::new();
        if let Err(error) = clap_mangen::Man::new(page).render(&mut text) {
            printer.error(&error, None);
            return Exit::Bug;
        }
        printer.data(&String::from_utf8_lossy(&text));
    }
    Exit::Done
}
