//! Which regions a row of a price list speaks of.

use super::super::continent::continent;
use super::super::region::Region;
use super::Rule;

/// Rank of a rule that names where data to other clouds goes; above every rule that names only its source.
const NAMED_TARGET: u32 = 4;

/// The region that a scope names.
pub(super) fn region_of(scope: &str) -> Option<&str> {
    scope.strip_prefix("region:")
}

/// Whether data leaves the provider.
pub(super) fn leaves_cloud(to: &str) -> bool {
    matches!(to, "internet" | "other-cloud") || to.starts_with("other-cloud:")
}

/// How specifically a rule fits data from a region to the internet, or to another cloud's region.
pub(super) fn to_internet(rule: &Rule, source: &Region, target: Option<&Region>) -> Option<u32> {
    let from = covers(&rule.from, source)?;
    match rule.to.strip_prefix("other-cloud:") {
        Some(part) => target.filter(|target| continent(&target.country) == part).map(|_| from + NAMED_TARGET),
        None if leaves_cloud(&rule.to) => Some(from),
        None => None,
    }
}

/// How specifically a rule fits data between two regions of its provider.
pub(super) fn within_provider(rule: &Rule, source: &Region, target: &Region) -> Option<u32> {
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
