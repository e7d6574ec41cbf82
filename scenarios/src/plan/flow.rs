//! Movements of data and the rules that permit or refuse them.

use indexmap::IndexMap;
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::scenario::{Action, Form, Rule};
use crate::units::Date;

/// One movement of data between two sites.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Flow {
    /// Data set, or workload whose product it is.
    pub what: String,
    /// Workload that needs it.
    pub used_by: String,
    /// Form of the data.
    pub form: Form,
    /// Data sets whose rules apply to it.
    pub labels: Vec<String>,
    /// Site that it leaves.
    pub from: String,
    /// Site that it reaches.
    pub to: String,
    /// Sites that it passes through.
    pub via: Vec<String>,
    /// Amount.
    pub bytes: u64,
    /// Start, from the start of the period.
    pub start_seconds: f64,
    /// End.
    pub end_seconds: f64,
    /// Egress in US dollars. Where prices fall with the amount, flows that start earlier fill the first tiers.
    pub cost_usd: Decimal,
    /// Keeping the copy to the end of the period, in US dollars.
    #[serde(default, skip_serializing_if = "Decimal::is_zero")]
    pub storage_usd: Decimal,
    /// Rules that permit it, one for each label and action; empty for public data.
    pub rule: Vec<PermittedBy>,
}

/// A rule that permits one action on one label at one site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PermittedBy {
    /// Name of the rule.
    pub rule: String,
    /// Data set whose label it is.
    pub label: String,
    /// What is done.
    pub action: Action,
    /// Where.
    pub site: String,
}

/// Residency of a plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Residency {
    /// First day of the planning period, by which rules are judged.
    pub starts: Date,
    /// The rules of the scenario by name.
    pub rules: IndexMap<String, Rule>,
    /// What they refused, so that it was not considered.
    pub refusals: Vec<Refusal>,
}

/// A placement or movement that a rule refused.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Refusal {
    /// Workload that would have needed it.
    pub workload: String,
    /// Data set whose label was in the way.
    pub label: String,
    /// Form of the data.
    pub form: Form,
    /// What would have been done.
    pub action: Action,
    /// Where (the hop, on a route).
    pub site: String,
    /// Rule that denies it; none when no rule allows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// The refusal in a sentence.
    pub reason: String,
}
