//! What providers sell.

use std::collections::HashMap;

use rust_decimal::Decimal;
use serde::Deserialize;

use super::table;

/// An instance type in one region.
#[derive(Debug, Clone, PartialEq)]
pub struct Instance {
    /// Provider.
    pub provider: String,
    /// Region.
    pub region: String,
    /// Type.
    pub instance_type: String,
    /// Virtual CPUs, where known.
    pub vcpus: Option<f64>,
    /// Main memory in GiB, where known.
    pub memory_gib: Option<f64>,
    /// Accelerator as the provider names it; none for a CPU type.
    pub accelerator: Option<String>,
    /// Accelerators in one instance; fractional for slices.
    pub accelerator_count: f64,
    /// Memory of one accelerator in GiB, where known.
    pub accelerator_memory_gib: Option<f64>,
    /// On-demand price, where sold so.
    pub on_demand_usd_per_hour: Option<Decimal>,
    /// Spot price, where it is known and below the one on demand: the lowest over the region's zones.
    pub spot_usd_per_hour: Option<Decimal>,
    /// How the spot price was found, see the catalogue's README; empty where there is none.
    pub spot_basis: String,
    /// Date of the price.
    pub price_date: String,
    /// Where the price was read.
    pub source: String,
    /// What to know about the row, separated by `;`: `availability-not-verified` (listed in every region of the
    /// provider), `cny-x0.138` (converted from yuan), `incl-40gib-disk`; mostly empty.
    pub flags: String,
    /// Network bandwidth of one instance in Gbit/s, where known; what is guaranteed, not bursts.
    pub network_gbps: Option<f64>,
}

#[derive(Deserialize)]
struct InstanceRow {
    provider: String,
    region: String,
    instance_type: String,
    vcpus: Option<f64>,
    memory_gib: Option<f64>,
    accelerator: Option<String>,
    accelerator_count: Option<f64>,
    accelerator_memory_gib: Option<f64>,
    on_demand_usd_per_hour: Option<Decimal>,
    spot_usd_per_hour: Option<Decimal>,
    spot_basis: String,
    price_date: String,
    source: String,
    flags: String,
}

#[derive(Deserialize)]
struct NetworkRow {
    provider: String,
    instance_type: String,
    total_gbps: f64,
}

/// Reads all instance types, sorted by [`key`].
pub(super) fn load() -> Vec<Instance> {
    let networks: HashMap<(String, String), f64> = table::INSTANCE_NETWORK
        .rows()
        .map(|row: NetworkRow| ((row.provider, row.instance_type), row.total_gbps))
        .collect();
    let mut instances: Vec<_> = table::INSTANCES
        .rows()
        .map(|row: InstanceRow| {
            let of_type = (row.provider, row.instance_type);
            let network_gbps = networks.get(&of_type).copied();
            Instance {
                provider: of_type.0,
                region: row.region,
                instance_type: of_type.1,
                vcpus: row.vcpus,
                memory_gib: row.memory_gib,
                accelerator: row.accelerator,
                accelerator_count: row.accelerator_count.unwrap_or(0.0),
                accelerator_memory_gib: row.accelerator_memory_gib,
                on_demand_usd_per_hour: row.on_demand_usd_per_hour,
                spot_usd_per_hour: row.spot_usd_per_hour,
                spot_basis: row.spot_basis,
                price_date: row.price_date,
                source: row.source,
                flags: row.flags,
                network_gbps,
            }
        })
        .collect();
    instances.sort_by(|a, b| key(a).cmp(&key(b)));
    instances
}

/// What instances are sorted and found by.
pub(super) fn key(instance: &Instance) -> (&str, &str, &str) {
    (&instance.provider, &instance.region, &instance.instance_type)
}
