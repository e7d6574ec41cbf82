//! Direct connections: a link of the scenario, or a path of the catalogue.

use std::collections::HashMap;

use rust_decimal::Decimal;
use scenarios::scenario::{Site, Tier};
use scenarios::units::Tariff;

use super::meter::Meter;
use super::{Network, World};

/// One direct connection in one direction.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Hop {
    pub bytes_per_second: f64,
    pub round_trip_seconds: f64,
    pub price: Price,
    /// Position of the scenario's link, which may provide safeguards.
    pub link: Option<usize>,
}

/// What data over a hop costs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Price {
    Unknown,
    /// US dollars a gigabyte.
    Flat(Decimal),
    /// By amount, on a meter with the lowest and highest price of its tariff.
    Metered {
        meter: usize,
        lowest: Decimal,
        highest: Decimal,
    },
}

/// A link of the scenario in one direction, by its position in the list.
#[derive(Debug, Clone, Copy)]
pub(super) struct Link(usize);

/// Links by direction; of several the last one counts.
pub(super) fn links(world: World<'_>) -> HashMap<(usize, usize), Link> {
    let sites = &world.loaded.scenario.sites;
    let mut links = HashMap::new();
    for (index, link) in world.loaded.scenario.links.iter().enumerate() {
        let [a, b] = link.between.each_ref().map(|name| sites.get_index_of(name));
        if let (Some(a), Some(b)) = (a, b) {
            links.insert((a, b), Link(index));
            if !link.one_way {
                links.insert((b, a), Link(index));
            }
        }
    }
    links
}

/// The hop between two sites, if there is a link or a known path.
pub(super) fn find(network: &Network<'_>, from: usize, to: usize) -> Option<Hop> {
    let scenario = &network.world.loaded.scenario;
    let (source, target) = (&scenario.sites[from], &scenario.sites[to]);
    let Some(Link(index)) = network.links.get(&(from, to)).copied() else {
        let path = network.world.catalog.path(region(source)?, region(target)?)?;
        let (bytes_per_second, round_trip_seconds) = (path.gbps * 1e9 / 8.0, path.round_trip_seconds);
        let price = leaving(network, from, to);
        return usable(Hop { bytes_per_second, round_trip_seconds, price, link: None });
    };
    let link = &scenario.links[index];
    let price = match Tier::tariff(&link.price) {
        Ok(tariff) => priced(network, from, Some(to), &tariff),
        Err(_) => leaving(network, from, to),
    };
    usable(Hop {
        bytes_per_second: link.bandwidth.bytes_per_second(),
        round_trip_seconds: 2.0 * link.latency.get(),
        price,
        link: Some(index),
    })
}

fn usable(hop: Hop) -> Option<Hop> {
    (hop.bytes_per_second > 0.0).then_some(hop)
}

/// What leaves a site costs by its own price, else by the catalogue's; what leaves a private site is free.
fn leaving(network: &Network<'_>, from: usize, to: usize) -> Price {
    let sites = &network.world.loaded.scenario.sites;
    let (source, target) = (&sites[from], &sites[to]);
    if let Some(price) = source.egress {
        return Price::Flat(price.0);
    }
    if let Ok(tariff) = Tier::tariff(&source.egress_tiers) {
        return priced(network, from, None, &tariff);
    }
    match region(source) {
        None => Price::Flat(Decimal::ZERO),
        Some(region_of_source) => match network.world.catalog.egress_tariff(region_of_source, region(target)) {
            Some(found) => priced(network, from, None, &found.tariff),
            None => Price::Unknown,
        },
    }
}

fn priced(network: &Network<'_>, site: usize, to: Option<usize>, tariff: &Tariff) -> Price {
    if tariff.is_flat() {
        return Price::Flat(tariff.highest());
    }
    let meter = network.meters.find(Meter { site, to, tariff: tariff.clone() });
    Price::Metered { meter, lowest: tariff.lowest(), highest: tariff.highest() }
}

fn region(site: &Site) -> Option<(&str, &str)> {
    site.provider.as_deref().zip(site.region.as_deref())
}
