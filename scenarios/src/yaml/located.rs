//! Finding the place of a value by its path.

use std::ops::Range;

use super::Node;

/// A place in a document. Where a path leads to what the document leaves out, it stays at the nearest place above.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located<'a> {
    node: Option<&'a Node>,
    key: Range<usize>,
    span: Range<usize>,
}

impl<'a> Located<'a> {
    /// The whole document.
    #[must_use]
    pub fn root(node: &'a Node) -> Self {
        Self { node: Some(node), key: node.span.clone(), span: node.span.clone() }
    }

    /// The value of a key.
    #[must_use]
    pub fn key(&self, key: &str) -> Self {
        match self.node.and_then(|node| node.entry(key)) {
            Some(entry) => Self { node: Some(&entry.value), key: entry.span.clone(), span: entry.value.span.clone() },
            None => self.absent(),
        }
    }

    /// An item of a list.
    #[must_use]
    pub fn item(&self, index: usize) -> Self {
        match self.node.and_then(|node| node.item(index)) {
            Some(item) => Self { node: Some(item), key: item.span.clone(), span: item.span.clone() },
            None => self.absent(),
        }
    }

    fn absent(&self) -> Self {
        Self { node: None, key: self.key.clone(), span: self.key.clone() }
    }

    /// Whether the document states it.
    #[must_use]
    pub const fn is_stated(&self) -> bool {
        self.node.is_some()
    }

    /// Bytes of the value.
    #[must_use]
    pub fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    /// Bytes of its key, or of the item of a list.
    #[must_use]
    pub fn key_span(&self) -> Range<usize> {
        self.key.clone()
    }

    /// All bytes of the value with everything in it.
    #[must_use]
    pub fn extent(&self) -> Range<usize> {
        self.node.map_or_else(|| self.span.clone(), |node| node.extent.clone())
    }
}
