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
    /// Every placement that was considered, with what became of it.
    pub considered: Vec<Candidate>,
}

/// A placement of a workload that was considered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Candidate {
    /// Workload.
    pub workload: String,
    /// Site.
    pub site: String,
    /// Pool of the site.
    pub pool: String,
    /// Instance type or machine.
    pub machine: String,
    /// How it would be paid for.
    pub purchase: PurchaseKind,
    /// Nodes.
    pub nodes: u32,
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
