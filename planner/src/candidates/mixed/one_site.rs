//! Data parallelism over two pools of one site: faster devices take more records.

use std::num::NonZeroU32;

use scenarios::plan::Breakdown;
use scenarios::strategy::Strategy;

use super::{Listing, Member, Share, Together};
use crate::candidates::prediction::{Train, constants, memory, run, spread};
use crate::performance::Layout;
use crate::performance::training::search::Found;
use crate::performance::training::{Allowed, Timing, Training as Run, fastest, lower, step};
use crate::performance::uneven::shares;

/// Most pools of a site that are tried in pairs, the cheapest first.
const MOST_POOLS: usize = 8;
/// Placements of a pair of pools that are kept, the fastest.
const KEPT: usize = 3;

/// One device of a pool.
struct Device {
    run: Run,
    found: Found,
    seconds_per_record: f64,
}

impl<'a> Listing<'a, '_, '_> {
    /// Finds placements on two pools of each site where the data may be.
    pub(super) fn one_site(&mut self, train: &Train) {
        for site in 0..self.common.market.sites.len() {
            let permits = self.permits(site);
            if permits.sources.is_err() || permits.gradients.is_some() {
                continue;
            }
            let stalls = &self.common.market.sites[site];
            let mut members: Vec<Member<'a>> =
                stalls.iter().filter_map(|stall| self.member(stall, permits.preference)).collect();
            members.sort_by_key(|member| member.usd_per_node_hour);
            members.truncate(MOST_POOLS);
            for (index, first) in members.iter().enumerate() {
                for second in &members[index + 1..] {
                    for together in self.pair(train, first, second) {
                        self.place_together(&together, &permits.sources);
                    }
                }
            }
        }
    }

    /// The fastest few placements on two pools, with all of their nodes or a power of two.
    fn pair(&self, train: &Train, first: &Member<'a>, second: &Member<'a>) -> Vec<Together<'a>> {
        let mut found: Vec<Together<'a>> = Vec::new();
        for a in counts(first.stall.most_nodes) {
            for b in counts(second.stall.most_nodes) {
                found.extend(self.together(train, [(first, a), (second, b)]));
            }
        }
        found.sort_by(|a, b| a.seconds.total_cmp(&b.seconds));
        found.truncate(KEPT);
        found
    }

    fn together(&self, train: &Train, members: [(&Member<'a>, u32); 2]) -> Option<Together<'a>> {
        let (_, _, amount) = self.job.as_ref()?;
        let counted = |(member, nodes): &(&Member<'a>, u32)| {
            Some(nodes.saturating_mul(member.stall.hardware.as_ref().ok()?.devices))
        };
        let ranks: Vec<u32> = members.iter().map(counted).collect::<Option<_>>()?;
        let all: u32 = ranks.iter().fold(0, |sum, ranks| sum.saturating_add(*ranks));
        if train.allowed.data.as_ref().is_some_and(|data| !data.iter().any(|count| count.get() == all)) {
            return None;
        }
        if u64::from(all) > train.global_batch {
            return None;
        }
        let each = (train.global_batch / u64::from(all.max(1))).max(1);
        let devices: Vec<Device> =
            members.iter().map(|(member, _)| device(train, member, each)).collect::<Option<_>>()?;
        let paces = ranks.iter().zip(&devices);
        let seconds: Vec<f64> =
            paces.flat_map(|(ranks, device)| (0..*ranks).map(|_| device.seconds_per_record)).collect();
        let dealt = shares(train.global_batch, &seconds).ok()?;
        let (mut from, mut slowest, mut exchange) = (0, 0.0_f64, 0.0_f64);
        let mut parts = Vec::new();
        for ((member, nodes), (ranks, device)) in members.iter().zip(ranks.iter().zip(&devices)) {
            let own = &dealt.records[from..from + *ranks as usize];
            from += *ranks as usize;
            let most = own.iter().copied().max().unwrap_or(0) as f64;
            slowest =
                slowest.max(most * device.seconds_per_record + device.found.step.optimizer + device.found.step.fixed);
            exchange = exchange.max(exchanged(device, &members, all)?);
            let per_node = ranks / (*nodes).max(1);
            parts.push(Share {
                member: (*member).clone(),
                layout: Layout { nodes: *nodes, devices_per_node: per_node, ranks_per_node: per_node },
                records: own.iter().sum(),
            });
        }
        let first = &devices[0];
        let (calibration, _) = constants(&first.run);
        let sheet = members[0].0.stall.hardware.as_ref().ok()?.sheet()?;
        let (step_seconds, basis) = spread(calibration, &first.run, sheet, slowest + exchange);
        let strategy = Strategy { data: NonZeroU32::new(all)?, ..first.found.strategy };
        let strategy = Strategy { micro_batch: None, ..strategy };
        let steps = amount.steps(strategy, train.global_batch);
        let validation = amount.passes(train.global_batch) as f64 * slowest / 3.0;
        Some(Together {
            shares: parts,
            strategy,
            steps,
            seconds: steps as f64 * step_seconds.p50 + validation,
            step_seconds,
            memory: memory(&devices.iter().map(|device| device.found.memory).reduce(larger)?),
            breakdown: Breakdown::from([
                ("slowest_share".to_owned(), slowest),
                ("gradient_communication".to_owned(), exchange),
            ]),
            basis,
            exchanges: vec![],
        })
    }
}

fn larger(
    a: crate::performance::training::Memory,
    b: crate::performance::training::Memory,
) -> crate::performance::training::Memory {
    if b.total() > a.total() { b } else { a }
}

/// All nodes of a pool, and half and a quarter of the largest power of two.
fn counts(most: u32) -> Vec<u32> {
    let power = most.checked_ilog2().map_or(0, |power| 1_u32 << power);
    let mut counts: Vec<u32> = [most, power, power / 2].into_iter().filter(|count| *count > 0).collect();
    counts.dedup();
    counts
}

/// The fastest way to take `records` on one device of a pool.
fn device(train: &Train, member: &Member<'_>, records: u64) -> Option<Device> {
    let hardware = member.stall.hardware.as_ref().ok()?;
    let cluster = hardware.sheet()?.cluster(&hardware.name, 1, 1).ok()?;
    let run = Run { global_batch: records, ..run(train, cluster, Strategy::SINGLE) };
    run.check_sizes().ok()?;
    let (_, constants) = constants(&run);
    let allowed = Allowed { recompute: train.allowed.recompute.clone(), ..Allowed::default() };
    let found = fastest(&run, &constants, &allowed).found?;
    let seconds_per_record = (found.step.forward + found.step.backward) / records as f64;
    Some(Device { run, found, seconds_per_record })
}

/// Exchange of gradients among all ranks as a device sees it, over the slower of both networks.
fn exchanged(device: &Device, members: &[(&Member<'_>, u32); 2], ranks: u32) -> Option<f64> {
    let mut network = f64::INFINITY;
    for (member, _) in members {
        network = network.min(member.stall.hardware.as_ref().ok()?.sheet()?.network?);
    }
    let nodes = members.iter().fold(0_u32, |sum, (_, nodes)| sum.saturating_add(*nodes)).max(1);
    let devices_per_node = ranks.div_ceil(nodes);
    let mut cluster = device.run.cluster.clone();
    (cluster.nodes, cluster.devices_per_node, cluster.between_bytes_per_second) = (nodes, devices_per_node, network);
    let ranks = cluster.devices();
    let run = Run {
        strategy: Strategy { data: NonZeroU32::new(ranks)?, ..device.found.strategy },
        global_batch: device.run.global_batch.saturating_mul(u64::from(ranks)),
        cluster,
        ..device.run.clone()
    };
    run.check().ok()?;
    let (_, constants) = constants(&run);
    Some(step::step(&run, &lower(&run).ok()?, &constants, Timing::ClosedForm).ok()?.replicas)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_nodes_or_a_power_of_two() {
        let check = |most: u32, expected: &[u32]| assert_eq!(counts(most), expected, "{most}");
        check(0, &[]);
        check(1, &[1]);
        check(6, &[6, 4, 2]);
        check(8, &[8, 4]);
    }
}
