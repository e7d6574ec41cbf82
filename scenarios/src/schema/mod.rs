//! JSON Schema (draft-07) of the documents, for editors, validators and our own reader.
//!
//! Quantities are strings with a `format` of ours (`bytes`, `duration`, `bandwidth`, `usd-per-hour`, …, see
//! [`crate::units::check_format`]), a pattern that shows their units, and an example.

use std::sync::LazyLock;

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::Value;

use crate::document;

/// A document that has a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Kind {
    /// What an architect writes.
    Scenario,
    /// What `executor calibrate` measured.
    Machine,
    /// What the planner decided.
    Plan,
    /// What `executor apply` measured.
    Run,
}

impl Kind {
    /// All documents that have a schema.
    pub const ALL: [Self; 4] = [Self::Scenario, Self::Machine, Self::Plan, Self::Run];

    /// Its name, also that of the schema's file.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Scenario => "scenario",
            Self::Machine => "machine",
            Self::Plan => "plan",
            Self::Run => "run",
        }
    }
}

/// Schema of a document.
#[must_use]
pub fn schema(kind: Kind) -> Value {
    match kind {
        Kind::Scenario => SCENARIO.clone(),
        Kind::Machine => draft_07::<crate::machine::MachineProfile>(),
        Kind::Plan => draft_07::<crate::plan::Plan>(),
        Kind::Run => draft_07::<crate::run::Run>(),
    }
}

/// Schema of a document as it is written.
#[must_use]
pub fn text(kind: Kind) -> String {
    document::to_json(&schema(kind))
}

/// Schema of scenarios, which every scenario is read by.
pub(crate) static SCENARIO: LazyLock<Value> = LazyLock::new(draft_07::<crate::scenario::Scenario>);

fn draft_07<T: JsonSchema>() -> Value {
    SchemaSettings::draft07().into_generator().into_root_schema_for::<T>().to_value()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `UPDATE_SCHEMAS=1 cargo test -p scenarios schema` writes the committed copies anew.
    #[test]
    fn committed_copies_are_up_to_date() {
        for kind in Kind::ALL {
            let path = format!("{}/schema/{}.json", env!("CARGO_MANIFEST_DIR"), kind.name());
            let expected = text(kind);
            if std::env::var_os("UPDATE_SCHEMAS").is_some() {
                fs_err::write(&path, &expected).expect("the folder is writable");
            }
            let committed = fs_err::read_to_string(&path).expect("there is a committed copy");
            assert!(
                committed == expected,
                "{path} is out of date: run `UPDATE_SCHEMAS=1 cargo test -p scenarios schema`"
            );
        }
    }
}
