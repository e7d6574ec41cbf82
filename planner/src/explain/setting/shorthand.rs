//! Shorthands: prices of machines by name, demand, links.

use scenarios::catalog::Catalog;
use scenarios::diagnostics::did_you_mean;
use scenarios::scenario::{Job, Machine, OnDemand, Pool, Scenario, Site};
use scenarios::units::UsdPerHour;
use scenarios::yaml::Node;

use super::{Operator, Setting, SettingError, path};
use crate::planning::is_like;

/// The scenario with the catalogue's prices written down wherever a change computes with them.
pub(super) fn with_prices(scenario: &Scenario, settings: &[Setting], catalog: &Catalog) -> Scenario {
    let mut scenario = scenario.clone();
    let patterns: Vec<&String> = settings.iter().filter_map(machine).collect();
    for site in scenario.sites.values_mut() {
        let region = site.provider.clone().zip(site.region.clone());
        for pool in site.pools.values_mut() {
            let names = names(pool, region.as_ref(), catalog);
            if patterns.iter().any(|pattern| names.iter().any(|name| is_named(pattern, name))) {
                state_prices(pool, region.as_ref(), catalog);
            }
        }
    }
    scenario
}

/// The machine whose price a change is about.
fn machine(setting: &Setting) -> Option<&String> {
    match setting.path.as_slice() {
        [first, machine] if first == "price" => Some(machine),
        _ => None,
    }
}

type Region = (String, String);

/// Names of a pool's machine: instance type, accelerator.
fn names(pool: &Pool, region: Option<&Region>, catalog: &Catalog) -> Vec<String> {
    match &pool.machine {
        Machine::Instance(kind) => {
            let instance = region.and_then(|(provider, region)| catalog.instance(provider, region, kind));
            let accelerator = instance.and_then(|instance| instance.accelerator.clone());
            std::iter::once(kind.clone()).chain(accelerator).collect()
        }
        Machine::Profile(path) => vec![path.clone()],
        Machine::Inline(machine) => machine.accelerator.iter().cloned().collect(),
    }
}

/// Whether a name is meant: `h100` means `H100`, `H100-SXM` and `H100 80GB`, and not `H1000`.
fn is_named(pattern: &str, name: &str) -> bool {
    let (lower, start) = (name.to_lowercase(), pattern.to_lowercase());
    let rest = lower.strip_prefix(&start).filter(|_| !pattern.contains('*'));
    is_like(pattern, name) || rest.is_some_and(|rest| !rest.starts_with(char::is_alphanumeric))
}

fn state_prices(pool: &mut Pool, region: Option<&Region>, catalog: &Catalog) {
    let Machine::Instance(kind) = &pool.machine else { return };
    let Some(instance) = region.and_then(|(provider, region)| catalog.instance(provider, region, kind)) else { return };
    let purchase = &mut pool.purchase;
    let is_silent = purchase.owned.is_none() && purchase.spot.is_none() && purchase.reserved.is_none();
    if purchase.on_demand.is_some() || is_silent {
        let offer = purchase.on_demand.get_or_insert_with(OnDemand::default);
        offer.price = offer.price.or(instance.on_demand_usd_per_hour.map(UsdPerHour));
    }
    if let Some(offer) = &mut purchase.spot {
        offer.price = offer.price.or(instance.spot_usd_per_hour.map(UsdPerHour));
    }
}

/// Every place of a document that a change is about.
///
/// # Errors
/// There is none.
pub(super) fn expand(
    setting: &Setting,
    scenario: &Scenario,
    catalog: &Catalog,
    root: &Node,
) -> Result<Vec<Vec<String>>, SettingError> {
    match setting.path.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["price", machine] => prices(setting, machine, scenario, catalog),
        ["demand"] => demand(setting, "*", scenario, root),
        ["demand", workload] => demand(setting, workload, scenario, root),
        ["link", key] => links(setting, "*", key, scenario, root),
        ["link", site, key] => links(setting, site, key, scenario, root),
        _ => path::find(root, setting, &setting.path),
    }
}

fn keys(parts: &[&str]) -> Vec<String> {
    parts.iter().map(|part| (*part).to_owned()).collect()
}

fn prices(
    setting: &Setting,
    machine: &str,
    scenario: &Scenario,
    catalog: &Catalog,
) -> Result<Vec<Vec<String>>, SettingError> {
    let mut found = Vec::new();
    let mut known = Vec::new();
    for (site_name, site) in &scenario.sites {
        for (pool_name, pool) in &site.pools {
            let names = names(pool, region_of(site).as_ref(), catalog);
            if names.iter().any(|name| is_named(machine, name)) {
                let base = ["sites", site_name, "pools", pool_name, "purchase"];
                found.extend(parts(pool, setting.operator).into_iter().map(|part| keys(&[&base, part].concat())));
            }
            known.extend(names);
        }
    }
    if found.is_empty() {
        known.sort();
        known.dedup();
        let help = did_you_mean(machine, known.iter().map(String::as_str));
        let problem = format!("no pool has a machine `{machine}` with a price");
        return Err(SettingError::Unknown { text: setting.text.clone(), problem, help });
    }
    Ok(found)
}

fn region_of(site: &Site) -> Option<Region> {
    site.provider.clone().zip(site.region.clone())
}

/// Prices of a pool that a change is about: all that are multiplied; of those added to, the hourly ones; only the first,
/// where one is set.
fn parts(pool: &Pool, operator: Operator) -> Vec<&'static [&'static str]> {
    let purchase = &pool.purchase;
    let hourly: [(bool, &[&str]); 4] = [
        (purchase.on_demand.as_ref().is_some_and(|offer| offer.price.is_some()), &["on_demand", "price"]),
        (purchase.owned.as_ref().is_some_and(|owned| owned.price.is_some()), &["owned", "price"]),
        (purchase.spot.as_ref().is_some_and(|spot| spot.price.is_some()), &["spot", "price"]),
        (purchase.reserved.is_some(), &["reserved", "price"]),
    ];
    let hourly = hourly.into_iter().filter(|(is_stated, _)| *is_stated).map(|(_, part)| part);
    match operator {
        Operator::Set => hourly.take(1).collect(),
        Operator::Add | Operator::Subtract => hourly.collect(),
        Operator::Multiply | Operator::Divide => {
            let once: [(bool, &[&str]); 2] = [
                (purchase.reserved.is_some(), &["reserved", "upfront"]),
                (purchase.owned.as_ref().is_some_and(|owned| owned.capital.is_some()), &["owned", "capital", "capex"]),
            ];
            hourly.chain(once.into_iter().filter(|(is_stated, _)| *is_stated).map(|(_, part)| part)).collect()
        }
    }
}

fn demand(
    setting: &Setting,
    workload: &str,
    scenario: &Scenario,
    root: &Node,
) -> Result<Vec<Vec<String>>, SettingError> {
    let serves = scenario.workloads.iter().filter(|(_, workload)| matches!(workload.job, Job::Serve(_)));
    let services: Vec<&str> = serves.map(|(name, _)| name.as_str()).collect();
    let meant: Vec<&str> =
        services.iter().copied().filter(|name| *name == workload || is_like(workload, name)).collect();
    if meant.is_empty() {
        let help = did_you_mean(workload, services);
        let problem = format!("no service is called `{workload}`");
        return Err(SettingError::Unknown { text: setting.text.clone(), problem, help });
    }
    let mut found = Vec::new();
    for name in meant {
        let path = keys(&["workloads", name, "job", "serve", "demand", "*", "requests", "*", "rate"]);
        found.extend(path::find(root, setting, &path)?);
    }
    Ok(found)
}

fn links(
    setting: &Setting,
    site: &str,
    key: &str,
    scenario: &Scenario,
    root: &Node,
) -> Result<Vec<Vec<String>>, SettingError> {
    let touches = |ends: &[String; 2]| ends.iter().any(|end| end == site || is_like(site, end));
    let meant = scenario.links.iter().enumerate().filter(|(_, link)| touches(&link.between));
    let meant: Vec<String> = meant.map(|(index, _)| index.to_string()).collect();
    if meant.is_empty() {
        let help = did_you_mean(site, scenario.links.iter().flat_map(|link| &link.between).map(String::as_str));
        let problem = format!("no link is stated for `{site}`");
        return Err(SettingError::Unknown { text: setting.text.clone(), problem, help });
    }
    let mut found = Vec::new();
    for index in meant {
        found.extend(path::find(root, setting, &keys(&["links", &index, key]))?);
    }
    Ok(found)
}
