//! Tables of measured runs, as commands read them.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use scenarios::terminal::Printer;

use super::failure::{Failure, TableError};
use crate::performance::runs::{self, Runs};

/// Largest table that is read, in bytes.
const MOST_BYTES: u64 = 64 << 20;

/// Reads a table from a file, or from standard input for `-`.
pub(super) fn read(path: &Path) -> Result<Runs, Failure> {
    let failed = |source| Failure::Table(TableError::Read { path: path.to_owned(), source });
    let source: Box<dyn Read> = if path == Path::new("-") {
        Box::new(std::io::stdin().lock())
    } else {
        Box::new(fs_err::File::open(path).map_err(failed)?)
    };
    let table = runs::read(source.take(MOST_BYTES));
    table.map_err(|source| Failure::Table(TableError::Content { path: path.to_owned(), source }))
}

/// Runs that cannot be used, by reason.
pub(super) fn refused(table: &Runs) -> BTreeMap<String, Vec<String>> {
    let mut reasons = BTreeMap::<String, Vec<String>>::new();
    for refused in &table.refused {
        reasons.entry(refused.reason.clone()).or_default().push(refused.id.clone());
    }
    reasons
}

/// Says how many runs were used, and why the others were not.
pub(super) fn tell(table: &Runs, printer: Printer) {
    printer.status(&format!("{} runs used, {} refused:", table.runs.len(), table.refused.len()));
    for (reason, ids) in refused(table) {
        let more = if ids.len() > 3 { format!(" and {} more", ids.len() - 3) } else { String::new() };
        printer.status(&format!("  {}: {reason} ({}{more})", ids.len(), ids[..ids.len().min(3)].join(", ")));
    }
}
