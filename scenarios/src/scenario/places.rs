//! Every name by which rules may mean a site.

use indexmap::IndexMap;

use super::{PlaceGroup, Site, SiteKind};
use crate::catalog::Catalog;
use crate::plan::PlacedSite;

/// A site with its country and all names of places that cover it (its own, country, groups, provider, kind, safeguards),
/// and with those that cover its operator.
pub(super) fn placed(name: &str, site: &Site, groups: &IndexMap<String, PlaceGroup>, catalog: &Catalog) -> PlacedSite {
    let region = site.provider.as_deref().zip(site.region.as_deref());
    let known = region.and_then(|(provider, region)| catalog.region(provider, region));
    let country = known.map(|region| region.country.clone()).or_else(|| site.country.clone());
    let provided = region.and_then(|(provider, region)| catalog.operator(provider, region)).map(str::to_owned);
    let own = || country.clone().filter(|_| site.kind == SiteKind::Private);
    let operator = site.operator.clone().or(provided).or_else(own);
    let kind = match site.kind {
        SiteKind::Private => "private",
        SiteKind::Public => "public",
    };
    let covering = |country: Option<&String>, itself: Option<&str>| {
        let known = country.map(|country| catalog.groups(country)).unwrap_or_default();
        let names = [itself, country.map(String::as_str)].into_iter().flatten().chain(known);
        let names = names.chain(site.provider.as_deref()).chain([kind]);
        with_groups(names.map(str::to_owned).collect(), groups)
    };
    let mut places = covering(country.as_ref(), Some(name));
    places.extend(site.safeguards.iter().cloned());
    PlacedSite {
        kind: site.kind,
        provider: site.provider.clone(),
        region: site.region.clone(),
        places,
        operator_places: covering(operator.as_ref(), None),
        country,
        operator,
        safeguards: site.safeguards.clone(),
    }
}

/// Adds the organisation's own groups that hold any of the names.
fn with_groups(mut names: Vec<String>, groups: &IndexMap<String, PlaceGroup>) -> Vec<String> {
    let holds = |group: &PlaceGroup| group.places.iter().any(|place| names.contains(place));
    let found: Vec<String> = groups.iter().filter(|(_, group)| holds(group)).map(|(name, _)| name.clone()).collect();
    names.extend(found);
    names
}
