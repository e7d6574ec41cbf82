//! Electric energy of nodes, and the greenhouse gas of it.

use super::hardware::Hardware;
use super::{Place, World};

/// What a node uses and emits in an hour.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Consumption {
    /// Energy of a node with its share of the building, in kW, where its power is known.
    pub kilowatts: Option<f64>,
    /// Greenhouse gas of it in kg of CO₂ equivalent an hour, where the grid's factor is known.
    pub kg_per_hour: Option<f64>,
}

/// Power × PUE, and × greenhouse gas of the grid. Power: the pool's, else the board power of all accelerators of a node,
/// used or not. PUE and grid: the site's, else the catalogue's; without a PUE the machines count alone.
pub(super) fn of(world: &World<'_>, place: Place, hardware: &Hardware<'_>) -> Consumption {
    let Some((_, site)) = world.loaded.scenario.sites.get_index(place.site) else { return Consumption::default() };
    let region = site.provider.as_deref().zip(site.region.as_deref());
    let known = region.and_then(|(provider, region)| world.catalog.region(provider, region)?.carbon.as_ref());
    let watts = world.pool(place).and_then(|pool| pool.power).map(|power| power.0).or(hardware.watts);
    let pue = site.pue.or_else(|| known.and_then(|known| known.pue)).unwrap_or(1.0);
    let grams = site.carbon.map(|grid| grid.0).or_else(|| known.map(|known| known.gco2e_per_kwh));
    let kilowatts = watts.map(|watts| watts / 1000.0 * pue);
    Consumption { kilowatts, kg_per_hour: kilowatts.zip(grams).map(|(power, grams)| power * grams / 1000.0) }
}

impl Consumption {
    /// Energy in kWh of nodes over a time.
    pub fn energy_kwh(&self, nodes: u32, seconds: f64) -> Option<f64> {
        self.kilowatts.map(|power| power * f64::from(nodes) * seconds / 3600.0)
    }

    /// Greenhouse gas in kg of nodes over a time.
    pub fn carbon_kg(&self, nodes: u32, seconds: f64) -> Option<f64> {
        self.kg_per_hour.map(|rate| rate * f64::from(nodes) * seconds / 3600.0)
    }
}
