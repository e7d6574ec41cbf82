use std::path::PathBuf;

use scenarios::model::TensorShape;
use scenarios::scenario::{Csv, Lines, Preprocessing, Ratings, Target, Tokens};

use super::super::picture::png;
use super::*;
use crate::data::codes::Ids;
use crate::data::host::{HostInputs, HostTargets};
use crate::data::tokenizer::TokenCodes;

/// Numbers of the records and the inputs of each batch of a file.
fn read_one(
    name: &str,
    bytes: &[u8],
    (format, needs, codes): (FileFormat, Needs, Codes),
) -> Result<Vec<(Vec<usize>, HostBatch)>, String> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).expect("it can be written");
    let files = Files::new(format, ".");
    let reader = Reader::new(&Preprocessing::default(), 1);
    let manner = Manner { files: Some(&files), needs: &needs, codes: &codes, reader: &reader, batch: 2 };
    let mut found = Vec::new();
    let read = read(&[path], manner, &mut |read| {
        found.push((read.numbers, read.batch));
        ControlFlow::Continue(())
    });
    let shown = format!("{}/", folder.path().display());
    read.map(|_| found).map_err(|error| error.to_string().replace(&shown, ""))
}

fn csv(header: bool) -> (FileFormat, Needs, Codes) {
    let csv = Csv { delimiter: ",".to_owned(), header, inputs: Vec::new(), target: Target::Class("2".to_owned()) };
    let csv = if header { Csv { target: Target::Class("kind".to_owned()), ..csv } } else { csv };
    (FileFormat::Csv(csv), Needs::Numbers { shape: TensorShape::Vector(2), outputs: 3 }, Codes::default())
}

#[test]
fn rows_of_numbers_may_lack_what_is_to_be_found() {
    let check = |text: &str, header: bool| {
        let found = read_one("rows.csv", text.as_bytes(), csv(header)).expect("it is sound");
        let numbers = |values: &[f32]| HostInputs::Numbers(2, values.to_vec());
        let inputs: Vec<_> = found.iter().map(|(_, batch)| batch.inputs.clone()).collect();
        assert_eq!(inputs, [numbers(&[1.0, 2.0, 3.0, 4.0]), numbers(&[5.0, 6.0])]);
        assert!(found.iter().all(|(_, batch)| batch.targets == HostTargets::Unknown));
        found.into_iter().flat_map(|(lines, _)| lines).collect::<Vec<_>>()
    };
    assert_eq!(check("1,2\n3,4\n\n5,6\n", false), [1, 2, 4]);
    assert_eq!(check("1,x,2\n3,y,4\n5,z,6\n", false), [1, 2, 3]);
    assert_eq!(check("a,b\n1,2\n3,4\n5,6\n", true), [2, 3, 4]);
    assert_eq!(check("a,kind,b\n1,x,2\n3,y,4\n5,z,6\n", true), [2, 3, 4]);
    let error = read_one("rows.csv", b"1,2,3,4\n", csv(false));
    let message = "1 of 1 records are broken, more than the 1 allowed; the first is line 1 of `rows.csv`: ";
    assert_eq!(error.map(|found| found.len()), Ok(0), "{message}");
    let error = read_one("rows.csv", b"1,2,3,4\n1\n", csv(false)).expect_err("two of two");
    assert!(error.ends_with("the first is line 1 of `rows.csv`: it has 4 numbers instead of 2"), "{error}");
}

/// Documents of characters with classes in the first column.
fn documents(classes: Option<usize>, sees_all: bool) -> (FileFormat, Needs, Codes) {
    let class = classes.map(|_| "1".to_owned());
    let (delimiter, tokens) = ("tab".to_owned(), Tokens::Character);
    let lines = Lines { tokens, delimiter, header: false, text: Vec::new(), class };
    let codes = Codes {
        tokens: Some(TokenCodes::DocumentCharacters("abc".to_owned())),
        classes: ["ham", "spam"].iter().take(classes.unwrap_or(0)).map(|&name| name.to_owned()).collect(),
        ..Codes::default()
    };
    (FileFormat::Lines(lines), Needs::Tokens { sequence: 5, vocabulary: 9, sees_all, classes }, codes)
}

#[test]
fn texts_may_lack_their_class() {
    let check = |name: &str, text: &str| {
        let found = read_one(name, text.as_bytes(), documents(Some(2), true)).expect("it is sound");
        let [(numbers, batch)] = &found[..] else { unreachable!("one batch, not {found:?}") };
        let there = Some(vec![1.0, 1.0, 1.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0, 0.0]);
        assert_eq!(batch.inputs, HostInputs::Tokens(5, vec![2, 5, 3, 0, 0, 2, 6, 7, 3, 0], there), "{text}");
        assert_eq!((&batch.targets, &numbers[..]), (&HostTargets::Unknown, &[1, 2][..]));
    };
    check("documents.csv", "ham\ta\nspam\tbc\n");
    check("documents.csv", "a\nbc\n");
    check("documents.txt", "a\nbc\n");
}

#[test]
fn hidden_tokens_and_next_ones_are_to_be_found() {
    let found = read_one("a.txt", b"a[MASK]c\n", documents(None, true)).expect("it is sound");
    let targets = HostTargets::Tokens(5, vec![2, 5, 4, 7, 3], vec![0.0, 0.0, 1.0, 0.0, 0.0]);
    assert_eq!(found[0].1.targets, targets);
    let found = read_one("a.txt", b"ab\n", documents(None, false)).expect("it is sound");
    let targets = HostTargets::Tokens(5, vec![5, 6, 3, 0, 0], vec![1.0, 1.0, 1.0, 0.0, 0.0]);
    assert_eq!(found[0].1.targets, targets);
    let error = read_one("a.txt", b"abc\nabc\n", documents(None, true)).expect_err("nothing is hidden");
    assert!(error.ends_with("line 1 of `a.txt`: it has no [MASK] that could be filled in"), "{error}");
}

#[test]
fn users_items_and_clicks_may_lack_ratings_and_labels() {
    let names = |names: [&str; 2]| Some(Ids::Names(names.map(str::to_owned).to_vec()));
    let codes = Codes { users: names(["ann", "bob"]), items: Some(Ids::From(1)), ..Codes::default() };
    let ratings = (FileFormat::Ratings(Ratings::default()), Needs::Pairs { users: 2, items: 3 }, codes);
    let found = read_one("pairs.csv", b"bob,3\nann,1,4.5\n", ratings.clone()).expect("it is sound");
    assert_eq!(found[0].1.inputs, HostInputs::Pairs(vec![1, 2, 0, 0]));
    let error = read_one("pairs.csv", b"eve,1\nbob,4\n", ratings).expect_err("both are unknown");
    assert!(error.ends_with("`eve` is no user of the training records"), "{error}");
    let clicks = || (FileFormat::Clicks, Needs::Clicks { numbers: 1, tables: vec![5] }, Codes::default());
    for text in ["1\t0\ta\n", "0\ta\n"] {
        let found = read_one("clicks.txt", text.as_bytes(), clicks()).expect("it is sound");
        assert_eq!(found[0].1.inputs, HostInputs::Clicks([1, 1], vec![0.0], vec![0]));
    }
}

#[test]
fn images_come_one_by_one_or_many_in_a_file() {
    let shape = TensorShape::Image { channels: 1, height: 2, width: 2 };
    let needs = || (FileFormat::Idx, Needs::Numbers { shape, outputs: 3 }, Codes::default());
    let [images, _] = crate::data::idx::encode(&Records::grey(2, 2, vec![255; 12], &[0, 1, 2]));
    let found = read_one("images", &images, needs()).expect("it is sound");
    assert_eq!(found.iter().map(|(numbers, _)| numbers.clone()).collect::<Vec<_>>(), [vec![1, 2], vec![3]]);
    assert_eq!(found[1].1.inputs, HostInputs::Numbers(4, vec![1.0; 4]));
    let found = read_one("one.png", &png(4, 4, [255; 3]), needs()).expect("it is sound");
    assert_eq!(found[0].1.inputs.records(), 1);
    let [large, _] = crate::data::idx::encode(&Records::grey(3, 2, vec![255; 6], &[0]));
    let error = read_one("images", &large, needs()).expect_err("they are too large");
    assert_eq!(error, "`images`: its images have 6 pixels, but the network takes 4");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let none: [PathBuf; 1] = [folder.path().to_owned()];
    let (reader, codes, needs) = (Reader::new(&Preprocessing::default(), 1), Codes::default(), needs().1);
    let manner = Manner { files: None, needs: &needs, codes: &codes, reader: &reader, batch: 2 };
    let error = read(&none, manner, &mut |_| ControlFlow::Continue(())).expect_err("it is empty").to_string();
    assert!(error.ends_with("the folder has no pictures"), "{error}");
}
