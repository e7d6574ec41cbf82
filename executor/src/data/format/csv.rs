//! Rows of numbers with a class or a number to be found.

use scenarios::scenario::{Csv, Target};

use super::Sides;
use crate::data::codes::{self, Codes, Names};
use crate::data::needs::Needs;
use crate::data::reading::{ReadError, Reading, Side, number, short};
use crate::data::records::{Columns, Records, Truth};
use crate::data::store::Stored;
use crate::data::table::{Table, cell};

pub(super) const TRAIN: [&str; 2] = ["train.csv", "data.csv"];
pub(super) const TEST: [&str; 1] = ["test.csv"];

pub(super) fn read(reading: &mut Reading<'_>, csv: &Csv, known: Option<&Codes>) -> Result<Sides, ReadError> {
    let Needs::Numbers { outputs, .. } = *reading.needs else { return Err(reading.other_kind("rows of numbers")) };
    if outputs > 1 && matches!(csv.target, Target::Number(_)) {
        return Err(ReadError::Outputs { outputs });
    }
    let [train, test] = both(reading)?;
    let mut codes = Codes::default();
    if let Target::Class(column) = &csv.target {
        codes.classes = match known {
            Some(known) if !known.classes.is_empty() => known.classes.clone(),
            _ => classes(reading, &train, (&csv.delimiter, csv.header), column)?,
        };
    }
    let sides = [rows(reading, csv, &train, &codes)?, rows(reading, csv, &test, &codes)?];
    Ok(Sides { codes, ..Sides::plain(sides) })
}

/// The files of both sides under their usual names.
pub(super) fn both(reading: &mut Reading<'_>) -> Result<[Vec<Stored>; 2], ReadError> {
    Ok([reading.side(Side::Train, &TRAIN, true)?, reading.side(Side::Test, &TEST, true)?])
}

/// Names of the classes in a column of files.
pub(super) fn classes(
    reading: &Reading<'_>,
    files: &[Stored],
    (delimiter, header): (&str, bool),
    column: &str,
) -> Result<Vec<String>, ReadError> {
    let mut found = Vec::new();
    for stored in files {
        let table = Table::new(stored, delimiter, header)?;
        let place = table.column(column)?;
        found.extend(table.filter_map(|(_, row)| cell(&row.ok()?, place).map(str::to_owned).ok()));
    }
    let exceptions = (reading.files.max_broken * found.len() as f64).ceil() as usize;
    Ok(codes::classes(found.iter().map(String::as_str), exceptions))
}

/// The class in a cell.
pub(super) fn class(text: &str, names: &Names<'_>) -> Result<u32, String> {
    let class = names.number(&codes::class_name(text));
    class.ok_or_else(|| format!("`{}` is no class of the training records", short(text)))
}

/// Which columns of a table are read.
struct Places {
    inputs: Vec<usize>,
    target: usize,
    /// Columns of each row, where that is known.
    width: Option<usize>,
}

fn places(table: &Table<'_>, csv: &Csv, needs: &Needs) -> Result<Places, ReadError> {
    let (Target::Class(target) | Target::Number(target)) = &csv.target;
    let target = table.column(target)?;
    if !csv.inputs.is_empty() {
        let inputs = csv.inputs.iter().map(|column| table.column(column)).collect::<Result<_, _>>()?;
        return Ok(Places { inputs, target, width: table.width() });
    }
    let expected = match needs {
        Needs::Numbers { shape, .. } => shape.elements() + 1,
        _ => 0,
    };
    let width = table.width().unwrap_or(expected);
    let inputs = (0..width).filter(|&column| column != target).collect();
    Ok(Places { inputs, target, width: Some(width) })
}

fn rows(reading: &mut Reading<'_>, csv: &Csv, files: &[Stored], codes: &Codes) -> Result<Records, ReadError> {
    let names = Names::new(&codes.classes);
    let (mut width, mut values, mut classes, mut numbers) = (csv.inputs.len(), Vec::new(), Vec::new(), Vec::new());
    for stored in files {
        let table = Table::new(stored, &csv.delimiter, csv.header)?;
        let places = places(&table, csv, reading.needs)?;
        width = places.inputs.len();
        for (line, row) in table {
            let read = row.and_then(|row| inputs(&row, &places, &csv.target, &names));
            if let Some((of_row, target)) = reading.line(stored, line, read) {
                values.extend(of_row);
                match target {
                    Found::Class(class) => classes.push(class),
                    Found::Number(number) => numbers.push(number),
                }
            }
        }
    }
    let truth = match csv.target {
        Target::Class(_) => Truth::Classes(classes),
        Target::Number(_) => Truth::Numbers { width: 1, values: numbers },
    };
    Ok(Records { columns: Columns::Numbers { width, values }, truth })
}

enum Found {
    Class(u32),
    Number(f32),
}

fn inputs(row: &[String], places: &Places, target: &Target, names: &Names<'_>) -> Result<(Vec<f32>, Found), String> {
    if let Some(width) = places.width.filter(|&width| width != row.len()) {
        return Err(format!("it has {} columns instead of {width}", row.len()));
    }
    let values = places.inputs.iter().map(|&column| number(cell(row, column)?)).collect::<Result<_, _>>()?;
    let of_target = cell(row, places.target)?;
    let found = match target {
        Target::Class(_) => Found::Class(class(of_target, names)?),
        Target::Number(_) => Found::Number(number(of_target)?),
    };
    Ok((values, found))
}

#[cfg(test)]
mod tests {
    use scenarios::model::TensorShape;
    use scenarios::scenario::{FileFormat, Files};

    use super::super::testing::Folder;
    use super::*;

    const NEEDS: Needs = Needs::Numbers { shape: TensorShape::Vector(2), outputs: 3 };

    fn files(inputs: &[&str], target: Target, header: bool) -> Files {
        let inputs = inputs.iter().map(|&column| column.to_owned()).collect();
        Files::new(FileFormat::Csv(Csv { delimiter: ",".to_owned(), header, inputs, target }), ".")
    }

    #[test]
    fn columns_are_inputs_and_target() {
        let folder = Folder::new();
        folder.write("train.csv", b"kind,x,y\ndog,1,2\ncat,3,4.5\n");
        folder.write("test.csv", b"kind,x,y\ncat,-1e1,0\n");
        let check = |files: &Files, width: usize, values: &[f32], truth: Truth| {
            let sides = folder.read(files, &NEEDS).expect("sound files");
            let columns = Columns::Numbers { width, values: values.to_vec() };
            assert_eq!(sides.train, Records { columns, truth });
            assert_eq!(sides.test.len(), 1);
        };
        let kind = || Target::Class("kind".to_owned());
        check(&files(&[], kind(), true), 2, &[1.0, 2.0, 3.0, 4.5], Truth::Classes(vec![1, 0]));
        check(&files(&["y"], kind(), true), 1, &[2.0, 4.5], Truth::Classes(vec![1, 0]));
        let numbers = Truth::Numbers { width: 1, values: vec![2.0, 4.5] };
        let with_number = files(&["2"], Target::Number("y".to_owned()), true);
        let one = Needs::Numbers { shape: TensorShape::Vector(1), outputs: 1 };
        let sides = folder.read(&with_number, &one).expect("sound files");
        let columns = Columns::Numbers { width: 1, values: vec![1.0, 3.0] };
        assert_eq!(sides.train, Records { columns, truth: numbers });
        folder.check_error(&with_number, &NEEDS, "the network gives 3 numbers a record, but one is to be found");
    }

    #[test]
    fn codes_of_the_training_hold_for_other_files() {
        let folder = Folder::new();
        folder.write("train.csv", b"1,2,b\n");
        let known = Codes { classes: ["a", "b"].map(str::to_owned).to_vec(), ..Codes::default() };
        let files = files(&[], Target::Class("3".to_owned()), false);
        let (sides, _) = folder.read_again(&files, &NEEDS, Some(&known)).expect("a sound file");
        assert_eq!((sides.train.truth, sides.codes), (Truth::Classes(vec![1]), known));
    }

    #[test]
    fn broken_rows_are_named() {
        let check = |text: &str, cause: &str| {
            let folder = Folder::new();
            folder.write("train.csv", text.as_bytes());
            let files = Files { max_broken: 0.0, ..files(&[], Target::Class("3".to_owned()), false) };
            let expected = format!("1 of 2 records are broken, more than the 0 allowed; the first is {cause}");
            folder.check_error(&files, &NEEDS, &expected);
        };
        check("1,2,0\n1,2\n", "line 2 of `train.csv`: it has 2 columns instead of 3");
        check("1,x,0\n1,2,1\n", "line 1 of `train.csv`: `x` is no number");
        check("1,nan,0\n1,2,1\n", "line 1 of `train.csv`: `nan` is no number");
        let folder = Folder::new();
        folder.write("train.csv", b"a,b\n1,2\n");
        let other = files(&[], Target::Class("c".to_owned()), true);
        folder.check_error(&other, &NEEDS, "`train.csv`: it has no column `c`; its header has a, b");
        let pairs = Needs::Pairs { users: 1, items: 1 };
        let message = "the files hold rows of numbers, but the network reads users and items";
        folder.check_error(&other, &pairs, message);
    }
}
