//! The command line.

use std::num::{NonZeroU32, NonZeroU64, NonZeroUsize};
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use scenarios::precision::Precision;
use scenarios::strategy::{Strategy, StrategyError};
use scenarios::terminal::OutputFormat;
use scenarios::units::{Bandwidth, Bytes};

use crate::explain::Setting;
use crate::performance::serving::Bucket;
use crate::planning::PlacePattern;

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
    /// Read a scenario and tell all its problems, or check a plan against it
    Check(CheckArguments),
    /// List every placement of every workload, possible or refused, without solving
    Candidates(CandidatesArguments),
    /// Find the best plan and write it
    Solve(SolveArguments),
    /// Show a plan: verdict, assignments, flows, placements considered, totals, solver
    Show(ShowArguments),
    /// Tell why the plan is as it is: runners-up, what binds and what it is worth, why not elsewhere
    Explain(ExplainArguments),
    /// Show what a change of the scenario would do to the plan
    Whatif(WhatifArguments),
    /// List plans between the cheapest and the fastest, or the cleanest
    Frontier(FrontierArguments),
    /// Show what differs between two plans
    Diff(DiffArguments),
    /// Predict one training on catalogued machines, with its parts, memory and interval
    Predict(PredictArguments),
    /// Tell how far predictions miss a table of measured runs that the fit has not seen
    Accuracy(AccuracyArguments),
    /// Fit constants to a table of training runs, serving runs or collectives, and write the calibration
    Fit(FitArguments),
    /// Predict a replica that answers requests: throughput, time to the first token and to the next
    Serve(ServeArguments),
    /// Plan the cheapest bulk copy between regions, over relays where that helps and rules permit it
    Transfer(TransferArguments),
    /// Place the layers of a served network on unequal machines, for the highest throughput
    Layers(LayersArguments),
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

/// What `check` reads.
#[derive(Debug, Clone, Args)]
pub struct CheckArguments {
    /// The scenario.
    #[command(flatten)]
    pub file: ScenarioFile,
    /// Plan to check against the scenario, from the two and the catalogue alone
    #[arg(long, value_name = "PLAN")]
    pub plan: Option<PathBuf>,
}

/// What `candidates` reads.
#[derive(Debug, Clone, Args)]
pub struct CandidatesArguments {
    /// The scenario.
    #[command(flatten)]
    pub file: ScenarioFile,
    /// Hold a workload to one strategy, such as `train=data:2`
    #[arg(long = "strategy", value_name = "WORKLOAD=STRATEGY", value_parser = held)]
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
    #[arg(long = "strategy", value_name = "WORKLOAD=STRATEGY", value_parser = held)]
    pub held: Vec<(String, Strategy)>,
    /// Longest time, such as `30 s`, instead of the scenario's
    #[arg(long, value_name = "TIME")]
    pub time_limit: Option<scenarios::units::Seconds>,
    /// Relative gap that counts as solved, such as 0.01, instead of the scenario's
    #[arg(long, value_name = "SHARE", value_parser = gap)]
    pub gap: Option<f64>,
    /// Write up to N more plans, as different from each other as `--within` allows, as `plan-2.json`, `plan-3.json`, …
    #[arg(long, value_name = "N", default_value = "0", value_parser = clap::value_parser!(u32).range(0..=100))]
    pub alternatives: u32,
    /// How much worse than the best plan the alternatives may be, such as `5%`
    #[arg(long, value_name = "SHARE", default_value = "5%", value_parser = share, requires = "alternatives")]
    pub within: f64,
}

/// What `show` reads.
#[derive(Debug, Clone, Args)]
pub struct ShowArguments {
    /// Plan; `-` reads standard input
    pub plan: PathBuf,
}

/// What `explain` is asked.
#[derive(Debug, Clone, Args)]
pub struct ExplainArguments {
    /// The scenario.
    #[command(flatten)]
    pub file: ScenarioFile,
    /// Plan of the scenario; without it the scenario is solved
    #[arg(long, value_name = "PLAN")]
    pub plan: Option<PathBuf>,
    /// Only this workload
    #[arg(long, value_name = "WORKLOAD")]
    pub workload: Option<String>,
    /// Tell what became of a place, such as `eu-dc` or `eu-dc/h100` (pool or instance type, `*` for any letters), and
    /// what the plan would be there; may be repeated
    #[arg(long, value_name = "SITE[/MACHINE]")]
    pub why_not: Vec<PlacePattern>,
    /// Longest time for each search, such as `30 s`, instead of the scenario's
    #[arg(long, value_name = "TIME")]
    pub time_limit: Option<scenarios::units::Seconds>,
}

/// What `whatif` is asked.
#[derive(Debug, Clone, Args)]
pub struct WhatifArguments {
    /// The scenario.
    #[command(flatten)]
    pub file: ScenarioFile,
    /// A change, such as `sites.eu.pools.h100.nodes+=8`, `policies.old.expires=2027-01-01`, `price.h100*=0.8`,
    /// `demand*=2` or `link.bandwidth/=2`; operators are `=`, `+=`, `-=`, `*=` and `/=`; may be repeated
    #[arg(long = "set", value_name = "PATH=VALUE", required = true)]
    pub set: Vec<Setting>,
    /// Where the changed plan is written; by default nowhere
    #[arg(long, short, value_name = "PLAN")]
    pub output: Option<PathBuf>,
    /// Longest time for each search, such as `30 s`, instead of the scenario's
    #[arg(long, value_name = "TIME")]
    pub time_limit: Option<scenarios::units::Seconds>,
}

/// What `frontier` is asked.
#[derive(Debug, Clone, Args)]
pub struct FrontierArguments {
    /// The scenario.
    #[command(flatten)]
    pub file: ScenarioFile,
    /// What cost is weighed against
    #[arg(long, value_enum, default_value_t)]
    pub against: Against,
    /// Most plans, the two ends included
    #[arg(long, value_name = "N", default_value = "8", value_parser = clap::value_parser!(u32).range(2..=100))]
    pub points: u32,
    /// Folder for the plans; by default they are not written
    #[arg(long, short, value_name = "DIR")]
    pub output: Option<PathBuf>,
    /// Longest time for each search, such as `30 s`, instead of the scenario's
    #[arg(long, value_name = "TIME")]
    pub time_limit: Option<scenarios::units::Seconds>,
}

/// What cost is weighed against.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum Against {
    /// When the last workload ends
    #[default]
    FinishTime,
    /// Greenhouse gas
    Carbon,
}

/// What `diff` reads.
#[derive(Debug, Clone, Args)]
pub struct DiffArguments {
    /// Plan before; `-` reads standard input
    pub before: PathBuf,
    /// Plan after; `-` reads standard input
    pub after: PathBuf,
    /// Exit with 10 if the plans differ
    #[arg(long)]
    pub detailed_exitcode: bool,
}

/// What `predict` is asked.
#[derive(Debug, Clone, Args)]
pub struct PredictArguments {
    /// Network: a preset's name, such as `gpt3-175b`, or a YAML file that describes one
    #[arg(long)]
    pub model: String,
    /// Accelerator, such as `H100` or `A100-SXM-80GB`
    #[arg(long, value_name = "ACCELERATOR")]
    pub machine: String,
    /// Machines
    #[arg(long, default_value = "1")]
    pub nodes: NonZeroU32,
    /// Accelerators of each machine
    #[arg(long, value_name = "N", default_value = "8")]
    pub devices_per_node: NonZeroU32,
    /// Strategy, such as `data:8,tensor:8,pipeline:16,micro_batch:1`; without it the fastest that fits is searched for
    #[arg(long)]
    pub strategy: Option<Strategy>,
    /// Records of one optimiser step over all replicas
    #[arg(long, value_name = "RECORDS")]
    pub global_batch: NonZeroU64,
    /// Tokens of one record, instead of the preset's
    #[arg(long, value_name = "TOKENS")]
    pub sequence: Option<NonZeroUsize>,
    /// Number format
    #[arg(long, default_value = "bf16")]
    pub precision: Precision,
    /// Rate between machines, such as `400 Gbit/s`, all adapters of a machine together, instead of the usual
    #[arg(long, value_name = "RATE")]
    pub network: Option<Bandwidth>,
    /// Software whose calibration is used, such as `NVIDIA/Megatron-LM`; see `planner accuracy`
    #[arg(long, value_name = "NAME", default_value = "")]
    pub stack: String,
    /// Whether attention writes its scores to memory, as before FlashAttention
    #[arg(long)]
    pub unfused_attention: bool,
    /// Calibration that `planner fit` wrote, instead of the bundled one
    #[arg(long, value_name = "FILE")]
    pub calibration: Option<PathBuf>,
    /// Steps of the whole job: tells checkpoints, failures and the expected time
    #[arg(long, value_name = "N", help_heading = "Whole job")]
    pub steps: Option<NonZeroU64>,
    /// Mean time between failures of one device, in hours; Llama 3's 54 days on 16,384 GPUs had one in 50,700
    #[arg(long, value_name = "HOURS", default_value = "50700", value_parser = positive, help_heading = "Whole job")]
    pub device_mtbf: f64,
    /// From a failure until the job goes on, in minutes
    #[arg(long, value_name = "MINUTES", default_value = "10", value_parser = positive, help_heading = "Whole job")]
    pub restart: f64,
    /// Rate at which all devices together read records and write checkpoints
    #[arg(long, value_name = "RATE", default_value = "100 Gbit/s", help_heading = "Whole job")]
    pub storage: Bandwidth,
    /// Size of a stored record; tells whether steps wait for their input
    #[arg(long, value_name = "SIZE", help_heading = "Whole job")]
    pub record_size: Option<Bytes>,
    /// How many strategies the search lists
    #[arg(long, value_name = "N", default_value = "10")]
    pub top: usize,
}

/// What `serve` is asked.
#[derive(Debug, Clone, Args)]
pub struct ServeArguments {
    /// Network: a decoder's preset, such as `llama3-70b`, or a JSON file that describes one
    #[arg(long)]
    pub model: String,
    /// Accelerator, such as `H100`
    #[arg(long, value_name = "ACCELERATOR")]
    pub machine: String,
    /// Devices that share every matrix
    #[arg(long, value_name = "N", default_value = "1")]
    pub tensor: NonZeroU32,
    /// Stages of layers
    #[arg(long, value_name = "N", default_value = "1")]
    pub pipeline: NonZeroU32,
    /// Format of weights
    #[arg(long, default_value = "bf16")]
    pub precision: Precision,
    /// Format of the cache of keys and values
    #[arg(long, value_name = "PRECISION", default_value = "bf16")]
    pub cache: Precision,
    /// Requests, as tokens read, tokens answered and a weight, such as `1000:200` or `128:128:3`; may be repeated
    #[arg(long = "requests", value_name = "IN:OUT[:WEIGHT]", value_parser = bucket, required = true)]
    pub requests: Vec<Bucket>,
    /// Requests in a second; without it and `--batch` as many as the replica can answer
    #[arg(long, value_name = "PER_SECOND", value_parser = positive)]
    pub rate: Option<f64>,
    /// Fixed batches of this size instead of continuous batching
    #[arg(long, value_name = "REQUESTS", conflicts_with = "rate")]
    pub batch: Option<NonZeroU32>,
}

/// What `transfer` reads.
#[derive(Debug, Clone, Args)]
pub struct TransferArguments {
    /// Network and copy, in JSON of format `causeway.transfer/1`; `-` reads standard input
    pub file: PathBuf,
    /// Rate at which the copy is to move, such as `8 Gbit/s`, instead of the document's
    #[arg(long, value_name = "RATE")]
    pub rate: Option<Bandwidth>,
    /// Place that the data may not pass, besides the document's; may be repeated
    #[arg(long, value_name = "PLACE")]
    pub avoid: Vec<String>,
}

/// What `layers` reads.
#[derive(Debug, Clone, Args)]
pub struct LayersArguments {
    /// A fleet of machines and a number of layers, or a list of such, in JSON; `-` reads standard input
    pub file: PathBuf,
}

/// What `accuracy` reads.
#[derive(Debug, Clone, Args)]
pub struct AccuracyArguments {
    /// Table of measured runs; `-` reads standard input
    pub runs: PathBuf,
    /// Which runs are left out of the fit together
    #[arg(long, value_enum, default_value_t)]
    pub leave_out: LeaveOut,
    /// List every run instead of every source
    #[arg(long)]
    pub each: bool,
}

/// Which runs a fit has not seen when it predicts them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum LeaveOut {
    /// One of five parts at a time
    #[default]
    Folds,
    /// One source at a time
    Sources,
    /// One device at a time
    Devices,
    /// None: predict with the bundled calibration, as users do
    Nothing,
}

/// What `fit` reads and writes.
#[derive(Debug, Clone, Args)]
pub struct FitArguments {
    /// Table of measured runs; `-` reads standard input
    pub runs: PathBuf,
    /// Folder for the calibration
    #[arg(long, short, value_name = "DIR")]
    pub output: PathBuf,
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
    let expected = "expected WORKLOAD=STRATEGY, such as `train=data:2` or `train=tensor:2,pipeline:2`";
    let (workload, strategy) = text.split_once('=').ok_or(expected)?;
    let strategy: Strategy = strategy.parse().map_err(|error: StrategyError| error.to_string())?;
    Ok((workload.to_owned(), strategy))
}

fn positive(text: &str) -> Result<f64, String> {
    let value: f64 = text.parse().map_err(|_| "expected a number".to_owned())?;
    if value > 0.0 && value <= 1e12 { Ok(value) } else { Err("expected a number above 0, at most 10^12".to_owned()) }
}

fn bucket(text: &str) -> Result<Bucket, String> {
    let expected = || "expected IN:OUT or IN:OUT:WEIGHT, such as `1000:200`".to_owned();
    let parts: Vec<&str> = text.split(':').collect();
    let tokens = |text: &str| text.parse::<NonZeroU32>().map_err(|_| expected());
    match parts.as_slice() {
        [input, output] => Ok(Bucket { input: tokens(input)?, output: tokens(output)?, weight: 1.0 }),
        [input, output, weight] => {
            Ok(Bucket { input: tokens(input)?, output: tokens(output)?, weight: positive(weight)? })
        }
        _ => Err(expected()),
    }
}

/// A share as `5%` or `0.05`.
fn share(text: &str) -> Result<f64, String> {
    let (digits, unit) = text.strip_suffix('%').map_or((text, 1.0), |digits| (digits.trim(), 100.0));
    let share = digits.parse::<f64>().map_err(|_| "expected a share, such as `5%`".to_owned())? / unit;
    if (0.0..=10.0).contains(&share) { Ok(share) } else { Err("a share is at least 0 % and at most 1000 %".to_owned()) }
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
    fn shares_are_read() {
        let check = |text: &str, expected: Option<f64>| assert_eq!(share(text).ok(), expected, "{text}");
        check("5%", Some(0.05));
        check("5 %", Some(0.05));
        check("0.05", Some(0.05));
        check("-1%", None);
        check("nan", None);
        check("much", None);
    }

    #[test]
    fn strategies_are_read_or_explained() {
        let check = |text: &str, expected: Result<(&str, u32), &str>| {
            let found = held(text).map(|(name, strategy)| (name, strategy.ranks()));
            let expected = expected.map(|(name, ranks)| (name.to_owned(), ranks)).map_err(str::to_owned);
            assert_eq!(found, expected, "{text}");
        };
        check("train=data:2", Ok(("train", 2)));
        check("train=data:0", Err("`data` takes a whole number from 1, not `0`"));
        check("train=tensor:2,pipeline:3", Ok(("train", 6)));
        check("train", Err("expected WORKLOAD=STRATEGY, such as `train=data:2` or `train=tensor:2,pipeline:2`"));
    }
}
