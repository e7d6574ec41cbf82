//! Rows of numbers, of users and items, and of what may be clicked, with or without what is to be found.

use scenarios::scenario::{Csv, FileFormat, Ratings, Target};

use super::super::{clicks, ratings};
use super::{Batches, Row};
use crate::data::codes::{Ids, Lookup};
use crate::data::needs::Needs;
use crate::data::reading::{ReadError, form, number};
use crate::data::store::Stored;
use crate::data::table::{Table, cell};

/// Reads rows of numbers; the column with what is to be found may be missing.
pub(super) fn numbers(batches: &mut Batches<'_>, stored: &Stored) -> Result<(), ReadError> {
    let Some(FileFormat::Csv(csv)) = batches.manner.files.map(|files| &files.format) else {
        return Err(form(stored, "it holds no images, and the network learned from no rows of numbers"));
    };
    let expected = batches.manner.needs.shape().elements();
    let table = Table::new(stored, &csv.delimiter, csv.header)?;
    let named = named(&table, csv)?;
    for (line, row) in table {
        let read = row.and_then(|row| of_row(&row, named.as_deref(), csv, expected));
        if batches.take("line", line, read.map(Row::Numbers)).is_break() {
            break;
        }
    }
    Ok(())
}

/// Columns that are read, where files or header name them.
fn named(table: &Table<'_>, csv: &Csv) -> Result<Option<Vec<usize>>, ReadError> {
    if !csv.inputs.is_empty() {
        return csv.inputs.iter().map(|column| table.column(column)).collect::<Result<_, _>>().map(Some);
    }
    let Some(width) = table.width() else { return Ok(None) };
    let target = target(table, csv);
    Ok(Some((0..width).filter(|column| Some(*column) != target).collect()))
}

/// Column with what is to be found, if it is there.
fn target(table: &Table<'_>, csv: &Csv) -> Option<usize> {
    let (Target::Class(column) | Target::Number(column)) = &csv.target;
    table.column(column).ok()
}

fn of_row(row: &[String], named: Option<&[usize]>, csv: &Csv, expected: usize) -> Result<Vec<f32>, String> {
    let (Target::Class(target) | Target::Number(target)) = &csv.target;
    let target = target.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
    let columns: Vec<usize> = match named {
        Some(named) => named.to_vec(),
        None if row.len() == expected + 1 => (0..row.len()).filter(|column| Some(*column) != target).collect(),
        None => (0..row.len()).collect(),
    };
    if columns.len() != expected {
        return Err(format!("it has {} numbers instead of {expected}", columns.len()));
    }
    columns.into_iter().map(|column| number(cell(row, column)?)).collect()
}

/// Reads users and items; ratings may be missing.
pub(super) fn pairs(batches: &mut Batches<'_>, stored: &Stored) -> Result<(), ReadError> {
    let usual = Ratings::default();
    let like = match batches.manner.files.map(|files| &files.format) {
        Some(FileFormat::Ratings(ratings)) => ratings,
        _ => &usual,
    };
    let Needs::Pairs { users, items } = batches.manner.needs else {
        return Err(batches.reading.other_kind("users and items"));
    };
    let codes = batches.manner.codes;
    let plain = Ids::From(0);
    let of_users = Lookup::new(codes.users.as_ref().unwrap_or(&plain));
    let of_items = Lookup::new(codes.items.as_ref().unwrap_or(&plain));
    let table = Table::new(stored, &like.delimiter, like.header)?;
    let places = [table.column(&like.user)?, table.column(&like.item)?];
    let pair = |row: &[String]| {
        let [user, item] = [ratings::id(row, places[0], "user")?, ratings::id(row, places[1], "item")?];
        let unknown = |what: &str, name: &str| format!("`{name}` is no {what} of the training records");
        let user = of_users.row(user, *users).ok_or_else(|| unknown("user", user))?;
        Ok([user, of_items.row(item, *items).ok_or_else(|| unknown("item", item))?])
    };
    for (line, row) in table {
        if batches.take("line", line, row.and_then(|row| pair(&row)).map(Row::Pair)).is_break() {
            break;
        }
    }
    Ok(())
}

/// Reads numbers and categories; labels may be missing.
pub(super) fn clicks(batches: &mut Batches<'_>, stored: &Stored) -> Result<(), ReadError> {
    let Needs::Clicks { numbers, tables } = batches.manner.needs else {
        return Err(batches.reading.other_kind("clicks"));
    };
    for (line, row) in Table::new(stored, "tab", false)? {
        let read = row.and_then(|mut row| {
            if row.len() == numbers + tables.len() {
                row.insert(0, "0".to_owned());
            }
            clicks::of_row(&row, *numbers, tables)
        });
        if batches.take("line", line, read.map(|(_, numbers, rows)| Row::Click(numbers, rows))).is_break() {
            break;
        }
    }
    Ok(())
}
