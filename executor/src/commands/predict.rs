use scenarios::terminal::{Exit, Printer, Table};
use serde::Serialize;

use super::no_device;
use crate::cli::PredictArgs;
use crate::data::{Normalization, Records, idx};
use crate::device::Devices;
use crate::evaluate::classify;
use crate::model::Checkpoint;

/// Images in one forward pass.
const BATCH: usize = 256;

#[derive(Debug, Serialize)]
struct View {
    image: usize,
    class: usize,
    confidence: f32,
}

pub(crate) fn predict(args: &PredictArgs, printer: Printer) -> Exit {
    let devices = match Devices::select(args.device) {
        Ok(devices) => devices,
        Err(error) => return no_device(&error, printer),
    };
    let checkpoint = match Checkpoint::read(&args.weights, devices.of_rank(0)) {
        Ok(checkpoint) => checkpoint,
        Err(error) => {
            printer.error(&error, None);
            return Exit::InvalidDocument;
        }
    };
    let images = match idx::read_images(&args.images) {
        Ok(images) => first(images, args.limit),
        Err(error) => {
            printer.error(&error, Some("images are read in the IDX format of MNIST, plain or gzip"));
            return Exit::RunFailed;
        }
    };
    let expected = checkpoint.recipe.model.input().map_or(0, |shape| shape.elements());
    if images.values() != expected {
        let text = format!("images have {} pixels, but the network takes {expected}", images.values());
        printer.error(&std::io::Error::other(text), None);
        return Exit::RunFailed;
    }
    let normalization = Normalization::new(&checkpoint.recipe.preprocessing);
    let classes = classify(&checkpoint.network, &images, &normalization, BATCH, devices.of_rank(0));
    let views: Vec<_> =
        classes.into_iter().enumerate().map(|(image, (class, confidence))| View { image, class, confidence }).collect();
    let mut table = Table::new(&["image", "class", "confidence"]);
    let row = |view: &View| vec![view.image.to_string(), view.class.to_string(), format!("{:.4}", view.confidence)];
    table.rows = views.iter().map(row).collect();
    printer.table(args.format, &table, &views);
    Exit::Done
}

fn first(mut images: Records, limit: Option<usize>) -> Records {
    let kept = limit.unwrap_or(usize::MAX).min(images.len());
    images.pixels.truncate(kept * images.values());
    images
}
