//! Places, links and their limits.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;

/// Most places of a network.
const MOST_PLACES: usize = 150;

/// Highest rate of a link or limit, in Gbit/s.
const HIGHEST_GBPS: f64 = 1e9;

/// Most gateways at a place.
const MOST_GATEWAYS: u32 = 100_000;

/// Highest price, in US dollars an hour or a gigabyte.
const HIGHEST_USD: u64 = 1_000_000;

/// Where gateways can be rented.
#[derive(Debug, Clone, PartialEq)]
pub struct Place {
    /// Its name, such as `azure:westus2`.
    pub name: String,
    /// Price of a gateway in US dollars an hour.
    pub gateway_usd_per_hour: Decimal,
    /// Most gateways that can be rented.
    pub most_gateways: u32,
    /// What one gateway can send, in Gbit/s.
    pub egress_gbps: f64,
    /// What one gateway can receive, in Gbit/s.
    pub ingress_gbps: f64,
}

/// A directed link between the gateways of two places.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Link {
    /// Rate in Gbit/s of one gateway's full set of connections; 0 where there is no link.
    pub gbps: f64,
    /// Price of what leaves the source over it, in US dollars a gigabyte.
    pub usd_per_gb: Decimal,
}

/// Places and the links between them.
#[derive(Debug, Clone, PartialEq)]
pub struct Network {
    places: Vec<Place>,
    links: BTreeMap<(usize, usize), Link>,
    connections_per_gateway: u32,
}

/// Why places and links are no network.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum NetworkError {
    /// More places than are planned for.
    #[error("{found} places are too many: the most is {MOST_PLACES}")]
    TooManyPlaces {
        /// How many there are.
        found: usize,
    },
    /// Two places of one name.
    #[error("two places are called `{name}`")]
    SameName {
        /// The name.
        name: String,
    },
    /// A number of gateways that cannot be rented.
    #[error("`{place}` has {found} gateways: the most is {MOST_GATEWAYS}")]
    Gateways {
        /// Which place.
        place: String,
        /// How many.
        found: u32,
    },
    /// A rate that is none.
    #[error("the {what} is {found} Gbit/s: expected 0 to 10^9")]
    Rate {
        /// Of what.
        what: String,
        /// The figure.
        found: f64,
    },
    /// A price that is none.
    #[error("the price of {what} is {found} USD: expected 0 to {HIGHEST_USD}")]
    Price {
        /// Of what.
        what: String,
        /// The figure.
        found: Decimal,
    },
    /// A link from or to a place that isn't there, or from a place to itself.
    #[error("a link leads from place {from} to place {to}, of {places} places counted from 0")]
    Ends {
        /// Its source.
        from: usize,
        /// Its target.
        to: usize,
        /// How many places there are.
        places: usize,
    },
    /// A gateway without connections.
    #[error("a gateway needs at least one connection")]
    NoConnections,
}

impl Network {
    /// A network; links of rate 0 are left out.
    ///
    /// # Errors
    /// For names that repeat, links that lead nowhere, and figures that are no rates or prices.
    pub fn new(
        places: Vec<Place>,
        mut links: BTreeMap<(usize, usize), Link>,
        connections_per_gateway: u32,
    ) -> Result<Self, NetworkError> {
        if places.len() > MOST_PLACES {
            return Err(NetworkError::TooManyPlaces { found: places.len() });
        }
        if connections_per_gateway == 0 {
            return Err(NetworkError::NoConnections);
        }
        let mut names = BTreeSet::new();
        if let Some(again) = places.iter().find(|place| !names.insert(place.name.as_str())) {
            return Err(NetworkError::SameName { name: again.name.clone() });
        }
        places.iter().try_for_each(check_place)?;
        links.iter().try_for_each(|(ends, link)| check_link(&places, *ends, link))?;
        links.retain(|_, link| link.gbps > 0.0);
        Ok(Self { places, links, connections_per_gateway })
    }

    /// Its places.
    #[must_use]
    pub fn places(&self) -> &[Place] {
        &self.places
    }

    /// Its links that carry anything, by the positions of their source and target.
    #[must_use]
    pub const fn links(&self) -> &BTreeMap<(usize, usize), Link> {
        &self.links
    }

    /// Connections of a gateway's full set.
    #[must_use]
    pub const fn connections_per_gateway(&self) -> u32 {
        self.connections_per_gateway
    }

    /// Position of a place.
    #[must_use]
    pub fn position(&self, name: &str) -> Option<usize> {
        self.places.iter().position(|place| place.name == name)
    }

    /// The same network with other limits on gateways, by position.
    pub(super) fn with_gateways(&self, most: &BTreeMap<usize, u32>) -> Self {
        let mut changed = self.clone();
        for (place, most) in most {
            changed.places[*place].most_gateways = *most;
        }
        changed
    }
}

fn check_place(place: &Place) -> Result<(), NetworkError> {
    if place.most_gateways > MOST_GATEWAYS {
        return Err(NetworkError::Gateways { place: place.name.clone(), found: place.most_gateways });
    }
    check_rate(place.egress_gbps, || format!("egress of a gateway at `{}`", place.name))?;
    check_rate(place.ingress_gbps, || format!("ingress of a gateway at `{}`", place.name))?;
    check_price(place.gateway_usd_per_hour, || format!("an hour of a gateway at `{}`", place.name))
}

fn check_link(places: &[Place], (from, to): (usize, usize), link: &Link) -> Result<(), NetworkError> {
    let (Some(source), Some(target), true) = (places.get(from), places.get(to), from != to) else {
        return Err(NetworkError::Ends { from, to, places: places.len() });
    };
    check_rate(link.gbps, || format!("rate from `{}` to `{}`", source.name, target.name))?;
    check_price(link.usd_per_gb, || format!("a gigabyte from `{}` to `{}`", source.name, target.name))
}

fn check_rate(found: f64, what: impl Fn() -> String) -> Result<(), NetworkError> {
    if (0.0..=HIGHEST_GBPS).contains(&found) { Ok(()) } else { Err(NetworkError::Rate { what: what(), found }) }
}

fn check_price(found: Decimal, what: impl Fn() -> String) -> Result<(), NetworkError> {
    let fits = found >= Decimal::ZERO && found <= Decimal::from(HIGHEST_USD);
    if fits { Ok(()) } else { Err(NetworkError::Price { what: what(), found }) }
}
