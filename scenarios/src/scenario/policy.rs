//! Residency rules.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::units::{Date, UsdPerGb, UsdPerHour};

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
    /// What is permitted or forbidden; by default all but `access`.
    #[serde(default = "Action::all")]
    pub actions: Vec<Action>,
    /// Where (for `access`: from where, by the jurisdiction of the site's operator): site names, country codes (`DE`), groups (`eea`, `eu-adequate`, own ones), providers, `private` or `public`, safeguards, or `anywhere`.
    pub places: Vec<String>,
    /// What the place has to provide for a permission to hold, as in its `safeguards`: `encryption_in_transit`, `BAA`, …
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub requires: Vec<String>,
    /// Last day on which the rule holds. A permission that ends before the workload must have ended is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Date>,
    /// For `prefer`: what a gigabyte that moves to another place counts, in the objective only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_gb: Option<UsdPerGb>,
    /// For `prefer`: what an hour of a node at another place counts, in the objective only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_hour: Option<UsdPerHour>,
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
    /// Neither: other places are possible, at a price in the objective.
    Prefer,
}

/// Form of data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// Records as they were collected.
    Raw,
    /// What preparation made of them.
    Features,
    /// Values between the layers of a network, which stages of a pipeline exchange.
    Activations,
    /// Sums of derivatives that ranks exchange while training.
    Gradients,
    /// Parameters of a trained model.
    Weights,
    /// Parameters with the optimiser's state, kept while training.
    Checkpoints,
    /// Figures about a model: losses, accuracies.
    Metrics,
}

impl std::fmt::Display for Form {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Raw => "raw",
            Self::Features => "features",
            Self::Activations => "activations",
            Self::Gradients => "gradients",
            Self::Weights => "weights",
            Self::Checkpoints => "checkpoints",
            Self::Metrics => "metrics",
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
    /// Within reach of the jurisdiction of whoever operates the place. Asked only of data that some rule names it for.
    Access,
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
            Self::Access => "access",
        })
    }
}
