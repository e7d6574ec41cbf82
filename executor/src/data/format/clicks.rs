//! Clicks in the form of Criteo's data: label, numbers, hexadecimal categories, separated by tabs.

use super::Sides;
use crate::data::needs::Needs;
use crate::data::reading::{ReadError, Reading, Side, number, short};
use crate::data::records::{Columns, Records, Truth};
use crate::data::store::Stored;
use crate::data::table::Table;

const TRAIN: [&str; 2] = ["train.txt", "day_0"];
const TEST: [&str; 1] = ["test.txt"];

pub(super) fn read(reading: &mut Reading<'_>) -> Result<Sides, ReadError> {
    let Needs::Clicks { numbers, tables } = reading.needs else { return Err(reading.other_kind("clicks")) };
    let mut sides = Vec::new();
    for (side, usual) in [(Side::Train, &TRAIN[..]), (Side::Test, &TEST)] {
        let (mut values, mut rows, mut labels) = (Vec::new(), Vec::new(), Vec::new());
        for stored in reading.side(side, usual, true)? {
            append(reading, &stored, *numbers, tables, (&mut values, &mut rows, &mut labels))?;
        }
        let columns = Columns::Clicks { numbers: *numbers, lookups: tables.len(), values, rows };
        sides.push(Records { columns, truth: Truth::Numbers { width: 1, values: labels } });
    }
    Ok(Sides::plain(sides.try_into().unwrap_or_else(|_| unreachable!("there are two sides"))))
}

fn append(
    reading: &mut Reading<'_>,
    stored: &Stored,
    numbers: usize,
    tables: &[usize],
    (values, rows, labels): (&mut Vec<f32>, &mut Vec<u32>, &mut Vec<f32>),
) -> Result<(), ReadError> {
    for (line, row) in Table::new(stored, "tab", false)? {
        let read = row.and_then(|row| of_row(&row, numbers, tables));
        if let Some((label, of_numbers, of_tables)) = reading.line(stored, line, read) {
            labels.push(label);
            values.extend(of_numbers);
            rows.extend(of_tables);
        }
    }
    Ok(())
}

/// Label, numbers and rows of a record.
pub(super) type Click = (f32, Vec<f32>, Vec<u32>);

pub(super) fn of_row(row: &[String], numbers: usize, tables: &[usize]) -> Result<Click, String> {
    let expected = 1 + numbers + tables.len();
    if row.len() != expected {
        return Err(format!("it has {} columns instead of {expected}", row.len()));
    }
    let label = match row[0].trim() {
        "0" => 0.0,
        "1" => 1.0,
        other => return Err(format!("its label is `{}`, neither 0 nor 1", short(other))),
    };
    let of_numbers = row[1..=numbers].iter().map(|text| logarithm(text)).collect::<Result<_, _>>()?;
    let of_tables =
        row[numbers + 1..].iter().zip(tables).map(|(text, &rows)| category(text, rows)).collect::<Result<_, _>>()?;
    Ok((label, of_numbers, of_tables))
}

/// ln(1 + max(x, 0)), 0 for what is missing: the preparation of facebookresearch/dlrm (`data_utils.py`).
fn logarithm(text: &str) -> Result<f32, String> {
    if text.trim().is_empty() { Ok(0.0) } else { Ok(number(text)?.max(0.0).ln_1p()) }
}

/// Row of a category: its number modulo the rows (`--max-ind-range` of facebookresearch/dlrm), 0 for what is missing.
fn category(text: &str, rows: usize) -> Result<u32, String> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(0);
    }
    let number = u64::from_str_radix(text, 16).map_err(|_| format!("`{}` is no hexadecimal number", short(text)))?;
    Ok((number % rows.max(1) as u64) as u32)
}

#[cfg(test)]
mod tests {
    use scenarios::scenario::{FileFormat, Files};

    use super::super::testing::Folder;
    use super::*;

    #[test]
    fn rows_are_cut_into_numbers_and_categories() {
        let needs = Needs::Clicks { numbers: 2, tables: vec![10, 1000] };
        let folder = Folder::new();
        folder.write("train.txt", b"1\t\t-2\tff\t\n0\t0\t1\t68fd1e64\t3e8\n");
        folder.write("test.txt", b"2\t0\t0\t1\t1\n0\t0\t0\t1\n0\tx\t0\t1\t1\n0\t0\t0\tzz\t1\n1\t0\t0\t1\t2\n");
        let files = Files { max_broken: 0.5, ..Files::new(FileFormat::Clicks, ".") };
        let (sides, broken) = folder.read_again(&files, &needs, None).expect("four of seven may be broken");
        let values = vec![0.0, 0.0, 0.0, 2_f32.ln()];
        let rows = vec![5, 0, (0x68fd_1e64_u32 % 10), 0];
        let columns = Columns::Clicks { numbers: 2, lookups: 2, values, rows };
        assert_eq!(sides.train, Records { columns, truth: Truth::Numbers { width: 1, values: vec![1.0, 0.0] } });
        assert_eq!((sides.test.len(), broken), (1, 4));
        let causes = [
            ("2\t0\t0\t1\t1", "its label is `2`, neither 0 nor 1"),
            ("0\t0\t0\t1", "it has 4 columns instead of 5"),
            ("0\tx\t0\t1\t1", "`x` is no number"),
            ("0\t0\t0\tzz\t1", "`zz` is no hexadecimal number"),
        ];
        for (row, cause) in causes {
            let row: Vec<String> = row.split('\t').map(str::to_owned).collect();
            assert_eq!(of_row(&row, 2, &[10, 1000]), Err(cause.to_owned()));
        }
    }
}
