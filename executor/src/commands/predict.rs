use std::ops::ControlFlow;

use scenarios::terminal::{Exit, Printer, Stream, Table};
use serde::Serialize;

use super::read_help;
use super::weights::{self, Weights};
use crate::cli::PredictArgs;
use crate::data::{Manner, Needs, Reader, Unlabelled, read_unlabelled};
use crate::predict::{Named, Names, Said, Told, predict as answers};

#[derive(Debug, Serialize)]
struct View {
    file: String,
    /// Line, or place in the file, from 1.
    record: usize,
    answer: Said,
}

pub(crate) fn predict(args: &PredictArgs, printer: Printer) -> Exit {
    run(args, printer).unwrap_or_else(|exit| exit)
}

fn run(args: &PredictArgs, printer: Printer) -> Result<Exit, Exit> {
    let Weights { checkpoint, devices } = weights::open(&args.weights, args.device, printer)?;
    let recipe = &checkpoint.recipe;
    let refused = |error: &dyn std::error::Error, help| {
        printer.error(error, help);
        Exit::RunFailed
    };
    let needs = Needs::of(&recipe.model).map_err(|error| refused(&error, None))?;
    let names = Names::of(&recipe.codes).map_err(|error| refused(&error, None))?;
    let reader = Reader::new(&recipe.preprocessing, recipe.seed);
    let (codes, batch) = (&recipe.codes, args.batch as usize);
    let manner = Manner { files: recipe.files.as_ref(), needs: &needs, codes, reader: &reader, batch };
    let told = Told { top: args.top as usize, score: args.score };
    let (mut stream, mut left) = (Stream::new(printer, args.format), args.limit.unwrap_or(usize::MAX));
    let mut each = |read: Unlabelled| {
        let Unlabelled { file, numbers, batch } = read;
        let said = answers(&checkpoint.network, batch, told, devices.of_rank(0));
        let of_record = |(record, prediction)| View { file: file.clone(), record, answer: names.said(prediction) };
        let views: Vec<View> = numbers.into_iter().zip(said).take(left).map(of_record).collect();
        left -= views.len();
        stream.part(&table(&views), &views);
        if left == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let broken = read_unlabelled(&args.files, manner, &mut each);
    stream.end();
    match broken {
        Ok(0) => Ok(Exit::Done),
        Ok(broken) => {
            printer.warning(&format!("{broken} broken record(s) were skipped"));
            Ok(Exit::Done)
        }
        Err(error) => Err(refused(&error, read_help(&error))),
    }
}

/// Rows of records: one for each class, object or token, all of the same columns.
fn table(views: &[View]) -> Table {
    let header: &[&str] = match views.first().map(|view| &view.answer) {
        Some(Said::Classes(_)) => &["file", "record", "class", "probability"],
        Some(Said::Objects(_)) => &["file", "record", "class", "score", "x", "y", "width", "height"],
        Some(Said::Hidden(_)) => &["file", "record", "hidden", "token", "probability"],
        Some(Said::Text { .. }) => &["file", "record", "loss", "perplexity", "tokens"],
        Some(Said::ClickProbability(_)) => &["file", "record", "probability"],
        Some(Said::Numbers(_)) | None => &["file", "record", "value"],
    };
    let mut table = Table::new(header);
    for view in views {
        for cells in cells(&view.answer) {
            table.rows.push([vec![view.file.clone(), view.record.to_string()], cells].concat());
        }
    }
    table
}

fn cells(answer: &Said) -> Vec<Vec<String>> {
    let share = |share: f32| format!("{share:.4}");
    match answer {
        Said::Classes(named) => named.iter().map(|one| vec![one.name.clone(), share(one.probability)]).collect(),
        Said::Objects(named) => {
            let of = |one: &Named| {
                let place = one.place.unwrap_or_default().map(share);
                [vec![one.name.clone(), share(one.probability)], place.to_vec()].concat()
            };
            named.iter().map(of).collect()
        }
        Said::Hidden(places) => {
            let of = |(place, named): (usize, &Vec<Named>)| {
                let row = |one: &Named| vec![(place + 1).to_string(), one.name.clone(), share(one.probability)];
                named.iter().map(row).collect::<Vec<_>>()
            };
            places.iter().enumerate().flat_map(of).collect()
        }
        Said::Text { loss, perplexity, tokens } => {
            vec![vec![format!("{loss:.4}"), format!("{perplexity:.2}"), format!("{tokens:.0}")]]
        }
        Said::ClickProbability(probability) => vec![vec![share(*probability)]],
        Said::Numbers(numbers) => vec![vec![numbers.iter().map(f32::to_string).collect::<Vec<_>>().join(" ")]],
    }
}
