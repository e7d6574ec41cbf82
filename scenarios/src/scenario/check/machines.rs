//! What nodes are.

use super::Check;
use crate::catalog::Instance;
use crate::diagnostics::{did_you_mean, listed};
use crate::scenario::{InlineMachine, Site, SiteKind};
use crate::yaml::Located;

/// Most accelerators in one machine.
const MOST_ACCELERATORS: u32 = 1024;

/// What the catalogue has of a machine.
#[derive(Clone, Copy)]
pub(super) enum Offer<'a> {
    /// It is not of the catalogue.
    NotSold,
    /// It is.
    Sold(&'a Instance),
    /// Where or what it is was told to be wrong.
    Unknown,
}

/// Checks an instance type and finds it in the catalogue.
pub(super) fn instance<'a>(check: &mut Check<'a>, site: &Site, instance_type: &str, at: &Located<'_>) -> Offer<'a> {
    let catalog = check.catalog;
    let Some((provider, region)) = site.provider.as_deref().zip(site.region.as_deref()) else {
        // A public site that says neither where it is nor whose was told already.
        if site.kind == SiteKind::Private || site.country.is_some() {
            let message = "instance types are sold by providers only";
            let help = "describe the machine with `inline`, or measure it and name its `profile`";
            check.wrong(at, message, "this site has no provider and region", help);
        }
        return Offer::Unknown;
    };
    if site.kind == SiteKind::Private || catalog.region(provider, region).is_none() {
        return Offer::Unknown;
    }
    if let Some(found) = catalog.instance(provider, region, instance_type) {
        return Offer::Sold(found);
    }
    not_sold(check, provider, region, instance_type, at);
    Offer::Unknown
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

/// Checks a machine that is described in the scenario.
pub(super) fn inline(check: &mut Check<'_>, machine: &InlineMachine, at: &Located<'_>) {
    let zero = [("cores", machine.cores == 0), ("count", machine.count == 0), ("memory", machine.memory.0 == 0)];
    for (key, _) in zero.into_iter().filter(|(_, is_zero)| *is_zero) {
        check.wrong(&at.key(key), format!("`{key}` is zero"), "nothing there", format!("give the machine's {key}"));
    }
    if machine.count > MOST_ACCELERATORS {
        let message = format!("a machine has at most {MOST_ACCELERATORS} accelerators");
        check.wrong(&at.key("count"), message, "too many", "give the number in one machine, not in the pool");
    }
    let rates = [
        ("peak", machine.peak.map(|peak| peak.0)),
        ("network", machine.network.map(|rate| rate.0)),
        ("link", machine.link.map(|rate| rate.0)),
    ];
    for (key, _) in rates.into_iter().filter(|(_, rate)| *rate == Some(0.0)) {
        check.wrong(&at.key(key), format!("`{key}` is zero"), "no rate at all", "give the rate or remove the line");
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
