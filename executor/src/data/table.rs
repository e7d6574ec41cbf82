//! Rows of columns: CSV and its like.

use super::reading::{ReadError, form};
use super::store::Stored;

/// A file of rows.
pub(super) struct Table<'a> {
    stored: &'a Stored,
    /// Names of the columns; none without a header.
    header: Vec<String>,
    rows: Rows<'a>,
    line: usize,
}

/// How rows are cut into columns.
enum Rows<'a> {
    /// By one character, perhaps with quotation marks.
    Quoted(Box<csv::Reader<&'a [u8]>>),
    /// By a text, without quotation marks.
    Plain { lines: std::slice::Split<'a, u8, fn(&u8) -> bool>, between: &'a str },
}

/// A row with the line where it starts.
pub(super) type Row = (usize, Result<Vec<String>, String>);

impl<'a> Table<'a> {
    /// Begins to read a file. `tab` stands for a tabulator, between which quotation marks are characters like others.
    pub fn new(stored: &'a Stored, delimiter: &'a str, header: bool) -> Result<Self, ReadError> {
        let rows = if let [byte] = delimiter.as_bytes() {
            let mut builder = csv::ReaderBuilder::new();
            builder.has_headers(false).flexible(true).delimiter(*byte);
            Rows::Quoted(Box::new(builder.from_reader(&stored.bytes[..])))
        } else {
            let between = if delimiter == "tab" { "\t" } else { delimiter };
            Rows::Plain { lines: stored.bytes.split(is_end as fn(&u8) -> bool), between }
        };
        let mut table = Self { stored, header: Vec::new(), rows, line: 0 };
        if header {
            table.header = match table.next() {
                Some((_, Ok(names))) => names.iter().map(|name| name.trim().to_owned()).collect(),
                Some((_, Err(cause))) => return Err(form(stored, format!("its header cannot be read: {cause}"))),
                None => return Err(form(stored, "it is empty, and should begin with the names of its columns")),
            };
        }
        Ok(table)
    }

    /// Place of a column that is given by its name, or by its number from 1.
    pub fn column(&self, column: &str) -> Result<usize, ReadError> {
        let named = self.header.iter().position(|name| name == column);
        let numbered = || column.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
        named.or_else(numbered).ok_or_else(|| {
            form(self.stored, format!("it has no column `{column}`; its header has {}", self.header.join(", ")))
        })
    }

    /// Columns that the header names; none without a header.
    pub fn width(&self) -> Option<usize> {
        (!self.header.is_empty()).then_some(self.header.len())
    }
}

/// Line of a record, from 1: the reader counts empty lines before it to it.
fn line_of(bytes: &[u8], record: &csv::ByteRecord) -> usize {
    let Some(position) = record.position() else { return 0 };
    let from = usize::try_from(position.byte()).unwrap_or(usize::MAX).min(bytes.len());
    let empty = bytes[from..].iter().take_while(|byte| matches!(byte, b'\r' | b'\n'));
    position.line() as usize + empty.filter(|byte| is_end(byte)).count()
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "slices are split by references")]
fn is_end(byte: &u8) -> bool {
    *byte == b'\n'
}

impl Iterator for Table<'_> {
    type Item = Row;

    /// The next row that is not empty.
    fn next(&mut self) -> Option<Row> {
        match &mut self.rows {
            Rows::Quoted(reader) => {
                let mut record = csv::ByteRecord::new();
                match reader.read_byte_record(&mut record) {
                    Ok(true) => Some((line_of(&self.stored.bytes, &record), record.iter().map(utf8).collect())),
                    Ok(false) => None,
                    // It reads bytes in memory, whatever they are.
                    Err(error) => Some((self.line, Err(error.to_string()))),
                }
            }
            Rows::Plain { lines, between } => loop {
                let line = lines.next()?;
                self.line += 1;
                let line = line.strip_suffix(b"\r").unwrap_or(line);
                if !line.is_empty() {
                    let cells = utf8(line).map(|line| line.split(*between).map(str::to_owned).collect());
                    return Some((self.line, cells));
                }
            },
        }
    }
}

fn utf8(bytes: &[u8]) -> Result<String, String> {
    std::str::from_utf8(bytes).map(str::to_owned).map_err(|_| "it is no text in UTF-8".to_owned())
}

/// The cell of a row at a column.
pub(super) fn cell(row: &[String], column: usize) -> Result<&str, String> {
    row.get(column).map(String::as_str).ok_or_else(|| format!("it has {} columns, not {}", row.len(), column + 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::store::stored;

    fn file(text: &[u8]) -> Stored {
        stored("rows".into(), text.to_vec()).expect("it is not compressed")
    }

    #[test]
    fn rows_are_cut_into_cells() {
        let check = |text: &[u8], delimiter: &str, header: bool, expected: &[(usize, Result<&[&str], &str>)]| {
            let stored = file(text);
            let found: Vec<Row> = Table::new(&stored, delimiter, header).expect("a table").collect();
            let owned = |row: &Result<&[&str], &str>| match row {
                Ok(cells) => Ok(cells.iter().map(|&cell| cell.to_owned()).collect()),
                Err(cause) => Err((*cause).to_owned()),
            };
            let expected: Vec<Row> = expected.iter().map(|(line, row)| (*line, owned(row))).collect();
            assert_eq!(found, expected);
        };
        check(b"a,b\r\n\n1,\"x,\n\"\"y\"\n2", ",", true, &[(3, Ok(&["1", "x,\n\"y"])), (5, Ok(&["2"]))]);
        check(b"1\t\"a\n\n2\tb\r\n", "tab", false, &[(1, Ok(&["1", "\"a"])), (3, Ok(&["2", "b"]))]);
        check(b"1::2::3\n", "::", false, &[(1, Ok(&["1", "2", "3"]))]);
        let broken = "it is no text in UTF-8";
        check(b"\xff\t1\nx\t2", "tab", false, &[(1, Err(broken)), (2, Ok(&["x", "2"]))]);
        check(b"\xff;1\nx;2", ";", false, &[(1, Err(broken)), (2, Ok(&["x", "2"]))]);
    }

    #[test]
    fn columns_have_names_or_numbers() {
        let stored = file(b"age, kind\n1,2\n");
        let table = Table::new(&stored, ",", true).expect("a table");
        let place = |column: &str| table.column(column).map_err(|error| error.to_string());
        assert_eq!((place("kind"), place("1"), table.width()), (Ok(1), Ok(0), Some(2)));
        assert_eq!(place("size"), Err("`rows`: it has no column `size`; its header has age, kind".to_owned()));
        assert_eq!(cell(&["a".to_owned()], 1), Err("it has 1 columns, not 2".to_owned()));
        assert!(Table::new(&file(b""), ",", true).is_err());
    }
}
