//! Machines of several pools or sites that share a training.
//!
//! Nodes of spot markets and reserved ones take no part: of each pool the cheapest other offer does.

mod one_site;
mod several_sites;

use std::sync::Arc;

use rust_decimal::Decimal;
use scenarios::plan::{Breakdown, Predicted};
use scenarios::scenario::{Mixed, PurchaseKind};
use scenarios::strategy::Strategy;
use scenarios::units::Interval;

use super::listing::{Listing, Sources};
use super::market::Stall;
use super::money::{compute_usd, round_up_to_milliseconds};
use super::prediction::Work;
use super::{Column, Group, Movement};
use crate::performance::memory::Memory;
use crate::performance::{Layout, Prediction};

/// Nodes of one pool that take part, at a price.
#[derive(Debug, Clone)]
struct Member<'a> {
    stall: Stall<'a>,
    purchase: PurchaseKind,
    usd_per_node_hour: Decimal,
    /// What `prefer` rules count for an hour of a node.
    preference: Decimal,
}

/// A member with its ranks and its records of a step.
#[derive(Debug, Clone)]
struct Share<'a> {
    member: Member<'a>,
    layout: Layout,
    records: u64,
}

/// A training on several groups of machines.
struct Together<'a> {
    shares: Vec<Share<'a>>,
    strategy: Strategy,
    steps: u64,
    /// Whole run time in seconds, validation and exchanges included.
    seconds: f64,
    step_seconds: Interval,
    memory: Memory,
    breakdown: Breakdown,
    basis: String,
    exchanges: Vec<Movement>,
}

impl<'a> Listing<'a, '_, '_> {
    /// Finds placements on machines of several pools, where the workload allows them.
    pub(super) fn mixed(&mut self) {
        let Some((Work::Train(train), _, _)) = &self.job else { return };
        if train.held.is_some() {
            return;
        }
        let train = train.clone();
        match self.workload.strategies.mixed {
            Mixed::OnePool => {}
            Mixed::OneSite => self.one_site(&train),
            Mixed::Sites { average_every } => self.several_sites(&train, average_every),
        }
    }

    /// Lists a placement on several groups, once for each way to have the data.
    fn place_together(&mut self, together: &Together<'_>, sources: &Sources) {
        let most = together.shares.iter().map(|share| share.member.stall.most_nodes).max().unwrap_or(0);
        self.place(together.column(), most, sources);
    }

    /// The pool with its cheapest offer of nodes by the hour; `None` where there is none.
    fn member(&self, stall: &Stall<'a>, preference: Decimal) -> Option<Member<'a>> {
        let by_the_hour = |kind: PurchaseKind| matches!(kind, PurchaseKind::Owned | PurchaseKind::OnDemand);
        let offers = stall.offers.iter().filter(|offer| by_the_hour(offer.purchase));
        let priced = offers.filter_map(|offer| Some((offer.purchase, *offer.usd_per_node_hour.as_ref().ok()?)));
        let (purchase, usd_per_node_hour) = priced.min_by_key(|(_, price)| *price)?;
        stall.hardware.as_ref().ok()?.sheet()?;
        if self.common.needs_carbon && stall.consumption.kg_per_hour.is_none() {
            return None;
        }
        Some(Member { stall: stall.clone(), purchase, usd_per_node_hour, preference })
    }
}

impl Together<'_> {
    /// The column but for its copies of the data.
    fn column(&self) -> Column {
        let seconds = round_up_to_milliseconds(self.seconds).max(0.001);
        let sum = |price: fn(&Member<'_>) -> Decimal| {
            let usd = self.shares.iter().map(|share| compute_usd(price(&share.member), share.layout.nodes, seconds));
            usd.sum::<Decimal>()
        };
        let group = |share: &Share<'_>| Group {
            place: share.member.stall.place,
            purchase: share.member.purchase,
            layout: share.layout,
            usd_per_node_hour: share.member.usd_per_node_hour,
            batch: Some(share.records),
        };
        let consumed = |share: &Share<'_>| share.member.stall.consumption;
        let energy = self.shares.iter().map(|share| consumed(share).energy_kwh(share.layout.nodes, seconds));
        let carbon = self.shares.iter().map(|share| consumed(share).carbon_kg(share.layout.nodes, seconds));
        Column {
            groups: self.shares.iter().map(group).collect(),
            strategy: self.strategy,
            prediction: Arc::new(self.prediction()),
            seconds,
            release_seconds: 0.0,
            compute_usd: sum(|member| member.usd_per_node_hour),
            preference_usd: sum(|member| member.preference),
            energy_kwh: energy.sum(),
            carbon_kg: carbon.sum(),
            copies: vec![],
            exchanges: self.exchanges.clone(),
        }
    }

    fn prediction(&self) -> Prediction {
        let records: u64 = self.shares.iter().map(|share| share.records).sum();
        let predicted = Predicted {
            step_seconds: self.step_seconds,
            throughput: records as f64 / self.step_seconds.p50,
            throughput_unit: "samples/s".to_owned(),
            memory_bytes_per_device: self.memory.total(),
            breakdown: self.breakdown.clone(),
            basis: self.basis.clone(),
        };
        Prediction { steps: self.steps, seconds: self.seconds, predicted, memory: self.memory }
    }
}
