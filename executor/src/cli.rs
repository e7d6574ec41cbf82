//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use scenarios::terminal::{Exit, OutputFormat, Printer};

use crate::commands;
use crate::device::Choice;

/// Runs Causeway's plans for real: on GPUs through wgpu, or on the processor.
#[derive(Debug, Parser)]
#[command(name = "executor", version, after_help = EXIT_CODES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
    /// Say nothing but data, warnings and errors.
    #[arg(long, short, global = true)]
    quiet: bool,
}

const EXIT_CODES: &str = "Exit codes: 0 done, 1 a bug, 2 usage or files, 3 invalid document, 30 stale plan, \
31 wrong digest, 40 run failed, 41 outside the tolerance, 50 policy broken, 130 interrupted (checkpoint kept).";

#[derive(Debug, Subcommand)]
enum Command {
    /// List the devices of this machine.
    Devices(DevicesArgs),
    /// Measure this machine, for the planner's predictions.
    Calibrate(CalibrateArgs),
    /// Carry out a plan.
    Apply(ApplyArgs),
    /// Judge trained weights on the test records of a data set.
    Evaluate(EvaluateArgs),
    /// Answer to records with trained weights.
    Predict(PredictArgs),
    /// Let texts go on with a trained language model.
    Generate(GenerateArgs),
    /// Print completions for a shell.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Print the manual page.
    Man,
}

#[derive(Debug, Args)]
pub(crate) struct DevicesArgs {
    /// How to print them.
    #[arg(long, value_enum, default_value_t)]
    pub format: OutputFormat,
}

#[derive(Debug, Args)]
pub(crate) struct CalibrateArgs {
    /// Machine profile to write.
    #[arg(long, short)]
    pub output: PathBuf,
    /// Device to measure.
    #[arg(long, value_enum, default_value_t)]
    pub device: Choice,
    /// Name of the machine in plans; by default its processor's or GPU's.
    #[arg(long)]
    pub name: Option<String>,
    /// Numbers of ranks to measure; by default 1, 2, 4, … up to the cores or GPUs.
    #[arg(long, value_delimiter = ',')]
    pub ranks: Vec<u32>,
}

/// Where records come from.
#[derive(Debug, Args)]
pub(crate) struct DataArgs {
    /// Folder with the data sets, one folder each.
    #[arg(long, env = "CAUSEWAY_DATA")]
    pub data: Option<PathBuf>,
    /// Download the MNIST files if there is no folder and they are not cached.
    #[arg(long)]
    pub download: bool,
    /// Draw digits if there are no MNIST files.
    #[arg(long)]
    pub generate: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ApplyArgs {
    /// The plan.
    pub plan: PathBuf,
    /// Run this workload only.
    #[arg(long, short)]
    pub workload: Option<String>,
    /// Device to run on.
    #[arg(long, value_enum, default_value_t)]
    pub device: Choice,
    /// Folder for the run's record and weights.
    #[arg(long, short, default_value = "run")]
    pub output: PathBuf,
    #[command(flatten)]
    pub data: DataArgs,
    /// Stop each training after this many optimiser steps.
    #[arg(long)]
    pub steps: Option<u64>,
    /// Give each service requests for this many seconds.
    #[arg(long, default_value = "10")]
    pub serve_seconds: f64,
    /// Go on where the run in the folder stopped.
    #[arg(long, conflicts_with = "replace")]
    pub resume: bool,
    /// Put the new run in the place of the one in the folder.
    #[arg(long)]
    pub replace: bool,
    /// End with code 41 if a measured throughput differs from the predicted one by more than this many per cent.
    #[arg(long, value_name = "PERCENT")]
    pub tolerance: Option<f64>,
    /// How to print what was measured.
    #[arg(long, value_enum, default_value_t)]
    pub format: OutputFormat,
}

#[derive(Debug, Args)]
pub(crate) struct EvaluateArgs {
    /// Trained weights (`run/checkpoints/WORKLOAD.safetensors`).
    pub weights: PathBuf,
    /// Folder of the data set below the data folder; by default that of the data set that the weights learned from.
    #[arg(long)]
    pub path: Option<String>,
    #[command(flatten)]
    pub data: DataArgs,
    /// Records in one forward pass.
    #[arg(long, default_value = "1000", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub batch: u32,
    /// Device to run on.
    #[arg(long, value_enum, default_value_t)]
    pub device: Choice,
    /// How to print the figures.
    #[arg(long, value_enum, default_value_t)]
    pub format: OutputFormat,
}

#[derive(Debug, Args)]
pub(crate) struct PredictArgs {
    /// Trained weights (`run/checkpoints/WORKLOAD.safetensors`).
    pub weights: PathBuf,
    /// Files like those that the network learned from, what is to be found may be missing: IDX, CIFAR, PNG, JPEG or a folder
    /// of pictures, CSV, texts by line (`-` for standard input), users and items, clicks.
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    /// Classes, or tokens for each `[MASK]`, the likeliest first.
    #[arg(long, default_value = "1", value_parser = clap::value_parser!(u32).range(1..))]
    pub top: u32,
    /// Least score of an object, 0 to 1.
    #[arg(long, default_value = "0.5")]
    pub score: f32,
    /// Answer to the first records only.
    #[arg(long)]
    pub limit: Option<usize>,
    /// Records in one forward pass.
    #[arg(long, default_value = "256", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub batch: u32,
    /// Device to run on.
    #[arg(long, value_enum, default_value_t)]
    pub device: Choice,
    /// How to print the answers.
    #[arg(long, value_enum, default_value_t)]
    pub format: OutputFormat,
}

#[derive(Debug, Args)]
pub(crate) struct GenerateArgs {
    /// Trained weights of a language model (`run/checkpoints/WORKLOAD.safetensors`).
    pub weights: PathBuf,
    /// Text to go on from, once or several times; `-` for each line of standard input.
    #[arg(long, required = true)]
    pub prompt: Vec<String>,
    /// Tokens to add to each, at most.
    #[arg(long, default_value = "100", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub tokens: u32,
    /// Draw tokens by softmax(score / temperature); without it the likeliest one is taken.
    #[arg(long)]
    pub temperature: Option<f32>,
    /// Draw from so many of the likeliest tokens only.
    #[arg(long, requires = "temperature")]
    pub top_k: Option<usize>,
    /// Seed of the draws.
    #[arg(long, default_value = "0")]
    pub seed: u64,
    /// Texts that go on together; one alone is shown as it grows.
    #[arg(long, default_value = "1", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub batch: u32,
    /// Device to run on.
    #[arg(long, value_enum, default_value_t)]
    pub device: Choice,
    /// How to print the texts; JSON has the times too.
    #[arg(long, value_enum, default_value_t)]
    pub format: OutputFormat,
}

/// Reads the command line and does what it says.
#[must_use]
pub fn run() -> Exit {
    let cli = Cli::parse();
    let printer = Printer::new(cli.quiet);
    match cli.command {
        Command::Devices(args) => commands::devices(&args, printer),
        Command::Calibrate(args) => commands::calibrate(&args, printer),
        Command::Apply(args) => commands::apply(&args, printer, cli.quiet),
        Command::Evaluate(args) => commands::evaluate(&args, printer),
        Command::Predict(args) => commands::predict(&args, printer),
        Command::Generate(args) => commands::generate(&args, printer),
        Command::Completions { shell } => commands::completions(shell, printer),
        Command::Man => commands::man(printer),
    }
}
