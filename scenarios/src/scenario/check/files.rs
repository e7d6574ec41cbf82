//! How the files of a data set lie and are read.

use std::path::{Component, Path};

use super::Check;
use crate::scenario::{FileFormat, Files, Target, Tokens};
use crate::yaml::Located;

/// Beginnings of paths that lead to object stores and web servers.
const STORES: [&str; 7] = ["s3://", "oss://", "azblob://", "gs://", "http://", "https://", "file://"];

pub(super) fn check(check: &mut Check<'_>, files: &Files, at: &Located<'_>) {
    let in_store = STORES.iter().find_map(|store| files.path.strip_prefix(store));
    if in_store == Some("") {
        let help = "name the bucket or server, such as `s3://bucket/folder`";
        check.wrong(&at.key("path"), "the path leads to no store", "nothing after `//`", help);
    } else if in_store.is_none() && !stays_inside(&files.path) {
        let help = "give a folder inside of the data folder, such as `mnist`";
        check.wrong(&at.key("path"), "the path leaves the data folder", "leads elsewhere", help);
    }
    for (key, names) in [("train", &files.train), ("test", &files.test)] {
        for (index, _) in names.iter().enumerate().filter(|(_, name)| !stays_inside(name)) {
            inside(check, &at.key(key).item(index));
        }
    }
    if !(0.0..1.0).contains(&files.max_broken) {
        let help = "write 0.001 for one record in a thousand";
        check.wrong(&at.key("max_broken"), "`max_broken` is a share from 0 to below 1", "outside", help);
    }
    format(check, &files.format, &at.key("format"));
}

fn inside(check: &mut Check<'_>, at: &Located<'_>) {
    check.wrong(at, "the path leaves the data set's folder", "leads elsewhere", "name a file in the folder");
}

fn format(check: &mut Check<'_>, format: &FileFormat, at: &Located<'_>) {
    match format {
        FileFormat::Csv(csv) => {
            let at = at.key("csv");
            delimiter(check, &csv.delimiter, false, &at.key("delimiter"));
            for (index, column) in csv.inputs.iter().enumerate() {
                self::column(check, column, csv.header, &at.key("inputs").item(index));
            }
            let (key, target) = match &csv.target {
                Target::Class(column) => ("class", column),
                Target::Number(column) => ("number", column),
            };
            column(check, target, csv.header, &at.key("target").key(key));
        }
        FileFormat::Text(text) => tokens(check, &text.tokens, &at.key("text").key("tokens")),
        FileFormat::Lines(lines) => {
            let at = at.key("lines");
            tokens(check, &lines.tokens, &at.key("tokens"));
            delimiter(check, &lines.delimiter, false, &at.key("delimiter"));
            for (index, column) in lines.text.iter().enumerate() {
                self::column(check, column, lines.header, &at.key("text").item(index));
            }
            if let Some(class) = &lines.class {
                column(check, class, lines.header, &at.key("class"));
            }
        }
        FileFormat::Ratings(ratings) => {
            let at = at.key("ratings");
            delimiter(check, &ratings.delimiter, true, &at.key("delimiter"));
            for (key, name) in [("user", &ratings.user), ("item", &ratings.item), ("rating", &ratings.rating)] {
                column(check, name, ratings.header, &at.key(key));
            }
        }
        FileFormat::Idx
        | FileFormat::Cifar10
        | FileFormat::Cifar100
        | FileFormat::ImageFolders
        | FileFormat::Boxes(_)
        | FileFormat::Clicks => {}
    }
}

fn tokens(check: &mut Check<'_>, tokens: &Tokens, at: &Located<'_>) {
    if let Tokens::Tokenizer(file) = tokens
        && !stays_inside(file)
    {
        inside(check, &at.key("tokenizer"));
    }
}

fn delimiter(check: &mut Check<'_>, delimiter: &str, double: bool, at: &Located<'_>) {
    let single = delimiter.len() == 1 && !matches!(delimiter, "\"" | "\n" | "\r");
    if !single && delimiter != "tab" && !(double && delimiter == "::") {
        let message = format!("`{delimiter}` cannot stand between columns");
        let help = if double { "write `,`, `::` or `tab`" } else { "write a single character such as `;`, or `tab`" };
        check.wrong(at, message, "not one character", help);
    }
}

/// A column is named, where there is a header, or numbered from 1.
fn column(check: &mut Check<'_>, column: &str, header: bool, at: &Located<'_>) {
    let number = column.parse::<u32>();
    if number == Ok(0) {
        check.wrong(at, "columns are numbered from 1", "not there", "write `1` for the first column");
    } else if number.is_err() && !header {
        let message = format!("no header says which column `{column}` is");
        check.wrong(at, message, "a name", "add `header: true`, or give the column's number, from 1");
    }
}

fn stays_inside(path: &str) -> bool {
    !path.is_empty()
        && Path::new(path).components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir))
}
