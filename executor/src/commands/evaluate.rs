use indexmap::IndexMap;
use scenarios::run::Bounds;
use scenarios::scenario::{self, FileFormat};
use scenarios::terminal::{Exit, Printer, Table};
use serde::Serialize;

use super::weights::{self, Weights};
use super::{data_help, files};
use crate::cli::EvaluateArgs;
use crate::data::{self, Needs, Reader, Wanted};
use crate::evaluate::{self, EvaluateError, Evaluation};

/// Folder of the data set where the weights do not say which they learned from.
const MNIST: &str = "mnist";

#[derive(Debug, Serialize)]
struct View {
    data: String,
    records: u64,
    metrics: IndexMap<&'static str, f64>,
    /// At 95 % confidence.
    intervals: IndexMap<&'static str, Bounds>,
    throughput: f64,
    confusion: Vec<Vec<u64>>,
    classes: Vec<String>,
}

pub(crate) fn evaluate(args: &EvaluateArgs, printer: Printer) -> Exit {
    run(args, printer).unwrap_or_else(|exit| exit)
}

fn run(args: &EvaluateArgs, printer: Printer) -> Result<Exit, Exit> {
    let Weights { checkpoint, devices } = weights::open(&args.weights, args.device, printer)?;
    let recipe = &checkpoint.recipe;
    let needs = Needs::of(&recipe.model).map_err(|error| {
        printer.error(&error, None);
        Exit::InvalidDocument
    })?;
    let mut of = recipe.files.clone().unwrap_or_else(|| scenario::Files::new(FileFormat::Idx, MNIST));
    let mut split = recipe.preprocessing.split;
    if let Some(path) = args.path.as_ref().filter(|path| **path != of.path) {
        of.path.clone_from(path);
        split = scenario::Split::default();
    }
    let wanted = Wanted {
        dataset: &of.path,
        files: &of,
        needs: &needs,
        records: 0,
        seed: recipe.seed,
        known: Some(&recipe.codes),
    };
    let found = data::find(wanted, &files(&args.data)).map_err(|error| {
        printer.error(&error, data_help(&error));
        Exit::RunFailed
    })?;
    let test = data::prepare(&found.train, &found.test, (needs.classes(), &[]), split, recipe.seed).test;
    let reader = Reader::new(&recipe.preprocessing, recipe.seed);
    let shares = (args.batch as usize, 1);
    let figures = evaluate::evaluate(&checkpoint.network, &test, &reader, shares, &devices).map_err(|error| {
        printer.error(&error, Some(help(&error)));
        Exit::RunFailed
    })?;
    printer.status(&format!("{} on {}", args.weights.display(), found.source));
    let classes = &recipe.codes.classes;
    printer.table(args.format, &table(&figures, classes), &view(found.source, &figures, classes.clone()));
    Ok(Exit::Done)
}

/// The smallest fix for what cannot be judged.
pub(super) const fn help(error: &EvaluateError) -> &'static str {
    match error {
        EvaluateError::Empty => {
            "name test files by `test` in the data set's `files`, or hold records back by `split: { test: 0.1 }` in the training's `preprocessing`"
        }
        EvaluateError::Unlabelled => "`executor predict` answers to records of which nothing is known",
        EvaluateError::Shape { .. } => "evaluate with records like those that the network learned from",
        EvaluateError::NotFinite { .. } => "train again with a lower learning rate",
    }
}

fn view(data: String, found: &Evaluation, classes: Vec<String>) -> View {
    let figures = found.figures();
    let bounds = |(name, figure): (&&'static str, &evaluate::Figure)| {
        figure.interval.map(|[low, high]| (*name, Bounds { low, high }))
    };
    View {
        data,
        records: found.records(),
        metrics: figures.iter().map(|(name, figure)| (*name, figure.value)).collect(),
        intervals: figures.iter().filter_map(bounds).collect(),
        throughput: found.throughput(),
        confusion: found.confusion(),
        classes,
    }
}

/// Figures of the whole, then of each class.
fn table(found: &Evaluation, classes: &[String]) -> Table {
    let mut table = Table::new(&["figure", "value", "95 % interval", "records", "most often taken for"]);
    let row = |name: &str, value: f64, interval: Option<[f64; 2]>, records: u64, taken: String| {
        let interval = interval.map_or_else(|| "–".to_owned(), |[low, high]| format!("{low:.4} to {high:.4}"));
        vec![name.to_owned(), format!("{value:.4}"), interval, records.to_string(), taken]
    };
    for (name, figure) in found.figures() {
        table.rows.push(row(name, figure.value, figure.interval, found.records(), String::new()));
    }
    for (class, counts) in found.confusion().iter().enumerate() {
        let name = |class: usize| classes.get(class).cloned().unwrap_or_else(|| class.to_string());
        let count: u64 = counts.iter().sum();
        let wrong = counts.iter().enumerate().filter(|(other, count)| *other != class && **count > 0);
        let wrong = wrong.max_by_key(|(_, count)| **count).map(|(other, count)| format!("{} ({count})", name(other)));
        let recall = counts[class] as f64 / count.max(1) as f64;
        table.rows.push(row(&format!("recall of {}", name(class)), recall, None, count, wrong.unwrap_or_default()));
    }
    table
}
