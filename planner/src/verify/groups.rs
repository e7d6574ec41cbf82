//! Groups are pools of the scenario where the workload may run, with ranks enough, bought as the pool offers.

use scenarios::plan::Group;
use scenarios::scenario::{Machine, Pool, Purchase, PurchaseKind, Site};

use super::subject::{Run, Subject, region};
use super::{Check, Verification};

const GIB: f64 = 1_073_741_824.0;

pub(super) fn check(subject: &Subject<'_>, found: &mut Verification) {
    for run in &subject.runs {
        let name = run.name;
        found.expect(run.is_service() || !run.assignment.groups.is_empty(), Check::Groups, || {
            format!("`{name}` runs nowhere")
        });
        for group in &run.assignment.groups {
            let pool = subject.pool(&group.site, &group.pool);
            found.expect(pool.is_some(), Check::Groups, || {
                format!("`{name}` runs in pool `{}` of `{}`, which does not exist", group.pool, group.site)
            });
            if let Some((site, pool)) = pool {
                placed(subject, run, group, (site, pool), found);
            }
        }
        ranks(run, found);
        shares(run, found);
        memory(subject, run, found);
    }
}

fn placed(subject: &Subject<'_>, run: &Run<'_>, group: &Group, at: (&Site, &Pool), found: &mut Verification) {
    let Group { site, pool, nodes, devices_per_node, ranks_per_node, purchase, .. } = group;
    let name = run.name;
    let listed = run.workload.sites.is_empty() || run.workload.sites.contains(site);
    found.expect(listed, Check::Groups, || format!("`{name}` may not run at `{site}`"));
    let machine = subject.machine_name(pool, at.1);
    found.expect(group.machine == machine, Check::Groups, || {
        format!("pool `{pool}` of `{site}` has machines `{machine}`, not `{}`", group.machine)
    });
    let used = [*nodes, *devices_per_node, *ranks_per_node].iter().all(|count| *count > 0);
    found.expect(used, Check::Groups, || format!("`{name}` uses no node, device or rank in pool `{pool}` of `{site}`"));
    let devices = hardware(subject, at).map_or(u32::MAX, |(devices, _)| devices).min(*ranks_per_node);
    found.expect(*devices_per_node <= devices, Check::Groups, || {
        format!(
            "`{name}` uses {devices_per_node} devices of a node of pool `{pool}` of `{site}`, of {devices} that it can"
        )
    });
    found.expect(is_offered(&at.1.purchase, *purchase), Check::Groups, || {
        format!("pool `{pool}` of `{site}` cannot be had {purchase}, as `{name}` has it")
    });
}

/// What a pool states can be chosen; one that states nothing is had on demand.
fn is_offered(purchase: &Purchase, kind: PurchaseKind) -> bool {
    let Purchase { owned, on_demand, spot, reserved } = purchase;
    let nothing = owned.is_none() && on_demand.is_none() && spot.is_none() && reserved.is_none();
    match kind {
        PurchaseKind::Owned => owned.is_some(),
        PurchaseKind::OnDemand => on_demand.is_some() || nothing,
        PurchaseKind::Spot => spot.is_some(),
        PurchaseKind::Reserved => reserved.is_some(),
    }
}

/// Ranks of a job are those of its strategy; each replica of a service has whole nodes and a whole number of copies of
/// the network.
fn ranks(run: &Run<'_>, found: &mut Verification) {
    let (name, needed) = (run.name, u64::from(run.assignment.strategy.ranks()));
    let groups = &run.assignment.groups;
    if !run.is_service() {
        let ranks = groups.iter().map(|group| u64::from(group.nodes) * u64::from(group.ranks_per_node));
        let ranks = ranks.fold(0, u64::saturating_add);
        found.expect(ranks == needed, Check::Groups, || {
            format!("`{name}` has {ranks} ranks, and its strategy needs {needed}")
        });
        let plain = groups.iter().all(|group| group.replicas.is_none());
        found.expect(plain, Check::Groups, || format!("`{name}` has replicas, and it is no service"));
        return;
    }
    for group in groups {
        let replicas = group.replicas.unwrap_or(0);
        found.expect(replicas > 0 && group.nodes.is_multiple_of(replicas), Check::Groups, || {
            format!("{} nodes of `{name}` at `{}` are not those of {replicas} equal replicas", group.nodes, group.site)
        });
    }
    // The strategy is that of the largest group; others may spread a replica in another way.
    let largest = groups.iter().rev().max_by_key(|group| group.replicas);
    let Some(per_replica) = largest.and_then(ranks_of_replica) else { return };
    found.expect(per_replica.is_multiple_of(needed), Check::Groups, || {
        format!("a replica of `{name}` has {per_replica} ranks, and its strategy needs {needed}")
    });
}

/// Ranks of one replica of a service's group.
fn ranks_of_replica(group: &Group) -> Option<u64> {
    let nodes = group.nodes.checked_div(group.replicas?)?;
    Some(u64::from(nodes) * u64::from(group.ranks_per_node))
}

/// Where groups share a batch unevenly, their shares are the whole batch.
fn shares(run: &Run<'_>, found: &mut Verification) {
    let shares: Vec<u64> = run.assignment.groups.iter().filter_map(|group| group.batch).collect();
    let name = run.name;
    if shares.is_empty() {
        return;
    }
    let Some(training) = run.workload.job.training() else {
        found.expect(false, Check::Groups, || format!("`{name}` shares a batch, and it trains nothing"));
        return;
    };
    let batch = training.global_batch.get() as u64;
    let sum = shares.iter().copied().fold(0, u64::saturating_add);
    let all = shares.len() == run.assignment.groups.len() && !shares.contains(&0);
    found.expect(all && sum == batch, Check::Groups, || {
        format!("groups of `{name}` take {sum} records of each step, and the global batch is {batch}")
    });
}

/// A device somewhere holds what the fullest one needs.
fn memory(subject: &Subject<'_>, run: &Run<'_>, found: &mut Verification) {
    let all = subject.placed(run).map(|(_, site, pool)| hardware(subject, (site, pool)).map_or(u64::MAX, |(_, m)| m));
    let Some(largest) = all.max() else { return };
    let needed = run.assignment.predicted.memory_bytes_per_device;
    found.expect(needed <= largest, Check::Groups, || {
        format!("`{}` needs {needed} bytes on a device, and its largest device has {largest}", run.name)
    });
}

/// Devices of a node and bytes of memory of a device, where they are known.
fn hardware(subject: &Subject<'_>, (site, pool): (&Site, &Pool)) -> Option<(u32, u64)> {
    let bytes = |gib: f64| (gib * GIB) as u64;
    match &pool.machine {
        Machine::Instance(name) => {
            let (provider, place) = region(site)?;
            let instance = subject.catalog.instance(provider, place, name)?;
            let Some(accelerator) = &instance.accelerator else {
                return Some((1, instance.memory_gib.map_or(u64::MAX, bytes)));
            };
            let sheet = subject.catalog.accelerator(accelerator).map(|sheet| sheet.memory_bytes);
            let stated = instance.accelerator_memory_gib.map(bytes);
            let memory = sheet.into_iter().chain(stated).max().unwrap_or(u64::MAX);
            Some(((instance.accelerator_count.floor() as u32).max(1), memory))
        }
        Machine::Profile(path) => {
            let device = &subject.loaded.profiles.get(path)?.profile.device;
            // A GPU whose driver does not tell its memory is not ruled out by it.
            let memory = if device.memory_bytes == 0 { u64::MAX } else { device.memory_bytes };
            Some((device.count.max(1), memory))
        }
        Machine::Inline(machine) => match machine.accelerator.as_deref() {
            Some(name) => Some((machine.count.max(1), subject.catalog.accelerator(name)?.memory_bytes)),
            None => Some((1, machine.memory.0)),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::super::Check::{Groups, Money, Presence};
    use super::super::fixtures::{assignment, check, cover};

    #[test]
    fn groups_are_pools_where_the_workload_may_run() {
        check("another machine", |plan| assignment(plan, "train").groups[0].machine = "p5".to_owned(), &[Groups]);
        check("too few ranks", |plan| assignment(plan, "train").groups[0].ranks_per_node = 2, &[Groups]);
        check("too many devices", |plan| assignment(plan, "train").groups[0].devices_per_node = 9, &[Groups]);
        check(
            "too much memory",
            |plan| assignment(plan, "train").predicted.memory_bytes_per_device = 1 << 40,
            &[Groups],
        );
        check("half a batch", |plan| assignment(plan, "federate").groups[0].batch = Some(50), &[Groups]);
        check("one share", |plan| assignment(plan, "federate").groups[0].batch = None, &[Groups]);
        check("replicas of a job", |plan| assignment(plan, "train").groups[0].replicas = Some(1), &[Groups]);
        cover("no such pool", |plan| assignment(plan, "train").groups[0].pool = "h100".to_owned(), &[Groups]);
        cover(
            "not sold so",
            |plan| {
                assignment(plan, "train").groups[0].purchase = scenarios::scenario::PurchaseKind::Owned;
            },
            &[Groups, Money],
        );
        cover(
            "no site of its list",
            |plan| {
                assignment(plan, "train").groups[0].site = "lab".to_owned();
                assignment(plan, "train").groups[0].pool = "cpu".to_owned();
            },
            &[Groups, Presence],
        );
        cover("a third of a replica", |plan| assignment(plan, "chat").groups[0].replicas = Some(3), &[Groups]);
    }
}
