//! What ranks hold.

use scenarios::scenario::Optimizer;
use scenarios::strategy::{Strategy, Sync, Zero};

use super::stages::{Stage, VALUE_BYTES};
use crate::performance::memory::{Memory, moments};

/// What the rank of a stage holds at its fullest moment: in the backward pass, where activations go and gradients come, or
/// when the update has copies of all gradients.
pub(super) fn of_rank(chunks: &[&Stage], strategy: &Strategy, optimizer: Option<Optimizer>, in_flight: f64) -> Memory {
    let whole = |bytes: f64| bytes.max(0.0).ceil() as u64;
    let parameters = VALUE_BYTES * chunks.iter().map(|stage| stage.parameters).sum::<f64>();
    let kept: Vec<(f64, f64)> = chunks.iter().flat_map(|stage| &stage.kept).copied().collect();
    let shares = if strategy.zero >= Zero::Optimizer { f64::from(strategy.data.get()) } else { 1.0 };
    let served = matches!(strategy.sync, Sync::ParameterServer { .. });
    let states = if served { 0.0 } else { moments(optimizer) as f64 * parameters / shares };
    let pass: f64 = kept.iter().map(|(bytes, _)| bytes).sum();
    if optimizer.is_none() {
        let largest = kept.iter().map(|(bytes, _)| *bytes).fold(0.0, f64::max);
        return Memory { parameters: whole(parameters), activations: whole(2.0 * largest), ..Memory::default() };
    }
    // Chunks of one rank are in flight by themselves.
    let waiting = (in_flight / chunks.len().max(1) as f64 - 1.0).max(0.0) * pass;
    let exchanges = strategy.data.get() > 1;
    let update = (parameters, if exchanges { 2.0 * parameters } else { 0.0 }, 0.0);
    let (gradients, workspace, activations) = backward(&kept, parameters, in_flight > 1.0, waiting)
        .into_iter()
        .chain([update])
        .max_by(|a, b| (a.0 + a.1 + a.2).total_cmp(&(b.0 + b.1 + b.2)))
        .unwrap_or(update);
    Memory {
        parameters: whole(parameters),
        gradients: whole(gradients),
        optimizer: whole(states),
        activations: whole(activations),
        batch: 0,
        workspace: whole(workspace),
    }
}

/// Gradients, work space and activations while each piece goes backward: those behind it have given their gradients, it and
/// those before it hold activations, and the gradient of what it gave is as large as what it keeps at most.
fn backward(kept: &[(f64, f64)], parameters: f64, accumulates: bool, waiting: f64) -> Vec<(f64, f64, f64)> {
    let mut activations = 0.0;
    let mut before = 0.0;
    let mut moments = Vec::with_capacity(kept.len());
    for (bytes, own) in kept {
        activations += bytes;
        let gradients = if accumulates { parameters } else { parameters - before * VALUE_BYTES };
        let own = if accumulates { own * VALUE_BYTES } else { 0.0 };
        moments.push((gradients, own + bytes / 2.0, activations + waiting));
        before += own / VALUE_BYTES;
    }
    moments
}
