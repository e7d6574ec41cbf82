//! What movements cost, hop by hop: every price that depends on the amount has a meter, and earlier movements fill its
//! first tiers.

use rust_decimal::Decimal;
use scenarios::plan::Flow;
use scenarios::scenario;
use scenarios::units::{Bytes, Tariff};

use super::exact::{add, sum};
use super::{Check, Purpose, Subject, Verification, content, same};
use crate::verify::movements::about;
use crate::verify::route::{self, Hop};
use crate::verify::subject::region;

/// Data on one tariff: of a link with prices of its own, else of a site.
struct Meter<'a> {
    from: &'a str,
    to: Option<&'a str>,
    tariff: Tariff,
    used: u64,
}

pub(super) fn check(subject: &Subject<'_>, found: &mut Verification) {
    let mut meters: Vec<Meter<'_>> = Vec::new();
    for flow in &subject.plan.flows {
        if is_free(subject, flow) {
            same(flow.cost_usd, Decimal::ZERO, 1, found, || format!("egress of {}", about(flow)));
            continue;
        }
        // A route that does not exist is told elsewhere.
        let Ok(hops) = route::hops(subject, flow) else { continue };
        let costs: Vec<Option<Decimal>> =
            hops.iter().map(|hop| charge(subject, &mut meters, hop, flow.bytes)).collect();
        let priced = costs.iter().all(Option::is_some);
        found.expect(priced, Check::Money, || format!("egress of {} has no price", about(flow)));
        let expected = sum(costs.into_iter().flatten());
        same(flow.cost_usd, expected, hops.len() as u64 + 1, found, || format!("egress of {}", about(flow)));
    }
    whole(subject, &meters, found);
}

/// What users and replicas say to each other is not priced: a few bytes a token.
fn is_free(subject: &Subject<'_>, flow: &Flow) -> bool {
    let purpose = subject.run(&flow.used_by).and_then(|run| content::purpose(subject, flow, &run));
    matches!(purpose, Some(Purpose::Requests))
}

/// Adds an amount to the meter of a hop, and says what it costs there.
fn charge<'a>(subject: &Subject<'a>, meters: &mut Vec<Meter<'a>>, hop: &Hop<'a>, bytes: u64) -> Option<Decimal> {
    let (to, tariff) = tariff(subject, hop)?;
    let known = meters.iter().position(|meter| meter.from == hop.from && meter.to == to && meter.tariff == tariff);
    let index = known.unwrap_or_else(|| {
        meters.push(Meter { from: hop.from, to, tariff, used: 0 });
        meters.len() - 1
    });
    let meter = meters.get_mut(index)?;
    let usd = meter.tariff.marginal(Bytes(meter.used), Bytes(bytes));
    meter.used = meter.used.saturating_add(bytes);
    Some(usd)
}

/// The tariff of a hop, with the site that it leads to if it is the link's own: the link's, else what the site that is
/// left states, else the catalogue's. What leaves a private site is free.
fn tariff<'a>(subject: &Subject<'a>, hop: &Hop<'a>) -> Option<(Option<&'a str>, Tariff)> {
    if let Some(link) = hop.link.filter(|link| !link.price.is_empty()) {
        return Some((Some(hop.to), scenario::Tier::tariff(&link.price).ok()?));
    }
    let (source, target) = (subject.scenario.sites.get(hop.from)?, subject.scenario.sites.get(hop.to)?);
    let tariff = if let Some(price) = source.egress {
        Tariff::flat(price.0).ok()?
    } else if !source.egress_tiers.is_empty() {
        scenario::Tier::tariff(&source.egress_tiers).ok()?
    } else if let Some(place) = region(source) {
        subject.catalog.egress_tariff(place, region(target))?.tariff
    } else {
        Tariff::flat(Decimal::ZERO).ok()?
    };
    Some((None, tariff))
}

/// All egress is what the total amounts on all meters cost.
fn whole(subject: &Subject<'_>, meters: &[Meter<'_>], found: &mut Verification) {
    let stated = subject.plan.flows.iter().fold(Decimal::ZERO, |usd, flow| add(usd, flow.cost_usd));
    let expected = sum(meters.iter().map(|meter| meter.tariff.cost(Bytes(meter.used))));
    let hops: usize = subject.plan.flows.iter().map(|flow| flow.via.len() + 2).sum();
    same(stated, expected, hops as u64 + 1, found, || "egress of all movements, by their amounts".to_owned());
}
