//! Prices, costs and sums, recomputed exactly from the scenario, the catalogue and the plan's times and amounts.

mod egress;
mod exact;
mod preference;
mod price;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use scenarios::plan::{Commitment, Flow};

use self::exact::{add, cents, hours, subtract, sum, times};
use super::content::{self, Purpose};
use super::subject::{Run, Subject};
use super::{Check, Verification};

pub(super) use self::exact::float;
pub(super) use self::preference::value as preference_usd;

/// Each amount of a plan is stated to a millionth of a dollar; recomputed sums agree to this for each part.
const PART_USD: Decimal = Decimal::from_parts(1, 0, 0, false, 6);

pub(super) fn check(subject: &Subject<'_>, found: &mut Verification) {
    let caused = caused(subject.plan.flows.as_slice());
    let mut compute = Decimal::ZERO;
    for run in &subject.runs {
        price::check(subject, run, found);
        let machines = machines(run);
        compute = add(compute, machines);
        let expected = add(machines, caused.get(run.name).copied().unwrap_or_default());
        same(run.assignment.cost_usd, expected, parts(run), found, || format!("cost of `{}`", run.name));
    }
    let commitments = commitments(subject, found);
    egress::check(subject, found);
    for flow in &subject.plan.flows {
        let expected = storage(subject, flow);
        same(flow.storage_usd, expected, 1, found, || {
            format!("storage of `{}` at `{}` to the end of the period", flow.what, flow.to)
        });
    }
    totals(subject, add(compute, commitments), found);
}

/// Egress and storage of the movements that each workload causes.
fn caused(flows: &[Flow]) -> BTreeMap<&str, Decimal> {
    let mut caused: BTreeMap<&str, Decimal> = BTreeMap::new();
    for flow in flows {
        let usd = caused.entry(&flow.used_by).or_default();
        *usd = sum([*usd, flow.cost_usd, flow.storage_usd]);
    }
    caused
}

/// Price × nodes × time, over the groups of a workload.
fn machines(run: &Run<'_>) -> Decimal {
    let hours = hours(run.seconds());
    sum(run.assignment.groups.iter().map(|group| times(group.usd_per_node_hour, times(group.nodes.into(), hours))))
}

/// Amounts that were rounded before they were added up to a workload's cost.
fn parts(run: &Run<'_>) -> u64 {
    run.assignment.groups.iter().map(|group| u64::from(group.replicas.unwrap_or(1))).fold(1, u64::saturating_add)
}

/// Upfront payments and the price of every hour of the term.
fn commitments(subject: &Subject<'_>, found: &mut Verification) -> Decimal {
    let mut all = Decimal::ZERO;
    for commitment in &subject.plan.commitments {
        let Commitment { site, pool, nodes, usd_per_node_hour, upfront_usd, .. } = commitment;
        let offered = subject.pool(site, pool).and_then(|(_, pool)| pool.purchase.reserved.as_ref());
        let priced =
            offered.is_some_and(|terms| terms.price.0 == *usd_per_node_hour && terms.upfront.0 == *upfront_usd);
        found.expect(priced, Check::Money, || {
            format!("reserved nodes of pool `{pool}` of `{site}` have another price than the plan's")
        });
        let one = add(*upfront_usd, times(*usd_per_node_hour, hours(commitment.term_seconds)));
        let expected = times(one, (*nodes).into());
        same(commitment.cost_usd, expected, (*nodes).into(), found, || {
            format!("commitment for {nodes} nodes of pool `{pool}` of `{site}`")
        });
        all = add(all, commitment.cost_usd);
    }
    all
}

/// What a copy of a data set costs to the end of the period, in months of 30 days.
fn storage(subject: &Subject<'_>, flow: &Flow) -> Decimal {
    let purpose = subject.run(&flow.used_by).and_then(|run| content::purpose(subject, flow, &run));
    let price = subject.scenario.sites.get(&flow.to).and_then(|site| site.storage);
    let (Some(Purpose::Copy(_)), Some(price)) = (purpose, price) else { return Decimal::ZERO };
    let months = exact::ratio(hours(subject.scenario.horizon.get()), Decimal::from(720));
    times(times(price.0, exact::gigabytes(flow.bytes)), months)
}

fn totals(subject: &Subject<'_>, compute: Decimal, found: &mut Verification) {
    let (plan, totals) = (subject.plan, &subject.plan.totals);
    let runs: u64 = subject.runs.iter().map(parts).fold(1, u64::saturating_add);
    let flows = plan.flows.len() as u64 + 1;
    same(totals.compute_usd, compute, runs, found, || "all machines".to_owned());
    let egress = sum(plan.flows.iter().map(|flow| flow.cost_usd));
    same(totals.egress_usd, egress, 1, found, || "all egress".to_owned());
    let storage = sum(plan.flows.iter().map(|flow| flow.storage_usd));
    same(totals.storage_usd, storage, 1, found, || "all storage".to_owned());
    let whole = sum([totals.compute_usd, totals.egress_usd, totals.storage_usd]);
    same(totals.cost_usd, whole, 1, found, || "the whole plan".to_owned());
    let preference = preference::value(subject);
    same(totals.preference_usd, preference, runs + flows, found, || "what `prefer` rules count".to_owned());
    if let Some(budget) = subject.scenario.budget {
        found.expect(totals.cost_usd <= budget.0, Check::Budget, || {
            format!("the plan costs {} USD, and the budget is {budget}", totals.cost_usd)
        });
    }
}

/// Notes a violation unless two amounts agree, but for the rounding of `parts` of them.
fn same(stated: Decimal, expected: Decimal, parts: u64, found: &mut Verification, what: impl FnOnce() -> String) {
    let tolerance = times(PART_USD, parts.into());
    found.expect(subtract(stated, expected).abs() <= tolerance, Check::Money, || {
        format!("{}: {stated} USD in the plan, {} USD recomputed", what(), cents(expected))
    });
}
