//! Training at several sites, each on the data that lies there: replicas take the mean of their parameters now and then.
//!
//! The parameters travel to the first site and the mean back (a star). Fine-tuning from weights takes part only where
//! they lie at every site.

use std::num::NonZeroU32;

use scenarios::plan::Breakdown;
use scenarios::scenario::Form;
use scenarios::strategy::{Strategy, Sync};

use super::{Listing, Member, Share, Together};
use crate::candidates::prediction::{Choice, Train};
use crate::candidates::residency::may_run;
use crate::candidates::{Cargo, Movement, Reason};
use crate::performance::uneven::shares;
use scenarios::residency::labels;

/// Sites that hold a copy of the data of which subsets are tried, the fastest first.
const MOST_SITES: usize = 5;
/// Sites of a copy each that train together at most.
const MOST_TOGETHER: usize = 3;
/// Sites of a part each up to which the choices of every site are combined.
const MOST_PARTS: usize = 6;
/// Placements that are listed, the cheapest and the fastest among them.
const KEPT: usize = 60;

/// Nodes of one site that train on the data there.
#[derive(Clone)]
struct Local<'a> {
    member: Member<'a>,
    choice: Choice,
    seconds_per_record: f64,
}

/// Exchange of parameters between a first site and the others.
struct Star {
    movements: Vec<Movement>,
    seconds_per_round: f64,
}

impl<'a> Listing<'a, '_, '_> {
    /// Finds placements at all sites of parts, or at two or three of those that hold copies.
    pub(super) fn several_sites(&mut self, train: &Train, every: NonZeroU32) {
        let world = self.common.world;
        let scenario = &world.loaded.scenario;
        let Some(data) = self.workload.job.data().and_then(|data| scenario.datasets.get(data)) else { return };
        let is_in_parts = !data.parts.is_empty();
        let holders: Vec<&String> =
            if is_in_parts { data.parts.iter().map(|part| &part.at).collect() } else { data.at.iter().collect() };
        let sites = holders.into_iter().filter_map(|name| scenario.sites.get_index_of(name));
        let mut locals: Vec<Vec<Local<'a>>> = sites.map(|site| self.locals(train, site)).collect();
        let combinations = if is_in_parts {
            if locals.len() > MOST_PARTS {
                for choices in &mut locals {
                    choices.truncate(1);
                }
            }
            products(&locals)
        } else {
            locals.retain(|choices| !choices.is_empty());
            locals.sort_by(|a, b| a[0].seconds_per_record.total_cmp(&b[0].seconds_per_record));
            locals.truncate(MOST_SITES);
            subsets(&locals)
        };
        let mut found: Vec<_> =
            combinations.iter().filter_map(|combination| self.averaged(train, combination, every)).collect();
        found.sort_by(|a, b| a.seconds.total_cmp(&b.seconds));
        found.truncate(KEPT);
        for together in found {
            self.place_together(&together, &Ok(vec![vec![]]));
        }
    }

    /// The fastest and the cheapest ways to train at a site, faster first; none where the workload may not run.
    fn locals(&mut self, train: &Train, site: usize) -> Vec<Local<'a>> {
        let world = self.common.world;
        let name = world.site_name(site);
        let listed = self.workload.sites.is_empty() || self.workload.sites.iter().any(|allowed| allowed == name);
        if !listed || !self.holds_weights(name) || may_run(world, self.name, self.workload, site).is_err() {
            return Vec::new();
        }
        let permits = self.permits(site);
        let stalls = self.common.market.sites[site].clone();
        let mut all = Vec::new();
        for stall in &stalls {
            let (Some(member), Ok(menu)) = (self.member(stall, permits.preference), self.menu(stall, &permits)) else {
                continue;
            };
            let fitting = menu.choices.iter().filter(|choice| choice.layout.nodes <= stall.most_nodes);
            all.extend(fitting.map(|choice| Local {
                member: member.clone(),
                choice: choice.clone(),
                seconds_per_record: choice.prediction.predicted.step_seconds.p50 / train.global_batch as f64,
            }));
        }
        let usd = |local: &Local<'_>| {
            let price: f64 = local.member.usd_per_node_hour.try_into().unwrap_or(f64::MAX);
            price * f64::from(local.choice.layout.nodes) * local.seconds_per_record
        };
        all.sort_by(|a, b| a.seconds_per_record.total_cmp(&b.seconds_per_record));
        let cheapest = all.iter().skip(1).min_by(|a, b| usd(a).total_cmp(&usd(b))).cloned();
        all.into_iter().take(1).chain(cheapest).collect()
    }

    /// Whether weights that the training starts from, if any, lie at a site.
    fn holds_weights(&self, site: &str) -> bool {
        let datasets = &self.common.world.loaded.scenario.datasets;
        let Some(of) = self.workload.job.weights_of() else { return true };
        datasets.get(of).is_some_and(|weights| weights.at.iter().any(|holder| holder == site))
    }

    /// A training at these sites with the cheapest first site.
    fn averaged(&self, train: &Train, locals: &[Local<'a>], every: NonZeroU32) -> Option<Together<'a>> {
        let (_, _, amount) = self.job.as_ref()?;
        let first = locals.first()?;
        let cut = |local: &Local<'_>| (local.choice.strategy.tensor, local.choice.strategy.pipeline);
        if locals.len() < 2 || locals.iter().any(|local| cut(local) != cut(first)) {
            return None;
        }
        let seconds: Vec<f64> = locals.iter().map(|local| local.seconds_per_record).collect();
        let dealt = shares(train.global_batch, &seconds).ok()?;
        let replicas = locals.iter().fold(0_u32, |sum, local| sum.saturating_add(local.choice.strategy.data.get()));
        let strategy = Strategy {
            data: NonZeroU32::new(replicas)?,
            micro_batch: None,
            sync: Sync::Averaging { every_steps: every },
            ..first.choice.strategy
        };
        if !train.allowed.admits(&strategy) {
            return None;
        }
        let steps = amount.steps(strategy, train.global_batch);
        let rounds = steps.div_ceil(u64::from(every.get()));
        let (hub, star) = self.cheapest_star(train, locals, rounds).ok()?;
        let slowest = locals.iter().zip(&dealt.records).max_by(|a, b| {
            let time = |(local, records): &(&Local<'_>, &u64)| local.seconds_per_record * **records as f64;
            time(a).total_cmp(&time(b))
        })?;
        let predicted = &slowest.0.choice.prediction.predicted;
        let scale = dealt.slowest_seconds / predicted.step_seconds.p50;
        let exchange = star.seconds_per_round / f64::from(every.get());
        let mut step_seconds = predicted.step_seconds.scaled(scale);
        for value in [&mut step_seconds.p10, &mut step_seconds.p50, &mut step_seconds.p90] {
            *value += exchange;
        }
        let share = |at: usize| Share {
            member: locals[at].member.clone(),
            layout: locals[at].choice.layout,
            records: dealt.records[at],
        };
        let order = std::iter::once(hub).chain((0..locals.len()).filter(|at| *at != hub));
        let fullest = locals
            .iter()
            .map(|local| local.choice.prediction.memory)
            .max_by_key(crate::performance::memory::Memory::total)?;
        let validation = amount.passes(train.global_batch) as f64 * dealt.slowest_seconds / 3.0;
        Some(Together {
            shares: order.map(share).collect(),
            strategy,
            steps,
            seconds: steps as f64 * dealt.slowest_seconds + rounds as f64 * star.seconds_per_round + validation,
            step_seconds,
            memory: fullest,
            breakdown: Breakdown::from([
                ("slowest_share".to_owned(), dealt.slowest_seconds),
                ("averaging".to_owned(), exchange),
            ]),
            basis: predicted.basis.clone(),
            exchanges: star.movements,
        })
    }

    /// The first site from and to which parameters travel at the least price, then in the least time.
    fn cheapest_star(&self, train: &Train, locals: &[Local<'_>], rounds: u64) -> Result<(usize, Star), Reason> {
        let mut best: Option<(usize, Star)> = None;
        let mut refused = None;
        let worth = |star: &Star| {
            let usd: rust_decimal::Decimal = star.movements.iter().map(|movement| movement.usd).sum();
            let metered: u64 = star.movements.iter().flat_map(|movement| &movement.charges).map(|c| c.bytes).sum();
            (metered, usd, (star.seconds_per_round * 1000.0) as u64)
        };
        for hub in 0..locals.len() {
            match self.star(train, locals, hub, rounds) {
                Ok(star) if best.as_ref().is_none_or(|(_, other)| worth(&star) < worth(other)) => {
                    best = Some((hub, star));
                }
                Ok(_) => {}
                Err(reason) => refused = refused.or(Some(reason)),
            }
        }
        best.ok_or_else(|| refused.unwrap_or(Reason::NoStrategy { devices: 0 }))
    }

    /// All parameters to the first site and the mean back, `rounds` times: 4 bytes a parameter.
    fn star(&self, train: &Train, locals: &[Local<'_>], hub: usize, rounds: u64) -> Result<Star, Reason> {
        let scenario = &self.common.world.loaded.scenario;
        let parameters = train.model.parameters().map_err(crate::performance::Unpredictable::from)?;
        let once = parameters.saturating_mul(4);
        let cargo = |bytes: u64| Cargo {
            what: self.name.to_owned(),
            used_by: self.name.to_owned(),
            form: Form::Weights,
            labels: labels(scenario, self.name).into_iter().map(str::to_owned).collect(),
            bytes,
            kept: false,
        };
        let (round, all) = (cargo(once), cargo(once.saturating_mul(rounds)));
        let site = |at: usize| locals[at].member.stall.place.site;
        let mut star = Star { movements: Vec::new(), seconds_per_round: 0.0 };
        for other in (0..locals.len()).filter(|at| *at != hub) {
            let mut seconds = 0.0;
            for (from, to) in [(site(other), site(hub)), (site(hub), site(other))] {
                seconds += self.common.network.movement(&round, from, to)?.seconds;
                star.movements.push(self.common.network.movement(&all, from, to)?);
            }
            star.seconds_per_round = star.seconds_per_round.max(seconds);
        }
        Ok(star)
    }
}

/// One choice of every list.
fn products<T: Clone>(lists: &[Vec<T>]) -> Vec<Vec<T>> {
    lists.iter().fold(vec![vec![]], |found, list| {
        found.iter().flat_map(|had| list.iter().map(move |next| [had.clone(), vec![next.clone()]].concat())).collect()
    })
}

/// One choice of each of two or three lists.
fn subsets<T: Clone>(lists: &[Vec<T>]) -> Vec<Vec<T>> {
    let masks = 0_u32..1 << lists.len().min(31);
    let sized = masks.filter(|mask| (2..=MOST_TOGETHER).contains(&(mask.count_ones() as usize)));
    let picked = |mask: u32| {
        let chosen = lists.iter().enumerate().filter(|(at, _)| mask & (1 << at) != 0).map(|(_, list)| list.clone());
        products(&chosen.collect::<Vec<_>>())
    };
    sized.flat_map(picked).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sites_are_combined() {
        let check = |lists: &[Vec<u8>], all: usize, some: usize| {
            assert_eq!((products(lists).len(), subsets(lists).len()), (all, some), "{lists:?}");
        };
        check(&[vec![1], vec![2]], 1, 1);
        check(&[vec![1, 2], vec![3, 4]], 4, 4);
        // Three pairs and the triple.
        check(&[vec![1], vec![2], vec![3]], 1, 4);
        check(&[vec![1], vec![]], 0, 0);
        check(&[vec![1], vec![2], vec![3], vec![4]], 1, 10);
    }
}
