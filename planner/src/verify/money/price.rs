//! What a node costs by the hour, by how it is bought.

use rust_decimal::Decimal;
use scenarios::catalog::Instance;
use scenarios::scenario::{Capital, Machine, Pool, PurchaseKind, Site};

use super::exact::{add, decimal, hours, ratio, subtract, times};
use super::{Check, PART_USD, Run, Subject, Verification};
use crate::verify::subject::region;

/// Every group pays its pool's price.
pub(super) fn check(subject: &Subject<'_>, run: &Run<'_>, found: &mut Verification) {
    for (group, site, pool) in subject.placed(run) {
        let price = of_node(subject, (site, pool), group.purchase);
        let stated = group.usd_per_node_hour;
        let right = price.is_some_and(|price| subtract(price, stated).abs() <= PART_USD);
        found.expect(right, Check::Money, || {
            let name =
                format!("`{}` pays {stated} USD/h for a node of pool `{}` of `{}`", run.name, group.pool, group.site);
            price.map_or_else(
                || format!("{name}, which has no price"),
                |price| format!("{name}, whose price is {price}"),
            )
        });
    }
}

/// Price of a node in US dollars an hour: the scenario's, or the catalogue's where the scenario leaves it open. Reserved
/// nodes are paid by their commitment.
fn of_node(subject: &Subject<'_>, (site, pool): (&Site, &Pool), kind: PurchaseKind) -> Option<Decimal> {
    let listed = |price: fn(&Instance) -> Option<Decimal>| {
        let Machine::Instance(name) = &pool.machine else { return None };
        let (provider, place) = region(site)?;
        price(subject.catalog.instance(provider, place, name)?)
    };
    let offers = &pool.purchase;
    match kind {
        PurchaseKind::Owned => {
            let owned = offers.owned.as_ref()?;
            owned.price.map(|price| price.0).or_else(|| owned.capital.as_ref().map(amortised))
        }
        PurchaseKind::OnDemand => {
            let stated = offers.on_demand.as_ref().and_then(|offer| offer.price);
            stated.map(|price| price.0).or_else(|| listed(|instance| instance.on_demand_usd_per_hour))
        }
        PurchaseKind::Spot => {
            let stated = offers.spot.as_ref()?.price;
            stated.map(|price| price.0).or_else(|| listed(|instance| instance.spot_usd_per_hour))
        }
        PurchaseKind::Reserved => offers.reserved.as_ref().map(|_| Decimal::ZERO),
    }
}

/// capex ÷ (life × utilization) + power × PUE × electricity
fn amortised(capital: &Capital) -> Decimal {
    let life = times(hours(capital.life.get()), decimal(capital.utilization));
    let kilowatts = ratio(times(decimal(capital.power.0), decimal(capital.pue)), Decimal::from(1000));
    add(ratio(capital.capex.0, life), times(kilowatts, capital.electricity.0))
}
