//! How the nodes of a pool can be paid for.

use rust_decimal::Decimal;
use rust_decimal::prelude::FromPrimitive as _;
use scenarios::scenario::{Capital, Owned, PurchaseKind, Reserved, Spot};

use super::money::DECIMALS;
use super::{Place, Reason, World, hardware};

/// A purchase option of a pool.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Offer {
    pub purchase: PurchaseKind,
    /// Price of a node for an hour, or why there is none.
    pub usd_per_node_hour: Result<Decimal, Reason>,
    /// Nodes at the same time.
    pub most_nodes: u32,
    /// How often nodes are taken away.
    pub interruptions: Option<Interruptions>,
    /// Length of the commitment, from the start of the period, for reserved nodes.
    pub term_seconds: Option<f64>,
}

impl Offer {
    /// Price of one node for an hour, for a workload that must end by an instant.
    ///
    /// # Errors
    /// It is not known, or the commitment may end before.
    pub fn price(&self, latest: f64) -> Result<Decimal, Reason> {
        match self.term_seconds.filter(|term| *term < latest) {
            Some(term) => Err(Reason::Term { term, latest }),
            None => self.usd_per_node_hour.clone(),
        }
    }
}

/// Interruptions of spot nodes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Interruptions {
    /// Of one node, per hour.
    pub per_hour: f64,
    /// Until work goes on, in seconds.
    pub restart_seconds: f64,
}

/// Everything that a pool offers: what the scenario states, else nodes on demand at the catalogue's price.
pub(super) fn offers(world: &World<'_>, place: Place) -> Vec<Offer> {
    let Some(pool) = world.pool(place) else { return Vec::new() };
    let (stated, most_nodes) = (&pool.purchase, world.most_nodes(place));
    let offer = |purchase, usd_per_node_hour| Offer {
        purchase,
        usd_per_node_hour,
        most_nodes,
        interruptions: None,
        term_seconds: None,
    };
    let mut offers = Vec::new();
    if let Some(owned) = &stated.owned {
        offers.push(offer(PurchaseKind::Owned, owned_price(world, place, owned)));
    }
    let nothing = stated.owned.is_none() && stated.spot.is_none() && stated.reserved.is_none();
    if stated.on_demand.is_some() || nothing {
        let price = stated.on_demand.as_ref().and_then(|offer| offer.price).map(|price| price.0);
        let listed = || hardware::instance(world, place).and_then(|instance| instance.on_demand_usd_per_hour);
        let none = || Reason::NoPrice { machine: world.machine_name(place) };
        offers.push(offer(PurchaseKind::OnDemand, price.or_else(listed).ok_or_else(none)));
    }
    if let Some(spot) = &stated.spot {
        let (price, interruptions) = spot_terms(world, place, spot);
        offers.push(Offer { interruptions, ..offer(PurchaseKind::Spot, price) });
    }
    if let Some(reserved) = &stated.reserved {
        let most_nodes = reserved_nodes(reserved, most_nodes);
        let term_seconds = Some(reserved.term.get());
        offers.push(Offer { most_nodes, term_seconds, ..offer(PurchaseKind::Reserved, Ok(Decimal::ZERO)) });
    }
    offers
}

fn owned_price(world: &World<'_>, place: Place, owned: &Owned) -> Result<Decimal, Reason> {
    let none = || Reason::NoOwnedPrice { machine: world.machine_name(place) };
    let stated = owned.price.map(|price| price.0);
    stated.or_else(|| owned.capital.as_ref().and_then(usd_per_hour)).ok_or_else(none)
}

/// Price of an hour of an own node: capex ÷ (life × utilization) + power × PUE × electricity, rounded to a millionth of
/// a dollar. `None` where the life or the utilization is zero, or a figure is none.
#[must_use]
pub fn usd_per_hour(capital: &Capital) -> Option<Decimal> {
    let hours = Decimal::from_f64(capital.life.get())?.checked_div(Decimal::from(3600))?;
    let used = hours.checked_mul(Decimal::from_f64(capital.utilization)?)?;
    let kilowatts = Decimal::from_f64(capital.power.0)?.checked_div(Decimal::from(1000))?;
    let building = kilowatts.checked_mul(Decimal::from_f64(capital.pue)?)?;
    let energy = building.checked_mul(capital.electricity.0)?;
    Some(capital.capex.0.checked_div(used)?.checked_add(energy)?.round_dp(DECIMALS))
}

/// Price and interruptions of spot nodes: the scenario's, else the catalogue's.
fn spot_terms(world: &World<'_>, place: Place, spot: &Spot) -> (Result<Decimal, Reason>, Option<Interruptions>) {
    let instance = hardware::instance(world, place);
    let listed =
        instance.and_then(|found| world.catalog.interruptions(&found.provider, &found.region, &found.instance_type));
    let restart_seconds = spot.restart.get();
    let rate = spot.interruptions.or(listed);
    let interruptions = rate.map(|rate| Interruptions { per_hour: rate.0 * 3600.0, restart_seconds });
    let price = spot.price.map(|price| price.0).or_else(|| instance.and_then(|found| found.spot_usd_per_hour));
    let machine = || world.machine_name(place);
    let priced = match (price, &interruptions) {
        (None, _) => Err(Reason::NoSpotPrice { machine: machine() }),
        (Some(_), None) => Err(Reason::NoSpotRate { machine: machine() }),
        (Some(price), Some(_)) => Ok(price),
    };
    (priced, interruptions)
}

fn reserved_nodes(reserved: &Reserved, most: u32) -> u32 {
    reserved.nodes.unwrap_or(most).min(most)
}

#[cfg(test)]
mod tests {
    use super::*;
    use scenarios::units::{Power, Seconds, Usd, UsdPerKwh};

    #[test]
    fn an_own_node_costs_its_share_of_the_purchase_and_its_electricity() {
        let check =
            |capex: i64, years: f64, utilization: f64, watts: f64, pue: f64, cents: i64, expected: Option<&str>| {
                let capital = Capital {
                    capex: Usd(Decimal::from(capex)),
                    life: Seconds::new(years * 365.0 * 86_400.0),
                    utilization,
                    power: Power(watts),
                    pue,
                    electricity: UsdPerKwh(Decimal::new(cents, 2)),
                };
                let found = usd_per_hour(&capital).map(|price| price.normalize().to_string());
                assert_eq!(found.as_deref(), expected, "{capex} {years} {utilization}");
            };
        // 87,600 USD over 10 years is 1 USD/h; 2 kW at a PUE of 1.5 and 0.10 USD/kWh is 0.30.
        check(87_600, 10.0, 1.0, 2000.0, 1.5, 10, Some("1.3"));
        check(87_600, 10.0, 0.5, 2000.0, 1.5, 10, Some("2.3"));
        check(87_600, 10.0, 1.0, 0.0, 1.0, 10, Some("1"));
        check(0, 3.0, 0.8, 800.0, 1.2, 30, Some("0.288"));
        // 12,600 USD over 3 years at half load.
        check(12_600, 3.0, 0.5, 0.0, 1.0, 0, Some("0.958904"));
        check(12_600, 0.0, 0.5, 0.0, 1.0, 0, None);
        check(12_600, 3.0, 0.0, 0.0, 1.0, 0, None);
    }
}
