//! Records in memory, whatever they are.

use std::ops::Range;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Records with what is true of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Records {
    /// What a network reads.
    pub columns: Columns,
    /// What it is to find.
    pub truth: Truth,
}

/// What a network reads of each record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Columns {
    /// Images.
    Images(Images),
    /// Numbers, `width` a record.
    Numbers {
        /// Numbers of a record.
        width: usize,
        /// Numbers of all records, one record after the other.
        values: Vec<f32>,
    },
    /// Windows of one long text.
    Stream(Stream),
    /// Documents, each by itself.
    Documents(Documents),
    /// Users and items.
    Pairs(Vec<[u32; 2]>),
    /// Numbers, and rows of tables.
    Clicks {
        /// Numbers of a record.
        numbers: usize,
        /// Rows that a record looks up.
        lookups: usize,
        /// Numbers of all records.
        values: Vec<f32>,
        /// Rows of all records, table by table.
        rows: Vec<u32>,
    },
}

/// Images of one size.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Images {
    /// Colour channels.
    pub channels: usize,
    /// Rows of pixels.
    pub height: usize,
    /// Columns of pixels.
    pub width: usize,
    /// Pixels of all images: channel after channel, row by row.
    pub pixels: Vec<u8>,
}

/// A long text, of which a record is a window.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stream {
    /// Tokens that a network reads of a window; the one after each of them is what it is to find.
    pub sequence: usize,
    /// The text.
    #[serde(serialize_with = "shared", deserialize_with = "own")]
    pub tokens: Arc<Vec<u32>>,
    /// Where windows start; none for windows side by side, which begin at another place in each epoch.
    pub starts: Option<Vec<usize>>,
}

fn shared<S: Serializer>(tokens: &Arc<Vec<u32>>, serializer: S) -> Result<S::Ok, S::Error> {
    tokens.as_ref().serialize(serializer)
}

fn own<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Arc<Vec<u32>>, D::Error> {
    Vec::deserialize(deserializer).map(Arc::new)
}

/// Documents of several lengths.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Documents {
    /// How they are given to a network.
    pub layout: Layout,
    /// Where each document ends among the tokens.
    pub ends: Vec<usize>,
    /// Tokens of all documents.
    pub tokens: Vec<u32>,
}

/// How a document is given to a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layout {
    /// Tokens of a record: what is longer is cut off, what is shorter is filled up.
    pub sequence: usize,
    /// Tokens that there are.
    pub vocabulary: u32,
    /// Token that fills up.
    pub padding: u32,
    /// Token that stands before a document.
    pub first: Option<u32>,
    /// Token that stands after a document.
    pub last: Option<u32>,
    /// Token in the place of one that is hidden.
    pub mask: Option<u32>,
}

/// What is true of the records.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Truth {
    /// It is not known.
    Unknown,
    /// One class a record.
    Classes(Vec<u32>),
    /// Numbers, `width` a record.
    Numbers {
        /// Numbers of a record.
        width: usize,
        /// Numbers of all records.
        values: Vec<f32>,
    },
    /// Objects of each record: class, then centre, width and height of its box as shares of the image.
    Boxes(Vec<Vec<(usize, [f32; 4])>>),
    /// The token after each token.
    Next,
    /// Tokens that are hidden when a batch is made.
    Masked,
}

impl Records {
    /// Grey images with their classes.
    #[must_use]
    pub fn grey(height: usize, width: usize, pixels: Vec<u8>, classes: &[u8]) -> Self {
        let truth = Truth::Classes(classes.iter().map(|&class| u32::from(class)).collect());
        Self { columns: Columns::Images(Images { channels: 1, height, width, pixels }), truth }
    }

    /// Number of records.
    #[must_use]
    pub fn len(&self) -> usize {
        match &self.columns {
            Columns::Images(images) => count(images.pixels.len(), images.values()),
            Columns::Numbers { width, values } => count(values.len(), *width),
            Columns::Stream(stream) => stream.windows(),
            Columns::Documents(documents) => documents.ends.len(),
            Columns::Pairs(pairs) => pairs.len(),
            Columns::Clicks { numbers: 0, lookups, rows, .. } => count(rows.len(), *lookups),
            Columns::Clicks { numbers, values, .. } => count(values.len(), *numbers),
        }
    }

    /// Whether there are no records.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Numbers of one record that a network reads: pixels, numbers, tokens, rows.
    #[must_use]
    pub const fn values(&self) -> usize {
        match &self.columns {
            Columns::Images(images) => images.values(),
            Columns::Numbers { width, .. } => *width,
            Columns::Stream(stream) => stream.sequence,
            Columns::Documents(documents) => documents.layout.sequence,
            Columns::Pairs(_) => 2,
            Columns::Clicks { numbers, lookups, .. } => *numbers + *lookups,
        }
    }

    /// Class of a record; none where it is not known, or where there are no classes.
    #[must_use]
    pub fn class(&self, position: usize) -> Option<usize> {
        match &self.truth {
            Truth::Classes(classes) => classes.get(position).map(|&class| class as usize),
            _ => None,
        }
    }

    /// The records at these positions, in this order.
    ///
    /// # Panics
    /// If a position is too large.
    #[must_use]
    pub fn select(&self, positions: &[usize]) -> Self {
        Self { columns: self.columns.select(positions), truth: self.truth.select(positions) }
    }

    /// Records side by side. Of a text this is the part that their windows are in, up to its end with the last window.
    ///
    /// # Panics
    /// If the range goes beyond the records.
    #[must_use]
    pub fn range(&self, range: Range<usize>) -> Self {
        match &self.columns {
            Columns::Stream(stream) if stream.starts.is_none() => {
                let end = if range.end == self.len() { stream.tokens.len() } else { range.end * stream.sequence + 1 };
                let tokens =
                    if range.is_empty() { &[][..] } else { &stream.tokens[range.start * stream.sequence..end] };
                let stream = Stream { sequence: stream.sequence, tokens: Arc::new(tokens.to_vec()), starts: None };
                Self { columns: Columns::Stream(stream), truth: self.truth.clone() }
            }
            _ => self.select(&range.collect::<Vec<_>>()),
        }
    }

    /// The first records.
    #[must_use]
    pub fn first(&self, count: usize) -> Self {
        self.select(&(0..count.min(self.len())).collect::<Vec<_>>())
    }
}

fn count(values: usize, of_record: usize) -> usize {
    values.checked_div(of_record).unwrap_or(0)
}

impl Columns {
    fn select(&self, positions: &[usize]) -> Self {
        match self {
            Self::Images(images) => {
                Self::Images(Images { pixels: rows(&images.pixels, images.values(), positions), ..*images })
            }
            Self::Numbers { width, values } => Self::Numbers { width: *width, values: rows(values, *width, positions) },
            Self::Stream(stream) => {
                let starts = positions.iter().map(|&position| stream.start(position, 0)).collect();
                Self::Stream(Stream { starts: Some(starts), tokens: stream.tokens.clone(), ..*stream })
            }
            Self::Documents(documents) => Self::Documents(documents.select(positions)),
            Self::Pairs(pairs) => Self::Pairs(positions.iter().map(|&position| pairs[position]).collect()),
            Self::Clicks { numbers, lookups, values, rows: looked_up } => Self::Clicks {
                numbers: *numbers,
                lookups: *lookups,
                values: rows(values, *numbers, positions),
                rows: rows(looked_up, *lookups, positions),
            },
        }
    }
}

impl Truth {
    fn select(&self, positions: &[usize]) -> Self {
        match self {
            Self::Unknown => Self::Unknown,
            Self::Classes(classes) => Self::Classes(rows(classes, 1, positions)),
            Self::Numbers { width, values } => Self::Numbers { width: *width, values: rows(values, *width, positions) },
            Self::Boxes(boxes) => Self::Boxes(positions.iter().map(|&position| boxes[position].clone()).collect()),
            Self::Next => Self::Next,
            Self::Masked => Self::Masked,
        }
    }
}

/// Rows of a table at these positions, in this order.
pub(super) fn rows<T: Copy>(values: &[T], width: usize, positions: &[usize]) -> Vec<T> {
    positions.iter().flat_map(|&position| &values[position * width..(position + 1) * width]).copied().collect()
}

impl Images {
    /// Pixels of one image, in all channels.
    #[must_use]
    pub const fn values(&self) -> usize {
        self.channels * self.height * self.width
    }

    /// Pixels of the image at a position.
    ///
    /// # Panics
    /// If there is no such image.
    #[must_use]
    pub fn image(&self, position: usize) -> &[u8] {
        &self.pixels[position * self.values()..(position + 1) * self.values()]
    }
}

impl Stream {
    /// Windows of an epoch. One is held back where there are several, so that they can begin at any of `sequence` places.
    #[must_use]
    pub fn windows(&self) -> usize {
        match &self.starts {
            Some(starts) => starts.len(),
            None => match self.tokens.len().saturating_sub(1) / self.sequence.max(1) {
                few @ (0 | 1) => few,
                _ => (self.tokens.len() - self.sequence) / self.sequence,
            },
        }
    }

    /// Furthest place at which the first window can begin.
    pub(super) fn slack(&self) -> usize {
        match &self.starts {
            Some(_) => 0,
            None => self.tokens.len().saturating_sub(1 + self.windows() * self.sequence).min(self.sequence - 1),
        }
    }

    /// Where a window begins, if the first one begins at `offset`.
    pub(super) fn start(&self, window: usize, offset: usize) -> usize {
        match &self.starts {
            Some(starts) => starts[window],
            None => offset + window * self.sequence,
        }
    }
}

impl Documents {
    /// Tokens of a document.
    ///
    /// # Panics
    /// If there is no such document.
    #[must_use]
    pub fn document(&self, position: usize) -> &[u32] {
        let start = if position == 0 { 0 } else { self.ends[position - 1] };
        &self.tokens[start..self.ends[position]]
    }

    /// Adds a document.
    pub(super) fn push(&mut self, tokens: &[u32]) {
        self.tokens.extend_from_slice(tokens);
        self.ends.push(self.tokens.len());
    }

    fn select(&self, positions: &[usize]) -> Self {
        let mut selected = Self { layout: self.layout, ends: Vec::new(), tokens: Vec::new() };
        for &position in positions {
            selected.push(self.document(position));
        }
        selected
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAYOUT: Layout = Layout { sequence: 4, vocabulary: 9, padding: 0, first: None, last: None, mask: None };

    #[test]
    fn records_of_every_kind_are_counted_and_selected() {
        let check = |columns: Columns, truth: Truth, values: usize, selected: (Columns, Truth)| {
            let records = Records { columns, truth };
            assert_eq!((records.len(), records.values(), records.is_empty()), (3, values, false));
            let (columns, truth) = selected;
            assert_eq!(records.select(&[2, 0]), Records { columns, truth });
            assert_eq!(records.first(2).len(), 2);
            assert_eq!(records.first(9), records.select(&[0, 1, 2]));
        };
        let images = |pixels| Columns::Images(Images { channels: 2, height: 1, width: 1, pixels });
        let classes = |classes: &[u32]| Truth::Classes(classes.to_vec());
        check(images((0..6).collect()), classes(&[7, 8, 9]), 2, (images(vec![4, 5, 0, 1]), classes(&[9, 7])));
        let numbers = |values: &[f32]| Columns::Numbers { width: 1, values: values.to_vec() };
        let truth = |values: &[f32]| Truth::Numbers { width: 1, values: values.to_vec() };
        check(numbers(&[1.0, 2.0, 3.0]), truth(&[4.0, 5.0, 6.0]), 1, (numbers(&[3.0, 1.0]), truth(&[6.0, 4.0])));
        let documents = |ends: &[usize], tokens: &[u32]| {
            Columns::Documents(Documents { layout: LAYOUT, ends: ends.to_vec(), tokens: tokens.to_vec() })
        };
        let expected = (documents(&[2, 3], &[4, 5, 1]), Truth::Masked);
        check(documents(&[1, 3, 5], &[1, 2, 3, 4, 5]), Truth::Masked, 4, expected);
        let pairs = |pairs: &[[u32; 2]]| Columns::Pairs(pairs.to_vec());
        let boxes = |classes: &[usize]| Truth::Boxes(classes.iter().map(|&class| vec![(class, [0.5; 4])]).collect());
        check(pairs(&[[1, 2], [3, 4], [5, 6]]), boxes(&[1, 2, 3]), 2, (pairs(&[[5, 6], [1, 2]]), boxes(&[3, 1])));
        let clicks = |values: &[f32], rows: &[u32]| Columns::Clicks {
            numbers: 1,
            lookups: 2,
            values: values.to_vec(),
            rows: rows.to_vec(),
        };
        let selected = (clicks(&[3.0, 1.0], &[5, 6, 1, 2]), Truth::Unknown);
        check(clicks(&[1.0, 2.0, 3.0], &[1, 2, 3, 4, 5, 6]), Truth::Unknown, 3, selected);
    }

    #[test]
    fn windows_of_a_text_never_leave_it() {
        for length in 0..40 {
            for sequence in 1..7 {
                let stream = Stream { sequence, tokens: Arc::new(vec![0; length]), starts: None };
                let windows = stream.windows();
                assert_eq!(windows == 0, length <= sequence, "{length} tokens in windows of {sequence}");
                if windows > 0 {
                    assert!(stream.start(windows - 1, stream.slack()) + sequence < length);
                    assert!(windows + 1 >= (length - 1) / sequence, "{length} tokens in windows of {sequence}");
                }
            }
        }
    }
}
