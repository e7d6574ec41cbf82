//! Data sets to learn from, small and drawn: how long a step takes does not depend on what they say.

use std::fmt::Write as _;
use std::io::Cursor;
use std::path::Path;

use image::{ImageFormat, RgbImage};
use serde_json::{Value, json};

/// A data set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sample {
    /// Grey images of 28×28 in ten classes.
    Digits,
    /// Coloured images of 32×32 in ten classes.
    Photos,
    /// One long text of 27 characters.
    Text,
    /// Documents in four classes.
    Documents,
    /// Ratings of items by users.
    Ratings,
    /// Clicks with numbers and categories.
    Clicks,
    /// Coloured images of 48×48 with boxes.
    Boxes,
}

/// Whole numbers that look drawn: a linear congruential generator (Knuth's MMIX constants).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }

    fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.below(256) as u8).collect()
    }
}

/// Characters of the text.
const TEXT: usize = 200_000;

impl Sample {
    const fn name(self) -> &'static str {
        match self {
            Self::Digits => "digits",
            Self::Photos => "photos",
            Self::Text => "text",
            Self::Documents => "documents",
            Self::Ratings => "ratings",
            Self::Clicks => "clicks",
            Self::Boxes => "boxes",
        }
    }

    /// Records to learn from, as a scenario states them.
    #[must_use]
    pub const fn records(self) -> usize {
        match self {
            Self::Digits | Self::Photos | Self::Documents => 4000,
            Self::Text => TEXT / 64,
            Self::Ratings | Self::Clicks => 40_000,
            Self::Boxes => 200,
        }
    }

    /// Its files as a scenario states them.
    #[must_use]
    pub fn files(self) -> Value {
        let format = match self {
            Self::Digits => json!("idx"),
            Self::Photos => json!("cifar10"),
            Self::Text => json!({ "text": { "tokens": "character" } }),
            Self::Documents => json!({ "lines": { "tokens": "character", "class": "2" } }),
            Self::Ratings => json!({ "ratings": {} }),
            Self::Clicks => json!("clicks"),
            Self::Boxes => json!({ "boxes": "yolo" }),
        };
        let train = match self {
            Self::Photos => json!(["data_batch_1.bin"]),
            _ => json!([]),
        };
        json!({ "format": format, "path": self.name(), "train": train })
    }

    /// Writes the files into a folder of data sets.
    ///
    /// # Panics
    /// They cannot be written.
    pub fn write(self, data: &Path) {
        let folder = data.join(self.name());
        fs_err::create_dir_all(&folder).expect("the folder can be made");
        let put = |name: &str, bytes: &[u8]| fs_err::write(folder.join(name), bytes).expect("the file can be written");
        let numbers = &mut Numbers(self.records() as u64);
        match self {
            Self::Digits => {
                for (split, records) in [("train", self.records()), ("t10k", 100)] {
                    put(&format!("{split}-images-idx3-ubyte"), &idx(&[records, 28, 28], |_| numbers.below(256) as u8));
                    put(&format!("{split}-labels-idx1-ubyte"), &idx(&[records], |at| (at % 10) as u8));
                }
            }
            Self::Photos => {
                for (name, records) in [("data_batch_1.bin", self.records()), ("test_batch.bin", 100)] {
                    let all: Vec<u8> = (0..records)
                        .flat_map(|at| std::iter::once((at % 10) as u8).chain(numbers.bytes(3072)))
                        .collect();
                    put(name, &all);
                }
            }
            Self::Text => put("input.txt", letters(numbers, TEXT).as_bytes()),
            Self::Documents => put("train.csv", rows(self, numbers).as_bytes()),
            Self::Ratings => put("ratings.csv", rows(self, numbers).as_bytes()),
            Self::Clicks => put("train.txt", rows(self, numbers).as_bytes()),
            Self::Boxes => self.pictures(&folder, numbers),
        }
    }

    fn pictures(self, folder: &Path, numbers: &mut Numbers) {
        for kind in ["images/train", "labels/train"] {
            fs_err::create_dir_all(folder.join(kind)).expect("the folder can be made");
        }
        for at in 0..self.records() {
            let picture = png(48, &numbers.bytes(48 * 48 * 3));
            fs_err::write(folder.join(format!("images/train/{at}.png")), picture).expect("it can be written");
            let labels = format!("{} 0.4 0.5 0.3 0.3\n{} 0.7 0.6 0.2 0.4\n", at % 3, (at + 1) % 3);
            fs_err::write(folder.join(format!("labels/train/{at}.txt")), labels).expect("it can be written");
        }
    }
}

/// Lines of a table.
fn rows(sample: Sample, numbers: &mut Numbers) -> String {
    let mut text = String::new();
    for at in 0..sample.records() {
        match sample {
            Sample::Documents => {
                let _ = writeln!(text, "{},{}", letters(numbers, 44), at % 4);
            }
            Sample::Ratings => {
                let _ = writeln!(text, "{},{},{}", numbers.below(2000), numbers.below(1200), 1 + numbers.below(5));
            }
            _ => {
                let _ = write!(text, "{}", at % 2);
                for _ in 0..13 {
                    let _ = write!(text, "\t{}", numbers.below(100));
                }
                for _ in 0..6 {
                    let _ = write!(text, "\t{:08x}", numbers.below(1 << 31));
                }
                text.push('\n');
            }
        }
    }
    text
}

/// Letters and spaces.
fn letters(numbers: &mut Numbers, count: usize) -> String {
    let mut letter = || match numbers.below(27) {
        26 => ' ',
        at => char::from(b'a' + at as u8),
    };
    (0..count).map(|_| letter()).collect()
}

/// A file of bytes in dimensions, as MNIST's are.
fn idx(sizes: &[usize], mut value: impl FnMut(usize) -> u8) -> Vec<u8> {
    let mut file = vec![0, 0, 8, sizes.len() as u8];
    file.extend(sizes.iter().flat_map(|size| (*size as u32).to_be_bytes()));
    file.extend((0..sizes.iter().product()).map(&mut value));
    file
}

/// A square coloured picture.
fn png(side: usize, pixels: &[u8]) -> Vec<u8> {
    let picture = RgbImage::from_raw(side as u32, side as u32, pixels.to_vec()).expect("three values a pixel");
    let mut file = Cursor::new(Vec::new());
    picture.write_to(&mut file, ImageFormat::Png).expect("it fits into memory");
    file.into_inner()
}
