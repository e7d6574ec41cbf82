//! `planner fit`: constants from measured runs.

use scenarios::document::{self, DocumentError};
use scenarios::terminal::{Exit, Printer};

use super::failure::Failure;
use super::runs;
use crate::cli::FitArguments;
use crate::performance::calibration::Calibration;

pub(super) fn run(arguments: &FitArguments, printer: Printer) -> Result<Exit, Failure> {
    let table = runs::read(&arguments.runs)?;
    runs::tell(&table, printer);
    let mut calibration = Calibration::of(&table.runs);
    let path = arguments.output.join("training.json");
    let failed = |source| DocumentError::Write { path: path.clone(), source };
    fs_err::create_dir_all(&arguments.output).map_err(failed)?;
    document::write(&mut calibration, &path)?;
    printer.status(&format!("Wrote {} groups to `{}`.", calibration.fitted.deviations.len(), path.display()));
    Ok(Exit::Done)
}
