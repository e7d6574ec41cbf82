//! Residency rules.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One residency rule.
///
/// Deny beats allow. Data of a class other than `public` may be stored, processed or moved only
/// where a rule allows it. What a workload derives inherits every label of what it read, and the
/// rule for `raw` applies to it unless a rule names its own form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Whether the rule permits or forbids.
    pub effect: Effect,
    /// Data sets that it is about, by name.
    #[serde(default)]
    pub data: Vec<String>,
    /// Classes of data that it is about.
    #[serde(default)]
    pub classes: Vec<String>,
    /// Forms of the data that it is about.
    pub forms: Vec<Form>,
    /// What is permitted or forbidden; by default everything.
    #[serde(default = "Action::all")]
    pub actions: Vec<Action>,
    /// Where: site names, country codes (`DE`), groups (`eea`, `eu-adequate`), providers, `private` or `public`, or `anywhere`.
    pub places: Vec<String>,
    /// Why, for the reader of a plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Whether a rule permits or forbids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Permits.
    Allow,
    /// Forbids; beats every permission.
    Deny,
}

/// Form of data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// Records as they were collected.
    Raw,
    /// Sums of derivatives that ranks exchange while training.
    Gradients,
    /// Parameters of a trained model.
    Weights,
}

impl std::fmt::Display for Form {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Raw => "raw",
            Self::Gradients => "gradients",
            Self::Weights => "weights",
        })
    }
}

/// What is done with data at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Kept on disk.
    Store,
    /// Computed on.
    Process,
    /// Passed through on the way elsewhere.
    Transit,
}

impl Action {
    fn all() -> Vec<Self> {
        vec![Self::Store, Self::Process, Self::Transit]
    }
}

impl std::fmt::Display for Action {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Store => "store",
            Self::Process => "process",
            Self::Transit => "transit",
        })
    }
}
