//! Tables of measured runs of any kind.

use csv::StringRecord;
use serde::de::DeserializeOwned;

/// A table of runs.
#[derive(Debug, Clone, PartialEq)]
pub struct Runs<R> {
    /// Runs that can be predicted.
    pub runs: Vec<R>,
    /// The others.
    pub refused: Vec<Refused>,
}

/// A run that cannot be used, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Identifier in the table, or the line.
    pub id: String,
    /// Why.
    pub reason: String,
}

/// Why a table cannot be read at all.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The header lacks a column.
    #[error("the {table} has no column `{column}`")]
    Column {
        /// What the table is.
        table: &'static str,
        /// The column.
        column: &'static str,
    },
    /// It is no CSV.
    #[error("{0}")]
    Csv(#[from] csv::Error),
}

/// A row of a table.
pub trait Row: DeserializeOwned {
    /// What it becomes.
    type Run;
    /// What the table is called in messages.
    const TABLE: &'static str;
    /// Columns that every table has; others are empty where they are missing.
    const NEEDED: &'static [&'static str];

    /// Its identifier.
    fn id(&self) -> &str;

    /// The run.
    ///
    /// # Errors
    /// Why it cannot be used.
    fn run(&self) -> Result<Self::Run, String>;
}

/// Reads a table; runs that cannot be predicted are kept with the reason.
///
/// # Errors
/// A column is missing or the text is no CSV.
pub fn read<T: Row>(text: impl std::io::Read) -> Result<Runs<T::Run>, ReadError> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(text);
    let header = reader.headers()?.clone();
    if let Some(column) = T::NEEDED.iter().find(|needed| !header.iter().any(|name| name == **needed)) {
        return Err(ReadError::Column { table: T::TABLE, column });
    }
    let mut table = Runs { runs: Vec::new(), refused: Vec::new() };
    for (index, record) in reader.records().enumerate() {
        let row = fields::<T>(record, &header).map_err(|reason| (format!("line {}", index + 2), reason));
        match row.and_then(|row| row.run().map_err(|reason| (row.id().to_owned(), reason))) {
            Ok(run) => table.runs.push(run),
            Err((id, reason)) => table.refused.push(Refused { id, reason }),
        }
    }
    Ok(table)
}

/// The fields of a record by the names of their columns.
fn fields<T: DeserializeOwned>(record: Result<StringRecord, csv::Error>, header: &StringRecord) -> Result<T, String> {
    let record = record.map_err(|error| error.to_string())?;
    if record.len() != header.len() {
        return Err(format!("the row has {} fields, the header {}", record.len(), header.len()));
    }
    record.deserialize(Some(header)).map_err(|error| error.to_string())
}
