//! The scenario: what an architect writes.

mod check;
mod course;
mod dataset;
mod files;
mod link;
mod load;
mod places;
mod policy;
mod profiles;
mod site;
#[cfg(test)]
mod tests;
mod workload;

pub use dataset::{Dataset, Part};
pub use files::{BoxFormat, Csv, FileFormat, Files, Lines, Ratings, Target, Text, Tokens};
pub use link::Link;
pub use load::{LoadError, Loaded, LoadedProfile, digest_of_file, load, load_text};
pub use policy::{Action, Effect, Form, Rule};
pub use site::{
    Capital, InlineMachine, Machine, OnDemand, Owned, Pool, Purchase, PurchaseKind, Quota, Reserved, Site, SiteKind,
    Spot, Tier,
};
pub use workload::{
    Adam, Augmentation, BatchInference, BucketRate, CosineRate, Demand, Evaluation, Job, MeasuredRate, Mixed, Momentum,
    Optimizer, Outer, Preparation, Preprocessing, Rate, RequestBucket, Service, ServiceTargets, Sgd, Split, StepRate,
    Strategies, Training, Workload,
};

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::catalog::Catalog;
pub use crate::precision::Precision;
use crate::units::{Date, Seconds, Usd, UsdPerHour, UsdPerKg};

/// Value of `format` in a scenario.
pub const FORMAT: &str = "causeway.scenario/1";

/// Sites, data, rules and workloads of an organisation, and what it wants most.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// Always `causeway.scenario/1`.
    pub format: String,
    /// Name of the scenario, shown in plans and reports.
    pub name: String,
    /// What the scenario is for, in a sentence or two.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purpose: Option<String>,
    /// Seed of everything random: data order, initial weights, the solver.
    #[serde(default)]
    pub seed: u64,
    /// Day on which the planning period starts; by default the date of the catalogue. Rules are judged by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starts: Option<Date>,
    /// What the plan minimises.
    #[serde(default)]
    pub objective: Objective,
    /// Most that the whole plan may cost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget: Option<Usd>,
    /// End of the planning period, counted from its start.
    #[serde(default = "default_horizon")]
    pub horizon: Seconds,
    /// Longest time the solver may take.
    #[serde(default = "default_time_limit")]
    pub time_limit: Seconds,
    /// Largest relative optimality gap that counts as solved; 0 asks for proven optimality.
    #[serde(default)]
    pub gap: f64,
    /// Data centres and cloud regions, by name.
    pub sites: IndexMap<String, Site>,
    /// Groups of places of the organisation's own, by name, beside those of the catalogue (`eea`, `eu-adequate`, …).
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub groups: IndexMap<String, PlaceGroup>,
    /// Network between sites. Pairs that are not listed take the catalogue's figures.
    #[serde(default)]
    pub links: Vec<Link>,
    /// Data, by name.
    #[serde(default)]
    pub datasets: IndexMap<String, Dataset>,
    /// Residency rules, by name.
    #[serde(default)]
    pub policies: IndexMap<String, Rule>,
    /// What is to be run, by name.
    pub workloads: IndexMap<String, Workload>,
}

impl Scenario {
    /// First day of the planning period: the scenario's, or the date of the catalogue.
    #[must_use]
    pub fn starts(&self, catalog: &Catalog) -> Date {
        let dated = || catalog.as_of().parse().ok();
        self.starts.or_else(dated).unwrap_or(Date::EPOCH)
    }
}

/// What a plan minimises.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Objective {
    /// Total cost in US dollars.
    #[default]
    Cost,
    /// The time at which the last workload ends.
    FinishTime,
    /// Greenhouse gas of the machines' electric energy in kilograms of CO₂ equivalent.
    Carbon,
    /// A sum of the three, in US dollars.
    Weighted(Weights),
}

/// What the parts of a weighted objective are worth.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Weights {
    /// What a dollar of cost counts, from 0.
    #[serde(default = "one_dollar")]
    pub cost: f64,
    /// What it is worth if the last workload ends an hour earlier.
    #[serde(default)]
    pub finish_time: UsdPerHour,
    /// What a kilogram of CO₂ equivalent less is worth.
    #[serde(default)]
    pub carbon: UsdPerKg,
}

/// Places that rules name together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlaceGroup {
    /// Day on which the list was right.
    pub as_of: Date,
    /// Countries (ISO 3166 codes), sites, providers and groups of the catalogue in it.
    pub places: Vec<String>,
}

fn one_dollar() -> f64 {
    1.0
}

fn default_horizon() -> Seconds {
    Seconds::from_days(30.0)
}

fn default_time_limit() -> Seconds {
    Seconds::new(60.0)
}
