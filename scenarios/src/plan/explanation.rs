//! Why a plan is as it is.

use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::scenario::PurchaseKind;
use crate::strategy::Strategy;

/// What was considered and what decided.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Explanation {
    /// The plan in a few sentences.
    pub summary: Vec<String>,
    /// What keeps the plan from being better, with what one more unit of it is worth; worth most first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub binding: Vec<Binding>,
    /// Every placement that was considered, with what became of it.
    pub considered: Vec<Candidate>,
}

/// A rule of the scenario that the plan is up against.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Binding {
    /// The rule in the user's words: ``nodes of `h100` at `eu-dc` ``, ``deadline of `train` ``, `budget`.
    pub what: String,
    /// One unit more of it: `1 node`, `1 h`, `100 USD`.
    pub step: String,
    /// By how much the objective improves with it, in the objective's unit.
    pub worth: f64,
    /// The objective's unit: `USD`, `s`, `kg CO2e`.
    pub unit: String,
}

/// A placement of a workload that was considered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Candidate {
    /// Workload.
    pub workload: String,
    /// Site; of several groups of machines the first one's, as all that follows.
    pub site: String,
    /// Pool of the site.
    pub pool: String,
    /// Instance type or machine.
    pub machine: String,
    /// How it would be paid for.
    pub purchase: PurchaseKind,
    /// Nodes.
    pub nodes: u32,
    /// Machines of the other groups, in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub others: Vec<String>,
    /// How it would be spread over them.
    pub strategy: Strategy,
    /// Predicted run time; absent when it was refused before it was predicted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds: Option<f64>,
    /// Predicted cost in US dollars, egress included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_usd: Option<Decimal>,
    /// What became of it.
    pub verdict: Verdict,
    /// Why, in a sentence.
    pub reason: String,
}

/// What became of a considered placement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It is in the plan.
    Chosen,
    /// It was possible, and another was better.
    Lost,
    /// Another placement of the same workload is at least as good in everything.
    Dominated,
    /// A residency rule, memory, quota or deadline rules it out.
    Refused,
}

impl std::fmt::Display for Verdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Chosen => "chosen",
            Self::Lost => "lost",
            Self::Dominated => "dominated",
            Self::Refused => "refused",
        })
    }
}
