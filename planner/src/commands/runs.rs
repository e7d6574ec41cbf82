//! Tables of measured runs, as commands read them.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use scenarios::terminal::Printer;

use super::failure::{Failure, TableError};
use crate::performance::collective::measured::{Points, read_points};
use crate::performance::runs::{self, Refused, Run, Runs};
use crate::performance::serving::{self, ServingRun};

/// Largest table that is read, in bytes.
const MOST_BYTES: u64 = 64 << 20;

/// A table of runs, told apart by its columns.
pub(super) enum Table {
    /// Trainings.
    Training(Runs<Run>),
    /// Answers to requests.
    Serving(Runs<ServingRun>),
    /// Collectives by size and number of devices.
    Collectives(Points),
}

/// Reads a table from a file, or from standard input for `-`.
pub(super) fn read(path: &Path) -> Result<Table, Failure> {
    let failed = |source| Failure::Table(TableError::Read { path: path.to_owned(), source });
    let source: Box<dyn Read> = if path == Path::new("-") {
        Box::new(std::io::stdin().lock())
    } else {
        Box::new(fs_err::File::open(path).map_err(failed)?)
    };
    let mut bytes = Vec::new();
    source.take(MOST_BYTES).read_to_end(&mut bytes).map_err(failed)?;
    let header = csv::Reader::from_reader(bytes.as_slice()).headers().cloned().unwrap_or_default();
    let content = |reason: String| Failure::Table(TableError::Content { path: path.to_owned(), reason });
    if header.iter().any(|name| name == "collective") {
        let points = read_points(bytes.as_slice());
        points.map(Table::Collectives).map_err(|error| content(error.to_string()))
    } else if serving::runs::is_serving(&header) {
        let table = serving::runs::read(bytes.as_slice());
        table.map(Table::Serving).map_err(|error| content(error.to_string()))
    } else {
        let table = runs::read(bytes.as_slice());
        table.map(Table::Training).map_err(|error| content(error.to_string()))
    }
}

impl Table {
    fn used(&self) -> usize {
        match self {
            Self::Training(table) => table.runs.len(),
            Self::Serving(table) => table.runs.len(),
            Self::Collectives(points) => points.len(),
        }
    }

    /// Runs that cannot be used, by reason.
    pub(super) fn refused(&self) -> BTreeMap<String, Vec<String>> {
        let refused: &[Refused] = match self {
            Self::Training(table) => &table.refused,
            Self::Serving(table) => &table.refused,
            Self::Collectives(_) => &[],
        };
        let mut reasons = BTreeMap::<String, Vec<String>>::new();
        for Refused { id, reason } in refused {
            reasons.entry(reason.clone()).or_default().push(id.clone());
        }
        reasons
    }

    /// Says how many runs of the table at `path` are used, and why the others are not. A table without any is an error.
    pub(super) fn tell(&self, path: &Path, printer: Printer) -> Result<(), Failure> {
        let refused = self.refused();
        let count: usize = refused.values().map(Vec::len).sum();
        printer.status(&format!("{} runs used, {count} refused.", self.used()));
        for (reason, ids) in refused {
            let more = if ids.len() > 3 { format!(" and {} more", ids.len() - 3) } else { String::new() };
            printer.status(&format!("  {}: {reason} ({}{more})", ids.len(), ids[..ids.len().min(3)].join(", ")));
        }
        if self.used() == 0 { Err(Failure::Table(TableError::Nothing { path: path.to_owned() })) } else { Ok(()) }
    }
}
