//! Names by which rules mean places, and which of them cover which.

use indexmap::IndexSet;

use super::Check;
use crate::catalog::{Catalog, GROUPS, is_country};
use crate::diagnostics::did_you_mean;
use crate::scenario::Scenario;
use crate::scenario::places::{OwnGroups, placed};
use crate::yaml::Located;

/// The name that covers every place.
pub(super) const ANYWHERE: &str = "anywhere";

/// Names of places that are known somewhere in a scenario, beside countries.
pub(super) struct Places<'a> {
    scenario: &'a Scenario,
    catalog: &'a Catalog,
    own: OwnGroups<'a>,
    known: IndexSet<&'a str>,
}

impl<'a> Places<'a> {
    /// What the groups of a scenario may hold: sites, kinds, providers and groups of the catalogue.
    pub(super) fn of_groups(scenario: &'a Scenario, catalog: &'a Catalog) -> Self {
        let known = scenario.sites.keys().map(String::as_str).chain(general(catalog)).collect();
        Self { scenario, catalog, own: OwnGroups::of(&scenario.groups), known }
    }

    /// What its rules may name: the same, the groups, safeguards of sites, and `anywhere`.
    pub(super) fn of_rules(scenario: &'a Scenario, catalog: &'a Catalog) -> Self {
        let safeguards = scenario.sites.values().flat_map(|site| &site.safeguards);
        let own = scenario.sites.keys().chain(scenario.groups.keys()).chain(safeguards).map(String::as_str);
        let known = own.chain([ANYWHERE]).chain(general(catalog)).collect();
        Self { known, ..Self::of_groups(scenario, catalog) }
    }

    /// Checks that a name is known.
    pub(super) fn expect(&self, check: &mut Check<'_>, place: &str, at: &Located<'_>) {
        if is_country(place) || self.known.contains(place) || check.is_full() {
            return;
        }
        let upper = place.to_uppercase();
        let known = || did_you_mean(place, self.known.iter().copied());
        let help = if is_country(&upper) { format!("write `{upper}`") } else { known() };
        check.wrong(at, format!("unknown place `{place}`"), "no site, country, group, provider or kind", help);
    }

    /// All names that cover whatever a name covers, itself included; for a group of the scenario's own those that hold
    /// it whole by name.
    pub(super) fn covering(&self, place: &str) -> Vec<String> {
        if let Some(site) = self.scenario.sites.get(place) {
            let mut names = placed(place, site, &self.own, self.catalog).places;
            names.push(ANYWHERE.to_owned());
            return names;
        }
        let mut names = vec![place];
        names.extend(self.catalog.groups(place));
        names.extend(self.catalog.wider_groups(place));
        if self.catalog.providers().any(|provider| provider == place) {
            names.push("public");
        }
        let mut names = names.into_iter().map(str::to_owned).collect();
        self.own.add_to(&mut names);
        names.push(ANYWHERE.to_owned());
        names
    }
}

/// Kinds, groups of the catalogue and providers.
fn general(catalog: &Catalog) -> impl Iterator<Item = &str> {
    ["private", "public"].into_iter().chain(GROUPS.iter().map(|(group, _)| *group)).chain(catalog.providers())
}
