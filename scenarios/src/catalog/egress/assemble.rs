//! One tariff from the rows of several price lists.

use std::cmp::Ordering;

use rust_decimal::Decimal;

use super::scope::leaves_cloud;
use super::{EgressPrice, Rule};

/// A tier with its source.
#[derive(Debug, Clone)]
pub(super) struct Part {
    /// First byte of a month that it prices no more; none for the last.
    pub end: Option<u64>,
    pub price: EgressPrice,
}

impl Part {
    /// The only tier of a flat price.
    pub(super) const fn flat(usd_per_gb: Decimal, source: String) -> Self {
        Self { end: None, price: EgressPrice { usd_per_gb, source } }
    }
}

/// Tiers of the rules that fit, by how specifically they do; none if no rule fits.
///
/// An amount has the price of the most specific rule whose tier holds it; of equals the newest. Where no row speaks of
/// an amount, the price of the tier below stands in, which is no lower in any list that falls with the amount; above a
/// free allowance the highest price to the internet; and below the first tier that is known, that tier's price.
pub(super) fn assemble(rules: &[Rule], rank: impl Fn(&Rule) -> Option<u32>) -> Option<Vec<Part>> {
    let fitting: Vec<(&Rule, u32)> = rules.iter().filter_map(|rule| Some((rule, rank(rule)?))).collect();
    let lowest = fitting.iter().min_by_key(|(rule, _)| rule.start)?.0.start;
    let mut parts: Vec<Part> = Vec::new();
    let starts = starts(&fitting);
    for (index, start) in starts.iter().enumerate() {
        let price = match best(&fitting, (*start).max(lowest)) {
            Some(rule) => rule.price.clone(),
            None => beyond(&parts, rules)?,
        };
        let end = starts.get(index + 1).copied();
        match parts.last_mut() {
            Some(last) if last.price == price => last.end = end,
            _ => parts.push(Part { end, price }),
        }
    }
    Some(parts)
}

/// Amounts at which a price can change, from 0.
fn starts(fitting: &[(&Rule, u32)]) -> Vec<u64> {
    let ends = fitting.iter().filter_map(|(rule, _)| rule.end);
    let mut starts: Vec<u64> = fitting.iter().map(|(rule, _)| rule.start).chain(ends).chain([0]).collect();
    starts.sort_unstable();
    starts.dedup();
    starts
}

/// The most specific rule whose tier holds the byte; of equals the newest.
fn best<'a>(fitting: &[(&'a Rule, u32)], byte: u64) -> Option<&'a Rule> {
    let holds = |rule: &Rule| rule.start <= byte && rule.end.is_none_or(|end| byte < end);
    let order = |(a, rank_a): &&(&Rule, u32), (b, rank_b): &&(&Rule, u32)| -> Ordering {
        rank_a.cmp(rank_b).then_with(|| a.date.cmp(&b.date))
    };
    fitting.iter().filter(|(rule, _)| holds(rule)).max_by(order).map(|(rule, _)| *rule)
}

/// Price of what lies above the tiers that are known.
fn beyond(parts: &[Part], rules: &[Rule]) -> Option<EgressPrice> {
    let below = &parts.last()?.price;
    if below.usd_per_gb > Decimal::ZERO { Some(below.clone()) } else { highest(rules) }
}

/// The highest price to the internet, for amounts and regions of which no price is known.
pub(super) fn highest(rules: &[Rule]) -> Option<EgressPrice> {
    let price = &rules.iter().filter(|rule| leaves_cloud(&rule.to)).max_by_key(|rule| rule.price.usd_per_gb)?.price;
    let source = format!("none known for the region; the provider's highest is taken: {}", price.source);
    Some(EgressPrice { usd_per_gb: price.usd_per_gb, source })
}
