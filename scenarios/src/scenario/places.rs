//! Every name by which rules may mean a site.

use std::collections::{BTreeSet, HashMap};

use indexmap::IndexMap;

use super::{PlaceGroup, Site, SiteKind};
use crate::catalog::Catalog;
use crate::plan::PlacedSite;

/// The organisation's own groups by what they hold.
#[derive(Debug)]
pub(super) struct OwnGroups<'a> {
    names: Vec<&'a str>,
    /// Positions of the groups that hold a place.
    holding: HashMap<&'a str, Vec<usize>>,
}

impl<'a> OwnGroups<'a> {
    pub(super) fn of(groups: &'a IndexMap<String, PlaceGroup>) -> Self {
        let mut holding: HashMap<&str, Vec<usize>> = HashMap::new();
        for (index, group) in groups.values().enumerate() {
            for place in &group.places {
                holding.entry(place).or_default().push(index);
            }
        }
        Self { names: groups.keys().map(String::as_str).collect(), holding }
    }

    /// Adds the groups that hold any of the names, in the order of the scenario.
    pub(super) fn add_to(&self, names: &mut Vec<String>) {
        let holding = |name: &String| self.holding.get(name.as_str()).into_iter().flatten().copied();
        let found: BTreeSet<usize> = names.iter().flat_map(holding).collect();
        names.extend(found.into_iter().map(|index| self.names[index].to_owned()));
    }
}

/// A site with its country and all names of places that cover it (its own, country, groups, provider, kind, safeguards),
/// and with those that cover its operator.
pub(super) fn placed(name: &str, site: &Site, groups: &OwnGroups<'_>, catalog: &Catalog) -> PlacedSite {
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
        let mut names = names.chain(site.provider.as_deref()).chain([kind]).map(str::to_owned).collect();
        groups.add_to(&mut names);
        names
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
