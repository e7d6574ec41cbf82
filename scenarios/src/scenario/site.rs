//! Places where work can run, and the machines there.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::units::{
    self, Bandwidth, Bytes, CarbonIntensity, FlopRate, Frequency, Power, Seconds, Tariff, TariffError, Usd, UsdPerGb,
    UsdPerGbMonth, UsdPerHour, UsdPerKwh,
};

/// A data centre or a cloud region.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Site {
    /// Whose it is.
    pub kind: SiteKind,
    /// Cloud provider as in the catalogue, for a public site.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// Region of the provider. The catalogue knows its country.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// ISO 3166 code of the country, for a site that the catalogue does not know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// ISO 3166 code of the country whose law the operator follows; by default the provider's, or the site's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operator: Option<String>,
    /// What the site provides, as rules may require it or name it as a place: `encryption_at_rest`,
    /// `encryption_in_transit`, `encryption_in_use`, `secure_aggregation`, certificates such as `C5` or `BAA`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub safeguards: Vec<String>,
    /// Price of data that leaves the site; by default the catalogue's for a public site, nothing for a private one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub egress: Option<UsdPerGb>,
    /// The same where it depends on the amount over the whole plan, instead of `egress`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub egress_tiers: Vec<Tier>,
    /// Price of copies of data that the plan makes there, kept to the end of the period; by default free.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storage: Option<UsdPerGbMonth>,
    /// Greenhouse gas of its electricity; by default the catalogue's for its region.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carbon: Option<CarbonIntensity>,
    /// Power usage effectiveness: energy of the building over energy of its machines; by default the catalogue's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pue: Option<f64>,
    /// Groups of identical machines, by name.
    #[serde(default)]
    pub pools: IndexMap<String, Pool>,
}

/// Price of a range of an amount of data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tier {
    /// Amount up to which the price holds, from the previous tier's; the last tier has no end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub up_to: Option<Bytes>,
    /// Price of the data in this range.
    pub price: UsdPerGb,
}

impl Tier {
    /// The tariff that tiers make.
    ///
    /// # Errors
    /// They overlap, leave amounts without a price, or cost less than nothing.
    pub fn tariff(tiers: &[Self]) -> Result<Tariff, TariffError> {
        let step = |tier: &Self| units::Tier { up_to: tier.up_to, usd_per_gb: tier.price.0 };
        Tariff::new(tiers.iter().map(step).collect())
    }
}

/// Whose a site is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SiteKind {
    /// The organisation's own.
    Private,
    /// A cloud provider's.
    Public,
}

/// Identical machines of a site.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Pool {
    /// What each node is.
    pub machine: Machine,
    /// Nodes that can be had at the same time (a quota, or what is owned).
    pub nodes: u32,
    /// Changes of that number over time, each from its instant on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub quota: Vec<Quota>,
    /// Electric power of a node under load; by default its accelerators' board power, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub power: Option<Power>,
    /// How nodes are paid for; by default on demand at the catalogue's price.
    #[serde(default)]
    pub purchase: Purchase,
}

/// Nodes of a pool from an instant on.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Quota {
    /// From then on, counted from the start of the period.
    pub from: Seconds,
    /// Nodes that can be had at the same time.
    pub nodes: u32,
}

/// A kind of machine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Machine {
    /// Instance type of the catalogue, sold in the site's region.
    Instance(String),
    /// Path of a `machine.json` that `executor calibrate` measured, relative to the scenario.
    Profile(String),
    /// A machine described here.
    Inline(InlineMachine),
}

/// A machine that neither the catalogue nor a profile describes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InlineMachine {
    /// Accelerator of the catalogue (`accelerators.csv`), or none for a CPU machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accelerator: Option<String>,
    /// Accelerators in one machine.
    #[serde(default = "one")]
    pub count: u32,
    /// CPU cores.
    pub cores: u32,
    /// Main memory.
    pub memory: Bytes,
    /// Peak rate of one device in 32-bit floating point; by default the accelerator's data sheet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peak: Option<FlopRate>,
    /// Network bandwidth of one machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<Bandwidth>,
    /// Bandwidth between two accelerators of one machine, in one direction; by default the accelerator's data sheet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<Bandwidth>,
}

/// How the nodes of a pool are paid for. What is absent cannot be chosen.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Purchase {
    /// The organisation's own machines.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owned: Option<Owned>,
    /// By the hour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_demand: Option<OnDemand>,
    /// By the hour, and taken away at any time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spot: Option<Spot>,
    /// For a term that is paid whole, used or not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reserved: Option<Reserved>,
}

/// Machines that the organisation owns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Owned {
    /// Amortised price of one node, with its electricity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<UsdPerHour>,
    /// What it is made of, instead of `price`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capital: Option<Capital>,
}

/// What a node of one's own costs: price an hour = capex ÷ (life × utilization) + power × PUE × electricity.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Capital {
    /// Purchase of one node with its share of network and racks.
    pub capex: Usd,
    /// Time over which it is written off.
    pub life: Seconds,
    /// Share of that time in which it is used, above 0 to 1.
    #[serde(default = "whole")]
    pub utilization: f64,
    /// Electric power of a node under load.
    pub power: Power,
    /// Power usage effectiveness of the building, from 1.
    #[serde(default = "whole")]
    pub pue: f64,
    /// Price of electric energy.
    pub electricity: UsdPerKwh,
}

/// Machines by the hour that may be taken away.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Spot {
    /// Price of one node; by default the catalogue's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<UsdPerHour>,
    /// How often one node is taken away; by default the catalogue's rate for the type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interruptions: Option<Frequency>,
    /// Time until work goes on after an interruption.
    #[serde(default = "default_restart")]
    pub restart: Seconds,
}

/// Machines for a term.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Reserved {
    /// Length of the commitment, from the start of the period. It is paid whole.
    pub term: Seconds,
    /// Payment for one node at the start.
    #[serde(default)]
    pub upfront: Usd,
    /// Price of one node for every hour of the term.
    #[serde(default)]
    pub price: UsdPerHour,
    /// Most nodes that can be reserved; by default all of the pool.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nodes: Option<u32>,
}

/// Machines by the hour.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OnDemand {
    /// Price of one node; by default the catalogue's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<UsdPerHour>,
}

/// Name of a purchase option.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PurchaseKind {
    /// The organisation's own machines.
    Owned,
    /// By the hour.
    OnDemand,
    /// By the hour, and taken away at any time.
    Spot,
    /// For a term that is paid whole.
    Reserved,
}

impl std::fmt::Display for PurchaseKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Owned => "owned",
            Self::OnDemand => "on demand",
            Self::Spot => "spot",
            Self::Reserved => "reserved",
        })
    }
}

fn whole() -> f64 {
    1.0
}

fn default_restart() -> Seconds {
    Seconds::new(300.0)
}

fn one() -> u32 {
    1
}
