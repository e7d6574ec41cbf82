//! Trained weights for the commands that use them.

use std::path::Path;

use scenarios::terminal::{Exit, Printer};

use crate::device::{Choice, Devices};
use crate::model::{Checkpoint, CheckpointError};

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
            printer.error(&error, Some(help(&error)));
            Err(Exit::InvalidDocument)
        }
    }
}

/// The smallest fix for weights that cannot be used.
pub(super) const fn help(error: &CheckpointError) -> &'static str {
    match error {
        CheckpointError::Read { .. } | CheckpointError::Write(_) => {
            "weights are in `run/checkpoints/WORKLOAD.safetensors` of a run"
        }
        CheckpointError::Damaged { .. } => "copy the file again, or train again: the file is not whole",
        CheckpointError::NoRecipe { .. } | CheckpointError::Recipe { .. } => {
            "give weights that `executor apply` of this version has written"
        }
        CheckpointError::Shape { .. } | CheckpointError::Mismatch { .. } => {
            "give weights of this network, or train again: name and tensors were written by different networks"
        }
        CheckpointError::Encode { .. } => "the network is too large for the format",
    }
}
