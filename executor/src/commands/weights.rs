//! Trained weights for the commands that use them.

use std::path::Path;

use scenarios::terminal::{Exit, Printer};

use crate::data::Records;
use crate::device::{Choice, Devices};
use crate::model::Checkpoint;

/// A network on its device.
pub(super) struct Weights {
    pub checkpoint: Checkpoint,
    pub devices: Devices,
}

/// Reads weights, or prints why it cannot.
pub(super) fn open(path: &Path, choice: Choice, printer: Printer) -> Result<Weights, Exit> {
    let devices = Devices::select(choice).map_err(|error| super::no_device(&error, printer))?;
    match Checkpoint::read(path, devices.of_rank(0)) {
        Ok(checkpoint) => Ok(Weights { checkpoint, devices }),
        Err(error) => {
            printer.error(&error, Some("weights are in `run/checkpoints/WORKLOAD.safetensors` of a run"));
            Err(Exit::InvalidDocument)
        }
    }
}

impl Weights {
    /// Whether the network takes these images; if not, it is said.
    pub(super) fn fit(&self, images: &Records, printer: Printer) -> Result<(), Exit> {
        let expected = self.checkpoint.recipe.model.input().map_or(0, |shape| shape.elements());
        if images.values() == expected {
            return Ok(());
        }
        let text = format!("images have {} pixels, but the network takes {expected}", images.values());
        printer.error(&std::io::Error::other(text), None);
        Err(Exit::RunFailed)
    }
}
