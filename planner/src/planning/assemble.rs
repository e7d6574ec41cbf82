//! Writes a decision down as a plan.

use rust_decimal::Decimal;
use scenarios::plan::{
    Assignment, Breakdown, CatalogReference, Commitment, Explanation, FORMAT, Flow, Group, Plan, Predicted, Residency,
    Routing, ScenarioReference, Solver, SolverStatus, SourceData, Totals,
};
use scenarios::scenario::{Job, Objective};
use scenarios::strategy::Strategy;
use scenarios::units::Interval;

use super::flows::LEAST_RATE;
use super::{Decision, flows};
use crate::candidates::{self, Replica};
use crate::placement::solver::NAME;

/// The plan but for its explanation.
pub(super) fn plan(decision: &Decision<'_>) -> Plan {
    let flows = flows::of(decision);
    let mut assignments: Vec<Assignment> =
        (0..decision.candidates.workloads.len()).map(|job| assignment(decision, job, &flows)).collect();
    assignments.sort_by(|a, b| a.start_seconds.total_cmp(&b.start_seconds));
    let mut plan = Plan {
        format: FORMAT.to_owned(),
        digest: String::new(),
        scenario: scenario(decision),
        catalog: CatalogReference {
            as_of: decision.world.catalog.as_of().to_owned(),
            digest: decision.world.catalog.digest().to_owned(),
        },
        solver: solver(decision),
        totals: Totals::default(),
        sites: decision.world.loaded.sites.clone(),
        assignments,
        commitments: commitments(decision),
        flows,
        residency: Residency {
            starts: decision.world.loaded.starts(decision.world.catalog),
            rules: decision.world.loaded.scenario.policies.clone(),
            refusals: Vec::new(),
        },
        explanation: Explanation::default(),
    };
    plan.totals = totals(decision, &plan);
    plan
}

fn scenario(decision: &Decision<'_>) -> ScenarioReference {
    let loaded = decision.world.loaded;
    let profiles = loaded
        .profiles
        .values()
        .map(|loaded| (loaded.path.to_string_lossy().into_owned(), loaded.profile.digest.clone()));
    ScenarioReference {
        name: loaded.scenario.name.clone(),
        purpose: loaded.scenario.purpose.clone(),
        digest: loaded.digest.clone(),
        path: loaded.path.as_ref().map(|path| path.to_string_lossy().into_owned()),
        profiles: profiles.collect(),
        seed: loaded.scenario.seed,
        budget_usd: loaded.scenario.budget.map(|budget| budget.0),
    }
}

fn solver(decision: &Decision<'_>) -> Solver {
    let solution = decision.solution;
    let difference = solution.objective - solution.bound;
    let gap = if difference > 0.0 { difference / solution.objective.abs().max(f64::MIN_POSITIVE) } else { 0.0 };
    Solver {
        name: NAME.to_owned(),
        status: if solution.optimal { SolverStatus::Optimal } else { SolverStatus::Feasible },
        minimizes: minimized(decision.world.loaded.scenario.objective).to_owned(),
        objective: solution.objective,
        bound: solution.bound,
        gap,
        nodes: solution.nodes,
        iterations: solution.iterations,
        columns_considered: decision.candidates.count() as u64,
        columns_pruned: decision.candidates.pruned() as u64,
    }
}

/// What an objective minimises, with its unit.
pub(crate) const fn minimized(objective: Objective) -> &'static str {
    match objective {
        Objective::Cost => "cost_usd",
        Objective::FinishTime => "finish_seconds",
        Objective::Carbon => "carbon_kg",
        Objective::Weighted(_) => "weighted_usd",
    }
}

fn totals(decision: &Decision<'_>, plan: &Plan) -> Totals {
    let sum = |amounts: &mut dyn Iterator<Item = Decimal>| amounts.sum::<Decimal>().normalize();
    let caused = |name: &str| plan.flows.iter().filter(|flow| flow.used_by == name).map(caused_usd).sum::<Decimal>();
    let machines = plan.assignments.iter().map(|assignment| assignment.cost_usd - caused(&assignment.workload));
    let compute_usd = sum(&mut machines.chain(plan.commitments.iter().map(|commitment| commitment.cost_usd)));
    let egress_usd = sum(&mut plan.flows.iter().map(|flow| flow.cost_usd));
    let storage_usd = sum(&mut plan.flows.iter().map(|flow| flow.storage_usd));
    let bill = decision.problem.bill(&decision.solution.choice, &decision.solution.staffing);
    let all = |of: fn(&Assignment) -> Option<f64>| plan.assignments.iter().map(of).sum::<Option<f64>>();
    let ends = plan.assignments.iter().filter(|assignment| !matches!(assignment.job, Job::Serve(_)));
    Totals {
        cost_usd: (compute_usd + egress_usd + storage_usd).normalize(),
        compute_usd,
        egress_usd,
        storage_usd,
        preference_usd: bill.preference.normalize(),
        finish_seconds: ends.map(|assignment| assignment.end_seconds).fold(0.0, f64::max),
        energy_kwh: all(|assignment| assignment.energy_kwh),
        carbon_kg: all(|assignment| assignment.carbon_kg),
    }
}

fn caused_usd(flow: &Flow) -> Decimal {
    flow.cost_usd + flow.storage_usd
}

/// Nodes that are reserved, by site and pool.
fn commitments(decision: &Decision<'_>) -> Vec<Commitment> {
    let world = &decision.world;
    let reserved = decision.solution.staffing.reserved.iter().filter(|(_, nodes)| **nodes > 0);
    let commitments = reserved.filter_map(|(pool, nodes)| {
        let held = &decision.problem.pools[*pool];
        let terms = world.pool(held.place)?.purchase.reserved.as_ref()?;
        Some(Commitment {
            site: world.site_name(held.place.site).to_owned(),
            pool: world.pool_name(held.place).to_owned(),
            machine: world.machine_name(held.place),
            nodes: *nodes,
            term_seconds: terms.term.get(),
            upfront_usd: terms.upfront.0.normalize(),
            usd_per_node_hour: terms.price.0.normalize(),
            cost_usd: (held.commitment? * Decimal::from(*nodes)).normalize(),
        })
    });
    let mut commitments: Vec<_> = commitments.collect();
    commitments.sort_by(|a, b| (&a.site, &a.pool).cmp(&(&b.site, &b.pool)));
    commitments
}

fn assignment(decision: &Decision<'_>, job: usize, flows: &[Flow]) -> Assignment {
    let name = &decision.candidates.workloads[job].workload;
    let workload = &decision.world.loaded.scenario.workloads[name];
    let caused: Decimal = flows.iter().filter(|flow| flow.used_by == *name).map(caused_usd).sum();
    let machines = if decision.service(job).is_some() { service(decision, job) } else { column(decision, job) };
    Assignment {
        workload: name.clone(),
        job: workload.job.clone(),
        data: data(decision, &workload.job),
        after: workload.after.clone(),
        groups: machines.groups,
        strategy: machines.strategy,
        routing: machines.routing,
        start_seconds: decision.start(job),
        end_seconds: decision.end(job),
        deadline_seconds: workload.deadline.map(scenarios::units::Seconds::get),
        steps: machines.steps,
        predicted: machines.predicted,
        cost_usd: (machines.usd + caused).normalize(),
        energy_kwh: machines.energy_kwh,
        carbon_kg: machines.carbon_kg,
        runner_up: None,
    }
}

/// Part of an assignment that its machines decide.
struct Machines {
    groups: Vec<Group>,
    strategy: Strategy,
    routing: Vec<Routing>,
    steps: u64,
    predicted: Predicted,
    usd: Decimal,
    energy_kwh: Option<f64>,
    carbon_kg: Option<f64>,
}

fn column(decision: &Decision<'_>, job: usize) -> Machines {
    let column = decision.column(job);
    Machines {
        groups: column.groups.iter().map(|used| group(decision, used, 1)).collect(),
        strategy: column.strategy,
        routing: vec![],
        steps: column.prediction.steps,
        predicted: column.prediction.predicted.clone(),
        usd: column.compute_usd,
        energy_kwh: column.energy_kwh,
        carbon_kg: column.carbon_kg,
    }
}

fn group(decision: &Decision<'_>, used: &candidates::Group, count: u32) -> Group {
    let world = &decision.world;
    Group {
        site: world.site_name(used.place.site).to_owned(),
        pool: world.pool_name(used.place).to_owned(),
        machine: world.machine_name(used.place),
        nodes: used.layout.nodes.saturating_mul(count),
        devices_per_node: used.layout.devices_per_node,
        ranks_per_node: used.layout.ranks_per_node,
        batch: used.batch,
        replicas: None,
        purchase: used.purchase,
        usd_per_node_hour: used.usd_per_node_hour.normalize(),
    }
}

/// A service's replicas, and which of them answer what. Its prediction is that of its largest group.
fn service(decision: &Decision<'_>, job: usize) -> Machines {
    let replicas = decision.replicas(job);
    let groups = replicas
        .iter()
        .map(|(_, replica, count)| Group { replicas: Some(*count), ..group(decision, &replica.group, *count) });
    let count = |of: fn(&Replica) -> Option<f64>| {
        replicas.iter().map(|(_, replica, count)| of(replica).map(|one| one * f64::from(*count))).sum::<Option<f64>>()
    };
    let largest = replicas.iter().max_by_key(|(kind, _, count)| (*count, std::cmp::Reverse(*kind)));
    let routing = routing(decision, job);
    let answered: f64 = routing.iter().map(|routing| routing.requests_per_second).sum();
    let predicted = largest.map(|(_, replica, _)| replica.prediction.predicted.clone());
    Machines {
        groups: groups.collect(),
        strategy: largest.map_or(Strategy::SINGLE, |(_, replica, _)| replica.strategy),
        routing,
        steps: 0,
        predicted: Predicted {
            throughput: answered,
            throughput_unit: "requests/s".to_owned(),
            ..predicted.unwrap_or_else(nothing)
        },
        usd: replicas.iter().map(|(_, replica, count)| replica.usd * Decimal::from(*count)).sum(),
        energy_kwh: count(|replica| replica.energy_kwh),
        carbon_kg: count(|replica| replica.carbon_kg),
    }
}

/// Prediction of a service that nobody asks anything.
fn nothing() -> Predicted {
    Predicted {
        step_seconds: Interval { p10: 0.0, p50: 0.0, p90: 0.0 },
        throughput: 0.0,
        throughput_unit: String::new(),
        memory_bytes_per_device: 0,
        breakdown: Breakdown::new(),
        basis: "no requests".to_owned(),
    }
}

fn routing(decision: &Decision<'_>, job: usize) -> Vec<Routing> {
    let Some((service, index)) = decision.service(job) else { return Vec::new() };
    let mut all = Vec::new();
    for (group, (kind, replica, _)) in decision.replicas(job).into_iter().enumerate() {
        for (class, asked) in service.classes.iter().enumerate() {
            let requests_per_second = decision.solution.staffing.routed[index][kind][class];
            let Some(most_per_replica) = replica.most[class].filter(|_| requests_per_second > LEAST_RATE) else {
                continue;
            };
            all.push(Routing {
                from: asked.from.map(|site| decision.world.site_name(site).to_owned()),
                data: asked.data.clone(),
                input: asked.input,
                output: asked.output,
                group,
                requests_per_second,
                most_per_replica,
            });
        }
    }
    all
}

fn data(decision: &Decision<'_>, job: &Job) -> Option<SourceData> {
    let dataset = job.data()?.to_owned();
    let known = decision.world.loaded.scenario.datasets.get(&dataset);
    Some(SourceData {
        class: known.map(|data| data.class.clone()).unwrap_or_default(),
        records: known.map_or(0, |data| data.records),
        parts: known.map(|data| data.parts.clone()).unwrap_or_default(),
        files: known.and_then(|data| data.files.clone()),
        dataset,
    })
}
