//! Values of all variables in a plan that is known.

use std::collections::BTreeMap;

use good_lp::Variable;

use super::Model;
use crate::placement::schedule::{Schedule, TOLERANCE_SECONDS};

/// Every variable with its value.
pub(super) fn values(model: &Model<'_>, known: Schedule<'_>) -> Vec<(Variable, f64)> {
    let problem = model.problem;
    let seconds = model.scale.seconds;
    let mut values = Vec::new();
    for (job, columns) in model.chosen.iter().enumerate() {
        values.extend(columns.iter().enumerate().map(|(at, column)| (*column, truth(at == known.choice[job]))));
        values.push((model.start[job], known.starts[job] / seconds));
    }
    values.push((model.finish, known.finish(problem) / seconds));
    let made = problem.made(known.choice, known.staffing);
    values.extend(model.made.iter().enumerate().map(|(at, copy)| (*copy, truth(made.binary_search(&at).is_ok()))));
    for ((first, second), ordered) in &model.order {
        let before = known.end(problem, *first) <= known.starts[*second] + TOLERANCE_SECONDS;
        values.push((*ordered, truth(before)));
    }
    values.extend(services(model, known));
    values.extend(products(model, known));
    values.extend(meters(model, known));
    let reserved = |pool: &usize| f64::from(known.staffing.reserved.get(pool).copied().unwrap_or(0));
    values.extend(model.reserved.iter().map(|(pool, nodes)| (*nodes, reserved(pool))));
    values
}

fn truth(holds: bool) -> f64 {
    f64::from(u8::from(holds))
}

fn services(model: &Model<'_>, known: Schedule<'_>) -> Vec<(Variable, f64)> {
    let mut values = Vec::new();
    for (index, kinds) in model.replicas.iter().enumerate() {
        let service = &model.problem.services[index];
        let mut open: BTreeMap<usize, bool> = BTreeMap::new();
        for (kind, variables) in kinds.iter().enumerate() {
            let count = known.staffing.replicas[index][kind];
            values.push((variables.count, f64::from(count)));
            values.push((variables.staffed, truth(count > 0)));
            *open.entry(service.replicas[kind].site).or_default() |= count > 0;
            for (class, share) in variables.share.iter().enumerate() {
                let routed = known.staffing.routed[index][kind][class];
                let part = if service.rates[class] > 0.0 { routed / service.rates[class] } else { 0.0 };
                values.extend(share.map(|share| (share, part)));
            }
        }
        let is_open = |site: &usize| truth(open.get(site).copied().unwrap_or(false));
        values.extend(model.open[index].iter().map(|(site, variable)| (*variable, is_open(site))));
    }
    values
}

fn products(model: &Model<'_>, known: Schedule<'_>) -> Vec<(Variable, f64)> {
    let mut values = Vec::new();
    for (index, (flow, moved)) in model.problem.flows.iter().zip(&model.moved).enumerate() {
        let source = model.problem.jobs[flow.from].choices[known.choice[flow.from]].site;
        let targets = model.problem.sites(known.choice, known.staffing, flow.to);
        for ((from, to, way), variable) in moved {
            let taken = known.staffing.ways.get(&(index, *from, *to)).copied().unwrap_or(0);
            values.push((*variable, truth(*from == source && targets.contains(to) && taken == *way)));
        }
    }
    values
}

fn meters(model: &Model<'_>, known: Schedule<'_>) -> Vec<(Variable, f64)> {
    let bill = model.problem.bill(known.choice, known.staffing);
    let mut values = Vec::new();
    for (meter, filled) in model.filled.iter().enumerate() {
        let amount = bill.metered.get(&meter).copied().unwrap_or(0);
        let mut below = 0;
        for (tier, (in_tier, full)) in model.problem.meters[meter].tiers().iter().zip(filled) {
            let end = tier.up_to.map_or(u64::MAX, |end| end.0);
            let within = amount.clamp(below, end) - below;
            values.push((*in_tier, within as f64 / model.scale.bytes[meter]));
            values.push((*full, truth(tier.up_to.is_some() && amount >= end)));
            below = end;
        }
    }
    values
}
