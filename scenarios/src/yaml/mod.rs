//! YAML that keeps where each value stands, so that every problem can point at its place.
//!
//! Three steps: [`parse`] turns text into a tree of nodes with spans, [`read`] checks the tree against a JSON Schema
//! and turns it into JSON, and [`Located`] finds the place of a value by its path afterwards.
//!
//! Limits: files of 4 MiB, nesting of 64. Aliases, tags, merge keys and several documents in a file are refused: a
//! scenario is read by people, who should find each value where it stands.

mod located;
mod node;
mod parse;
mod placeholder;
mod read;
mod shape;

pub use located::Located;
pub use node::{Content, Entry, Node};
pub use parse::{MAX_BYTES, parse};
pub use read::read;
