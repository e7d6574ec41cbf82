//! Files of a data set, as the executor reads them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Files of a data set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Files {
    /// How they are to be read.
    pub format: FileFormat,
    /// Folder, relative to the executor's data folder; or a place in an object store (`s3://bucket/folder`, `oss://`,
    /// `azblob://`, `gs://`) or on a web server (`https://`).
    pub path: String,
    /// Names in the folder with records for training; by default those that are usual for the format.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub train: Vec<String>,
    /// Names in the folder with records for the test; by default those that are usual for the format, if they are there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub test: Vec<String>,
    /// Largest share of the records, rounded up, that may be broken; they are skipped and counted. More are an error.
    #[serde(default = "default_max_broken")]
    pub max_broken: f64,
}

impl Files {
    /// Files under their usual names.
    #[must_use]
    pub fn new(format: FileFormat, path: impl Into<String>) -> Self {
        Self { format, path: path.into(), train: Vec::new(), test: Vec::new(), max_broken: default_max_broken() }
    }
}

/// Format of data files. All may be compressed by gzip.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum FileFormat {
    /// IDX images and labels under the names of MNIST (`train-images-idx3-ubyte.gz`, …), compressed or not.
    Idx,
    /// CIFAR-10 in its binary form: label, then 3×32×32 pixels (`data_batch_1.bin` …, `test_batch.bin`).
    Cifar10,
    /// CIFAR-100 in its binary form with the fine labels: two labels, then 3×32×32 pixels (`train.bin`, `test.bin`).
    Cifar100,
    /// Images in a folder for each class (`train/CLASS/*.png`, `test/CLASS/*.png`), brought to the network's size. The
    /// classes are the folders of the training files in the order of their names.
    ImageFolders,
    /// Images with boxes of objects, brought to the network's size.
    Boxes(BoxFormat),
    /// Rows of numbers with a class or a number to be found (`train.csv`, `test.csv`).
    Csv(Csv),
    /// Plain text as one stream of tokens (`input.txt`, or `train.txt` and `test.txt`).
    Text(Text),
    /// One document a row (`train.csv`, `test.csv`).
    Lines(Lines),
    /// Ratings of items by users, one a row (`ratings.csv`, `ratings.dat` or `u.data`).
    Ratings(Ratings),
    /// Clicks in the form of Criteo's data: label, numbers and hexadecimal categories, separated by tabs (`train.txt`).
    /// A number x is taken as ln(1 + max(x, 0)), a category modulo the rows of its table; what is missing is 0.
    Clicks,
}

/// How boxes are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BoxFormat {
    /// COCO: `annotations/instances_train.json` with the images in `train/`, and the same for `test`.
    Coco,
    /// YOLO: `images/train/*.png` with `labels/train/*.txt`, and the same for `test`. A line is a class and the box's
    /// centre, width and height as shares of the image.
    Yolo,
}

/// Rows of numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Csv {
    /// What stands between columns; `tab` for a tabulator.
    #[serde(default = "comma")]
    pub delimiter: String,
    /// Whether the first row names the columns.
    #[serde(default)]
    pub header: bool,
    /// Columns that the network reads, by name or by number from 1; by default all but the target.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inputs: Vec<String>,
    /// What is to be found.
    pub target: Target,
}

/// What is to be found in a row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Target {
    /// The class in this column. Whole numbers are counted from the smallest one in the training files, words are
    /// numbered in alphabetical order.
    Class(String),
    /// The number in this column.
    Number(String),
}

/// One long text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Text {
    /// What a token is.
    pub tokens: Tokens,
}

/// What a token is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Tokens {
    /// A character of the training files; they are numbered in the order of their code points.
    Character,
    /// A sequence of bytes that is frequent in the training files (byte-pair encoding; Sennrich et al., 2016), as many
    /// as the network's vocabulary has entries.
    BytePair,
    /// As a file in the folder says: `tokenizer.json` of Hugging Face's library.
    Tokenizer(String),
}

/// One document a row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Lines {
    /// What a token is.
    pub tokens: Tokens,
    /// What stands between columns; `tab` for a tabulator, between which quotation marks are characters like others.
    #[serde(default = "comma")]
    pub delimiter: String,
    /// Whether the first row names the columns.
    #[serde(default)]
    pub header: bool,
    /// Columns with text, by name or by number from 1, joined by a space; by default all but that of the class.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub text: Vec<String>,
    /// Column with the class, as in CSV; without it a network learns to fill in tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
}

/// Ratings, one a row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Ratings {
    /// What stands between columns: `,`, `::` or `tab`.
    pub delimiter: String,
    /// Whether the first row names the columns.
    pub header: bool,
    /// Column with the user, by name or by number from 1. Users and items that are whole numbers below the network's
    /// count are its rows, also if they are counted from 1; others are numbered in their order.
    pub user: String,
    /// Column with the item.
    pub item: String,
    /// Column with the rating.
    pub rating: String,
}

impl Default for Ratings {
    fn default() -> Self {
        let [user, item, rating] = ["1", "2", "3"].map(str::to_owned);
        Self { delimiter: comma(), header: false, user, item, rating }
    }
}

/// Largest share of broken records where a data set says nothing else: one in a thousand.
const fn default_max_broken() -> f64 {
    0.001
}

fn comma() -> String {
    ",".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{schema, yaml};

    /// Reads the files of a data set as a scenario has them.
    fn read(text: &str) -> Files {
        let schema = &*schema::SCENARIO;
        let mut of_files = schema["definitions"]["Files"].clone();
        of_files["definitions"] = schema["definitions"].clone();
        let (node, problems) = yaml::parse(text).expect("it is YAML");
        let (value, more) = yaml::read(&of_files, &node);
        assert_eq!([problems, more].concat(), [], "{text}");
        serde_json::from_value(value).expect("the schema is that of the type")
    }

    #[test]
    fn every_format_can_be_written_in_short() {
        let check = |text: &str, expected: FileFormat| {
            assert_eq!(read(&format!("{{ format: {text}, path: a }}")), Files::new(expected, "a"));
        };
        check("idx", FileFormat::Idx);
        check("cifar100", FileFormat::Cifar100);
        check("image_folders", FileFormat::ImageFolders);
        check("{ boxes: coco }", FileFormat::Boxes(BoxFormat::Coco));
        check("{ text: { tokens: character } }", FileFormat::Text(Text { tokens: Tokens::Character }));
        check("{ ratings: {} }", FileFormat::Ratings(Ratings::default()));
        check(
            "{ ratings: { delimiter: '::', header: true, user: who } }",
            FileFormat::Ratings(Ratings {
                delimiter: "::".to_owned(),
                header: true,
                user: "who".to_owned(),
                ..Ratings::default()
            }),
        );
        let (inputs, target) = (vec!["1".to_owned(), "2".to_owned()], Target::Number("3".to_owned()));
        let csv = Csv { delimiter: ";".to_owned(), header: false, inputs, target };
        check("{ csv: { delimiter: ;, inputs: [1, 2], target: { number: 3 } } }", FileFormat::Csv(csv));
        let tokens = Tokens::Tokenizer("bert.json".to_owned());
        let (delimiter, class) = ("tab".to_owned(), Some("1".to_owned()));
        let lines = Lines { tokens, delimiter, header: false, text: Vec::new(), class };
        check("{ lines: { tokens: { tokenizer: bert.json }, delimiter: tab, class: 1 } }", FileFormat::Lines(lines));
        assert!((read("{ format: clicks, path: a, max_broken: 0.5 }").max_broken - 0.5).abs() < 1e-12);
    }
}
