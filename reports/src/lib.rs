//! Charts and the HTML report of plans and runs.
//!
//! Data flows one way: [`input`] reads documents into [`evidence`], [`report`] turns evidence into
//! files, [`output`] writes them. Only `input` and `output` touch the file system; there is no
//! solver and no tensor library here.

pub mod charts;
pub mod cli;
mod commands;
pub mod error;
pub mod evidence;
#[cfg(test)]
mod fixture;
pub mod format;
pub mod input;
pub mod output;
pub mod report;
pub mod sections;
pub mod table;
