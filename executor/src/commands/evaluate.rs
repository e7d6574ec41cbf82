use scenarios::scenario::{self, FileFormat, Split};
use scenarios::terminal::{Exit, Printer, Table};
use serde::Serialize;

use super::weights::{self, Weights};
use super::{data_help, files};
use crate::cli::EvaluateArgs;
use crate::data::{self, Needs, Reader, Wanted};
use crate::evaluate::{self, Evaluation};

/// Folder of the data set where the weights do not say which they learned from.
const MNIST: &str = "mnist";

#[derive(Debug, Serialize)]
struct View {
    data: String,
    records: u64,
    accuracy: f64,
    loss: f64,
    throughput: f64,
    confusion: Vec<Vec<u64>>,
}

pub(crate) fn evaluate(args: &EvaluateArgs, printer: Printer) -> Exit {
    run(args, printer).unwrap_or_else(|exit| exit)
}

fn run(args: &EvaluateArgs, printer: Printer) -> Result<Exit, Exit> {
    let weights = weights::open(&args.weights, args.device, printer)?;
    let recipe = &weights.checkpoint.recipe;
    let needs = Needs::of(&recipe.model).map_err(|error| {
        printer.error(&error, None);
        Exit::InvalidDocument
    })?;
    let mut of = recipe.files.clone().unwrap_or_else(|| scenario::Files::new(FileFormat::Idx, MNIST));
    if let Some(path) = &args.path {
        of.path.clone_from(path);
    }
    let wanted =
        Wanted { dataset: &of.path, files: &of, needs: &needs, records: 0, seed: 0, known: Some(&recipe.codes) };
    let found = data::find(wanted, &files(&args.data)).map_err(|error| {
        printer.error(&error, data_help(&error));
        Exit::RunFailed
    })?;
    let test = data::prepare(&found.train, &found.test, needs.classes(), Split::default(), 0).test;
    weights.fit(&test, printer)?;
    let Weights { checkpoint, devices } = weights;
    let reader = Reader::new(&checkpoint.recipe.preprocessing, 0);
    let figures = evaluate::evaluate(&checkpoint.network, &test, &reader, args.batch as usize, devices.of_rank(0));
    printer.status(&format!("{} on {}", args.weights.display(), found.source));
    printer.table(args.format, &table(&figures), &view(found.source, &figures));
    Ok(Exit::Done)
}

fn view(data: String, figures: &Evaluation) -> View {
    View {
        data,
        records: figures.records(),
        accuracy: figures.accuracy(),
        loss: figures.loss(),
        throughput: figures.throughput(),
        confusion: figures.confusion.clone(),
    }
}

/// Figures of the whole, then of each class.
fn table(figures: &Evaluation) -> Table {
    let mut table = Table::new(&["class", "records", "right", "most often taken for"]);
    let all = figures.records();
    let right = format!("{:.2} %", 100.0 * figures.accuracy());
    table.rows.push(vec!["all".to_owned(), all.to_string(), right, format!("loss {:.4}", figures.loss())]);
    for (class, row) in figures.confusion.iter().enumerate() {
        let count: u64 = row.iter().sum();
        let wrong = row.iter().enumerate().filter(|(other, count)| *other != class && **count > 0);
        let wrong = wrong.max_by_key(|(_, count)| **count).map(|(other, count)| format!("{other} ({count})"));
        let right = format!("{:.2} %", 100.0 * row[class] as f64 / count.max(1) as f64);
        table.rows.push(vec![class.to_string(), count.to_string(), right, wrong.unwrap_or_default()]);
    }
    table
}
