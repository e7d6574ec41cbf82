//! Prices of data that leaves a region.
//!
//! Price lists give one tier a row, the tiers of one tariff from several sources. [`assemble`] puts them together; the
//! prices between pairs of regions are flat.

mod assemble;
mod scope;

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::Deserialize;

use self::assemble::{Part, assemble};
use super::pairs::{Pairs, RegionIndex, index};
use super::region::Region;
use super::table;
use crate::units::{Bytes, Tariff, Tier};

/// Price of data that leaves a region: the first tier that costs anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct EgressPrice {
    /// US dollars a gigabyte.
    pub usd_per_gb: Decimal,
    /// Where it was read, or how it was derived.
    pub source: String,
}

/// Prices of data that leaves a region in a month, tier by tier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EgressTariff {
    /// The tiers, free allowances included.
    pub tariff: Tariff,
    /// Where they were read, or how they were derived.
    pub source: String,
}

/// All prices.
#[derive(Debug)]
pub(super) struct Egress {
    /// Between two regions.
    pairs: Pairs<EgressPrice>,
    /// Everything else, by provider.
    rules: BTreeMap<String, Vec<Rule>>,
}

/// A price of one tier for all regions in a scope.
#[derive(Debug)]
struct Rule {
    from: String,
    to: String,
    /// First byte of a month that it prices.
    start: u64,
    /// First byte that it prices no more; none if it prices all that follow.
    end: Option<u64>,
    date: String,
    price: EgressPrice,
}

#[derive(Deserialize)]
struct Row {
    provider: String,
    src: String,
    dst: String,
    tier_min_gb_month: u64,
    tier_max_gb_month: Option<u64>,
    usd_per_gb: Decimal,
    date: String,
    source: String,
    confidence: String,
}

#[derive(Deserialize)]
struct PairRow {
    src_provider: String,
    src_region: String,
    dst_provider: String,
    dst_region: String,
    usd_per_gb: Decimal,
}

const PAIRS_SOURCE: &str = "skyplane cost grid (2022)";

/// Bytes of a gigabyte, the unit of tiers.
const GIGABYTE: u64 = 1_000_000_000;

/// Reads all prices.
pub(super) fn load(regions: &[Region]) -> Egress {
    let mut egress = Egress { pairs: load_pairs(regions), rules: BTreeMap::new() };
    for row in table::EGRESS.rows::<Row>() {
        let ends = scope::region_of(&row.src).zip(scope::region_of(&row.dst));
        let ends =
            ends.and_then(|(from, to)| index(regions, &row.provider, from).zip(index(regions, &row.provider, to)));
        let doubt = if row.confidence == "read" { "" } else { ", unverified" };
        let price = EgressPrice { usd_per_gb: row.usd_per_gb, source: format!("{} ({}{doubt})", row.source, row.date) };
        if let Some(pair) = ends {
            egress.pairs.insert(pair, price);
        } else {
            let (start, end) = (row.tier_min_gb_month * GIGABYTE, row.tier_max_gb_month.map(|end| end * GIGABYTE));
            let rule = Rule { from: row.src, to: row.dst, start, end, date: row.date, price };
            egress.rules.entry(row.provider).or_default().push(rule);
        }
    }
    egress
}

fn load_pairs(regions: &[Region]) -> Pairs<EgressPrice> {
    let pair = |row: PairRow| {
        let from = index(regions, &row.src_provider, &row.src_region)?;
        let to = index(regions, &row.dst_provider, &row.dst_region)?;
        Some(((from, to), EgressPrice { usd_per_gb: row.usd_per_gb, source: PAIRS_SOURCE.to_owned() }))
    };
    table::EGRESS_PAIRS.rows().filter_map(pair).collect()
}

impl Egress {
    /// All tiers from one region to another, or to the internet.
    pub fn tariff(&self, regions: &[Region], from: RegionIndex, to: Option<RegionIndex>) -> Option<EgressTariff> {
        let parts = self.parts(regions, from, to)?;
        let mut sources: Vec<&str> = Vec::new();
        for part in &parts {
            if !sources.contains(&part.price.source.as_str()) {
                sources.push(&part.price.source);
            }
        }
        let source = sources.join("; ");
        let tier = |part: &Part| Tier { up_to: part.end.map(Bytes), usd_per_gb: part.price.usd_per_gb };
        Some(EgressTariff { tariff: Tariff::new(parts.iter().map(tier).collect()).ok()?, source })
    }

    fn parts(&self, regions: &[Region], from: RegionIndex, to: Option<RegionIndex>) -> Option<Vec<Part>> {
        if to == Some(from) {
            return Some(vec![Part::flat(Decimal::ZERO, "stays in its region".to_owned())]);
        }
        if let Some(price) = to.and_then(|to| self.pairs.get(&(from, to))) {
            return Some(vec![Part { end: None, price: price.clone() }]);
        }
        let (source, target) = (&regions[from], to.map(|to| &regions[to]));
        let rules = self.rules.get(&source.provider)?;
        target
            .filter(|target| target.provider == source.provider)
            .and_then(|target| assemble(rules, |rule| scope::within_provider(rule, source, target)))
            .or_else(|| assemble(rules, |rule| scope::to_internet(rule, source, target)))
            .or_else(|| assemble::highest(rules).map(|price| vec![Part { end: None, price }]))
    }
}

#[cfg(test)]
mod tests {
    use super::super::Catalog;
    use super::*;

    /// The first tier that costs anything, or the only one.
    fn first_paid(from: (&str, &str), to: Option<(&str, &str)>) -> Option<EgressPrice> {
        let catalog = Catalog::bundled();
        let (from, to) = catalog.ends(from, to)?;
        let parts = catalog.egress.parts(&catalog.regions, from, to)?;
        let paid = parts.iter().find(|part| part.price.usd_per_gb > Decimal::ZERO).or_else(|| parts.first())?;
        Some(paid.price.clone())
    }

    #[test]
    fn egress_has_the_price_of_its_best_source() {
        let check = |from: (&str, &str), to: Option<(&str, &str)>, price: Option<&str>, source: &str| {
            let found = first_paid(from, to);
            assert_eq!(found.as_ref().map(|found| found.usd_per_gb.to_string()).as_deref(), price, "{from:?} {to:?}");
            assert!(found.is_none_or(|found| found.source.contains(source)), "{from:?} {to:?}");
        };
        let frankfurt = ("aws", "eu-central-1");
        check(frankfurt, None, Some("0.09"), "aws_transfer_costs.csv (2023)");
        check(frankfurt, Some(frankfurt), Some("0"), "stays");
        check(frankfurt, Some(("aws", "eu-west-1")), Some("0.02"), "aws_transfer_costs.csv (2023)");
        check(frankfurt, Some(("azure", "westeurope")), Some("0.09"), "skyplane cost grid (2022)");
        check(frankfurt, Some(("alibaba", "cn-hangzhou")), Some("0.09"), "aws_transfer_costs.csv (2023)");
        check(("alibaba", "cn-hangzhou"), None, Some("0.123"), "pay-by-data-transfer (2024-12+)");
        check(("alibaba", "eu-central-1"), Some(frankfurt), Some("0.07"), "(2017-03)");
        check(("alibaba", "eu-west-1"), None, Some("0.447"), "none known for the region");
        check(("azure", "polandcentral"), Some(("azure", "westeurope")), Some("0.02"), "azure_cloud_provider.py");
        check(("azure", "polandcentral"), None, Some("0.0875"), "azure_cloud_provider.py");
        check(("azure", "polandcentral"), Some(("azure", "koreasouth")), Some("0.05"), "azure_cloud_provider.py");
        check(("gcp", "europe-west3"), None, Some("0.12"), "gcp_pricing.py");
        check(("gcp", "asia-northeast3"), None, Some("0.147"), "gcp_pricing.py");
        check(("nebius", "eu-north1"), None, Some("0"), "unverified");
        check(("hetzner", "fsn1"), None, None, "");
        check(("aws", "moon-1"), None, None, "");
        check(("gcp", "asia-northeast1"), Some(("alibaba", "ap-southeast-2")), Some("0.19"), "gcp_pricing.py");
    }

    #[test]
    fn egress_has_all_tiers_that_are_known() {
        let check = |from: (&str, &str), to: Option<(&str, &str)>, tiers: &[(Option<u64>, &str)], source: &str| {
            let found = Catalog::bundled().egress_tariff(from, to).expect("a tariff");
            let found_tiers: Vec<(Option<u64>, String)> = found
                .tariff
                .tiers()
                .iter()
                .map(|tier| (tier.up_to.map(|end| end.0 / GIGABYTE), tier.usd_per_gb.to_string()))
                .collect();
            let expected: Vec<(Option<u64>, String)> =
                tiers.iter().map(|(end, price)| (*end, (*price).to_owned())).collect();
            assert_eq!(found_tiers, expected, "{from:?} {to:?}");
            assert!(found.source.contains(source), "{from:?} {to:?}: {}", found.source);
        };
        let [hundred, ten, fifty, rest] = [100, 10_240, 51_200, 153_600].map(Some);
        let aws = [(hundred, "0"), (ten, "0.09"), (fifty, "0.085"), (rest, "0.07"), (None, "0.05")];
        let both = "dev.to/mateenali66 (2025) (2025); skyplane@4602d9c:skyplane/data/aws_transfer_costs.csv (2023)";
        check(("aws", "eu-central-1"), None, &aws, both);
        check(("aws", "eu-central-1"), Some(("aws", "eu-west-1")), &[(None, "0.02")], "aws_transfer_costs");
        check(("aws", "eu-central-1"), Some(("aws", "eu-central-1")), &[(None, "0")], "stays");
        check(("aws", "af-south-1"), None, &[(None, "0.154")], "aws_transfer_costs");
        let azure = [(hundred, "0"), (ten, "0.087"), (fifty, "0.083"), (rest, "0.07"), (None, "0.05")];
        check(("azure", "eastus"), None, &azure, "mateenali66");
        check(("azure", "polandcentral"), None, &[(None, "0.0875")], "azure_cloud_provider.py");
        let google = [(Some(1), "0"), (Some(1024), "0.12"), (ten, "0.11"), (None, "0.08")];
        check(("gcp", "us-central1"), None, &google, "premium tier");
        check(("oci", "us-ashburn-1"), None, &[(ten, "0"), (None, "0.0085")], "legalclarity");
        check(("oci", "ap-tokyo-1"), None, &[(ten, "0"), (None, "0.0085")], "highest is taken");
        check(("nebius", "eu-north1"), None, &[(None, "0")], "unverified");
        assert_eq!(Catalog::bundled().egress_tariff(("hetzner", "fsn1"), None), None);
    }
}
