use scenarios::terminal::{Exit, Printer, Table};
use serde::Serialize;

use super::weights::{self, Weights};
use crate::cli::PredictArgs;
use crate::data::{Reader, idx};
use crate::evaluate::classify;

/// Images in one forward pass.
const BATCH: usize = 256;

#[derive(Debug, Serialize)]
struct View {
    image: usize,
    class: usize,
    confidence: f32,
}

pub(crate) fn predict(args: &PredictArgs, printer: Printer) -> Exit {
    run(args, printer).unwrap_or_else(|exit| exit)
}

fn run(args: &PredictArgs, printer: Printer) -> Result<Exit, Exit> {
    let weights = weights::open(&args.weights, args.device, printer)?;
    let images = idx::read_images(&args.images).map_err(|error| {
        printer.error(&error, Some("images are read in the IDX format of MNIST, plain or gzip"));
        Exit::RunFailed
    })?;
    let images = args.limit.map_or_else(|| images.clone(), |limit| images.first(limit));
    weights.fit(&images, printer)?;
    let Weights { checkpoint, devices } = weights;
    let reader = Reader::new(&checkpoint.recipe.preprocessing, 0);
    let classes = classify(&checkpoint.network, &images, &reader, BATCH, devices.of_rank(0));
    let views: Vec<_> =
        classes.into_iter().enumerate().map(|(image, (class, confidence))| View { image, class, confidence }).collect();
    let mut table = Table::new(&["image", "class", "confidence"]);
    let row = |view: &View| vec![view.image.to_string(), view.class.to_string(), format!("{:.4}", view.confidence)];
    table.rows = views.iter().map(row).collect();
    printer.table(args.format, &table, &views);
    Ok(Exit::Done)
}
