//! Problems of documents that people write: all at once, each with its place and smallest fix.

mod render;
mod suggest;

pub use render::render;
pub use suggest::{did_you_mean, listed};

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

impl Diagnostic {
    /// A problem at a place.
    #[must_use]
    pub fn new(span: Range<usize>, message: impl Into<String>, label: impl Into<String>) -> Self {
        Self { message: message.into(), span, label: label.into(), help: None }
    }

    /// The same problem with its smallest fix.
    #[must_use]
    pub fn help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }
}
