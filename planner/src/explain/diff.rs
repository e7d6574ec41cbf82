//! What differs between two plans.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;
use scenarios::plan::{Assignment, Commitment, Flow, Plan};
use serde::Serialize;

use super::figures::{Figures, placement};

/// What differs between two plans: `before` and `after`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Difference {
    /// Names of the two scenarios.
    pub scenarios: [String; 2],
    /// Whether both answer the same scenario.
    pub same_scenario: bool,
    /// What the plan before comes to.
    pub before: Figures,
    /// What the plan after comes to.
    pub after: Figures,
    /// After − before.
    pub change: Figures,
    /// Workloads that run elsewhere, otherwise, at another time or at another price.
    pub workloads: Vec<Changed<Run>>,
    /// Movements of data.
    pub flows: Vec<Changed<Movement>>,
    /// Nodes reserved for a term.
    pub commitments: Vec<Changed<Reservation>>,
}

/// Something that is only in one plan, or different in both.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Changed<T> {
    /// Its name: a workload, a movement, a pool.
    pub what: String,
    /// In the plan before; none if it is added.
    pub before: Option<T>,
    /// In the plan after; none if it is removed.
    pub after: Option<T>,
}

/// How a workload runs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Run {
    /// Machines, purchase and strategy in words.
    pub placement: String,
    /// Start, from the start of the period.
    pub start_seconds: f64,
    /// End.
    pub end_seconds: f64,
    /// Price of its machines and flows.
    pub cost_usd: Decimal,
    /// Greenhouse gas, where it is known.
    pub carbon_kg: Option<f64>,
}

/// Movements of the same data between the same sites for the same workload.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Movement {
    /// Sites passed through, of each movement.
    pub via: Vec<Vec<String>>,
    /// Amount of all.
    pub bytes: u64,
    /// Egress and storage of all.
    pub cost_usd: Decimal,
}

/// Nodes of a pool reserved for a term.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Reservation {
    /// Nodes.
    pub nodes: u32,
    /// Price of the whole term.
    pub cost_usd: Decimal,
}

impl<T> Changed<T> {
    /// `+` for what is added, `-` for what is removed, `~` for what is different.
    #[must_use]
    pub const fn sign(&self) -> char {
        match (&self.before, &self.after) {
            (None, _) => '+',
            (_, None) => '-',
            _ => '~',
        }
    }
}

impl Difference {
    /// From the plan `before` to the plan `after`.
    #[must_use]
    pub fn between(before: &Plan, after: &Plan) -> Self {
        let (a, b) = (Figures::of(before), Figures::of(after));
        Self {
            scenarios: [before.scenario.name.clone(), after.scenario.name.clone()],
            same_scenario: before.scenario.digest == after.scenario.digest,
            change: b.above(&a),
            before: a,
            after: b,
            workloads: changed(&runs(before), &runs(after)),
            flows: changed(&movements(before), &movements(after)),
            commitments: changed(&reservations(before), &reservations(after)),
        }
    }

    /// Whether both plans decide the same, at the same price.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.workloads.is_empty()
            && self.flows.is_empty()
            && self.commitments.is_empty()
            && self.before.cost_usd == self.after.cost_usd
            && self.before.finish_seconds.to_bits() == self.after.finish_seconds.to_bits()
    }
}

fn changed<T: PartialEq + Clone>(before: &BTreeMap<String, T>, after: &BTreeMap<String, T>) -> Vec<Changed<T>> {
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let different = names.into_iter().filter(|name| before.get(*name) != after.get(*name));
    let side = |plan: &BTreeMap<String, T>, name: &String| plan.get(name).cloned();
    different.map(|name| Changed { what: name.clone(), before: side(before, name), after: side(after, name) }).collect()
}

fn runs(plan: &Plan) -> BTreeMap<String, Run> {
    let run = |assignment: &Assignment| Run {
        placement: placement(assignment),
        start_seconds: assignment.start_seconds,
        end_seconds: assignment.end_seconds,
        cost_usd: assignment.cost_usd.normalize(),
        carbon_kg: assignment.carbon_kg,
    };
    plan.assignments.iter().map(|assignment| (assignment.workload.clone(), run(assignment))).collect()
}

fn movements(plan: &Plan) -> BTreeMap<String, Movement> {
    let mut found: BTreeMap<String, Movement> = BTreeMap::new();
    for flow in &plan.flows {
        let Flow { what, used_by, form, from, to, .. } = flow;
        let name = format!("{form} of `{what}` from `{from}` to `{to}` for `{used_by}`");
        let nothing = || Movement { via: vec![], bytes: 0, cost_usd: Decimal::ZERO };
        let sum = found.entry(name).or_insert_with(nothing);
        sum.via.push(flow.via.clone());
        sum.bytes = sum.bytes.saturating_add(flow.bytes);
        sum.cost_usd = (sum.cost_usd + flow.cost_usd + flow.storage_usd).normalize();
    }
    found
}

fn reservations(plan: &Plan) -> BTreeMap<String, Reservation> {
    let one = |commitment: &Commitment| {
        let Commitment { site, pool, nodes, cost_usd, .. } = commitment;
        (format!("`{pool}` of `{site}`"), Reservation { nodes: *nodes, cost_usd: cost_usd.normalize() })
    };
    plan.commitments.iter().map(one).collect()
}
