//! What the three binaries share at the terminal: the printer, exit codes, output formats.
//!
//! Nothing else prints.

mod exit;
mod printer;
mod stream;

pub use exit::{Exit, guarded};
pub use printer::{OutputFormat, Printer, Table};
pub use stream::Stream;
