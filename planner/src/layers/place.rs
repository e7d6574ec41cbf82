//! From a fleet to a placement.

use serde::Serialize;

use super::fleet::Fleet;
use super::flow::{Edge, maximum};
use super::{bound, composition, pipeline, replicas, stages};
use crate::placement::SolverError;

/// A machine and the layers that it holds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Held {
    /// Its class, from 0.
    pub class: usize,
    /// Its number within the class, from 0.
    pub machine: usize,
    /// First layer that it holds, from 0.
    pub first_layer: usize,
    /// How many it holds.
    pub layers: usize,
    /// Tokens a second that it can answer with so many.
    pub tokens_per_second: f64,
    /// Tokens a second that pass it.
    pub flow: f64,
}

/// Where layers lie, and what that is worth.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Placement {
    /// Machines that hold layers, by first layer and class; the others are idle.
    pub held: Vec<Held>,
    /// Tokens a second from the first layer to the last: the maximum flow.
    pub tokens_per_second: f64,
    /// What no placement exceeds, in tokens a second.
    pub bound: f64,
}

impl Placement {
    /// How far the bound lies above the placement, as a share of the bound; 0 if it is proven optimal.
    #[must_use]
    pub fn gap(&self) -> f64 {
        if self.bound > self.tokens_per_second { 1.0 - self.tokens_per_second / self.bound } else { 0.0 }
    }

    /// Whether no placement is better.
    #[must_use]
    pub fn is_optimal(&self) -> bool {
        self.bound <= self.tokens_per_second
    }
}

/// The best placement that is found, with its bound. It holds nothing if the machines cannot hold all layers.
///
/// # Errors
/// If the solver fails, which is a bug.
pub fn place(fleet: &Fleet) -> Result<Placement, SolverError> {
    let single = pipeline::fastest(fleet, &fleet.counts());
    let single = placed(fleet, &single.map_or_else(Vec::new, |pipeline| replicas::held(&pipeline)));
    let bound = bound::above(fleet, single.tokens_per_second)?;
    let first = Placement { bound, ..single };
    if first.is_optimal() {
        return Ok(first);
    }
    let second = composed(fleet);
    if second.tokens_per_second <= first.tokens_per_second {
        return Ok(first);
    }
    let bound = bound::above(fleet, second.tokens_per_second)?;
    Ok(Placement { bound, ..second })
}

/// The best of all compositions, or of those that are looked at in a large fleet.
fn composed(fleet: &Fleet) -> Placement {
    if let Some(held) = composition::best(fleet) {
        return placed(fleet, &held);
    }
    let (replicas, stages) = (placed(fleet, &replicas::best(fleet)), placed(fleet, &stages::best(fleet)));
    if stages.tokens_per_second > replicas.tokens_per_second { stages } else { replicas }
}

/// The placement that machines in their places are; its bound is still open.
fn placed(fleet: &Fleet, held: &[composition::Held]) -> Placement {
    let rate = |class: usize, layers: usize| fleet.classes()[class].rate(layers);
    let edge = |&(class, start, layers): &composition::Held| Edge {
        from: start,
        to: start + layers,
        rate: rate(class, layers),
    };
    let edges: Vec<Edge> = held.iter().map(edge).collect();
    let (tokens_per_second, flow) = maximum(&edges, fleet.layers());
    let mut used = vec![0; fleet.classes().len()];
    let mut sorted: Vec<_> = held.iter().zip(flow).collect();
    sorted.sort_by_key(|((class, start, layers), _)| (*start, *class, *layers));
    let machine = |(&(class, first_layer, layers), flow): (&composition::Held, f64)| {
        used[class] += 1;
        Held { class, machine: used[class] - 1, first_layer, layers, tokens_per_second: rate(class, layers), flow }
    };
    Placement { held: sorted.into_iter().map(machine).collect(), tokens_per_second, bound: f64::INFINITY }
}
