//! The one place that prints: data on standard output, everything else on standard error.

use std::io::Write as _;

use serde::Serialize;

use super::Exit;
use crate::diagnostics;
use crate::scenario::LoadError;

/// How data is printed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum OutputFormat {
    /// A table for people.
    #[default]
    Table,
    /// JSON for programs.
    Json,
    /// Comma-separated values for spreadsheets.
    Csv,
}

/// A table with its header.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Table {
    /// Names of the columns.
    pub header: Vec<String>,
    /// Cells, row by row.
    pub rows: Vec<Vec<String>>,
}

impl Table {
    /// An empty table with these columns.
    #[must_use]
    pub fn new(header: &[&str]) -> Self {
        Self { header: header.iter().map(|&name| name.to_owned()).collect(), rows: Vec::new() }
    }

    /// The table as text for people, as wide as it needs to be.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut table = comfy_table::Table::new();
        table.load_style(comfy_table::presets::NOTHING);
        table.set_header(&self.header);
        table.add_rows(&self.rows);
        table.lines().map(|line| line.trim_end().to_owned() + "\n").collect()
    }

    /// The table as comma-separated values with a header line.
    ///
    /// # Panics
    /// Never: writing to memory does not fail.
    #[must_use]
    pub fn to_csv(&self) -> String {
        let mut writer = csv::Writer::from_writer(Vec::new());
        for row in std::iter::once(&self.header).chain(&self.rows) {
            writer.write_record(row).expect("writing to memory does not fail, and rows have the header's length");
        }
        let bytes = writer.into_inner().expect("writing to memory does not fail");
        String::from_utf8(bytes).expect("cells are text")
    }
}

/// Writes to the terminal. A closed pipe is the reader's wish, not an error.
#[derive(Debug, Clone, Copy, Default)]
pub struct Printer {
    quiet: bool,
}

impl Printer {
    /// A printer; a quiet one prints data and errors only.
    #[must_use]
    pub const fn new(quiet: bool) -> Self {
        Self { quiet }
    }

    /// Prints data.
    pub fn data(&self, text: &str) {
        let mut out = anstream::stdout();
        let _ = out.write_all(text.as_bytes());
        let _ = out.flush();
    }

    /// Prints a table, or its JSON form, as the user asked.
    pub fn table(&self, format: OutputFormat, table: &Table, json: &impl Serialize) {
        match format {
            OutputFormat::Table => self.data(&table.to_text()),
            OutputFormat::Csv => self.data(&table.to_csv()),
            OutputFormat::Json => self.data(&crate::document::to_json(json)),
        }
    }

    /// Prints a line about what is going on.
    pub fn status(&self, text: &str) {
        if !self.quiet {
            Self::line(text);
        }
    }

    /// Prints a warning that the user can act on.
    pub fn warning(&self, text: &str) {
        Self::line(&format!("\u{1b}[33mwarning:\u{1b}[0m {text}"));
    }

    /// Prints an error with its causes and, if there is one, a hint.
    pub fn error(&self, error: &dyn std::error::Error, help: Option<&str>) {
        let mut text = format!("\u{1b}[31merror:\u{1b}[0m {error}");
        let mut said = error.to_string();
        let mut cause = error.source();
        while let Some(inner) = cause {
            let message = inner.to_string();
            if !said.contains(&message) {
                text = format!("{text}\n  caused by: {message}");
            }
            said = message;
            cause = inner.source();
        }
        Self::line(&text);
        if let Some(help) = help {
            Self::line(&format!("  \u{1b}[36mhelp:\u{1b}[0m {help}"));
        }
    }

    /// Prints a report that is already rendered, such as diagnostics with their source.
    pub fn rendered(&self, text: &str) {
        Self::line(text.trim_end());
    }

    /// Prints why a scenario cannot be used, with the lines of its source, and gives the exit code of that.
    #[must_use]
    pub fn load_error(&self, error: &LoadError) -> Exit {
        match error {
            LoadError::Read { .. } => self.error(error, Some("check the path, or give `-` to read standard input")),
            LoadError::Invalid { name, text, problems } => {
                self.rendered(&diagnostics::render(name, text, problems));
                self.error(error, None);
            }
        }
        Exit::from(error)
    }

    fn line(text: &str) {
        let _ = writeln!(anstream::stderr(), "{text}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_for_people_and_for_spreadsheets() {
        let mut table = Table::new(&["site", "cost"]);
        table.rows.push(vec!["here, or there".to_owned(), "1".to_owned()]);
        assert_eq!(table.to_csv(), "site,cost\n\"here, or there\",1\n");
        let text = table.to_text();
        let words: Vec<Vec<&str>> = text.lines().map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(words, [vec!["site", "cost"], vec!["here,", "or", "there", "1"]]);
    }
}
