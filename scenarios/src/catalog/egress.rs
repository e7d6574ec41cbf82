//! Prices of data that leaves a region.
//!
//! Each price is the first tier that costs anything: free allowances of a month's first gigabytes are not counted, and
//! neither are the lower prices of large volumes.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::Deserialize;

use super::continent::continent;
use super::pairs::{Pairs, RegionIndex, index};
use super::region::Region;
use super::table;

/// Price of data that leaves a region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EgressPrice {
    /// US dollars a gigabyte.
    pub usd_per_gb: Decimal,
    /// Where it was read, or how it was derived.
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

/// A price for all regions in a scope.
#[derive(Debug)]
struct Rule {
    from: String,
    to: String,
    tier_min_gb_month: f64,
    date: String,
    price: EgressPrice,
}

#[derive(Deserialize)]
struct Row {
    provider: String,
    src: String,
    dst: String,
    tier_min_gb_month: f64,
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

/// Reads all prices.
pub(super) fn load(regions: &[Region]) -> Egress {
    let mut egress = Egress { pairs: load_pairs(regions), rules: BTreeMap::new() };
    for row in table::EGRESS.rows::<Row>() {
        let ends = region_of(&row.src).zip(region_of(&row.dst));
        let ends =
            ends.and_then(|(from, to)| index(regions, &row.provider, from).zip(index(regions, &row.provider, to)));
        let doubt = if row.confidence == "read" { "" } else { ", unverified" };
        let price = EgressPrice { usd_per_gb: row.usd_per_gb, source: format!("{} ({}{doubt})", row.source, row.date) };
        if let Some(pair) = ends {
            egress.pairs.insert(pair, price);
        } else {
            let Row { src: from, dst: to, tier_min_gb_month, date, .. } = row;
            egress.rules.entry(row.provider).or_default().push(Rule { from, to, tier_min_gb_month, date, price });
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

fn region_of(scope: &str) -> Option<&str> {
    scope.strip_prefix("region:")
}

impl Egress {
    /// Price from one region to another, or to the internet. Data that stays in a region is free.
    pub fn price(&self, regions: &[Region], from: RegionIndex, to: Option<RegionIndex>) -> Option<EgressPrice> {
        if to == Some(from) {
            return Some(EgressPrice { usd_per_gb: Decimal::ZERO, source: "stays in its region".to_owned() });
        }
        if let Some(price) = to.and_then(|to| self.pairs.get(&(from, to))) {
            return Some(price.clone());
        }
        let (source, target) = (&regions[from], to.map(|to| &regions[to]));
        let rules = self.rules.get(&source.provider)?;
        target
            .filter(|target| target.provider == source.provider)
            .and_then(|target| best(rules, |rule| within_provider(rule, source, target)))
            .or_else(|| best(rules, |rule| to_internet(rule, source)))
            .map(|rule| rule.price.clone())
            .or_else(|| highest(rules))
    }
}

/// The most specific rule that fits and costs something; of equals the newest, then the lowest tier.
fn best(rules: &[Rule], rank: impl Fn(&Rule) -> Option<u32>) -> Option<&Rule> {
    rules
        .iter()
        .filter_map(|rule| Some((rule, rank(rule)?)))
        .filter(|(rule, _)| rule.price.usd_per_gb > Decimal::ZERO || !rules.iter().any(is_paid_internet))
        .max_by(|(a, rank_a), (b, rank_b)| {
            let newest = rank_a.cmp(rank_b).then_with(|| a.date.cmp(&b.date));
            newest.then_with(|| b.tier_min_gb_month.total_cmp(&a.tier_min_gb_month))
        })
        .map(|(rule, _)| rule)
}

fn is_paid_internet(rule: &Rule) -> bool {
    leaves_cloud(&rule.to) && rule.price.usd_per_gb > Decimal::ZERO
}

fn leaves_cloud(to: &str) -> bool {
    matches!(to, "internet" | "other-cloud")
}

/// The highest price to the internet, for a region of which no price is known.
fn highest(rules: &[Rule]) -> Option<EgressPrice> {
    let price = &rules.iter().filter(|rule| leaves_cloud(&rule.to)).max_by_key(|rule| rule.price.usd_per_gb)?.price;
    let source = format!("none known for the region; the provider's highest is taken: {}", price.source);
    Some(EgressPrice { usd_per_gb: price.usd_per_gb, source })
}

/// How specifically a rule fits data from a region to the internet.
fn to_internet(rule: &Rule, source: &Region) -> Option<u32> {
    if leaves_cloud(&rule.to) { covers(&rule.from, source) } else { None }
}

/// How specifically a rule fits data between two regions of its provider.
fn within_provider(rule: &Rule, source: &Region, target: &Region) -> Option<u32> {
    if leaves_cloud(&rule.to) {
        return None;
    }
    let to = match rule.to.as_str() {
        "continent:other" if continent(&source.country) != continent(&target.country) => 1,
        "continent:other" => return None,
        scope => covers(scope, target)?,
    };
    Some(covers(&rule.from, source)? + to)
}

/// How specifically a scope covers a region: 3 by name, 2 by a part of the world, 1 by everything.
fn covers(scope: &str, region: &Region) -> Option<u32> {
    let (kind, name) = scope.split_once(':')?;
    let (fits, rank) = match (kind, name) {
        ("region", _) => (region.region == name, 3),
        ("continent", _) => (continent(&region.country) == name, 2),
        ("scope", "us") => (region.country == "US", 2),
        ("scope", "us+eu") => (region.country == "US" || continent(&region.country) == "europe", 2),
        ("scope", "cn-mainland") => (region.country == "CN", 2),
        ("scope", "any" | "default") => (true, 1),
        _ => (false, 0),
    };
    fits.then_some(rank)
}

#[cfg(test)]
mod tests {
    use super::super::Catalog;

    #[test]
    fn egress_has_the_price_of_its_best_source() {
        let check = |from: (&str, &str), to: Option<(&str, &str)>, price: Option<&str>, source: &str| {
            let found = Catalog::bundled().egress(from, to);
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
    }
}
