//! Files of each format as records.

mod boxes;
mod cifar;
mod clicks;
mod csv;
mod documents;
mod folders;
mod mnist;
mod picture;
mod ratings;
#[cfg(test)]
mod testing;
mod text;
pub(super) mod unlabelled;

pub(super) use mnist::NAMES as MNIST_NAMES;

use scenarios::scenario::{BoxFormat, FileFormat, Tokens};

use super::codes::Codes;
use super::needs::Needs;
use super::reading::{ReadError, Reading, text as text_of};
use super::records::Records;
use super::tokenizer::{TokenCodes, Tokenizer};

/// Records of both sides, and what words and names in the files were taken for.
#[derive(Debug)]
pub(super) struct Sides {
    /// Records for training.
    pub train: Records,
    /// Records for the test.
    pub test: Records,
    /// What words and names were taken for.
    pub codes: Codes,
}

impl Sides {
    /// Records for training and for the test that need no codes.
    fn plain([train, test]: [Records; 2]) -> Self {
        Self { train, test, codes: Codes::default() }
    }
}

/// Names of files that are usual for a format: the first one of the training files is what users are told to look for.
pub(super) fn usual(format: &FileFormat) -> &'static str {
    match format {
        FileFormat::Idx => MNIST_NAMES[0],
        FileFormat::Cifar10 => cifar::CIFAR_10.train[0],
        FileFormat::Cifar100 => cifar::CIFAR_100.train[0],
        FileFormat::ImageFolders => "train",
        FileFormat::Boxes(BoxFormat::Coco) => "annotations/instances_train.json",
        FileFormat::Boxes(BoxFormat::Yolo) => "images/train",
        FileFormat::Csv(_) | FileFormat::Lines(_) => "train.csv",
        FileFormat::Text(_) => "input.txt",
        FileFormat::Ratings(_) => "ratings.csv",
        FileFormat::Clicks => "train.txt",
    }
}

/// Reads all files of a data set. `known` is what their words and names were taken for when a network learned from them.
pub(super) fn read(reading: &mut Reading<'_>, known: Option<&Codes>) -> Result<Sides, ReadError> {
    let sides = match &reading.files.format {
        FileFormat::Idx => mnist::read(reading),
        FileFormat::Cifar10 => cifar::read(reading, &cifar::CIFAR_10),
        FileFormat::Cifar100 => cifar::read(reading, &cifar::CIFAR_100),
        FileFormat::ImageFolders => folders::read(reading, known),
        FileFormat::Boxes(BoxFormat::Coco) => boxes::coco(reading, known),
        FileFormat::Boxes(BoxFormat::Yolo) => boxes::yolo(reading),
        FileFormat::Csv(csv) => csv::read(reading, csv, known),
        FileFormat::Text(text) => text::read(reading, text, known),
        FileFormat::Lines(lines) => documents::read(reading, lines, known),
        FileFormat::Ratings(ratings) => ratings::read(reading, ratings, known),
        FileFormat::Clicks => clicks::read(reading),
    }?;
    reading.end()?;
    Ok(sides)
}

/// Tokens of texts: as they are known, as a file in the folder says, or learned from the texts.
fn tokens(
    reading: &mut Reading<'_>,
    tokens: &Tokens,
    known: Option<&Codes>,
    texts: &[&str],
    documents: bool,
) -> Result<(TokenCodes, Tokenizer), ReadError> {
    let Needs::Tokens { vocabulary, .. } = *reading.needs else { return Err(reading.other_kind("texts")) };
    let codes = match (known.and_then(|known| known.tokens.clone()), tokens) {
        (Some(codes), _) => codes,
        (None, Tokens::Tokenizer(file)) => TokenCodes::Library(text_of(&reading.required(file)?)?.to_owned()),
        (None, tokens) => TokenCodes::learn(tokens, texts, vocabulary, documents)?,
    };
    let tokenizer = Tokenizer::new(&codes)?;
    let found = tokenizer.len();
    if found > vocabulary {
        return Err(ReadError::TooMany { what: "tokens", found, expected: vocabulary });
    }
    Ok((codes, tokenizer))
}
