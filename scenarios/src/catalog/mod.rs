//! The catalogue: what providers sell, where, at which price, and how regions are connected.
//!
//! It is part of the binary (`scenarios/catalog/*.csv`, provenance in its README.md). Prices are
//! list prices in US dollars without tax or discounts; each row keeps its date and source.

use rust_decimal::Decimal;

/// All facts.
#[derive(Debug)]
pub struct Catalog {
    instances: Vec<Instance>,
    regions: Vec<Region>,
}

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
    /// Date of the price.
    pub price_date: String,
    /// Where the price was read.
    pub source: String,
}

/// A region of a provider.
#[derive(Debug, Clone, PartialEq)]
pub struct Region {
    /// Provider.
    pub provider: String,
    /// Region.
    pub region: String,
    /// Name for people.
    pub name: String,
    /// ISO 3166 code of its country.
    pub country: String,
    /// Latitude and longitude in degrees, where known.
    pub position: Option<[f64; 2]>,
    /// `commercial`, `government`, `china` or `sovereign`.
    pub kind: String,
}

/// Data sheet of an accelerator.
#[derive(Debug, Clone, PartialEq)]
pub struct Accelerator {
    /// Name.
    pub name: String,
    /// Memory in bytes.
    pub memory_bytes: u64,
    /// Memory bandwidth in bytes per second.
    pub memory_bytes_per_second: f64,
    /// Peak rate in 32-bit floating point, FLOP/s, where known.
    pub fp32_flops: Option<f64>,
    /// Board power in watts, where known.
    pub watts: Option<f64>,
}

/// Price of data that leaves a region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EgressPrice {
    /// US dollars a gigabyte.
    pub usd_per_gb: Decimal,
    /// Where it was read, or how it was derived.
    pub source: String,
}

/// Network path between two places.
#[derive(Debug, Clone, PartialEq)]
pub struct Path {
    /// Rate in Gbit/s of one pair of machines.
    pub gbps: f64,
    /// Round-trip time in seconds.
    pub round_trip_seconds: f64,
    /// Measured or estimated, and from what.
    pub source: String,
}

impl Catalog {
    /// The catalogue of this version of Causeway.
    #[must_use]
    pub fn bundled() -> &'static Self {
        static CATALOG: std::sync::LazyLock<Catalog> =
            std::sync::LazyLock::new(|| Catalog { instances: Vec::new(), regions: Vec::new() });
        &CATALOG
    }

    /// Date of the newest fact.
    #[must_use]
    pub fn as_of(&self) -> &str {
        ""
    }

    /// SHA-256 over the catalogue's files.
    #[must_use]
    pub fn digest(&self) -> &str {
        ""
    }

    /// All instance types in all regions.
    #[must_use]
    pub fn instances(&self) -> &[Instance] {
        &self.instances
    }

    /// All regions.
    #[must_use]
    pub fn regions(&self) -> &[Region] {
        &self.regions
    }

    /// An instance type in a region.
    #[must_use]
    pub fn instance(&self, _provider: &str, _region: &str, _instance_type: &str) -> Option<&Instance> {
        None
    }

    /// A region.
    #[must_use]
    pub fn region(&self, _provider: &str, _region: &str) -> Option<&Region> {
        None
    }

    /// Data sheet of an accelerator by the name that instances or data sheets give it.
    #[must_use]
    pub fn accelerator(&self, _name: &str) -> Option<&Accelerator> {
        None
    }

    /// Names of the dated groups of countries that hold a country (`eea`, `eu`, `eu-adequate`, …).
    #[must_use]
    pub fn groups(&self, _country: &str) -> Vec<&'static str> {
        Vec::new()
    }

    /// Price of data that leaves `from` for another region, or for the internet.
    #[must_use]
    pub fn egress(&self, _from: (&str, &str), _to: Option<(&str, &str)>) -> Option<EgressPrice> {
        None
    }

    /// Network between two regions: measured, or estimated from their distance.
    #[must_use]
    pub fn path(&self, _from: (&str, &str), _to: (&str, &str)) -> Option<Path> {
        None
    }
}
