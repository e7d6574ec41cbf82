//! Files of records of which nothing is known, read as the files that a network learned from, some records at a time.

mod images;
mod rows;
mod texts;

use std::ops::ControlFlow;
use std::path::Path;
use std::rc::Rc;

use scenarios::scenario::{FileFormat, Files};

use crate::data::codes::Codes;
use crate::data::host::HostBatch;
use crate::data::needs::Needs;
use crate::data::reader::Reader;
use crate::data::reading::{ReadError, Reading};
use crate::data::records::{Columns, Records};
use crate::data::store::{self, Store, Stored};

/// Standard input in the place of a file.
const STANDARD_INPUT: &str = "-";

/// How files are read: as those that a network learned from.
#[derive(Debug, Clone, Copy)]
pub struct Manner<'a> {
    /// How those files lay; without them only images can be read.
    pub files: Option<&'a Files>,
    /// What the network reads.
    pub needs: &'a Needs,
    /// What words and names were taken for.
    pub codes: &'a Codes,
    /// How records are prepared.
    pub reader: &'a Reader,
    /// Records of a batch, at most.
    pub batch: usize,
}

/// Some of the records of a file.
#[derive(Debug, Clone, PartialEq)]
pub struct Unlabelled {
    /// The file.
    pub file: String,
    /// Line, or place of a record in the file, from 1, of each.
    pub numbers: Vec<usize>,
    /// The records. Where a network finds tokens, these are its targets: those that are hidden in the file by `[MASK]`, or of
    /// a network that goes on with a text, each next one.
    pub batch: HostBatch,
}

/// What is told of each batch; it ends the reading by breaking.
type Each<'a> = &'a mut dyn FnMut(Unlabelled) -> ControlFlow<()>;

/// Reads files, batch by batch; gives how many records were broken and skipped. `-` stands for lines of text on standard input.
///
/// # Errors
/// A file cannot be read or holds something else, or more records of a file are broken than the training's files could have.
pub fn read(files: &[impl AsRef<Path>], manner: Manner<'_>, each: Each<'_>) -> Result<u64, ReadError> {
    let mut broken = 0;
    for path in files {
        let (of_path, ends) = of_file(path.as_ref(), manner, each)?;
        broken += of_path;
        if ends {
            break;
        }
    }
    Ok(broken)
}

/// Reads a file; gives how many of its records were broken, and whether nothing more is wanted.
fn of_file(path: &Path, manner: Manner<'_>, each: Each<'_>) -> Result<(u64, bool), ReadError> {
    let usual = Files::new(FileFormat::Idx, "");
    let shown = path.display().to_string();
    let no_file = || ReadError::NoFile { path: shown.clone() };
    let folder = Store::folder(Path::new("."))?.ok_or_else(no_file)?;
    let reading = Reading::new(&folder, manner.files.unwrap_or(&usual), manner.needs);
    let tokens = texts::Tokens::new(manner)?.map(Rc::new);
    let (file, numbers, rows) = (shown.clone(), Vec::new(), Vec::new());
    let mut batches = Batches { reading, manner, tokens, file, numbers, rows, each, ended: false };
    if shown == STANDARD_INPUT {
        texts::lines(&mut batches, std::io::stdin().lock())?;
    } else if path.is_dir() {
        images::folder(&mut batches, path)?;
    } else {
        let stored = load(path)?;
        match manner.needs {
            Needs::Objects { .. } => images::file(&mut batches, &stored)?,
            Needs::Numbers { .. } if images::is_image(manner, &stored) => images::file(&mut batches, &stored)?,
            Needs::Numbers { .. } => rows::numbers(&mut batches, &stored)?,
            Needs::Tokens { .. } => texts::file(&mut batches, &stored)?,
            Needs::Pairs { .. } => rows::pairs(&mut batches, &stored)?,
            Needs::Clicks { .. } => rows::clicks(&mut batches, &stored)?,
        }
    }
    let ends = batches.tell().is_break();
    batches.reading.end()?;
    Ok((batches.reading.broken, ends))
}

fn load(path: &Path) -> Result<Stored, ReadError> {
    let shown = path.display().to_string();
    match std::fs::read(path) {
        Ok(bytes) => Ok(store::stored(path.to_owned(), bytes)?),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(ReadError::NoFile { path: shown }),
        Err(error) => Err(store::StoreError::Read { path: shown, reason: error.to_string() }.into()),
    }
}

/// A record as it was read.
#[derive(Debug)]
enum Row {
    Pixels(Vec<u8>),
    Numbers(Vec<f32>),
    Tokens(Vec<u32>),
    Pair([u32; 2]),
    Click(Vec<f32>, Vec<u32>),
}

/// Batches as they fill.
struct Batches<'a> {
    reading: Reading<'a>,
    manner: Manner<'a>,
    tokens: Option<Rc<texts::Tokens>>,
    file: String,
    numbers: Vec<usize>,
    rows: Vec<Row>,
    each: Each<'a>,
    /// Whether nothing more is wanted.
    ended: bool,
}

impl Batches<'_> {
    /// Takes a record, or counts it as broken; whether to go on.
    fn take(&mut self, unit: &'static str, number: usize, row: Result<Row, String>) -> ControlFlow<()> {
        if let Some(row) = self.reading.of(&self.file, unit, number, row) {
            self.numbers.push(number);
            self.rows.push(row);
        }
        if self.ended || self.rows.len() >= self.manner.batch { self.tell() } else { ControlFlow::Continue(()) }
    }

    /// Tells of the records that were taken, unless nothing more is wanted.
    fn tell(&mut self) -> ControlFlow<()> {
        if self.ended {
            return ControlFlow::Break(());
        }
        if self.rows.is_empty() {
            return ControlFlow::Continue(());
        }
        let numbers = std::mem::take(&mut self.numbers);
        let rows = std::mem::take(&mut self.rows);
        let columns = self.columns(rows);
        let truth = texts::truth(self.manner.needs);
        let positions: Vec<usize> = (0..numbers.len()).collect();
        let mut batch = self.manner.reader.read(&Records { columns, truth }, &positions);
        if let Some(tokens) = &self.tokens {
            tokens.hide(&mut batch);
        }
        let wish = (self.each)(Unlabelled { file: self.file.clone(), numbers, batch });
        self.ended = wish.is_break();
        wish
    }

    /// Records side by side; all are of the kind that the network reads.
    fn columns(&self, rows: Vec<Row>) -> Columns {
        let of_tokens = |row| if let Row::Tokens(tokens) = row { Some(tokens) } else { None };
        let of_pair = |row| if let Row::Pair(pair) = row { Some(pair) } else { None };
        if let Some(tokens) = &self.tokens {
            return Columns::Documents(tokens.documents(rows.into_iter().filter_map(of_tokens)));
        }
        match self.manner.needs {
            Needs::Pairs { .. } => Columns::Pairs(rows.into_iter().filter_map(of_pair).collect()),
            Needs::Clicks { numbers, tables } => {
                let (mut values, mut of_tables) = (Vec::new(), Vec::new());
                for row in rows {
                    if let Row::Click(numbers, rows) = row {
                        values.extend(numbers);
                        of_tables.extend(rows);
                    }
                }
                Columns::Clicks { numbers: *numbers, lookups: tables.len(), values, rows: of_tables }
            }
            needs => images::columns(needs.shape(), rows),
        }
    }
}

#[cfg(test)]
mod tests;
