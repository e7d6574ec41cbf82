//! Commands: typed settings in, exit status out. Only they read files and print.

mod accuracy;
mod alternatives;
mod candidates;
mod catalog;
mod check;
mod completions;
mod diff;
mod explain;
mod failure;
mod fit;
mod frontier;
mod layers;
mod load;
mod man;
mod predict;
mod runs;
mod schema;
mod serve;
mod show;
mod solve;
mod transfer;
mod whatif;

pub use show::render;

use scenarios::terminal::{Exit, Printer};

use crate::cli::{Cli, Command};

/// Runs a command and tells the user how it ended.
#[must_use]
pub fn run(cli: Cli) -> Exit {
    let printer = Printer::new(cli.global.quiet);
    let global = &cli.global;
    let ended = match cli.command {
        Command::Check(arguments) => check::run(&arguments, global, printer),
        Command::Candidates(arguments) => candidates::run(&arguments, global, printer),
        Command::Solve(arguments) => solve::run(&arguments, global, printer),
        Command::Show(arguments) => show::run(&arguments, global, printer),
        Command::Explain(arguments) => explain::run(&arguments, global, printer),
        Command::Whatif(arguments) => whatif::run(&arguments, global, printer),
        Command::Frontier(arguments) => frontier::run(&arguments, global, printer),
        Command::Diff(arguments) => diff::run(&arguments, global, printer),
        Command::Predict(arguments) => predict::run(&arguments, global, printer),
        Command::Accuracy(arguments) => accuracy::run(&arguments, global, printer),
        Command::Fit(arguments) => fit::run(&arguments, printer),
        Command::Serve(arguments) => serve::run(&arguments, global, printer),
        Command::Transfer(arguments) => transfer::run(&arguments, global, printer),
        Command::Layers(arguments) => layers::run(&arguments, global, printer),
        Command::Schema(arguments) => schema::run(&arguments, printer),
        Command::Catalog(arguments) => catalog::run(&arguments, global, printer),
        Command::Completions(arguments) => completions::run(&arguments, printer),
        Command::Man => man::run(printer),
    };
    ended.unwrap_or_else(|failure| failure.tell(printer))
}
