//! At every instant the nodes in use are at most what each pool has then, and reserved ones what was reserved.

use std::collections::BTreeMap;

use scenarios::plan::Commitment;
use scenarios::scenario::{Pool, PurchaseKind};

use super::subject::Subject;
use super::{Check, MILLISECOND, TOLERANCE_SECONDS, Verification};

/// Changes of the nodes in use, by instant in milliseconds.
type Changes = BTreeMap<i64, i64>;

/// A pool by site and name.
type Place<'a> = (&'a str, &'a str);

pub(super) fn check(subject: &Subject<'_>, found: &mut Verification) {
    for ((site, name), changes) in in_use(subject, |_| true) {
        let Some((_, pool)) = subject.pool(site, name) else { continue };
        within(&changes, &quotas(pool), found, |at, used, most| {
            format!("{used} nodes of pool `{name}` of `{site}` are in use {}, and it has {most}", after(at))
        });
    }
    for ((site, name), changes) in in_use(subject, |purchase| purchase == PurchaseKind::Reserved) {
        let held = held(&subject.plan.commitments, (site, name));
        within(&changes, &BTreeMap::from([(0, held)]), found, |at, used, most| {
            format!(
                "{used} reserved nodes of pool `{name}` of `{site}` are in use {}, and {most} are reserved",
                after(at)
            )
        });
    }
    terms(subject, found);
    for commitment in &subject.plan.commitments {
        reserved(subject, commitment, found);
    }
}

fn after(milliseconds: i64) -> String {
    format!("after {} s", milliseconds as f64 / 1000.0)
}

/// The whole millisecond that an instant is.
fn milliseconds(seconds: f64) -> i64 {
    (seconds * 1000.0).round() as i64
}

/// Nodes that groups bought in some way take and give back, by pool.
fn in_use<'a>(subject: &Subject<'a>, counts: impl Fn(PurchaseKind) -> bool) -> BTreeMap<Place<'a>, Changes> {
    let mut pools: BTreeMap<Place<'a>, Changes> = BTreeMap::new();
    for assignment in &subject.plan.assignments {
        let (start, end) = (milliseconds(assignment.start_seconds), milliseconds(assignment.end_seconds));
        for group in assignment.groups.iter().filter(|group| counts(group.purchase) && start < end) {
            let changes = pools.entry((&group.site, &group.pool)).or_default();
            *changes.entry(start).or_default() += i64::from(group.nodes);
            *changes.entry(end).or_default() -= i64::from(group.nodes);
        }
    }
    pools
}

/// Nodes of a pool from each instant on. A change within a millisecond counts from the next one on.
fn quotas(pool: &Pool) -> BTreeMap<i64, i64> {
    let mut quotas = BTreeMap::from([(0, i64::from(pool.nodes))]);
    for quota in &pool.quota {
        quotas.insert((quota.from.get() * 1000.0 - 1e-6).ceil() as i64, i64::from(quota.nodes));
    }
    quotas
}

/// Follows the nodes in use from change to change.
fn within(
    changes: &Changes,
    quotas: &BTreeMap<i64, i64>,
    found: &mut Verification,
    message: impl Fn(i64, i64, i64) -> String,
) {
    let mut instants: Vec<i64> = changes.keys().chain(quotas.keys()).copied().collect();
    instants.sort_unstable();
    instants.dedup();
    let (mut used, mut most) = (0_i64, quotas.first_key_value().map_or(0, |(_, nodes)| *nodes));
    for instant in instants {
        used = used.saturating_add(changes.get(&instant).copied().unwrap_or(0));
        most = quotas.get(&instant).copied().unwrap_or(most);
        found.expect(used <= most, Check::Capacity, || message(instant, used, most));
    }
}

/// Nodes that are reserved of a pool.
fn held(commitments: &[Commitment], (site, pool): Place<'_>) -> i64 {
    let own = commitments.iter().filter(|commitment| commitment.site == site && commitment.pool == pool);
    own.map(|commitment| i64::from(commitment.nodes)).fold(0, i64::saturating_add)
}

/// Reserved nodes are used within their term.
fn terms(subject: &Subject<'_>, found: &mut Verification) {
    for run in &subject.runs {
        for (group, _, pool) in subject.placed(run).filter(|(group, _, _)| group.purchase == PurchaseKind::Reserved) {
            let Some(terms) = &pool.purchase.reserved else { continue };
            let end = run.assignment.end_seconds;
            found.expect(end <= terms.term.get() + MILLISECOND, Check::Capacity, || {
                let (name, term) = (run.name, terms.term.get());
                format!(
                    "`{name}` uses reserved nodes at `{}` until {end} s, and their term ends after {term} s",
                    group.site
                )
            });
        }
    }
}

/// A commitment is one that the pool offers, once, for nodes that it has.
fn reserved(subject: &Subject<'_>, commitment: &Commitment, found: &mut Verification) {
    let Commitment { site, pool: name, nodes, .. } = commitment;
    let pool = subject.pool(site, name).map(|(_, pool)| pool);
    let Some((pool, terms)) = pool.and_then(|pool| Some((pool, pool.purchase.reserved.as_ref()?))) else {
        found.expect(false, Check::Capacity, || format!("pool `{name}` of `{site}` cannot be reserved"));
        return;
    };
    let most = terms.nodes.map_or(i64::MAX, i64::from).min(quotas(pool).values().copied().max().unwrap_or(0));
    let all = held(&subject.plan.commitments, (site, name));
    found.expect(*nodes > 0 && all <= most, Check::Capacity, || {
        format!("{all} nodes of pool `{name}` of `{site}` are reserved, and {most} can be")
    });
    let term = (commitment.term_seconds - terms.term.get()).abs() <= TOLERANCE_SECONDS;
    let machine = commitment.machine == subject.machine_name(name, pool);
    found.expect(term && machine, Check::Capacity, || {
        format!("the commitment for pool `{name}` of `{site}` is not the one that it offers")
    });
}

#[cfg(test)]
mod tests {
    use super::super::Check::{Capacity, Groups, Money};
    use super::super::fixtures::{assignment, check_with, cover};

    #[test]
    fn nodes_are_there_at_every_instant() {
        let nodes = |nodes: u32| {
            move |scenario: &mut scenarios::scenario::Scenario| scenario.sites["cloud"].pools["t4"].nodes = nodes
        };
        check_with("as many as are in use", nodes(2), |_| (), &[]);
        check_with("one too few", nodes(1), |_| (), &[Capacity]);
        check_with(
            "fewer later",
            |scenario| scenario.sites["clinic"].pools["gpu"].quota[0].nodes = 0,
            |_| (),
            &[Capacity],
        );
        check_with(
            "fewer afterwards",
            |scenario| {
                scenario.sites["clinic"].pools["gpu"].quota[0].from = scenarios::units::Seconds::from_days(11.0);
                scenario.sites["clinic"].pools["gpu"].quota[0].nodes = 0;
            },
            |_| (),
            &[],
        );
        check_with(
            "too few can be reserved",
            |scenario| {
                let reserved = &mut scenario.sites["cloud"].pools["t4"].purchase.reserved;
                reserved.as_mut().expect("it is offered").nodes = Some(1);
            },
            |_| (),
            &[Capacity],
        );
        check_with(
            "a shorter term",
            |scenario| {
                let reserved = &mut scenario.sites["cloud"].pools["t4"].purchase.reserved;
                reserved.as_mut().expect("it is offered").term = scenarios::units::Seconds::from_days(10.0);
            },
            |plan| plan.commitments[0].term_seconds = 864_000.0,
            &[Capacity, Money],
        );
        cover("no commitment", |plan| plan.commitments.clear(), &[Capacity, Money]);
        cover("more nodes", |plan| assignment(plan, "train").groups[0].nodes = 99, &[Capacity, Groups]);
    }
}
