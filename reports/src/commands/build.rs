//! `reports build`.

use std::path::PathBuf;

use scenarios::terminal::{Exit, Printer};

use crate::cli::Build;
use crate::error::ReportError;
use crate::{input, output, report};

/// Builds a report and prints the path of its page.
pub fn run(arguments: &Build, printer: Printer) -> Exit {
    match build(arguments, printer) {
        Ok(page) => {
            printer.data(&format!("{}\n", page.display()));
            Exit::Done
        }
        Err(error) => {
            printer.error(&error, error.help().as_deref());
            error.exit()
        }
    }
}

fn build(arguments: &Build, printer: Printer) -> Result<PathBuf, ReportError> {
    let (evidence, warnings) = input::read(&arguments.plan, &arguments.runs)?;
    for warning in &warnings {
        printer.warning(warning);
    }
    let report = report::build(&evidence)?;
    output::write(&report, &arguments.output)?;
    printer.status(&format!("report of the plan and {} run(s): {} charts", evidence.runs.len(), report.charts()));
    Ok(arguments.output.join("index.html"))
}
