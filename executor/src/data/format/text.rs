//! One long text.

use std::sync::Arc;

use scenarios::scenario::Text;

use super::{Sides, tokens};
use crate::data::codes::Codes;
use crate::data::needs::Needs;
use crate::data::reading::{ReadError, Reading, Side, text as text_of};
use crate::data::records::{Columns, Records, Stream, Truth};

const TRAIN: [&str; 2] = ["input.txt", "train.txt"];
const TEST: [&str; 1] = ["test.txt"];

pub(super) fn read(reading: &mut Reading<'_>, text: &Text, known: Option<&Codes>) -> Result<Sides, ReadError> {
    let Needs::Tokens { sequence, sees_all, classes, .. } = *reading.needs else {
        return Err(reading.other_kind("texts"));
    };
    if classes.is_some() {
        return Err(ReadError::NoClasses);
    }
    let files = [reading.side(Side::Train, &TRAIN, true)?, reading.side(Side::Test, &TEST, true)?];
    let mut texts = [String::new(), String::new()];
    for (text, files) in texts.iter_mut().zip(&files) {
        for stored in files {
            text.push_str(text_of(stored)?);
        }
    }
    // Hidden tokens need a token in their place, so an encoder's texts have special tokens as documents have.
    let (codes, tokenizer) = tokens(reading, &text.tokens, known, &[&texts[0], &texts[1]], sees_all)?;
    if sees_all {
        let lines = texts.each_ref().map(|text| text.split("\n\n").filter(|part| !part.trim().is_empty()));
        return super::documents::masked(reading, &tokenizer, codes, lines);
    }
    let mut sides = Vec::new();
    for text in &texts {
        let tokens = Arc::new(tokenizer.encode(text)?);
        let stream = Stream { sequence, tokens, starts: None };
        (0..stream.windows()).for_each(|_| reading.good());
        sides.push(Records { columns: Columns::Stream(stream), truth: Truth::Next });
    }
    let sides = sides.try_into().unwrap_or_else(|_| unreachable!("there are two sides"));
    Ok(Sides { codes: Codes { tokens: Some(codes), ..Codes::default() }, ..Sides::plain(sides) })
}

#[cfg(test)]
mod tests {
    use scenarios::scenario::{FileFormat, Files, Tokens};

    use super::super::testing::{Folder, shared};
    use super::*;
    use crate::data::tokenizer::Tokenizer;

    fn files(tokens: Tokens) -> Files {
        Files::new(FileFormat::Text(Text { tokens }), ".")
    }

    const fn needs(vocabulary: usize) -> Needs {
        Needs::Tokens { sequence: 4, vocabulary, sees_all: false, classes: None }
    }

    #[test]
    fn a_text_is_one_stream() {
        let folder = Folder::new();
        folder.write("train.txt", b"abcabcabc");
        folder.write("test.txt", b"cab d");
        let sides = folder.read(&files(Tokens::Character), &needs(5)).expect("a sound text");
        let Columns::Stream(stream) = &sides.train.columns else { unreachable!("it is a stream") };
        assert_eq!((&stream.tokens[..4], sides.train.len(), sides.test.len()), (&[1, 2, 3, 1][..], 1, 1));
        let known = sides.codes;
        let again = folder.read_again(&files(Tokens::BytePair), &needs(5), Some(&known)).expect("known tokens").0;
        assert_eq!((again.train, again.codes), (sides.train, known));
        let few = "the data has 5 tokens, but the network knows 3";
        folder.check_error(&files(Tokens::Character), &needs(3), few);
        folder.write("train.txt", b"fine\nnot \xff\n");
        folder.check_error(&files(Tokens::Character), &needs(5), "`train.txt`: line 2 is no text in UTF-8");
    }

    #[test]
    fn a_given_tokenizer_is_read_from_the_folder() {
        let folder = Folder::new();
        folder.write("input.txt", b"one two two");
        let Needs::Tokens { vocabulary, .. } = needs(300) else { unreachable!("they are tokens") };
        let learned = crate::data::tokenizer::TokenCodes::learn(&Tokens::BytePair, &["one two two"], vocabulary, false);
        let crate::data::tokenizer::TokenCodes::Library(json) = learned.expect("it learns") else {
            unreachable!("it is of the library")
        };
        let given = files(Tokens::Tokenizer("tokenizer.json".to_owned()));
        folder.check_error(&given, &needs(300), "there is no file `tokenizer.json`");
        folder.write("tokenizer.json", json.as_bytes());
        let sides = folder.read(&given, &needs(300)).expect("it is there now");
        let Columns::Stream(stream) = sides.train.columns else { unreachable!("it is a stream") };
        let tokenizer = Tokenizer::new(&sides.codes.tokens.expect("they are kept")).expect("it was read");
        assert_eq!(tokenizer.decode(&stream.tokens), "one two two");
    }

    #[test]
    fn the_shared_text_has_its_known_size() {
        let Some(folder) = shared("tinyshakespeare") else { return };
        let characters = folder.read(&files(Tokens::Character), &needs(65)).expect("it has 65 characters");
        let Columns::Stream(stream) = characters.train.columns else { unreachable!("it is a stream") };
        assert_eq!(stream.tokens.len(), 1_115_394);
        let pairs = folder.read(&files(Tokens::BytePair), &needs(512)).expect("it learns");
        let Columns::Stream(shorter) = pairs.train.columns else { unreachable!("it is a stream") };
        assert!(shorter.tokens.len() < stream.tokens.len() * 6 / 10, "{} tokens", shorter.tokens.len());
        let tokenizer = Tokenizer::new(&pairs.codes.tokens.expect("they are kept")).expect("it was learned");
        let decoded = tokenizer.decode(&shorter.tokens[..200]);
        assert!(decoded.starts_with("First Citizen:\nBefore we proceed any further, hear me speak.\n"), "{decoded}");
    }
}
