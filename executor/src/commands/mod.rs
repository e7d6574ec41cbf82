//! The commands: arguments in, exit code out.

mod apply;
mod calibrate;
mod devices;
mod evaluate;
mod figures;
mod generate;
mod interrupt;
mod predict;
mod progress;
mod weights;

pub(crate) use apply::apply;
pub(crate) use calibrate::calibrate;
pub(crate) use devices::devices;
pub(crate) use evaluate::evaluate;
pub(crate) use generate::generate;
pub(crate) use predict::predict;

use clap::CommandFactory as _;
use scenarios::terminal::{Exit, Printer};

use crate::cli::{Cli, DataArgs};
use crate::data::{DataError, Files, ReadError};
use crate::device::DeviceError;

pub(crate) fn completions(shell: clap_complete::Shell, printer: Printer) -> Exit {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "executor", &mut text);
    printer.data(&String::from_utf8_lossy(&text));
    Exit::Done
}

pub(crate) fn man(printer: Printer) -> Exit {
    let mut text = Vec::new();
    match clap_mangen::Man::new(Cli::command()).render(&mut text) {
        Ok(()) => {
            printer.data(&String::from_utf8_lossy(&text));
            Exit::Done
        }
        Err(error) => {
            printer.error(&error, None);
            Exit::Bug
        }
    }
}

fn files(args: &DataArgs) -> Files {
    Files { data: args.data.clone(), download: args.download, generate: args.generate }
}

/// Prints why there is no device.
fn no_device(error: &DeviceError, printer: Printer) -> Exit {
    printer.error(error, Some("use `--device cpu`, or `executor devices` to see what there is"));
    Exit::RunFailed
}

/// The smallest fix for missing or damaged data.
const fn data_help(error: &DataError) -> Option<&'static str> {
    match error {
        DataError::Missing { .. } => Some(
            "give the folder with `--data DIR`; for MNIST, `--download` fetches the files and `--generate` draws digits instead",
        ),
        DataError::Store { .. } => Some(
            "object stores and web servers need an executor that was built with `--features executor/object-stores`",
        ),
        DataError::Kept { .. } => Some("run the `preprocess` workload again, for the network that reads its records"),
        DataError::Files { source, .. } => read_help(source),
    }
}

/// The smallest fix for files that cannot be used.
const fn read_help(error: &ReadError) -> Option<&'static str> {
    match error {
        ReadError::Idx(_) => Some("put the published file in its place"),
        ReadError::NoFile { .. } => {
            Some("put it there, or name others by `train` and `test` in the data set's `files`")
        }
        ReadError::Broken { .. } => {
            Some("mend or remove these records, or allow more of them by `max_broken` in the data set's `files`")
        }
        ReadError::Kind { .. } => Some("give the workload another model, or read the files in another `format`"),
        ReadError::NoClasses => {
            Some("read the data as `lines` with a column for the `class`, or take `classes` out of the model")
        }
        ReadError::Outputs { .. } => Some("give the model one output, or say that the column is a `class`"),
        ReadError::TooMany { .. } => Some("make the network's vocabulary, tables or classes as many as the data needs"),
        ReadError::Store(_) | ReadError::Form { .. } | ReadError::Codes(_) => None,
    }
}
