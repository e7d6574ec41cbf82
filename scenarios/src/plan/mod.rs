//! The plan: what runs where, when and at what price, and why.
//!
//! Written by the planner, applied by the executor, shown by the reports. Everything that the
//! executor needs is in it, and every sum in it can be recomputed from it.

mod assignment;
mod explanation;
mod flow;

pub use assignment::{Assignment, Breakdown, Group, Predicted, Routing, RunnerUp, SourceData};
pub use explanation::{Binding, Candidate, Explanation, Verdict};
pub use flow::{Flow, PermittedBy, Refusal, Residency};

use indexmap::IndexMap;
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::scenario::SiteKind;

/// Value of `format` in a plan.
pub const FORMAT: &str = "causeway.plan/1";

/// A plan for all workloads of a scenario.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// Always `causeway.plan/1`.
    pub format: String,
    /// SHA-256 over the rest of the document, `sha256:` and 64 hexadecimal digits.
    pub digest: String,
    /// The scenario that it answers.
    pub scenario: ScenarioReference,
    /// The catalogue that prices and regions come from.
    pub catalog: CatalogReference,
    /// How it was found.
    pub solver: Solver,
    /// Sums over the whole plan.
    pub totals: Totals,
    /// The sites of the scenario with what policies judge them by, by name.
    pub sites: IndexMap<String, PlacedSite>,
    /// One for each workload, by start.
    pub assignments: Vec<Assignment>,
    /// Nodes that are reserved for a term.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub commitments: Vec<Commitment>,
    /// Every movement of data between sites, by start.
    pub flows: Vec<Flow>,
    /// The rules, and what they refused.
    pub residency: Residency,
    /// Why this plan.
    pub explanation: Explanation,
}

/// A scenario by name, place and content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScenarioReference {
    /// Its name.
    pub name: String,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purpose: Option<String>,
    /// SHA-256 of its meaning: comments and layout do not count.
    pub digest: String,
    /// Its file as the planner was told, absent when it came from standard input.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Machine profiles that it rests on, by file as the planner found it, with the digest of each.
    #[serde(default)]
    pub profiles: IndexMap<String, String>,
    /// Seed of everything random.
    pub seed: u64,
    /// Most that the plan may cost in US dollars, if there is a budget.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget_usd: Option<Decimal>,
}

/// A version of the catalogue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CatalogReference {
    /// Date of the newest fact in it.
    pub as_of: String,
    /// SHA-256 over its files.
    pub digest: String,
}

/// Result of the optimisation. Its wall time is not here, since equal input gives equal bytes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Solver {
    /// Solver and version.
    pub name: String,
    /// `optimal`, or `feasible` when the gap was not closed.
    pub status: SolverStatus,
    /// What was minimised: `cost_usd`, `finish_seconds`, `carbon_kg`, or `weighted_usd`.
    pub minimizes: String,
    /// Value reached.
    pub objective: f64,
    /// Proven lower bound.
    pub bound: f64,
    /// (objective − bound) / |objective|
    pub gap: f64,
    /// Branch-and-bound nodes.
    pub nodes: u64,
    /// Simplex iterations.
    pub iterations: u64,
    /// Candidate placements given to the solver.
    pub columns_considered: u64,
    /// Candidate placements dropped before, each with its reason in the explanation.
    pub columns_pruned: u64,
}

/// How far the optimisation came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SolverStatus {
    /// No better plan exists, within the gap that the scenario asks for.
    Optimal,
    /// A better plan may exist; the time limit ended the search.
    Feasible,
}

/// Sums over a plan.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Totals {
    /// All costs in US dollars.
    pub cost_usd: Decimal,
    /// Machines, commitments included.
    pub compute_usd: Decimal,
    /// Data that leaves a site.
    pub egress_usd: Decimal,
    /// Data at rest.
    pub storage_usd: Decimal,
    /// What `prefer` rules count against the plan: part of the objective, not of the cost.
    #[serde(default, skip_serializing_if = "Decimal::is_zero")]
    pub preference_usd: Decimal,
    /// End of the last workload, from the start of the period; services, which last, do not count.
    pub finish_seconds: f64,
    /// Electric energy of the machines, where their power is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub energy_kwh: Option<f64>,
    /// Greenhouse gas of that energy, where the grid's factor is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carbon_kg: Option<f64>,
}

/// Nodes that are reserved for a term, which is paid whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Commitment {
    /// Site.
    pub site: String,
    /// Pool of the site.
    pub pool: String,
    /// Instance type or machine.
    pub machine: String,
    /// Nodes.
    pub nodes: u32,
    /// Length of the term, from the start of the period.
    pub term_seconds: f64,
    /// Payment for one node at the start.
    pub upfront_usd: Decimal,
    /// Price of one node for every hour of the term.
    pub usd_per_node_hour: Decimal,
    /// All of it.
    pub cost_usd: Decimal,
}

/// A site as the plan's rules see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlacedSite {
    /// Whose it is.
    pub kind: SiteKind,
    /// Provider, for a public site.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// Region of the provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// ISO 3166 code of its country.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// Every name of a place that covers the site: its own, country, groups, provider, kind, safeguards.
    pub places: Vec<String>,
    /// ISO 3166 code of the country whose law the operator follows, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operator: Option<String>,
    /// Every name of a place that covers the operator: country, groups, provider, kind.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub operator_places: Vec<String>,
    /// What it provides, as rules may require it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub safeguards: Vec<String>,
}
