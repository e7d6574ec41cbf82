//! Documents, one a row.

use scenarios::scenario::Lines;

use super::csv::{both, class, classes};
use super::{Sides, tokens};
use crate::data::codes::{CodeError, Codes, Names};
use crate::data::needs::Needs;
use crate::data::reading::{ReadError, Reading};
use crate::data::records::{Columns, Documents, Layout, Records, Truth};
use crate::data::store::Stored;
use crate::data::table::{Table, cell};
use crate::data::tokenizer::{Special, TokenCodes, Tokenizer};

/// A document with its class.
type Document = (String, Option<u32>);

pub(super) fn read(reading: &mut Reading<'_>, lines: &Lines, known: Option<&Codes>) -> Result<Sides, ReadError> {
    let Needs::Tokens { sees_all, classes: told_apart, .. } = *reading.needs else {
        return Err(reading.other_kind("documents"));
    };
    let files = both(reading)?;
    let names = match (told_apart, &lines.class, known.filter(|known| !known.classes.is_empty())) {
        (None, ..) => Vec::new(),
        (Some(_), None, _) => return Err(ReadError::NoClasses),
        (Some(_), Some(_), Some(known)) => known.classes.clone(),
        (Some(_), Some(column), None) => classes(reading, &files[0], (&lines.delimiter, lines.header), column)?,
    };
    if let Some(expected) = told_apart.filter(|most| names.len() > *most) {
        return Err(ReadError::TooMany { what: "classes", found: names.len(), expected });
    }
    let mut sides = Vec::new();
    for files in &files {
        sides.push(documents(reading, lines, files, &names)?);
    }
    let texts: Vec<&str> = sides[0].iter().map(|(text, _)| text.as_str()).collect();
    let (codes, tokenizer) = tokens(reading, &lines.tokens, known, &texts, true)?;
    let layout = layout(reading.needs, &tokenizer)?;
    let records = |documents: &[Document]| -> Result<Records, ReadError> {
        let columns = Columns::Documents(encoded(layout, &tokenizer, documents.iter().map(|(text, _)| text.as_str()))?);
        let truth = match told_apart {
            Some(_) => Truth::Classes(documents.iter().filter_map(|(_, class)| *class).collect()),
            None => untold(layout, sees_all)?,
        };
        Ok(Records { columns, truth })
    };
    let (train, test) = (records(&sides[0])?, records(&sides[1])?);
    Ok(Sides { train, test, codes: Codes { tokens: Some(codes), classes: names, ..Codes::default() } })
}

/// Documents of which a network learns to find hidden tokens.
pub(super) fn masked<'a>(
    reading: &mut Reading<'_>,
    tokenizer: &Tokenizer,
    codes: TokenCodes,
    sides: [impl Iterator<Item = &'a str>; 2],
) -> Result<Sides, ReadError> {
    let layout = layout(reading.needs, tokenizer)?;
    let mut records = Vec::new();
    for texts in sides {
        let documents = encoded(layout, tokenizer, texts)?;
        (0..documents.ends.len()).for_each(|_| reading.good());
        records.push(Records { columns: Columns::Documents(documents), truth: untold(layout, true)? });
    }
    let sides = records.try_into().unwrap_or_else(|_| unreachable!("there are two sides"));
    Ok(Sides { codes: Codes { tokens: Some(codes), ..Codes::default() }, ..Sides::plain(sides) })
}

/// What is to be found in documents without classes.
fn untold(layout: Layout, sees_all: bool) -> Result<Truth, ReadError> {
    match (sees_all, layout.mask) {
        (false, _) => Ok(Truth::Next),
        (true, Some(_)) => Ok(Truth::Masked),
        (true, None) => Err(CodeError::Special { what: "hidden tokens (`[MASK]`)" }.into()),
    }
}

pub(super) fn layout(needs: &Needs, tokenizer: &Tokenizer) -> Result<Layout, ReadError> {
    let Needs::Tokens { sequence, vocabulary, .. } = *needs else {
        return Err(ReadError::Kind { found: "documents", expected: needs.words() });
    };
    Ok(Layout {
        sequence,
        vocabulary: u32::try_from(vocabulary.min(tokenizer.len())).unwrap_or(u32::MAX),
        padding: tokenizer.special(Special::Padding).unwrap_or(0),
        first: tokenizer.special(Special::First),
        last: tokenizer.special(Special::Last),
        mask: tokenizer.special(Special::Mask),
    })
}

/// Tokens of documents, as many of each as a network can read.
fn encoded<'a>(
    layout: Layout,
    tokenizer: &Tokenizer,
    texts: impl Iterator<Item = &'a str>,
) -> Result<Documents, ReadError> {
    let mut documents = Documents { layout, ends: Vec::new(), tokens: Vec::new() };
    for text in texts {
        let mut tokens = tokenizer.encode(text)?;
        // One more than are read: the last one of them is to be found by a network that goes on with a text.
        tokens.truncate(layout.sequence + 1);
        documents.push(&tokens);
    }
    Ok(documents)
}

fn documents(
    reading: &mut Reading<'_>,
    lines: &Lines,
    files: &[Stored],
    names: &[String],
) -> Result<Vec<Document>, ReadError> {
    let names = (!names.is_empty()).then(|| Names::new(names));
    let mut documents = Vec::new();
    for stored in files {
        let table = Table::new(stored, &lines.delimiter, lines.header)?;
        let of_class = lines.class.as_ref().map(|column| table.column(column)).transpose()?;
        let of_text =
            lines.text.iter().map(|column| table.column(column)).collect::<Result<Vec<usize>, ReadError>>()?;
        for (line, row) in table {
            let read = row.and_then(|row| document(&row, of_class, &of_text, names.as_ref()));
            documents.extend(reading.line(stored, line, read));
        }
    }
    Ok(documents)
}

/// The text of a row, and its class where classes are told apart.
pub(super) fn document(
    row: &[String],
    of_class: Option<usize>,
    of_text: &[usize],
    names: Option<&Names<'_>>,
) -> Result<Document, String> {
    let class = of_class.zip(names).map(|(column, names)| class(cell(row, column)?, names)).transpose()?;
    let parts = match of_text {
        [] => {
            let others = row.iter().enumerate().filter(|(column, _)| Some(*column) != of_class);
            others.map(|(_, cell)| cell.as_str()).collect()
        }
        columns => columns.iter().map(|&column| cell(row, column)).collect::<Result<Vec<_>, _>>()?,
    };
    let text = parts.join(" ");
    if text.trim().is_empty() { Err("it has no text".to_owned()) } else { Ok((text, class)) }
}

#[cfg(test)]
mod tests {
    use scenarios::scenario::{FileFormat, Files, Tokens};

    use super::super::testing::{Folder, shared};
    use super::*;

    fn files(delimiter: &str, class: Option<&str>, tokens: Tokens) -> Files {
        let (delimiter, class) = (delimiter.to_owned(), class.map(str::to_owned));
        let lines = Lines { tokens, delimiter, header: false, text: Vec::new(), class };
        Files::new(FileFormat::Lines(lines), ".")
    }

    const fn needs(vocabulary: usize, sees_all: bool, classes: Option<usize>) -> Needs {
        Needs::Tokens { sequence: 8, vocabulary, sees_all, classes }
    }

    fn of(records: &Records) -> &Documents {
        match &records.columns {
            Columns::Documents(documents) => documents,
            other => unreachable!("they are documents, not {other:?}"),
        }
    }

    #[test]
    fn a_row_is_a_document_with_a_class() {
        let folder = Folder::new();
        folder.write("train.csv", b"2,b,a\n1,\"a,\nb\",c\n3,a\n");
        folder.write("test.csv", b"3,cab,x\n");
        let sides =
            folder.read(&files(",", Some("1"), Tokens::Character), &needs(12, true, Some(3))).expect("sound files");
        assert_eq!(sides.train.truth, Truth::Classes(vec![1, 0, 2]));
        assert_eq!(sides.codes.classes, ["1", "2", "3"]);
        let documents = of(&sides.train);
        // Special tokens come first, then line break, space, comma, a, b, c.
        assert_eq!([documents.document(0), documents.document(2)], [&[9, 6, 8][..], &[8]]);
        assert_eq!(of(&sides.test).document(0), [10, 8, 9, 6, 1]);
        let Layout { sequence, vocabulary, padding, first, last, mask } = documents.layout;
        assert_eq!((sequence, vocabulary, padding, first, last, mask), (8, 11, 0, Some(2), Some(3), Some(4)));
    }

    #[test]
    fn without_classes_tokens_are_to_be_found() {
        let folder = Folder::new();
        folder.write("train.csv", b"one\ntwo\n");
        let truth = |sees_all| {
            let sides =
                folder.read(&files(",", None, Tokens::Character), &needs(20, sees_all, None)).expect("sound files");
            sides.train.truth
        };
        assert_eq!([truth(true), truth(false)], [Truth::Masked, Truth::Next]);
        folder.write("train.csv", b"x,one\ny,two\n");
        let with_classes = files(",", Some("1"), Tokens::Character);
        let sides = folder.read(&with_classes, &needs(20, true, None)).expect("classes are left out");
        assert_eq!((of(&sides.train).document(0).len(), sides.train.truth), (3, Truth::Masked));
        let message = "the data has 2 classes, but the network knows 1";
        folder.check_error(&with_classes, &needs(20, true, Some(1)), message);
        let message = "the network tells classes apart, but `files` names no column with the class";
        folder.check_error(&files(",", None, Tokens::Character), &needs(20, true, Some(2)), message);
        let numbers = Needs::Pairs { users: 1, items: 1 };
        let message = "the files hold documents, but the network reads users and items";
        folder.check_error(&files(",", None, Tokens::Character), &numbers, message);
    }

    #[test]
    fn broken_rows_are_named() {
        let folder = Folder::new();
        folder.write("train.csv", b"ham\tone\nspam\ntwo\t \nspam\tb\n");
        let files = Files { max_broken: 0.3, ..files("tab", Some("1"), Tokens::Character) };
        let sides = folder.read(&files, &needs(20, true, Some(4))).expect("two of four may be broken");
        assert_eq!((sides.train.truth, sides.codes.classes.len()), (Truth::Classes(vec![0, 1]), 3));
        let none = Files { max_broken: 0.0, ..files };
        let message =
            "2 of 4 records are broken, more than the 0 allowed; the first is line 2 of `train.csv`: it has no text";
        folder.check_error(&none, &needs(20, true, Some(4)), message);
    }

    #[test]
    fn the_shared_documents_have_their_known_classes() {
        let check = |name: &str, file: &str, delimiter: &str, expected: &[usize]| {
            let Some(folder) = shared(name) else { return };
            let files = Files { train: vec![file.to_owned()], ..files(delimiter, Some("1"), Tokens::BytePair) };
            let sides = folder.read(&files, &needs(1000, true, Some(4))).expect("it is sound");
            let Truth::Classes(classes) = &sides.train.truth else { unreachable!("they have classes") };
            let counts: Vec<usize> =
                (0..expected.len() as u32).map(|class| classes.iter().filter(|&&c| c == class).count()).collect();
            assert_eq!(counts, expected, "{name}: {:?}", sides.codes.classes);
            assert_eq!(of(&sides.train).layout.vocabulary, 1000);
        };
        check("sms_spam", "SMSSpamCollection", "tab", &[4827, 747]);
        check("ag_news", "test.csv", ",", &[1900; 4]);
    }
}
