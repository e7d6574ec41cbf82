//! Machines of sites and how they are paid for.

use super::Check;
use crate::catalog::Instance;
use crate::diagnostics::{Diagnostic, did_you_mean, listed};
use crate::scenario::{InlineMachine, Machine, Pool, Site, SiteKind};
use crate::yaml::Located;

const MOST_NODES: u32 = 1_000_000;

pub(super) fn check(check: &mut Check<'_>) {
    let sites = check.root.key("sites");
    for (name, site) in &check.scenario.sites {
        for (pool_name, pool) in &site.pools {
            let at = sites.key(name).key("pools").key(pool_name);
            if !(1..=MOST_NODES).contains(&pool.nodes) {
                let message = format!("a pool has 1 to {MOST_NODES} nodes");
                check.wrong(&at.key("nodes"), message, "not a size of a pool", "write how many can be had at once");
            }
            match &pool.machine {
                Machine::Instance(instance_type) => {
                    instance(check, site, pool, instance_type, &at);
                }
                Machine::Profile(_) => expect_price(check, pool, &at),
                Machine::Inline(machine) => {
                    inline(check, machine, &at.key("machine").key("inline"));
                    expect_price(check, pool, &at);
                }
            }
        }
    }
}

fn instance(check: &mut Check<'_>, site: &Site, pool: &Pool, instance_type: &str, at: &Located<'_>) {
    let catalog = check.catalog;
    let place = at.key("machine").key("instance");
    let Some((provider, region)) = site.provider.as_deref().zip(site.region.as_deref()) else {
        // A public site that says neither where it is nor whose was told already.
        if site.kind == SiteKind::Private || site.country.is_some() {
            let message = "instance types are sold by providers only";
            let help = "describe the machine with `inline`, or measure it and name its `profile`";
            check.wrong(&place, message, "this site has no provider and region", help);
        }
        return;
    };
    if site.kind == SiteKind::Private || catalog.region(provider, region).is_none() {
        return;
    }
    match catalog.instance(provider, region, instance_type) {
        Some(found) if found.on_demand_usd_per_hour.is_none() => expect_price(check, pool, at),
        Some(_) => {}
        None => not_sold(check, provider, region, instance_type, &place),
    }
}

fn not_sold(check: &mut Check<'_>, provider: &str, region: &str, instance_type: &str, at: &Located<'_>) {
    let sold = |at: &&Instance| at.provider == provider && at.instance_type == instance_type;
    let elsewhere: Vec<&str> = check.catalog.instances().iter().filter(sold).map(|at| at.region.as_str()).collect();
    let here = check.catalog.instances_in(provider, region).iter().map(|other| other.instance_type.as_str());
    if elsewhere.is_empty() {
        let message = format!("unknown instance type `{instance_type}` of `{provider}`");
        return check.wrong(at, message, "not in the catalogue", did_you_mean(instance_type, here));
    }
    let message = format!("`{instance_type}` is not sold in `{region}`");
    check.wrong(at, message, "sold elsewhere", format!("it is sold in {}", listed(elsewhere)));
}

/// What the catalogue does not price must be priced here.
fn expect_price(check: &mut Check<'_>, pool: &Pool, at: &Located<'_>) {
    let on_demand = pool.purchase.on_demand.as_ref().and_then(|on_demand| on_demand.price);
    if pool.purchase.owned.is_none() && on_demand.is_none() {
        let problem = Diagnostic::new(at.key_span(), "the price of this pool is not known", "no price");
        check.tell(problem.help("add `purchase: {owned: {price: 1.20 USD/h}}`, or a price under `on_demand`"));
    }
}

fn inline(check: &mut Check<'_>, machine: &InlineMachine, at: &Located<'_>) {
    let zero = [("cores", machine.cores == 0), ("count", machine.count == 0), ("memory", machine.memory.0 == 0)];
    for (key, _) in zero.into_iter().filter(|(_, is_zero)| *is_zero) {
        check.wrong(&at.key(key), format!("`{key}` is zero"), "nothing there", format!("give the machine's {key}"));
    }
    for key in ["peak", "network"] {
        let rate = if key == "peak" { machine.peak.map(|peak| peak.0) } else { machine.network.map(|rate| rate.0) };
        if rate == Some(0.0) {
            check.wrong(&at.key(key), format!("`{key}` is zero"), "no rate at all", "give the rate or remove the line");
        }
    }
    let catalog = check.catalog;
    let sheet = machine.accelerator.as_deref().map(|name| catalog.accelerator(name));
    if let (Some(name), Some(None)) = (&machine.accelerator, sheet) {
        check.expect_known("accelerator", name, &at.key("accelerator"), catalog.accelerator_names());
    }
    let peak_known = machine.peak.is_some() || sheet.flatten().is_some_and(|sheet| sheet.fp32_flops.is_some());
    if !peak_known && !matches!(sheet, Some(None)) {
        let message = "the peak rate of this machine is not known";
        check.wrong(at, message, "no data sheet gives it", "add `peak: 8.1 TFLOP/s`, its rate in 32-bit arithmetic");
    }
}
