//! Every combination of columns, start slots, ways of products, numbers of replicas and of reserved nodes, with code of
//! its own. Times are whole seconds.

use std::collections::{BTreeMap, BTreeSet};

use planner::placement::{Choice, Copy, Problem, Service};
use rust_decimal::Decimal;
use scenarios::scenario::Objective;

/// The least value; `None` if nothing is possible.
pub fn optimum(problem: &Problem) -> Option<f64> {
    let mut best = None;
    let choices = tuples(&problem.jobs.iter().map(|job| job.choices.len()).collect::<Vec<_>>());
    for staff in staffings(problem) {
        for choice in &choices {
            for way in 0..2 {
                let plan = Plan { problem, choice, staff: &staff, way };
                plan.consider(&mut best);
            }
        }
    }
    best
}

/// All tuples of numbers below each limit.
fn tuples(limits: &[usize]) -> Vec<Vec<usize>> {
    limits.iter().fold(vec![vec![]], |tuples, limit| {
        tuples
            .iter()
            .flat_map(|tuple| (0..*limit).map(|next| tuple.iter().copied().chain([next]).collect::<Vec<_>>()))
            .collect()
    })
}

/// Numbers of replicas of each kind of each service, with which all requests are answered.
fn staffings(problem: &Problem) -> Vec<Vec<Vec<u32>>> {
    problem.services.iter().fold(vec![vec![]], |all: Vec<Vec<Vec<u32>>>, service| {
        let most: Vec<usize> = service.replicas.iter().map(|_| 9).collect();
        let counts = tuples(&most).into_iter().map(|tuple| tuple.into_iter().map(|n| n as u32).collect::<Vec<_>>());
        let enough: Vec<Vec<u32>> = counts.filter(|counts| answers(service, counts)).collect();
        all.iter().flat_map(|staff| enough.iter().map(|c| staff.iter().cloned().chain([c.clone()]).collect())).collect()
    })
}

/// Whether replicas answer one or two classes: those that are best at the first, compared to the second, take it.
fn answers(service: &Service, counts: &[u32]) -> bool {
    let most = |kind: usize, class: usize| service.replicas[kind].most.get(class).copied().flatten().unwrap_or(0.0);
    let mut kinds: Vec<usize> = (0..counts.len()).collect();
    let preference = |kind: &usize| {
        let (first, second) = (most(*kind, 0), most(*kind, 1));
        if second > 0.0 { first / second } else { f64::INFINITY }
    };
    kinds.sort_by(|a, b| preference(b).total_cmp(&preference(a)));
    let mut left = service.rates[0];
    let mut second = 0.0;
    for kind in kinds {
        let mut free = f64::from(counts[kind]) * service.utilization;
        let taken = left.min(free * most(kind, 0));
        if taken > 0.0 {
            free -= taken / most(kind, 0);
            left -= taken;
        }
        second += free * most(kind, 1);
    }
    left <= 1e-9 && service.rates.get(1).is_none_or(|rate| second >= rate - 1e-9)
}

struct Plan<'a> {
    problem: &'a Problem,
    choice: &'a [usize],
    staff: &'a [Vec<u32>],
    /// The way that products take where there are several.
    way: usize,
}

impl Plan<'_> {
    fn column(&self, job: usize) -> &Choice {
        &self.problem.jobs[job].choices[self.choice[job]]
    }

    fn consider(&self, best: &mut Option<f64>) {
        let Some((ways, delays)) = self.products() else { return };
        let reserved: Vec<usize> =
            self.problem.pools.iter().map(|p| if p.commitment.is_some() { p.nodes as usize + 1 } else { 1 }).collect();
        for reserve in tuples(&reserved) {
            let (usd, preference, carbon) = self.sums(&ways, &reserve);
            if self.problem.budget.is_some_and(|budget| usd > budget) {
                continue;
            }
            let fixed = number(usd + preference);
            let (base, hourly) = match self.problem.objective {
                Objective::Cost => (fixed, 0.0),
                Objective::FinishTime => (0.0, 1.0),
                Objective::Carbon => (carbon, 0.0),
                Objective::Weighted(weights) => (
                    number(usd) * weights.cost + number(preference) + carbon * number(weights.carbon.0),
                    number(weights.finish_time.0) / 3600.0,
                ),
            };
            if best.is_some_and(|best| base >= best) {
                continue;
            }
            let capacities: Vec<u32> = self
                .problem
                .pools
                .iter()
                .zip(&reserve)
                .map(|(pool, reserve)| match pool.commitment {
                    Some(_) => *reserve as u32,
                    None => pool.nodes,
                })
                .collect();
            let mut starts = vec![None; self.choice.len()];
            let mut finish = None;
            self.slots(&mut starts, &capacities, &delays, hourly > 0.0, &mut finish);
            if let Some(finish) = finish {
                let value = base + hourly * f64::from(finish);
                *best = Some(best.map_or(value, |best: f64| best.min(value)));
            }
        }
    }

    /// Sites where a job reads: its own, or those of its replicas.
    fn sites(&self, job: usize) -> BTreeSet<usize> {
        match self.problem.services.iter().position(|service| service.job == job) {
            None => BTreeSet::from([self.column(job).site]),
            Some(at) => {
                let kinds = self.problem.services[at].replicas.iter().zip(&self.staff[at]);
                kinds.filter(|(_, count)| **count > 0).map(|(kind, _)| kind.site).collect()
            }
        }
    }

    /// Movements of products, and for pairs of maker and reader the longest delay; `None` if one is forbidden.
    #[allow(clippy::type_complexity, reason = "a list and a table")]
    fn products(&self) -> Option<(Vec<&Copy>, BTreeMap<(usize, usize), u32>)> {
        let mut moved = Vec::new();
        let mut delays = BTreeMap::new();
        for flow in &self.problem.flows {
            let from = self.column(flow.from).site;
            let delay = delays.entry((flow.from, flow.to)).or_insert(0);
            for to in self.sites(flow.to) {
                let ways = flow.pairs.get(&(from, to))?;
                let way = &ways[self.way.min(ways.len() - 1)];
                moved.push(way);
                *delay = (*delay).max(way.seconds as u32);
            }
        }
        Some((moved, delays))
    }

    fn sums(&self, ways: &[&Copy], reserve: &[usize]) -> (Decimal, Decimal, f64) {
        let (mut usd, mut preference, mut carbon) = (Decimal::ZERO, Decimal::ZERO, 0.0);
        let mut metered: BTreeMap<usize, u64> = BTreeMap::new();
        let mut charge = |charges: &[(usize, u64)]| {
            for (meter, bytes) in charges {
                *metered.entry(*meter).or_default() += bytes;
            }
        };
        let mut copies = BTreeSet::new();
        for job in 0..self.choice.len() {
            let column = self.column(job);
            usd += column.usd;
            preference += column.preference;
            carbon += column.carbon;
            charge(&column.charges);
            copies.extend(column.copies.iter().copied());
        }
        for (service, counts) in self.problem.services.iter().zip(self.staff) {
            for (replica, count) in service.replicas.iter().zip(counts).filter(|(_, count)| **count > 0) {
                usd += replica.usd * Decimal::from(*count);
                preference += replica.preference * Decimal::from(*count);
                carbon += replica.carbon * f64::from(*count);
                copies.extend(replica.copies.iter().copied());
            }
        }
        for way in copies.iter().map(|copy| &self.problem.copies[*copy]).chain(ways.iter().copied()) {
            usd += way.usd;
            preference += way.preference;
            charge(&way.charges);
        }
        for (pool, nodes) in self.problem.pools.iter().zip(reserve) {
            usd += pool.commitment.unwrap_or_default() * Decimal::from(*nodes);
        }
        usd += metered.iter().map(|(meter, bytes)| tiered(&self.problem.meters[*meter], *bytes)).sum::<Decimal>();
        (usd, preference, carbon)
    }

    /// Gives the next job every start slot; keeps the earliest finish, or stops at the first schedule.
    fn slots(
        &self,
        starts: &mut Vec<Option<u32>>,
        capacities: &[u32],
        delays: &BTreeMap<(usize, usize), u32>,
        every: bool,
        finish: &mut Option<u32>,
    ) {
        if finish.is_some() && !every {
            return;
        }
        let Some(job) = starts.iter().position(Option::is_none) else {
            let finishing = (0..starts.len()).filter(|job| self.problem.jobs[*job].finishes);
            let ends = finishing.filter_map(|job| Some(starts[job]? + self.column(job).seconds as u32));
            let end = ends.max().unwrap_or(0);
            *finish = Some(finish.map_or(end, |best| best.min(end)));
            return;
        };
        let column = self.column(job);
        let latest = self.problem.jobs[job].latest_end - column.seconds;
        for start in (column.release as u32).. {
            if f64::from(start) > latest {
                break;
            }
            starts[job] = Some(start);
            if self.fits(starts, capacities) && self.ordered(starts, delays) {
                self.slots(starts, capacities, delays, every, finish);
            }
        }
        starts[job] = None;
    }

    /// Whether every pool has room in every slot.
    fn fits(&self, starts: &[Option<u32>], capacities: &[u32]) -> bool {
        let runs = |job: usize, slot: u32| {
            starts[job].is_some_and(|start| start <= slot && slot < start + self.column(job).seconds as u32)
        };
        (0..16).all(|slot| {
            capacities.iter().enumerate().all(|(pool, capacity)| {
                let jobs = (0..starts.len()).filter(|job| runs(*job, slot));
                let own =
                    jobs.flat_map(|job| &self.column(job).uses).filter(|(used, _)| *used == pool).map(|(_, n)| *n);
                let services =
                    self.problem.services.iter().zip(self.staff).filter(|(service, _)| runs(service.job, slot));
                let staffed = services.flat_map(|(service, counts)| service.replicas.iter().zip(counts)).flat_map(
                    |(replica, count)| {
                        replica.uses.iter().filter(|(used, _)| *used == pool).map(move |(_, n)| n * count)
                    },
                );
                own.chain(staffed).sum::<u32>() <= *capacity
            })
        })
    }

    fn ordered(&self, starts: &[Option<u32>], delays: &BTreeMap<(usize, usize), u32>) -> bool {
        let waits = self.problem.jobs.iter().enumerate();
        let after = waits.flat_map(|(job, described)| described.after.iter().map(move |before| ((*before, job), 0)));
        after.chain(delays.iter().map(|(pair, delay)| (*pair, *delay))).all(|((before, job), delay)| {
            let (Some(first), Some(second)) = (starts[before], starts[job]) else { return true };
            first + self.column(before).seconds as u32 + delay <= second
        })
    }
}

/// Each gigabyte at the price of its tier.
fn tiered(tariff: &scenarios::units::Tariff, bytes: u64) -> Decimal {
    let mut below = 0;
    let mut usd = Decimal::ZERO;
    for tier in tariff.tiers() {
        let end = tier.up_to.map_or(u64::MAX, |end| end.0);
        let within = bytes.min(end).saturating_sub(below);
        usd += Decimal::from(within) / Decimal::from(1_000_000_000) * tier.usd_per_gb;
        below = end;
    }
    usd
}

fn number(usd: Decimal) -> f64 {
    usd.try_into().unwrap_or(f64::NAN)
}
