//! A YAML document as a tree.

use std::ops::Range;

/// A value with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// The value.
    pub content: Content,
    /// Bytes to underline: a scalar, a collection in brackets, or the first key or dash of an indented one.
    pub span: Range<usize>,
    /// All bytes, to the end of the last value in it.
    pub extent: Range<usize>,
}

/// A value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// Text, a number or nothing; what it is depends on what is expected.
    Scalar {
        /// The text without quotes.
        text: String,
        /// Whether it has no quotes.
        plain: bool,
    },
    /// A list.
    Sequence(Vec<Node>),
    /// Values by key, each key once.
    Mapping(Vec<Entry>),
}

/// A key with its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The key.
    pub key: String,
    /// Bytes of the key.
    pub span: Range<usize>,
    /// The value.
    pub value: Node,
}

impl Node {
    /// Whether it says nothing: an empty place, `~` or `null`.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        matches!(&self.content, Content::Scalar { text, plain: true } if matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL"))
    }

    /// What it is, in words.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match &self.content {
            _ if self.is_nothing() => "nothing",
            Content::Scalar { .. } => "a single value",
            Content::Sequence(_) => "a list",
            Content::Mapping(_) => "keys with values",
        }
    }

    /// The entry with this key, in a mapping that has one.
    #[must_use]
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        match &self.content {
            Content::Mapping(entries) => entries.iter().find(|entry| entry.key == key),
            _ => None,
        }
    }

    /// The item at a position, in a sequence that has one.
    #[must_use]
    pub fn item(&self, index: usize) -> Option<&Self> {
        match &self.content {
            Content::Sequence(items) => items.get(index),
            _ => None,
        }
    }
}
