//! Command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;
use scenarios::terminal::{Exit, Printer};

use crate::commands;

/// Makes reports of plans and runs.
#[derive(Debug, Parser)]
#[command(name = "reports", version, propagate_version = true, arg_required_else_help = true)]
pub struct Cli {
    /// Print data, warnings and errors only.
    #[arg(long, short, global = true)]
    pub quiet: bool,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Build the report of a plan and its runs: one self-contained HTML page, charts as SVG and figures as CSV.
    Build(Build),
    /// Print completions for a shell.
    Completions {
        /// The shell.
        shell: Shell,
    },
    /// Print the manual page.
    Man,
}

/// What to build the report of.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  reports build --plan plan.json --run run/ -o report/\n\n\
    Prints the path of the page. Exit codes: 0 done, 2 a file cannot be read or written, 3 invalid document, \
    31 a document was changed after it was written.")]
pub struct Build {
    /// Plan that `planner solve` wrote; `-` is standard input.
    #[arg(long, value_name = "PLAN")]
    pub plan: PathBuf,
    /// Folder that `executor apply` wrote, or its `run.json`; may be given several times.
    #[arg(long = "run", value_name = "RUN")]
    pub runs: Vec<PathBuf>,
    /// Folder of the report; an older report in it is replaced.
    #[arg(long, short, value_name = "DIR", default_value = "report")]
    pub output: PathBuf,
}

/// Runs the command line of this process.
#[must_use]
pub fn run() -> Exit {
    let cli = Cli::parse();
    let printer = Printer::new(cli.quiet);
    match cli.command {
        Command::Build(build) => commands::build::run(&build, printer),
        Command::Completions { shell } => commands::completions::run(shell, printer),
        Command::Man => commands::man::run(printer),
    }
}
