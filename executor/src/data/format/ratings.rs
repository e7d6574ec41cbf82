//! Ratings of items by users.

use scenarios::scenario::Ratings;

use super::Sides;
use crate::data::codes::{Codes, Ids, Lookup};
use crate::data::needs::Needs;
use crate::data::reading::{ReadError, Reading, Side, number, short};
use crate::data::records::{Columns, Records, Truth};
use crate::data::store::Stored;
use crate::data::table::{Table, cell};

const TRAIN: [&str; 4] = ["ratings.csv", "ratings.dat", "u.data", "train.csv"];
const TEST: [&str; 1] = ["test.csv"];

/// A row before users and items have numbers.
struct Rating {
    user: String,
    item: String,
    value: f32,
}

pub(super) fn read(reading: &mut Reading<'_>, ratings: &Ratings, known: Option<&Codes>) -> Result<Sides, ReadError> {
    let Needs::Pairs { users, items } = *reading.needs else { return Err(reading.other_kind("ratings")) };
    let files = [reading.side(Side::Train, &TRAIN, true)?, reading.side(Side::Test, &TEST, true)?];
    let mut found = Vec::new();
    for files in &files {
        found.push(rows(reading, ratings, files)?);
    }
    let all = || found.iter().flatten();
    let of_users = known.and_then(|known| known.users.clone());
    let of_items = known.and_then(|known| known.items.clone());
    let of_users = of_users.unwrap_or_else(|| Ids::of(all().map(|rating| rating.user.as_str()), users));
    let of_items = of_items.unwrap_or_else(|| Ids::of(all().map(|rating| rating.item.as_str()), items));
    for (what, ids, rows) in [("users", &of_users, users), ("items", &of_items, items)] {
        if ids.rows() > rows {
            return Err(ReadError::TooMany { what, found: ids.rows(), expected: rows });
        }
    }
    let (user, item) = (Lookup::new(&of_users), Lookup::new(&of_items));
    let records = |ratings: &[Rating]| {
        let known = ratings.iter().filter_map(|rating| {
            Some(([user.row(&rating.user, users)?, item.row(&rating.item, items)?], rating.value))
        });
        let (pairs, values) = known.unzip();
        Records { columns: Columns::Pairs(pairs), truth: Truth::Numbers { width: 1, values } }
    };
    let (train, test) = (records(&found[0]), records(&found[1]));
    Ok(Sides { train, test, codes: Codes { users: Some(of_users), items: Some(of_items), ..Codes::default() } })
}

fn rows(reading: &mut Reading<'_>, ratings: &Ratings, files: &[Stored]) -> Result<Vec<Rating>, ReadError> {
    let mut found = Vec::new();
    for stored in files {
        let table = Table::new(stored, &ratings.delimiter, ratings.header)?;
        let places = [&ratings.user, &ratings.item, &ratings.rating].map(|column| table.column(column));
        let [user, item, rating] = places;
        let places = [user?, item?, rating?];
        for (line, row) in table {
            found.extend(reading.line(stored, line, row.and_then(|row| of_row(&row, places))));
        }
    }
    Ok(found)
}

fn of_row(row: &[String], [user, item, rating]: [usize; 3]) -> Result<Rating, String> {
    let [user, item] = [id(row, user, "user")?.to_owned(), id(row, item, "item")?.to_owned()];
    Ok(Rating { user, item, value: number(cell(row, rating)?)? })
}

/// The user or item in a column of a row.
pub(super) fn id<'a>(row: &'a [String], column: usize, what: &str) -> Result<&'a str, String> {
    match cell(row, column)?.trim() {
        "" => Err(format!("it has no {what}")),
        text if text.len() > 256 => Err(format!("`{}` is too long for a name", short(text))),
        text => Ok(text),
    }
}

#[cfg(test)]
mod tests {
    use scenarios::scenario::{FileFormat, Files};

    use super::super::testing::Folder;
    use super::*;

    const NEEDS: Needs = Needs::Pairs { users: 3, items: 3 };

    fn files(delimiter: &str, header: bool) -> Files {
        let ratings = Ratings { delimiter: delimiter.to_owned(), header, ..Ratings::default() };
        Files::new(FileFormat::Ratings(ratings), ".")
    }

    #[test]
    fn tables_of_every_kind_are_read() {
        let check = |name: &str, text: &[u8], files: &Files, pairs: &[[u32; 2]], values: &[f32]| {
            let folder = Folder::new();
            folder.write(name, text);
            let sides = folder.read(files, &NEEDS).expect(name);
            let truth = Truth::Numbers { width: 1, values: values.to_vec() };
            assert_eq!(sides.train, Records { columns: Columns::Pairs(pairs.to_vec()), truth }, "{name}");
            let again = folder.read_again(files, &NEEDS, Some(&sides.codes)).expect(name).0;
            assert_eq!(again.train, sides.train);
        };
        check("ratings.dat", b"1::10::5::978\n2::30::3.5::978\n", &files("::", false), &[[1, 0], [2, 1]], &[5.0, 3.5]);
        check("u.data", b"3\t2\t1\t9\n1\t1\t2\t9\n", &files("tab", false), &[[2, 2], [0, 1]], &[1.0, 2.0]);
        let csv = b"userId,movieId,rating\nann,9,-1\nbob,10,0.5\n";
        check("ratings.csv", csv, &files(",", true), &[[0, 0], [1, 1]], &[-1.0, 0.5]);
        check("ratings.csv", b"0,2,1\n", &files(",", false), &[[0, 2]], &[1.0]);
    }

    #[test]
    fn what_is_wrong_is_said() {
        let folder = Folder::new();
        folder.write("ratings.csv", b"a,1,1\nb,1,1\nc,1,1\nd,1,1\n");
        folder.check_error(&files(",", false), &NEEDS, "the data has 4 users, but the network knows 3");
        folder.write("ratings.csv", b"1,1,good\n1,1\n,2,3\n");
        let message = "3 of 3 records are broken, more than the 1 allowed; the first is line 1 of `ratings.csv`: `good` is no number";
        folder.check_error(&files(",", false), &NEEDS, message);
    }
}
