//! Every name by which rules may mean a site.

use super::{Site, SiteKind};
use crate::catalog::Catalog;
use crate::plan::PlacedSite;

/// A site with its country and all names of places that cover it: its own, country, groups, provider, kind.
pub(super) fn placed(name: &str, site: &Site, catalog: &Catalog) -> PlacedSite {
    let region = site.provider.as_deref().zip(site.region.as_deref());
    let known = region.and_then(|(provider, region)| catalog.region(provider, region));
    let country = known.map(|region| region.country.clone()).or_else(|| site.country.clone());
    let groups = country.as_deref().map(|country| catalog.groups(country)).unwrap_or_default();
    let kind = match site.kind {
        SiteKind::Private => "private",
        SiteKind::Public => "public",
    };
    let places = [Some(name), country.as_deref()].into_iter().flatten().chain(groups);
    let places = places.chain(site.provider.as_deref()).chain([kind]).map(str::to_owned).collect();
    PlacedSite { kind: site.kind, provider: site.provider.clone(), region: site.region.clone(), country, places }
}
