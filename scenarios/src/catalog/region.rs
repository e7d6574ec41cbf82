//! Regions of providers.

use std::collections::HashMap;

use serde::Deserialize;

use super::table;

/// A region of a provider.
#[derive(Debug, Clone, PartialEq)]
pub struct Region {
    /// Provider.
    pub provider: String,
    /// Region.
    pub region: String,
    /// Name for people.
    pub name: String,
    /// ISO 3166 code of its country.
    pub country: String,
    /// Latitude and longitude in degrees, where known.
    pub position: Option<[f64; 2]>,
    /// `commercial`, `government`, `china` or `sovereign`.
    pub kind: String,
    /// Electricity of the region, where known.
    pub carbon: Option<Carbon>,
}

/// Greenhouse gas of a region's electricity.
#[derive(Debug, Clone, PartialEq)]
pub struct Carbon {
    /// Average of the grid in grams of CO₂ equivalent a kilowatt-hour; not marginal.
    pub gco2e_per_kwh: f64,
    /// Power usage effectiveness of the data centres: energy of the building over energy of its machines.
    pub pue: Option<f64>,
    /// Year of the figure.
    pub year: String,
    /// Where it was read.
    pub source: String,
}

#[derive(Deserialize)]
struct RegionRow {
    provider: String,
    region: String,
    name: String,
    country_code: String,
    lat: Option<f64>,
    lon: Option<f64>,
    kind: String,
}

#[derive(Deserialize)]
struct CarbonRow {
    provider: String,
    region: String,
    grid_gco2e_per_kwh: f64,
    pue: Option<f64>,
    year: String,
    source: String,
}

/// Reads all regions, sorted by [`key`].
pub(super) fn load() -> Vec<Region> {
    let mut carbon: HashMap<(String, String), Carbon> = table::CARBON
        .rows()
        .map(|row: CarbonRow| {
            let CarbonRow { provider, region, grid_gco2e_per_kwh, pue, year, source } = row;
            ((provider, region), Carbon { gco2e_per_kwh: grid_gco2e_per_kwh, pue, year, source })
        })
        .collect();
    let mut regions: Vec<_> = table::REGIONS
        .rows()
        .map(|row: RegionRow| {
            let place = (row.provider, row.region);
            let carbon = carbon.remove(&place);
            Region {
                provider: place.0,
                region: place.1,
                name: row.name,
                country: row.country_code,
                position: row.lat.zip(row.lon).map(|(latitude, longitude)| [latitude, longitude]),
                kind: row.kind,
                carbon,
            }
        })
        .collect();
    regions.sort_by(|a, b| key(a).cmp(&key(b)));
    regions
}

/// What regions are sorted and found by.
pub(super) fn key(region: &Region) -> (&str, &str) {
    (&region.provider, &region.region)
}
