//! What the words, characters and names in files are to a network. They are kept beside its weights, so that other files
//! are read alike.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::tokenizer::TokenCodes;

/// Most classes that are counted from numbers in files.
const MOST_CLASSES: i64 = 1 << 20;

/// What the words and names in files are to a network.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Codes {
    /// Tokens of texts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tokens: Option<TokenCodes>,
    /// Names of the classes in their order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub classes: Vec<String>,
    /// Users.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub users: Option<Ids>,
    /// Items.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub items: Option<Ids>,
}

/// Rows of a table that the users or items of files are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ids {
    /// Whole numbers, counted from this one.
    From(u64),
    /// Names in the order of their rows.
    Names(Vec<String>),
}

/// Why texts cannot be turned into tokens.
#[derive(Debug, thiserror::Error)]
pub enum CodeError {
    /// A given tokenizer cannot be read, or one cannot be made.
    #[error("no tokenizer: {reason}")]
    Tokenizer {
        /// Cause.
        reason: String,
    },
    /// A character has no token.
    #[error("no text for training has the character `{character}`")]
    Character {
        /// The character.
        character: char,
    },
    /// A special token is missing.
    #[error("the tokenizer has no token for {what}")]
    Special {
        /// What it is for.
        what: &'static str,
    },
}

/// Numbers of names, by their place in a list.
#[derive(Debug)]
pub(super) struct Names<'a>(HashMap<&'a str, u32>);

impl<'a> Names<'a> {
    pub fn new(names: &'a [String]) -> Self {
        Self(names.iter().zip(0..).map(|(name, number)| (name.as_str(), number)).collect())
    }

    pub fn number(&self, name: &str) -> Option<u32> {
        self.0.get(name).copied()
    }
}

/// Names of classes: whole numbers from the smallest to the largest, if all but `exceptions` are such; else the words in
/// alphabetical order.
pub(super) fn classes<'a>(found: impl Iterator<Item = &'a str> + Clone, exceptions: usize) -> Vec<String> {
    let numbers: Vec<i64> = found.clone().filter_map(whole).collect();
    let others = found.clone().filter(|text| whole(text).is_none()).count();
    if let (Some(&least), Some(&most)) = (numbers.iter().min(), numbers.iter().max())
        && others <= exceptions
        && most.saturating_sub(least) < MOST_CLASSES
    {
        return (least..=most).map(|number| number.to_string()).collect();
    }
    distinct(found.filter(|text| !text.trim().is_empty()))
}

/// A class as it stands in a list of classes.
pub(super) fn class_name(text: &str) -> String {
    whole(text).map_or_else(|| text.trim().to_owned(), |number| number.to_string())
}

fn whole(text: &str) -> Option<i64> {
    let text = text.trim();
    text.parse().ok().or_else(|| {
        let number: f64 = text.parse().ok()?;
        (number.fract() == 0.0 && number.abs() < MOST_CLASSES as f64).then_some(number as i64)
    })
}

fn distinct<'a>(found: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut names: Vec<&str> = found.map(str::trim).collect();
    names.sort_unstable();
    names.dedup();
    names.into_iter().map(str::to_owned).collect()
}

impl Ids {
    /// Rows of a table of `rows` for what was found: whole numbers as they are, or counted from 1, if the table has their
    /// rows; else each name in the order of numbers and of the alphabet.
    pub(super) fn of<'a>(found: impl Iterator<Item = &'a str> + Clone, rows: usize) -> Self {
        let numbers: Option<Vec<u64>> = found.clone().map(|text| text.trim().parse().ok()).collect();
        let range = numbers.as_ref().and_then(|numbers| Some((*numbers.iter().min()?, *numbers.iter().max()?)));
        match range {
            Some((_, most)) if most < rows as u64 => Self::From(0),
            Some((1.., most)) if most <= rows as u64 => Self::From(1),
            _ => {
                let mut names = distinct(found);
                if numbers.is_some() {
                    names.sort_by_key(|name| name.parse::<u64>().unwrap_or(u64::MAX));
                }
                Self::Names(names)
            }
        }
    }

    /// How many rows they take, where that is known.
    #[must_use]
    pub const fn rows(&self) -> usize {
        match self {
            Self::From(_) => 0,
            Self::Names(names) => names.len(),
        }
    }
}

/// Finds rows of ids.
#[derive(Debug)]
pub(super) enum Lookup<'a> {
    From(u64),
    Names(Names<'a>),
}

impl<'a> Lookup<'a> {
    pub fn new(ids: &'a Ids) -> Self {
        match ids {
            Ids::From(first) => Self::From(*first),
            Ids::Names(names) => Self::Names(Names::new(names)),
        }
    }

    /// Row of an id in a table of `rows`.
    pub fn row(&self, id: &str, rows: usize) -> Option<u32> {
        let row = match self {
            Self::From(first) => id.trim().parse::<u64>().ok()?.checked_sub(*first)?,
            Self::Names(names) => u64::from(names.number(id.trim())?),
        };
        u32::try_from(row).ok().filter(|_| row < rows as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_numbers_from_the_smallest_or_words_in_order() {
        let check = |found: &[&str], exceptions: usize, expected: &[&str]| {
            assert_eq!(classes(found.iter().copied(), exceptions), expected, "{found:?}");
        };
        check(&["3", "1", "4", "1"], 0, &["1", "2", "3", "4"]);
        check(&["0", "2.0", " 1"], 0, &["0", "1", "2"]);
        check(&["spam", "ham", "ham "], 0, &["ham", "spam"]);
        check(&["1", "2", "?"], 0, &["1", "2", "?"]);
        check(&["1", "2", "?"], 1, &["1", "2"]);
        check(&["-1", "1", ""], 1, &["-1", "0", "1"]);
        check(&["", "a"], 0, &["a"]);
        check(&["0", "9999999999"], 0, &["0", "9999999999"]);
        assert_eq!([class_name(" 2.0"), class_name("spam ")], ["2", "spam"]);
    }

    #[test]
    fn ids_are_rows_where_the_table_has_them() {
        let check = |found: &[&str], rows: usize, expected: Ids, at: &[Option<u32>]| {
            let ids = Ids::of(found.iter().copied(), rows);
            let lookup = Lookup::new(&ids);
            let places: Vec<_> = found.iter().map(|id| lookup.row(id, rows)).collect();
            assert_eq!((&places[..], &ids), (at, &expected), "{found:?}");
        };
        let names = |names: &[&str]| Ids::Names(names.iter().map(|&name| name.to_owned()).collect());
        check(&["0", "4"], 5, Ids::From(0), &[Some(0), Some(4)]);
        check(&["1", "5"], 5, Ids::From(1), &[Some(0), Some(4)]);
        check(&["10", "9", "10"], 5, names(&["9", "10"]), &[Some(1), Some(0), Some(1)]);
        check(&["b", "a"], 5, names(&["a", "b"]), &[Some(1), Some(0)]);
        check(&["b", "a"], 1, names(&["a", "b"]), &[None, Some(0)]);
        assert_eq!(Lookup::new(&Ids::From(1)).row("0", 5), None);
    }
}
