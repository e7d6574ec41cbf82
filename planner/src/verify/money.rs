//! Prices, costs and sums, recomputed from the scenario, the catalogue and the plan's times.

use rust_decimal::Decimal;
use scenarios::plan::{Flow, Group};
use scenarios::scenario::{Machine, PurchaseKind, Site};

use super::{Check, Report, Subject};

/// Costs are stated to a millionth of a dollar; recomputed ones agree to this.
const TOLERANCE_USD: Decimal = Decimal::from_parts(2, 0, 0, false, 6);

pub(super) fn check(subject: &Subject<'_>, report: &mut Report) {
    let mut compute = Decimal::ZERO;
    for assignment in &subject.plan.assignments {
        let name = &assignment.workload;
        let seconds = assignment.end_seconds - assignment.start_seconds;
        let mut expected = Decimal::ZERO;
        for group in &assignment.groups {
            let price = price(subject, group);
            report.expect(price == Some(group.usd_per_node_hour), Check::Money, || {
                format!("`{name}` pays {} USD/h for a node, which is not its price", group.usd_per_node_hour)
            });
            let hours = Decimal::from_f64_retain(seconds).unwrap_or_default() / Decimal::from(3600);
            expected += group.usd_per_node_hour * Decimal::from(group.nodes) * hours;
        }
        compute += expected;
        let caused = subject.plan.flows.iter().filter(|flow| flow.used_by == *name);
        let stated = assignment.cost_usd - caused.map(|flow| flow.cost_usd).sum::<Decimal>();
        same(stated, expected, report, || format!("nodes of `{name}`"));
    }
    for flow in &subject.plan.flows {
        let expected = egress(subject, flow);
        report.expect(expected.is_some(), Check::Money, || format!("egress from `{}` has no price", flow.from));
        same(flow.cost_usd, expected.unwrap_or(flow.cost_usd), report, || format!("movement of `{}`", flow.what));
    }
    totals(subject, compute, report);
}

fn totals(subject: &Subject<'_>, compute: Decimal, report: &mut Report) {
    let totals = &subject.plan.totals;
    let count = Decimal::from(subject.plan.assignments.len().max(1));
    let egress: Decimal = subject.plan.flows.iter().map(|flow| flow.cost_usd).sum();
    let assigned: Decimal = subject.plan.assignments.iter().map(|assignment| assignment.cost_usd).sum();
    report.expect((totals.compute_usd - compute).abs() <= TOLERANCE_USD * count, Check::Money, || {
        format!("all nodes: {} USD in the plan, {compute} USD recomputed", totals.compute_usd)
    });
    let sums = [
        (totals.egress_usd, egress, "all movements"),
        (totals.cost_usd, assigned, "all workloads"),
        (totals.cost_usd, totals.compute_usd + totals.egress_usd + totals.storage_usd, "the whole plan"),
    ];
    for (stated, expected, what) in sums {
        same(stated, expected, report, || what.to_owned());
    }
    if let Some(budget) = subject.loaded.scenario.budget {
        report.expect(totals.cost_usd <= budget.0, Check::Money, || {
            format!("the plan costs {} USD, and the budget is {}", totals.cost_usd, budget)
        });
    }
}

fn same(stated: Decimal, expected: Decimal, report: &mut Report, what: impl FnOnce() -> String) {
    report.expect((stated - expected).abs() <= TOLERANCE_USD, Check::Money, || {
        format!("{}: {stated} USD in the plan, {} USD recomputed", what(), expected.round_dp(6))
    });
}

/// Price of a node by the scenario, or by the catalogue where the scenario leaves it open.
fn price(subject: &Subject<'_>, group: &Group) -> Option<Decimal> {
    let site = subject.loaded.scenario.sites.get(&group.site)?;
    let pool = site.pools.get(&group.pool)?;
    if group.purchase == PurchaseKind::Owned {
        return pool.purchase.owned.as_ref().and_then(|owned| owned.price).map(|price| price.0);
    }
    if pool.purchase.on_demand.is_none() && pool.purchase.owned.is_some() {
        return None;
    }
    if let Some(stated) = pool.purchase.on_demand.as_ref().and_then(|offer| offer.price) {
        return Some(stated.0);
    }
    match &pool.machine {
        Machine::Instance(name) => {
            let (provider, region) = (site.provider.as_deref()?, site.region.as_deref()?);
            subject.catalog.instance(provider, region, name)?.on_demand_usd_per_hour
        }
        Machine::Profile(_) | Machine::Inline(_) => None,
    }
}

/// Egress of every hop of a movement.
fn egress(subject: &Subject<'_>, flow: &Flow) -> Option<Decimal> {
    let stops: Vec<&String> = std::iter::once(&flow.from).chain(&flow.via).chain(std::iter::once(&flow.to)).collect();
    let gigabytes = Decimal::from(flow.bytes) / Decimal::from(1_000_000_000);
    stops.windows(2).try_fold(Decimal::ZERO, |sum, pair| {
        let sites = &subject.loaded.scenario.sites;
        let (from, to) = (sites.get(pair[0])?, sites.get(pair[1])?);
        Some(sum + (leaving(subject, from, to)? * gigabytes).round_dp(6))
    })
}

fn leaving(subject: &Subject<'_>, from: &Site, to: &Site) -> Option<Decimal> {
    let region = |site: &Site| Some((site.provider.clone()?, site.region.clone()?));
    match (from.egress, region(from)) {
        (Some(stated), _) => Some(stated.0),
        (None, None) => Some(Decimal::ZERO),
        (None, Some((provider, name))) => {
            let to = region(to);
            let to = to.as_ref().map(|(provider, name)| (provider.as_str(), name.as_str()));
            subject.catalog.egress((&provider, &name), to).map(|price| price.usd_per_gb)
        }
    }
}
