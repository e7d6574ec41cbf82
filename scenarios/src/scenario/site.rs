//! Places where work can run, and the machines there.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::units::{Bandwidth, Bytes, FlopRate, UsdPerGb, UsdPerHour};

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
    /// Price of data that leaves the site; by default the catalogue's for a public site, nothing for a private one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub egress: Option<UsdPerGb>,
    /// Groups of identical machines, by name.
    #[serde(default)]
    pub pools: IndexMap<String, Pool>,
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
    /// How nodes are paid for; by default on demand at the catalogue's price.
    #[serde(default)]
    pub purchase: Purchase,
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
}

/// Machines that the organisation owns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Owned {
    /// Amortised price of one node.
    pub price: UsdPerHour,
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
}

impl std::fmt::Display for PurchaseKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Owned => "owned",
            Self::OnDemand => "on demand",
        })
    }
}

fn one() -> u32 {
    1
}
