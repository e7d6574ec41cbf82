//! The catalogue: what providers sell, where, at which price, and how regions are connected.
//!
//! It is part of the binary (`scenarios/catalog/*.csv`, provenance in its README.md). Prices are
//! list prices in US dollars without tax or discounts; each row keeps its date and source.

mod accelerator;
mod continent;
mod egress;
mod instance;
mod interruptions;
mod jurisdiction;
mod pairs;
mod path;
mod provider;
mod region;
mod table;

pub use accelerator::{Accelerator, PCIE_BYTES_PER_SECOND};
pub use egress::EgressTariff;
pub use instance::Instance;
pub use jurisdiction::{GROUPS, GROUPS_AS_OF, is_country};
pub use path::Path;
pub use region::{Carbon, Region};

use std::sync::LazyLock;

use crate::document;
use crate::units::Frequency;

/// All facts.
#[derive(Debug)]
pub struct Catalog {
    instances: Vec<Instance>,
    regions: Vec<Region>,
    accelerators: Vec<(String, Accelerator)>,
    jurisdictions: Vec<jurisdiction::Jurisdiction>,
    egress: egress::Egress,
    measured: pairs::Pairs<path::Measured>,
    providers: std::collections::BTreeMap<String, String>,
    interruptions: interruptions::Interruptions,
    as_of: String,
    digest: String,
}

impl Catalog {
    /// The catalogue of this version of Causeway, read when it is first asked for.
    #[must_use]
    pub fn bundled() -> &'static Self {
        static CATALOG: LazyLock<Catalog> = LazyLock::new(Catalog::read);
        &CATALOG
    }

    fn read() -> Self {
        let regions = region::load();
        let instances = instance::load();
        let as_of = instances.iter().map(|instance| instance.price_date.as_str()).max().unwrap_or_default();
        Self {
            as_of: as_of.to_owned(),
            digest: digest(),
            accelerators: accelerator::load(),
            jurisdictions: jurisdiction::load(),
            egress: egress::load(&regions),
            measured: path::load(&regions),
            providers: provider::load(),
            interruptions: interruptions::load(),
            instances,
            regions,
        }
    }

    /// Date of the newest price.
    #[must_use]
    pub fn as_of(&self) -> &str {
        &self.as_of
    }

    /// SHA-256 over the catalogue's files.
    #[must_use]
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// All instance types in all regions, by provider, region and type.
    #[must_use]
    pub fn instances(&self) -> &[Instance] {
        &self.instances
    }

    /// All regions, by provider and region.
    #[must_use]
    pub fn regions(&self) -> &[Region] {
        &self.regions
    }

    /// Names of all providers that have regions, sorted.
    pub fn providers(&self) -> impl Iterator<Item = &str> + Clone {
        self.regions.chunk_by(|a, b| a.provider == b.provider).map(|regions| regions[0].provider.as_str())
    }

    /// ISO 3166 code of the country whose law the operator of a region follows: the provider's seat, or China for the
    /// regions there, which Chinese companies operate.
    #[must_use]
    pub fn operator(&self, provider: &str, region: &str) -> Option<&str> {
        let region = self.region(provider, region)?;
        if region.kind == "china" { Some("CN") } else { self.providers.get(provider).map(String::as_str) }
    }

    /// Instance types that are sold in a region, by type.
    #[must_use]
    pub fn instances_in(&self, provider: &str, region: &str) -> &[Instance] {
        let place = |at: &Instance| (at.provider.as_str(), at.region.as_str()).cmp(&(provider, region));
        let start = self.instances.partition_point(|instance| place(instance).is_lt());
        let end = self.instances.partition_point(|instance| place(instance).is_le());
        &self.instances[start..end]
    }

    /// An instance type in a region.
    #[must_use]
    pub fn instance(&self, provider: &str, region: &str, instance_type: &str) -> Option<&Instance> {
        let wanted = (provider, region, instance_type);
        self.instances.binary_search_by(|other| instance::key(other).cmp(&wanted)).ok().map(|at| &self.instances[at])
    }

    /// How often the spot market of a region takes one machine of a type back; `None` where its provider does not say.
    ///
    /// AWS publishes ranges of the share of machines that are gone after a month. The middle p of a range (a quarter for
    /// "more than a fifth") is a rate of −ln(1 − p) a month.
    #[must_use]
    pub fn interruptions(&self, provider: &str, region: &str, instance_type: &str) -> Option<Frequency> {
        let key = (provider.to_owned(), region.to_owned(), instance_type.to_owned());
        self.interruptions.get(&key).copied()
    }

    /// A region.
    #[must_use]
    pub fn region(&self, provider: &str, region: &str) -> Option<&Region> {
        pairs::index(&self.regions, provider, region).map(|at| &self.regions[at])
    }

    /// Data sheet of an accelerator by the name that instances or data sheets give it.
    ///
    /// Instances don't say whether an A100, H100, P100 or V100 is the SXM or the PCIe card; the more usual form is
    /// taken. None for chips whose data sheet is not in the catalogue, such as Alibaba's undisclosed Hopper parts.
    #[must_use]
    pub fn accelerator(&self, name: &str) -> Option<&Accelerator> {
        let at = self.accelerators.binary_search_by(|(other, _)| other.as_str().cmp(name)).ok()?;
        Some(&self.accelerators[at].1)
    }

    /// Data sheet that a free-form name of a published table means, such as `A100-SXM-80GB` or `NVIDIA H100 80GB HBM3`;
    /// a name that [`Catalog::accelerator`] knows means what it says there.
    #[must_use]
    pub fn find_accelerator(&self, name: &str) -> Option<&Accelerator> {
        self.accelerator(name).or_else(|| self.accelerator(accelerator::resolve(name, self.accelerator_names())?))
    }

    /// All names of accelerators that have a data sheet, sorted.
    pub fn accelerator_names(&self) -> impl Iterator<Item = &str> + Clone {
        self.accelerators.iter().map(|(name, _)| name.as_str())
    }

    /// Names of the dated groups of countries that hold a country, see [`GROUPS`].
    #[must_use]
    pub fn groups(&self, country: &str) -> Vec<&'static str> {
        let found = self.jurisdictions.binary_search_by(|other| other.country.as_str().cmp(country));
        found.map_or_else(|_| Vec::new(), |at| self.jurisdictions[at].groups.clone())
    }

    /// Names of the other dated groups that hold every country of a group, such as `eea` for `eu`; none for other names.
    #[must_use]
    pub fn wider_groups(&self, group: &str) -> Vec<&'static str> {
        let held = || self.jurisdictions.iter().filter(|at| at.groups.contains(&group));
        let is_wider = |name: &&str| *name != group && held().count() > 0 && held().all(|at| at.groups.contains(name));
        GROUPS.iter().map(|(name, _)| *name).filter(is_wider).collect()
    }

    /// Prices of data that leaves `from` in a month for another region, or for the internet: all tiers that are known,
    /// free allowances included.
    ///
    /// Between regions of one provider its prices for that pair; to another cloud that pair's price where it is known,
    /// else those to the internet. Prices between pairs of regions are flat. `source` says which rows the tiers are from. None for an unknown region or a provider without prices.
    #[must_use]
    pub fn egress_tariff(&self, from: (&str, &str), to: Option<(&str, &str)>) -> Option<EgressTariff> {
        let (from, to) = self.ends(from, to)?;
        self.egress.tariff(&self.regions, from, to)
    }

    fn ends(&self, from: (&str, &str), to: Option<(&str, &str)>) -> Option<(usize, Option<usize>)> {
        let from = pairs::index(&self.regions, from.0, from.1)?;
        match to {
            Some((provider, region)) => Some((from, Some(pairs::index(&self.regions, provider, region)?))),
            None => Some((from, None)),
        }
    }

    /// Network between two regions: measured, or estimated from their distance.
    #[must_use]
    pub fn path(&self, from: (&str, &str), to: (&str, &str)) -> Option<Path> {
        let from = pairs::index(&self.regions, from.0, from.1)?;
        let to = pairs::index(&self.regions, to.0, to.1)?;
        path::path(&self.measured, &self.regions, from, to)
    }
}

fn digest() -> String {
    let files = table::FILES.iter().flat_map(|file| [file.name, "\0", file.text, "\0"]);
    document::sha256(files.collect::<String>().as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_read_whole() {
        let catalog = Catalog::bundled();
        assert_eq!(catalog.instances().len(), 5612);
        assert_eq!(catalog.regions().len(), 376);
        assert_eq!(catalog.as_of(), "2026-07-20");
        assert_eq!(catalog.digest().len(), "sha256:".len() + 64);
        assert!(catalog.instances().iter().all(|i| catalog.region(&i.provider, &i.region).is_some()));
        assert!(catalog.providers().any(|provider| provider == "alibaba"));
        assert!(catalog.accelerator_names().any(|name| name == "A100"));
    }

    #[test]
    fn instances_have_the_price_and_network_of_their_row() {
        let check = |place: (&str, &str), name: &str, expected: Option<(&str, Option<f64>)>| {
            let found = Catalog::bundled().instance(place.0, place.1, name);
            let price = found.and_then(|found| found.on_demand_usd_per_hour).map(|price| price.to_string());
            assert_eq!(price.as_deref().zip(found.map(|found| found.network_gbps)), expected, "{place:?} {name}");
        };
        check(("aws", "eu-central-1"), "g4dn.xlarge", Some(("0.658", Some(5.0))));
        check(("azure", "germanywestcentral"), "Standard_NC4as_T4_v3", Some(("0.658", None)));
        check(("alibaba", "cn-hangzhou"), "ecs.gn7i-c8g1.2xlarge", Some(("1.327091", None)));
        check(("aws", "eu-central-1"), "ecs.gn7i-c8g1.2xlarge", None);
        assert_eq!(Catalog::bundled().instances_in("aws", "moon-1"), []);
        assert!(Catalog::bundled().instances_in("aws", "eu-central-1").len() > 50);
    }

    #[test]
    fn spot_prices_are_below_those_on_demand() {
        let check = |place: (&str, &str), name: &str, expected: (&str, &str)| {
            let found = Catalog::bundled().instance(place.0, place.1, name).expect("it is sold there");
            let price = found.spot_usd_per_hour.map(|price| price.to_string()).unwrap_or_default();
            assert_eq!((price.as_str(), found.spot_basis.as_str()), expected, "{place:?} {name}");
        };
        check(("alibaba", "ap-northeast-1"), "ecs.gn7i-c16g1.4xlarge", ("0.822843", "alibaba-describeprice-min-zone"));
        check(("lambda", "us-east-1"), "gpu_1x_a10", ("", ""));
        let prices = |instance: &Instance| instance.spot_usd_per_hour.zip(instance.on_demand_usd_per_hour);
        assert!(Catalog::bundled().instances().iter().filter_map(prices).all(|(spot, on_demand)| spot < on_demand));
    }

    #[test]
    fn suspected_prices_are_left_out() {
        let catalog = Catalog::bundled();
        assert!(catalog.instances().iter().all(|instance| !instance.flags.contains("suspected")));
        assert_eq!(catalog.instance("gcp", "us-central1", "a2-ultragpu-1g"), None);
    }

    #[test]
    fn regions_know_their_country_and_electricity() {
        let region = Catalog::bundled().region("aws", "eu-central-1").expect("it is in the catalogue");
        assert_eq!((region.country.as_str(), region.kind.as_str()), ("DE", "commercial"));
        assert!(region.carbon.as_ref().is_some_and(|carbon| carbon.gco2e_per_kwh > 100.0));
    }
}
