//! Tables: one content, shown in the page and written as CSV with all digits.

use askama::Template;
use rust_decimal::Decimal;
use scenarios::units::Interval;

use crate::format;

/// A table with its caption.
#[derive(Debug, Clone, Template)]
#[template(path = "table.html")]
pub struct Table {
    /// Its file in the report, without ending: `tables/decision`.
    pub name: String,
    /// What it shows.
    pub caption: String,
    columns: Vec<Column>,
    rows: Vec<Vec<Cell>>,
    /// Rows that the page shows; all are in the file.
    limit: usize,
}

#[derive(Debug, Clone)]
struct Column {
    title: String,
    field: String,
}

/// One cell.
#[derive(Debug, Clone, Default)]
pub struct Cell {
    html: String,
    note: String,
    title: String,
    exact: String,
    class: &'static str,
    shade: u8,
}

/// Most rows that the page shows of one table.
const SHOWN_ROWS: usize = 300;

impl Table {
    /// An empty table. A column is its title in the page and its name in the file; one without title is in the file only.
    #[must_use]
    pub fn new(name: &str, caption: &str, columns: &[(&str, &str)]) -> Self {
        let columns =
            columns.iter().map(|&(title, field)| Column { title: title.to_owned(), field: field.to_owned() }).collect();
        Self { name: name.to_owned(), caption: caption.to_owned(), columns, rows: Vec::new(), limit: SHOWN_ROWS }
    }

    /// Adds a row with a cell for every column.
    pub fn row<const N: usize>(&mut self, cells: [Cell; N]) {
        self.push(cells.into());
    }

    /// Adds a row with a cell for every column.
    ///
    /// # Panics
    /// If it has more or fewer cells than there are columns.
    pub fn push(&mut self, cells: Vec<Cell>) {
        assert_eq!(cells.len(), self.columns.len(), "every row of `{}` has a cell for every column", self.name);
        self.rows.push(cells);
    }

    /// Whether it has no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Rows that the page leaves out.
    fn hidden(&self) -> usize {
        self.rows.len().saturating_sub(self.limit)
    }

    fn shown<'a>(&'a self, row: &'a [Cell]) -> impl Iterator<Item = (usize, &'a Cell)> {
        let cells = self.columns.iter().zip(row).filter(|(column, _)| !column.title.is_empty());
        cells.map(|(_, cell)| cell).enumerate()
    }

    /// Titles of the columns that the page shows, and whether they hold figures, which stand to the right.
    fn headings(&self) -> impl Iterator<Item = (&str, bool)> {
        let is_figure = |at: usize| self.rows.first().is_some_and(|row| row[at].class == "n");
        let columns = self.columns.iter().enumerate().filter(|(_, column)| !column.title.is_empty());
        columns.map(move |(at, column)| (column.title.as_str(), is_figure(at)))
    }

    /// The table as CSV. Text that a spreadsheet would take for a formula gets a leading apostrophe.
    ///
    /// # Panics
    /// Never: writing to memory does not fail.
    #[must_use]
    pub fn to_csv(&self) -> String {
        let mut writer = csv::Writer::from_writer(Vec::new());
        let write = "writing to memory does not fail, and rows have the header's length";
        writer.write_record(self.columns.iter().map(|column| harmless(&column.field))).expect(write);
        for row in &self.rows {
            writer.write_record(row.iter().map(|cell| harmless(&cell.exact))).expect(write);
        }
        String::from_utf8(writer.into_inner().expect(write)).expect("cells are text")
    }
}

fn harmless(text: &str) -> String {
    let text = format::clean(text);
    let risky = text.starts_with(['=', '+', '-', '@', '\u{fffd}']) && text.parse::<f64>().is_err();
    if risky { format!("'{text}") } else { text }
}

impl Cell {
    /// Text in which backticks enclose names.
    #[must_use]
    pub fn text(text: impl AsRef<str>) -> Self {
        let text = text.as_ref();
        Self { html: format::prose(text), exact: text.to_owned(), ..Self::default() }
    }

    /// A name.
    #[must_use]
    pub fn name(text: impl AsRef<str>) -> Self {
        let text = text.as_ref();
        Self { html: format::escape(text), exact: text.to_owned(), class: "name", ..Self::default() }
    }

    /// A digest, shortened in the page.
    #[must_use]
    pub fn digest(digest: &str) -> Self {
        let short = match digest.char_indices().nth(19) {
            Some((end, _)) if digest.starts_with("sha256:") => format!("{}…", &digest[..end]),
            _ => digest.to_owned(),
        };
        let html = format!("<code>{}</code>", format::escape(&short));
        Self { html, title: digest.to_owned(), exact: digest.to_owned(), class: "mark", ..Self::default() }
    }

    /// A figure with its exact value and unit.
    fn figure(shown: String, exact: String, unit: &str) -> Self {
        let title = if exact.is_empty() { String::new() } else { format!("{exact} {unit}").trim_end().to_owned() };
        Self { html: shown, title, exact, class: "n", ..Self::default() }
    }

    /// A whole number.
    #[must_use]
    pub fn count(value: u64) -> Self {
        Self::figure(format::count(value), value.to_string(), "")
    }

    /// A number with its unit, which the page shows in the heading.
    #[must_use]
    pub fn number(value: f64, unit: &str) -> Self {
        Self::figure(format::number(value), format::exact(value), unit)
    }

    /// A length of time.
    #[must_use]
    pub fn duration(seconds: f64) -> Self {
        Self::figure(format::duration(seconds), format::exact(seconds), "s")
    }

    /// The middle of an interval of times, with its ends below.
    #[must_use]
    pub fn durations(seconds: Interval) -> Self {
        let ends = format!("{} to {}", format::duration(seconds.p10), format::duration(seconds.p90));
        Self::duration(seconds.p50).with_note(&ends)
    }

    /// The middle of an interval of rates, with its ends below.
    #[must_use]
    pub fn rates(rates: Interval, unit: &str) -> Self {
        let ends = format!("{} to {}", format::number(rates.p10), format::number(rates.p90));
        let shown = format::with_unit(&format::number(rates.p50), unit);
        Self::number(rates.p50, unit).shown_as(&shown).with_note(&ends)
    }

    /// An amount of money.
    #[must_use]
    pub fn usd(amount: Decimal) -> Self {
        Self::figure(format::usd(amount), amount.normalize().to_string(), "USD")
    }

    /// An amount of data.
    #[must_use]
    pub fn bytes(amount: u64) -> Self {
        Self::figure(format::bytes(amount), amount.to_string(), "bytes")
    }

    /// A share of one as a percentage.
    #[must_use]
    pub fn percent(share: f64) -> Self {
        Self::figure(format::percent(share), format::exact(share), "")
    }

    /// A relative difference with its sign.
    #[must_use]
    pub fn signed_percent(share: f64) -> Self {
        Self::figure(format::signed_percent(share), format::exact(share), "")
    }

    /// Nothing to show.
    #[must_use]
    pub fn none() -> Self {
        Self { html: format::NONE.to_owned(), ..Self::default() }
    }

    /// The cell of a value that may be absent.
    #[must_use]
    pub fn or_none<T>(value: Option<T>, cell: impl FnOnce(T) -> Self) -> Self {
        value.map_or_else(|| Self { class: "n", ..Self::none() }, cell)
    }

    /// A yes or no, in a word and a sign.
    #[must_use]
    pub fn judged(good: bool, yes: &str, no: &str) -> Self {
        let (sign, word, class) = if good { ("✓", yes, "good") } else { ("✗", no, "bad") };
        Self { html: format!("{sign} {}", format::escape(word)), exact: word.to_owned(), class, ..Self::default() }
    }

    /// The cell with other words in the page.
    #[must_use]
    pub fn shown_as(mut self, words: &str) -> Self {
        self.html = format::escape(words);
        self
    }

    /// The cell with a smaller second line.
    #[must_use]
    pub fn with_note(mut self, note: &str) -> Self {
        self.note = format::prose(note);
        self
    }

    /// The cell in a class of the style sheet.
    #[must_use]
    pub fn with_class(mut self, class: &'static str) -> Self {
        self.class = class;
        self
    }

    /// The cell shaded by a share of one, in ten steps.
    #[must_use]
    pub fn shaded(mut self, share: f64) -> Self {
        self.shade = (share.clamp(0.0, 1.0) * 9.0).ceil() as u8;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_become_text_in_csv_and_markup_in_the_page() {
        let check = |text: &str, csv: &str, html: &str| {
            let mut table = Table::new("t", "Caption", &[("A & B", "a")]);
            table.row([Cell::text(text)]);
            assert_eq!(table.to_csv(), format!("a\n{csv}\n"));
            assert!(table.to_string().contains(html), "{table}");
        };
        check("=1+1", "'=1+1", "=1+1");
        check("@SUM(A1)", "'@SUM(A1)", "@SUM(A1)");
        check("-12.5", "-12.5", "-12.5");
        check("-rm", "'-rm", "-rm");
        check("+1e3", "+1e3", "+1e3");
        check("\t=1", "'\u{fffd}=1", "\u{fffd}=1");
        check("a,\"b\"", "\"a,\"\"b\"\"\"", "a,&quot;b&quot;");
        check("<script>alert(1)</script>", "<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;");
    }

    #[test]
    fn long_tables_say_what_they_leave_out() {
        let mut table = Table::new("t", "Caption", &[("Number", "number"), ("", "hidden")]);
        for value in 0..SHOWN_ROWS as u64 + 5 {
            table.row([Cell::count(value), Cell::text("unseen")]);
        }
        let html = table.to_string();
        assert!(html.contains("5 more rows"), "{html}");
        assert!(!html.contains("unseen"));
        assert_eq!(table.to_csv().lines().count(), SHOWN_ROWS + 6);
    }
}
