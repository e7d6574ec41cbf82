//! `planner schema`: the JSON Schema of a document.

use scenarios::schema::{Kind, text};
use scenarios::terminal::{Exit, Printer};

use super::failure::Failure;
use crate::cli::{Document, SchemaArguments};

#[allow(clippy::unnecessary_wraps, reason = "all commands have one form")]
pub(super) fn run(arguments: &SchemaArguments, printer: Printer) -> Result<Exit, Failure> {
    let kind = match arguments.document {
        Document::Scenario => Kind::Scenario,
        Document::Machine => Kind::Machine,
        Document::Plan => Kind::Plan,
        Document::Run => Kind::Run,
    };
    printer.data(&text(kind));
    Ok(Exit::Done)
}
