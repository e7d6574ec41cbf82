//! Writes a decision down as a plan.

use rust_decimal::Decimal;
use scenarios::plan::{
    Assignment, CatalogReference, Explanation, FORMAT, Flow, Group, Plan, Residency, ScenarioReference, Solver,
    SolverStatus, SourceData, Totals,
};
use scenarios::scenario::{Job, Objective};

use super::{Decision, energy, flows};

/// Name and version of the solver, as its crate links it.
const SOLVER: &str = "HiGHS 1.16";

/// The plan but for its explanation.
pub(super) fn plan(decision: &Decision<'_>) -> Plan {
    let flows = flows::of(decision);
    let mut assignments: Vec<Assignment> =
        (0..decision.candidates.workloads.len()).map(|job| assignment(decision, job, &flows)).collect();
    assignments.sort_by(|a, b| a.start_seconds.total_cmp(&b.start_seconds));
    Plan {
        format: FORMAT.to_owned(),
        digest: String::new(),
        scenario: scenario(decision),
        catalog: CatalogReference {
            as_of: decision.world.catalog.as_of().to_owned(),
            digest: decision.world.catalog.digest().to_owned(),
        },
        solver: solver(decision),
        totals: totals(decision, &assignments, &flows),
        sites: decision.world.loaded.sites.clone(),
        assignments,
        flows,
        residency: Residency { rules: decision.world.loaded.scenario.policies.clone(), refusals: Vec::new() },
        explanation: Explanation::default(),
    }
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
        name: SOLVER.to_owned(),
        status: if solution.optimal { SolverStatus::Optimal } else { SolverStatus::Feasible },
        minimizes: match decision.world.loaded.scenario.objective {
            Objective::Cost => "cost_usd",
            Objective::FinishTime => "finish_seconds",
        }
        .to_owned(),
        objective: solution.objective,
        bound: solution.bound,
        gap,
        nodes: solution.nodes,
        iterations: solution.iterations,
        columns_considered: decision.candidates.count() as u64,
        columns_pruned: decision.candidates.pruned() as u64,
    }
}

fn totals(decision: &Decision<'_>, assignments: &[Assignment], flows: &[Flow]) -> Totals {
    let compute_usd: Decimal =
        (0..assignments.len()).map(|job| decision.column(job).compute_usd).sum::<Decimal>().normalize();
    let egress_usd: Decimal = flows.iter().map(|flow| flow.cost_usd).sum::<Decimal>().normalize();
    let (energy_kwh, carbon_kg) = energy::of(decision);
    Totals {
        cost_usd: (compute_usd + egress_usd).normalize(),
        compute_usd,
        egress_usd,
        // The catalogue has no prices of storage.
        storage_usd: Decimal::ZERO,
        finish_seconds: assignments.iter().map(|assignment| assignment.end_seconds).fold(0.0, f64::max),
        energy_kwh,
        carbon_kg,
    }
}

fn assignment(decision: &Decision<'_>, job: usize, flows: &[Flow]) -> Assignment {
    let column = decision.column(job);
    let name = &decision.candidates.workloads[job].workload;
    let workload = &decision.world.loaded.scenario.workloads[name];
    let caused: Decimal = flows.iter().filter(|flow| flow.used_by == *name).map(|flow| flow.cost_usd).sum();
    Assignment {
        workload: name.clone(),
        job: workload.job.clone(),
        data: data(decision, &workload.job),
        after: workload.after.clone(),
        groups: vec![Group {
            site: decision.world.site_name(column.place.site).to_owned(),
            pool: decision.world.pool_name(column.place).to_owned(),
            machine: decision.world.machine_name(column.place),
            nodes: column.layout.nodes,
            devices_per_node: column.layout.devices_per_node,
            ranks_per_node: column.layout.ranks_per_node,
            purchase: column.purchase,
            usd_per_node_hour: column.usd_per_node_hour.normalize(),
        }],
        strategy: column.strategy,
        start_seconds: decision.start(job),
        end_seconds: decision.end(job),
        deadline_seconds: workload.deadline.map(scenarios::units::Seconds::get),
        steps: column.prediction.steps,
        predicted: column.prediction.predicted.clone(),
        cost_usd: (column.compute_usd + caused).normalize(),
        runner_up: None,
    }
}

fn data(decision: &Decision<'_>, job: &Job) -> SourceData {
    let dataset = job.data().to_owned();
    let known = decision.world.loaded.scenario.datasets.get(&dataset);
    SourceData {
        class: known.map(|data| data.class.clone()).unwrap_or_default(),
        records: known.map_or(0, |data| data.records),
        files: known.and_then(|data| data.files.clone()),
        dataset,
    }
}
