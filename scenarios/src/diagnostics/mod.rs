//! Problems of documents that people write: all at once, each with its place and smallest fix.

use std::ops::Range;

/// One problem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// What is wrong, in a sentence.
    pub message: String,
    /// Bytes of the source that it is about.
    pub span: Range<usize>,
    /// A few words under the caret.
    pub label: String,
    /// The smallest fix.
    pub help: Option<String>,
}
