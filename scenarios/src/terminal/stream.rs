//! Rows that are printed as they come, for data that is too long to be held.

use serde::Serialize;

use super::{OutputFormat, Printer, Table};
use crate::document;

/// A table that is printed part by part.
#[derive(Debug)]
pub struct Stream {
    printer: Printer,
    format: OutputFormat,
    /// Width of each column as the first part needs it.
    widths: Vec<usize>,
    parts: usize,
}

impl Stream {
    /// A table of which nothing is printed yet.
    #[must_use]
    pub const fn new(printer: Printer, format: OutputFormat) -> Self {
        Self { printer, format, widths: Vec::new(), parts: 0 }
    }

    /// Prints a part: its rows, or its JSON form, one value a record. All parts have the same columns.
    pub fn part(&mut self, part: &Table, json: &[impl Serialize]) {
        let text = self.text(part, json);
        self.printer.data(&text);
        self.parts += 1;
    }

    /// Ends the table.
    pub fn end(self) {
        if self.format == OutputFormat::Json {
            self.printer.data(if self.parts == 0 { "[]\n" } else { "\n]\n" });
        }
    }

    fn text(&mut self, part: &Table, json: &[impl Serialize]) -> String {
        match self.format {
            OutputFormat::Json => {
                let values = json.iter().map(|value| document::to_json(value).trim_end().to_owned());
                let before = if self.parts == 0 { "[\n" } else { ",\n" };
                format!("{before}{}", values.collect::<Vec<_>>().join(",\n"))
            }
            OutputFormat::Csv => {
                let text = part.to_csv();
                let after_header = text.split_once('\n').map_or("", |(_, rows)| rows);
                if self.parts == 0 { text } else { after_header.to_owned() }
            }
            OutputFormat::Table => self.aligned(part),
        }
    }

    fn aligned(&mut self, part: &Table) -> String {
        let mut rows: Vec<&Vec<String>> = Vec::new();
        if self.parts == 0 {
            self.widths = vec![0; part.header.len()];
            for row in part.rows.iter().chain([&part.header]) {
                for (width, cell) in self.widths.iter_mut().zip(row) {
                    *width = cell.chars().count().max(*width);
                }
            }
            rows.push(&part.header);
        }
        rows.extend(&part.rows);
        let line = |row: &Vec<String>| {
            let cells = row.iter().zip(&self.widths).map(|(cell, width)| format!(" {cell:<width$} "));
            cells.collect::<String>().trim_end().to_owned() + "\n"
        };
        rows.into_iter().map(line).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_one_table() {
        let check = |format: OutputFormat, expected: [&str; 2]| {
            let mut stream = Stream::new(Printer::default(), format);
            for (cells, expected) in [["a", "b, c"], ["longer", "d"]].into_iter().zip(expected) {
                let mut part = Table::new(&["one", "two"]);
                part.rows.push(cells.map(str::to_owned).to_vec());
                assert_eq!(stream.text(&part, &[cells]), expected);
                stream.parts += 1;
            }
        };
        check(OutputFormat::Csv, ["one,two\na,\"b, c\"\n", "longer,d\n"]);
        check(OutputFormat::Table, [" one  two\n a    b, c\n", " longer  d\n"]);
        check(OutputFormat::Json, ["[\n[\n  \"a\",\n  \"b, c\"\n]", ",\n[\n  \"longer\",\n  \"d\"\n]"]);
    }
}
