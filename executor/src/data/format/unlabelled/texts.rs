//! Texts, one a line or one a row of a table.

use std::io::BufRead;

use scenarios::scenario::{FileFormat, Lines};

use super::super::documents;
use super::{Batches, Manner, Row};
use crate::data::codes::{CodeError, class_name};
use crate::data::host::{HostBatch, HostInputs, HostTargets};
use crate::data::needs::Needs;
use crate::data::reading::ReadError;
use crate::data::records::{Documents, Layout, Truth};
use crate::data::store::Stored;
use crate::data::table::{Table, cell};
use crate::data::tokenizer::{SPECIAL, Special, Tokenizer};

/// Reads the lines of a text, or the rows of a table like those that the network learned from.
pub(super) fn file(batches: &mut Batches<'_>, stored: &Stored) -> Result<(), ReadError> {
    match batches.manner.files.map(|files| &files.format) {
        Some(FileFormat::Lines(like)) if stored.path.extension().is_none_or(|ending| ending != "txt") => {
            table(batches, stored, like)
        }
        _ => lines(batches, &stored.bytes[..]),
    }
}

/// Reads lines, each of them a text, as they come; empty ones are passed over.
pub(super) fn lines(batches: &mut Batches<'_>, from: impl BufRead) -> Result<(), ReadError> {
    let Some(tokens) = batches.tokens.clone() else { return Err(batches.reading.other_kind("texts")) };
    for (line, number) in from.lines().zip(1..) {
        let line = line.map_err(|error| ReadError::Form { path: batches.file.clone(), cause: error.to_string() })?;
        if !line.trim().is_empty() && batches.take("line", number, tokens.of(&line)).is_break() {
            break;
        }
    }
    Ok(())
}

fn table(batches: &mut Batches<'_>, stored: &Stored, like: &Lines) -> Result<(), ReadError> {
    let Some(tokens) = batches.tokens.clone() else { return Err(batches.reading.other_kind("texts")) };
    let (class, columns) = columns(batches.manner, stored, like)?;
    for (line, row) in Table::new(stored, &like.delimiter, like.header)? {
        let text = row.and_then(|row| documents::document(&row, class, &columns, None));
        if batches.take("line", line, text.and_then(|(text, _)| tokens.of(&text))).is_break() {
            break;
        }
    }
    Ok(())
}

/// Column with the class, if the file has one, and columns with text, where they are named. Without a header a file has
/// classes if its first row has a class of the training records where one would be.
fn columns(manner: Manner<'_>, stored: &Stored, like: &Lines) -> Result<(Option<usize>, Vec<usize>), ReadError> {
    let mut table = Table::new(stored, &like.delimiter, like.header)?;
    let place = like.class.as_ref().and_then(|column| table.column(column).ok());
    let text = like.text.iter().map(|column| table.column(column)).collect::<Result<Vec<usize>, _>>()?;
    if like.header {
        return Ok((place, text));
    }
    let is_class = |row: &[String], place: usize| {
        cell(row, place).is_ok_and(|cell| manner.codes.classes.contains(&class_name(cell)))
    };
    let first = table.find_map(|(_, row)| row.ok());
    match (place, first) {
        (Some(place), Some(row)) if !is_class(&row, place) => {
            // Without that column, those behind it stand one further to the left.
            Ok((None, text.into_iter().map(|column| column - usize::from(column > place)).collect()))
        }
        (place, _) => Ok((place, text)),
    }
}

/// Turns texts into tokens, as the network learned with.
#[derive(Debug)]
pub(super) struct Tokens {
    tokenizer: Tokenizer,
    layout: Layout,
    /// Token in the place of `[MASK]`, where a network fills in.
    mask: Option<u32>,
}

impl Tokens {
    /// The tokens of a network that reads texts; none of others.
    pub fn new(manner: Manner<'_>) -> Result<Option<Self>, ReadError> {
        let Needs::Tokens { sees_all, classes, .. } = *manner.needs else { return Ok(None) };
        let none = || CodeError::Tokenizer { reason: "the weights do not say what their tokens are".to_owned() };
        let tokenizer = Tokenizer::new(manner.codes.tokens.as_ref().ok_or_else(none)?)?;
        let layout = documents::layout(manner.needs, &tokenizer)?;
        let mask = match (sees_all, classes) {
            (true, None) => Some(layout.mask.ok_or(CodeError::Special { what: "hidden tokens (`[MASK]`)" })?),
            _ => None,
        };
        Ok(Some(Self { tokenizer, layout, mask }))
    }

    fn of(&self, text: &str) -> Result<Row, String> {
        let encode = |text: &str| self.tokenizer.encode(text).map_err(|error| error.to_string());
        let Some(mask) = self.mask else { return encode(text).map(Row::Tokens) };
        let name = SPECIAL[Special::Mask as usize];
        if !text.contains(name) {
            return Err(format!("it has no {name} that could be filled in"));
        }
        let mut tokens = Vec::new();
        for (place, part) in text.split(name).enumerate() {
            tokens.extend((place > 0).then_some(mask));
            tokens.extend(encode(part)?);
        }
        Ok(Row::Tokens(tokens))
    }

    /// Documents for the network, as many of the tokens of each as it reads.
    pub fn documents(&self, texts: impl Iterator<Item = Vec<u32>>) -> Documents {
        let mut documents = Documents { layout: self.layout, ends: Vec::new(), tokens: Vec::new() };
        for mut tokens in texts {
            tokens.truncate(self.layout.sequence + 1);
            documents.push(&tokens);
        }
        documents
    }

    /// Says which tokens are to be found by a network that fills in: those that are hidden.
    pub fn hide(&self, batch: &mut HostBatch) {
        if let (Some(mask), HostInputs::Tokens(length, tokens, _)) = (self.mask, &batch.inputs) {
            let hidden = tokens.iter().map(|token| f32::from(u8::from(token.cast_unsigned() == mask))).collect();
            batch.targets = HostTargets::Tokens(*length, tokens.clone(), hidden);
        }
    }
}

/// What is to be found in records, as far as reading them decides it.
pub(super) const fn truth(needs: &Needs) -> Truth {
    match needs {
        Needs::Tokens { sees_all: false, classes: None, .. } => Truth::Next,
        _ => Truth::Unknown,
    }
}
