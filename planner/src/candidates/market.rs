//! Every pool of a scenario with its machines, prices and energy, looked up once.

use std::rc::Rc;

use super::energy::{self, Consumption};
use super::hardware::{Hardware, Machines};
use super::purchase::{Offer, offers};
use super::{Place, Reason, World};

/// A pool.
#[derive(Debug, Clone)]
pub(super) struct Stall<'a> {
    pub place: Place,
    pub hardware: Result<Rc<Hardware<'a>>, Reason>,
    pub offers: Vec<Offer>,
    pub consumption: Consumption,
    /// Nodes at the same time.
    pub most_nodes: u32,
}

/// All pools, by site.
#[derive(Debug, Default)]
pub(super) struct Market<'a> {
    pub sites: Vec<Vec<Stall<'a>>>,
}

impl<'a> Market<'a> {
    /// The pools of a scenario.
    pub fn new(world: &World<'a>) -> Self {
        let mut machines = Machines::default();
        let mut stall = |place: Place| {
            let hardware = machines.of(world, place);
            let consumption =
                hardware.as_ref().map_or_else(|_| Consumption::default(), |found| energy::of(world, place, found));
            Stall { place, hardware, offers: offers(world, place), consumption, most_nodes: world.most_nodes(place) }
        };
        let sites = world.loaded.scenario.sites.values().enumerate();
        let pools = sites.map(|(site, description)| (0..description.pools.len()).map(move |pool| Place { site, pool }));
        Self { sites: pools.map(|places| places.map(&mut stall).collect()).collect() }
    }

    /// Number of pools.
    pub fn pools(&self) -> usize {
        self.sites.iter().map(Vec::len).sum()
    }
}
