//! The problem of a scenario's candidates.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use scenarios::scenario::{Job as Work, PurchaseKind};

use super::{Choice, Copy, Job, Pool, Problem, ProductFlow, Replica, Service};
use crate::candidates::{
    Candidates, Charge, Column, DECIMALS, Group, Movement, Network, Place, Refused, ServiceCandidates, World,
    round_up_to_milliseconds,
};

/// What the solver may choose from, workload by workload.
#[derive(Debug)]
pub struct Offers<'a> {
    /// Columns of each workload.
    pub columns: Vec<Vec<&'a Column>>,
    /// Services among the workloads.
    pub services: Vec<Option<&'a ServiceCandidates>>,
    /// Copies that both name.
    pub copies: &'a [Movement],
}

impl<'a> Offers<'a> {
    /// Everything that is possible, and what is `refused` after all.
    #[must_use]
    pub fn with(candidates: &'a Candidates, refused: impl Fn(&Refused) -> bool) -> Self {
        let columns = candidates.workloads.iter().map(|workload| {
            let helped = workload.refused.iter().filter(|it| refused(it)).filter_map(|it| it.column.as_deref());
            workload.columns.iter().chain(helped).collect()
        });
        Self {
            columns: columns.collect(),
            services: candidates.workloads.iter().map(|workload| workload.service.as_ref()).collect(),
            copies: &candidates.copies,
        }
    }
}

impl Problem {
    /// The problem of choosing among offers.
    #[must_use]
    pub fn of(world: &World<'_>, network: &Network<'_>, offers: &Offers<'_>) -> Self {
        let scenario = &world.loaded.scenario;
        let mut pools = Pools::default();
        let mut jobs = Vec::new();
        let mut services = Vec::new();
        for (index, workload) in scenario.workloads.values().enumerate() {
            let choices = match &offers.services[index] {
                None => offers.columns[index].iter().map(|column| choice(column, &mut pools)).collect(),
                Some(found) => {
                    services.push(service(index, found, &workload.job, &mut pools));
                    vec![window(found)]
                }
            };
            jobs.push(Job {
                choices,
                latest_end: world.latest_end(workload),
                after: workload.after.iter().filter_map(|name| scenario.workloads.get_index_of(name)).collect(),
                finishes: offers.services[index].is_none(),
            });
        }
        let (pools, occupations) = pools.finish(world);
        jobs.extend(occupations);
        let flows = flows(network, offers, &services);
        Self {
            jobs,
            pools,
            copies: offers.copies.iter().map(copy).collect(),
            flows,
            meters: network.meters().into_iter().map(|meter| meter.tariff).collect(),
            services,
            budget: scenario.budget.map(|budget| budget.0),
            objective: scenario.objective,
        }
    }
}

/// Pools by place, each with one more for what is reserved of it.
#[derive(Debug, Default)]
struct Pools(BTreeMap<(Place, bool), usize>);

impl Pools {
    fn find(&mut self, place: Place, is_reserved: bool) -> usize {
        let next = self.0.len();
        *self.0.entry((place, is_reserved)).or_insert(next)
    }

    /// Pools and nodes that groups occupy; reserved nodes are nodes of the pool, too.
    fn uses(&mut self, groups: &[Group], count: u32) -> Vec<(usize, u32)> {
        let mut uses: BTreeMap<usize, u32> = BTreeMap::new();
        for group in groups {
            let nodes = group.layout.nodes.saturating_mul(count);
            *uses.entry(self.find(group.place, false)).or_default() += nodes;
            if group.purchase == PurchaseKind::Reserved {
                *uses.entry(self.find(group.place, true)).or_default() += nodes;
            }
        }
        uses.into_iter().collect()
    }

    fn finish(self, world: &World<'_>) -> (Vec<Pool>, Vec<Job>) {
        let nowhere = Place { site: 0, pool: 0 };
        let mut pools = vec![Pool { place: nowhere, nodes: 0, commitment: None }; self.0.len()];
        let mut occupations = Vec::new();
        for ((place, is_reserved), index) in self.0 {
            pools[index].place = place;
            let Some(pool) = world.pool(place) else { continue };
            let most = world.most_nodes(place);
            if let Some(reserved) = pool.purchase.reserved.as_ref().filter(|_| is_reserved) {
                let hours = milliseconds(reserved.term.get()) / Decimal::from(3_600_000);
                let usd = (reserved.upfront.0 + reserved.price.0 * hours).round_dp(DECIMALS);
                pools[index].nodes = reserved.nodes.unwrap_or(most).min(most);
                pools[index].commitment = Some(usd);
            } else {
                pools[index].nodes = most;
                let horizon = world.loaded.scenario.horizon.get();
                occupations.extend(
                    world.shortages(place).map(|(from, to, nodes)| occupation(index, from, to.min(horizon), nodes)),
                );
            }
        }
        (pools, occupations)
    }
}

fn milliseconds(seconds: f64) -> Decimal {
    Decimal::from((seconds * 1000.0).round() as u64)
}

/// Nodes that cannot be had for a time.
fn occupation(pool: usize, from: f64, to: f64, nodes: u32) -> Job {
    let uses = vec![(pool, nodes)];
    let choice = Choice { uses, release: from, seconds: (to - from).max(0.0), ..Choice::default() };
    Job { choices: vec![choice], latest_end: to, after: vec![], finishes: false }
}

fn window(service: &ServiceCandidates) -> Choice {
    let (from, to) = service.window;
    Choice { release: round_up_to_milliseconds(from), seconds: to - from, ..Choice::default() }
}

fn choice(column: &Column, pools: &mut Pools) -> Choice {
    Choice {
        uses: pools.uses(&column.groups, 1),
        site: column.site(),
        seconds: column.seconds,
        release: column.release_seconds,
        usd: column.compute_usd + column.exchanges.iter().map(|exchange| exchange.usd).sum::<Decimal>(),
        preference: column.preference_usd + column.exchanges.iter().map(|e| e.preference_usd).sum::<Decimal>(),
        carbon: column.carbon_kg.unwrap_or(0.0),
        copies: column.copies.clone(),
        charges: column.exchanges.iter().flat_map(|exchange| &exchange.charges).map(charge).collect(),
    }
}

fn charge(charge: &Charge) -> (usize, u64) {
    (charge.meter, charge.bytes)
}

fn copy(movement: &Movement) -> Copy {
    Copy {
        usd: movement.usd + movement.storage_usd,
        preference: movement.preference_usd,
        charges: movement.charges.iter().map(charge).collect(),
        seconds: movement.seconds,
    }
}

fn service(job: usize, found: &ServiceCandidates, work: &Work, pools: &mut Pools) -> Service {
    let utilization = if let Work::Serve(service) = work { service.utilization } else { 1.0 };
    let replica = |replica: &crate::candidates::Replica| Replica {
        uses: pools.uses(std::slice::from_ref(&replica.group), 1),
        site: replica.group.place.site,
        usd: replica.usd,
        preference: replica.preference_usd,
        carbon: replica.carbon_kg.unwrap_or(0.0),
        most: replica.most.clone(),
        copies: replica.copies.clone(),
    };
    Service {
        job,
        rates: found.classes.iter().map(|class| class.rate).collect(),
        utilization,
        replicas: found.replicas.iter().map(replica).collect(),
    }
}

fn flows(network: &Network<'_>, offers: &Offers<'_>, services: &[Service]) -> Vec<ProductFlow> {
    let sites = |job: usize| {
        let replicas = services.iter().filter(|service| service.job == job).flat_map(|service| &service.replicas);
        let mut sites: Vec<usize> = offers.columns[job].iter().map(|column| column.site()).collect();
        sites.extend(replicas.map(|replica| replica.site));
        sites.sort_unstable();
        sites.dedup();
        sites
    };
    let pairs = |product: &crate::candidates::Product| {
        let mut pairs = BTreeMap::new();
        for source in sites(product.maker) {
            for target in sites(product.reader) {
                if source == target {
                    pairs.insert((source, target), vec![Copy::default()]);
                } else if let Ok(ways) = network.movements(&product.cargo, source, target) {
                    pairs.insert((source, target), ways.iter().map(copy).collect());
                }
            }
        }
        pairs
    };
    let flow = |product: &crate::candidates::Product| ProductFlow {
        from: product.maker,
        to: product.reader,
        pairs: pairs(product),
    };
    network.products().iter().map(flow).collect()
}
