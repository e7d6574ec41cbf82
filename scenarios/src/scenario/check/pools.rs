//! Pools of machines: how many there are, and when.

use super::{Check, machines, purchases};
use crate::scenario::{Machine, Pool};
use crate::yaml::Located;

/// Most nodes of a pool.
const MOST_NODES: u32 = 1_000_000;

pub(super) fn check(check: &mut Check<'_>) {
    let sites = check.root.key("sites");
    for (name, site) in &check.scenario.sites {
        for (pool_name, pool) in &site.pools {
            let at = sites.key(name).key("pools").key(pool_name);
            expect_nodes(check, pool.nodes, &at.key("nodes"));
            quotas(check, pool, &at.key("quota"));
            let machine = at.key("machine");
            let offer = match &pool.machine {
                Machine::Instance(instance) => machines::instance(check, site, instance, &machine.key("instance")),
                Machine::Profile(_) => machines::Offer::NotSold,
                Machine::Inline(inline) => {
                    machines::inline(check, inline, &machine.key("inline"));
                    machines::Offer::NotSold
                }
            };
            purchases::check(check, pool, offer, &at);
        }
    }
}

fn expect_nodes(check: &mut Check<'_>, nodes: u32, at: &Located<'_>) {
    if nodes > MOST_NODES {
        let message = format!("a pool has at most {MOST_NODES} nodes");
        check.wrong(at, message, "not a size of a pool", "write how many can be had at once");
    }
}

/// Changes of the number of nodes come one after the other, inside of the period.
fn quotas(check: &mut Check<'_>, pool: &Pool, at: &Located<'_>) {
    let horizon = check.scenario.horizon;
    let until = if check.is_sound(&check.root.key("horizon")) { horizon.get() } else { f64::INFINITY };
    let mut before = None;
    for (index, quota) in pool.quota.iter().enumerate() {
        let place = at.item(index);
        expect_nodes(check, quota.nodes, &place.key("nodes"));
        if quota.from.get() >= until {
            let message = format!("this change comes after the end of the period ({})", horizon.rounded());
            check.wrong(&place.key("from"), message, "too late", "remove it, or widen `horizon`");
        }
        if before.is_some_and(|before| quota.from <= before) {
            let message = "this change is not after the one before it";
            check.wrong(&place.key("from"), message, "out of order", "put the changes in the order of their instants");
        }
        before = Some(quota.from);
    }
}
