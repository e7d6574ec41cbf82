//! `planner fit`: constants from measured runs.

use std::path::Path;

use scenarios::document::{self, DocumentError};
use scenarios::terminal::{Exit, Printer};

use super::failure::Failure;
use super::runs::{self, Table};
use crate::cli::FitArguments;
use crate::performance::calibration::Calibration;
use crate::performance::serving;

pub(super) fn run(arguments: &FitArguments, printer: Printer) -> Result<Exit, Failure> {
    let table = runs::read(&arguments.runs)?;
    table.tell(printer);
    let failed = |source| DocumentError::Write { path: arguments.output.clone(), source };
    fs_err::create_dir_all(&arguments.output).map_err(failed)?;
    let path = match &table {
        Table::Training(table) => write_training(&mut Calibration::of(&table.runs), &arguments.output)?,
        Table::Serving(table) => {
            let path = arguments.output.join("serving.json");
            document::write_bytes(document::to_json(&serving::fit(&table.runs)).as_bytes(), &path)?;
            path
        }
    };
    printer.status(&format!("Wrote `{}`.", path.display()));
    Ok(Exit::Done)
}

fn write_training(calibration: &mut Calibration, folder: &Path) -> Result<std::path::PathBuf, DocumentError> {
    let path = folder.join("training.json");
    document::write(calibration, &path)?;
    Ok(path)
}
