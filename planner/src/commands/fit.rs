//! `planner fit`: constants from measured runs.

use scenarios::document::{self, DocumentError};
use scenarios::terminal::{Exit, Printer};

use super::failure::{Failure, TableError};
use super::runs::{self, Table};
use crate::cli::FitArguments;
use crate::performance::calibration::Calibration;
use crate::performance::collective::measured::Table as Collectives;
use crate::performance::serving;

pub(super) fn run(arguments: &FitArguments, printer: Printer) -> Result<Exit, Failure> {
    let table = runs::read(&arguments.runs)?;
    table.tell(&arguments.runs, printer)?;
    let failed = |source| DocumentError::Write { path: arguments.output.clone(), source };
    fs_err::create_dir_all(&arguments.output).map_err(failed)?;
    let files: Vec<(&str, Vec<u8>)> = match &table {
        Table::Training(table) => {
            let mut calibration = Calibration::of(&table.runs);
            document::seal(&mut calibration);
            vec![("training.json", document::to_json(&calibration).into_bytes())]
        }
        Table::Serving(table) => vec![("serving.json", document::to_json(&serving::fit(&table.runs)).into_bytes())],
        Table::Collectives(points) => {
            let (constants, knots) = Collectives::fitted(points).map_err(|error| {
                Failure::Table(TableError::Content { path: arguments.runs.clone(), reason: error.to_string() })
            })?;
            vec![("collectives.csv", constants), ("collective_curves.csv", knots)]
        }
    };
    for (name, bytes) in files {
        let path = arguments.output.join(name);
        document::write_bytes(&bytes, &path)?;
        printer.status(&format!("Wrote `{}`.", path.display()));
    }
    Ok(Exit::Done)
}
