//! Every workload in every pool, under every purchase option.

use scenarios::scenario::Objective;

use super::inputs::Copies;
use super::listing::Listing;
use super::market::Market;
use super::prediction::Predictor;
use super::{Candidates, Held, Network, World};
use crate::clock::{Clock, OutOfTime};

/// Most pools of a scenario in which more nodes than there are are looked at, so that a way out can be told.
const FEW_POOLS: usize = 200;

/// Ways of a copy that are looked at where there are more pools: the cheapest and the fastest.
const WAYS_OF_MANY: usize = 2;

/// What all workloads share.
#[derive(Debug)]
pub(super) struct Common<'a, 'b> {
    pub world: &'b World<'a>,
    pub network: &'b Network<'a>,
    pub market: Market<'a>,
    pub predictor: Predictor,
    pub copies: Copies,
    /// Whether a placement without a figure of its greenhouse gas is none.
    pub needs_carbon: bool,
    /// Whether there are so few pools that every refusal can be looked into.
    pub is_small: bool,
}

impl<'a, 'b> Common<'a, 'b> {
    pub fn new(world: &'b World<'a>, network: &'b Network<'a>) -> Self {
        let market = Market::new(world);
        let is_small = market.pools() <= FEW_POOLS;
        let needs_carbon = match world.loaded.scenario.objective {
            Objective::Cost | Objective::FinishTime => false,
            Objective::Carbon => true,
            Objective::Weighted(weights) => !weights.carbon.0.is_zero(),
        };
        let most_ways = if is_small { usize::MAX } else { WAYS_OF_MANY };
        let (predictor, copies) = (Predictor::default(), Copies::new(most_ways));
        Self { world, network, market, predictor, copies, needs_carbon, is_small }
    }
}

/// All placements of all workloads.
///
/// # Errors
/// They are too many for the time.
pub fn enumerate(world: &World<'_>, network: &Network<'_>, held: &Held, clock: Clock) -> Result<Candidates, OutOfTime> {
    let mut common = Common::new(world, network);
    let workloads = world.loaded.scenario.workloads.iter().map(|(name, workload)| {
        let mut listing = Listing::new(&mut common, name, workload, held.get(name).copied());
        listing.all(clock)?;
        Ok(listing.found)
    });
    let workloads = workloads.collect::<Result<_, OutOfTime>>()?;
    Ok(Candidates { workloads, copies: common.copies.list })
}
