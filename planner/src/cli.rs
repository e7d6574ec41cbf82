//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use scenarios::strategy::Strategy;
use scenarios::terminal::OutputFormat;

/// Decides where, on what and how workloads run, under cost, capacity, deadline and residency rules.
#[derive(Debug, Parser)]
#[command(name = "planner", version, propagate_version = true)]
pub struct Cli {
    /// What every command understands.
    #[command(flatten)]
    pub global: Global,
    /// What is to be done.
    #[command(subcommand)]
    pub command: Command,
}

/// What every command understands.
#[derive(Debug, Clone, Args)]
pub struct Global {
    /// Folder of the machine profiles that scenarios name; by default the scenario's own
    #[arg(long, global = true, value_name = "DIR", env = "CAUSEWAY_PROFILES")]
    pub profiles: Option<PathBuf>,
    /// How data is printed
    #[arg(long, global = true, value_enum, default_value_t)]
    pub format: OutputFormat,
    /// Print data and errors only
    #[arg(long, short, global = true)]
    pub quiet: bool,
}

/// A command.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Read a scenario and tell all its problems
    Check(ScenarioFile),
    /// List every placement of every workload, possible or refused, without solving
    Candidates(CandidatesArguments),
    /// Find the best plan and write it
    Solve(SolveArguments),
    /// Show a plan: verdict, assignments, flows, placements considered, totals, solver
    Show(ShowArguments),
    /// Print the JSON Schema of a document
    Schema(SchemaArguments),
    /// List the instance types of the catalogue
    Catalog(CatalogArguments),
    /// Print completions for a shell
    Completions(CompletionsArguments),
    /// Print the manual page
    Man,
}

/// A scenario to read.
#[derive(Debug, Clone, Args)]
pub struct ScenarioFile {
    /// Scenario; `-` reads standard input
    pub scenario: PathBuf,
}

/// What `candidates` reads.
#[derive(Debug, Clone, Args)]
pub struct CandidatesArguments {
    /// The scenario.
    #[command(flatten)]
    pub file: ScenarioFile,
    /// Hold a workload to one strategy, such as `train=data:2`
    #[arg(long = "strategy", value_name = "WORKLOAD=data:N", value_parser = held)]
    pub held: Vec<(String, Strategy)>,
}

/// What `solve` reads and writes.
#[derive(Debug, Clone, Args)]
pub struct SolveArguments {
    /// The scenario.
    #[command(flatten)]
    pub file: ScenarioFile,
    /// Where the plan is written; `-` is standard output
    #[arg(long, short, value_name = "PLAN", default_value = "plan.json")]
    pub output: PathBuf,
    /// Hold a workload to one strategy, such as `train=data:2`; may be repeated
    #[arg(long = "strategy", value_name = "WORKLOAD=data:N", value_parser = held)]
    pub held: Vec<(String, Strategy)>,
    /// Longest time for the solver, such as `30 s`, instead of the scenario's
    #[arg(long, value_name = "TIME")]
    pub time_limit: Option<scenarios::units::Seconds>,
    /// Relative gap that counts as solved, such as 0.01, instead of the scenario's
    #[arg(long, value_name = "SHARE", value_parser = gap)]
    pub gap: Option<f64>,
}

/// What `show` reads.
#[derive(Debug, Clone, Args)]
pub struct ShowArguments {
    /// Plan; `-` reads standard input
    pub plan: PathBuf,
}

/// What `schema` prints.
#[derive(Debug, Clone, Args)]
pub struct SchemaArguments {
    /// Which document
    #[arg(value_enum, default_value_t)]
    pub document: Document,
}

/// A document with a schema.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Document {
    /// What an architect writes
    #[default]
    Scenario,
    /// What `executor calibrate` measures
    Machine,
    /// What `planner solve` decides
    Plan,
    /// What `executor apply` records
    Run,
}

/// What `catalog` lists.
#[derive(Debug, Clone, Default, Args)]
pub struct CatalogArguments {
    /// Part of an instance type's or an accelerator's name
    pub search: Option<String>,
    /// Only this provider
    #[arg(long)]
    pub provider: Option<String>,
    /// Only this region
    #[arg(long)]
    pub region: Option<String>,
}

/// Which shell.
#[derive(Debug, Clone, Args)]
pub struct CompletionsArguments {
    /// Shell
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
}

fn held(text: &str) -> Result<(String, Strategy), String> {
    let expected = "expected WORKLOAD=data:N, such as `train=data:2`";
    let (workload, strategy) = text.split_once('=').ok_or(expected)?;
    let replicas = strategy.strip_prefix("data:").and_then(|number| number.parse().ok()).ok_or(expected)?;
    let strategy = Strategy::data_parallel(replicas).ok_or("a strategy has at least one replica")?;
    Ok((workload.to_owned(), strategy))
}

fn gap(text: &str) -> Result<f64, String> {
    let share: f64 = text.parse().map_err(|_| "expected a number, such as 0.01".to_owned())?;
    if (0.0..1.0).contains(&share) { Ok(share) } else { Err("a gap is at least 0 and less than 1".to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn strategies_are_read_or_explained() {
        let check = |text: &str, expected: Result<(&str, u32), &str>| {
            let found = held(text).map(|(name, strategy)| (name, strategy.ranks()));
            let expected = expected.map(|(name, ranks)| (name.to_owned(), ranks)).map_err(str::to_owned);
            assert_eq!(found, expected, "{text}");
        };
        check("train=data:2", Ok(("train", 2)));
        check("train=data:0", Err("a strategy has at least one replica"));
        check("train=tensor:2", Err("expected WORKLOAD=data:N, such as `train=data:2`"));
        check("train", Err("expected WORKLOAD=data:N, such as `train=data:2`"));
    }
}
