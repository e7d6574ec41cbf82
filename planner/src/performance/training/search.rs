//! Search for the fastest strategy that fits.

use std::num::NonZeroU32;

use scenarios::strategy::{Recompute, Schedule, Strategy, Zero};

use super::memory;
use super::{Constants, Memory, Step, Timing, Training, lower, step};

/// A strategy with its prediction.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Found {
    /// How the training is spread.
    pub strategy: Strategy,
    /// Time of a step by parts.
    pub step: Step,
    /// Memory of the fullest device.
    pub memory: Memory,
}

/// What a search has seen.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Search {
    /// Strategies that fit, the fastest first; of equals, the one with less memory.
    pub found: Vec<Found>,
    /// Strategies that are possible.
    pub possible: usize,
    /// Of these, those that need more memory than a device has.
    pub too_large: usize,
}

/// Largest micro-batch that is tried.
const MOST_RECORDS: u64 = 1024;
/// Most chunks of layers in a stage that are tried.
const MOST_CHUNKS: u32 = 16;

/// Predicts every strategy for `training` (whose own strategy counts for nothing): tensor groups inside a machine, all
/// numbers of stages, micro-batches by powers of two, interleaving, ZeRO, recomputation.
#[must_use]
pub fn search(training: &Training, constants: &Constants) -> Search {
    let mut search = Search::default();
    for strategy in layouts(training) {
        for strategy in variants(training, strategy) {
            let candidate = Training { strategy, ..training.clone() };
            if candidate.check().is_err() {
                continue;
            }
            let Ok(segments) = lower(&candidate) else { continue };
            search.possible += 1;
            let memory = memory::of(&candidate, &segments);
            if !memory.fits(training.cluster.memory_bytes) {
                search.too_large += 1;
                continue;
            }
            if let Ok(step) = step::step(&candidate, &segments, constants, Timing::ClosedForm) {
                search.found.push(Found { strategy, step, memory });
            }
        }
    }
    let key = |found: &Found| (found.step.total(), found.memory.total());
    search.found.sort_by(|a, b| key(a).0.total_cmp(&key(b).0).then(key(a).1.total_cmp(&key(b).1)));
    search
}

/// Divisors of a number up to a limit.
fn divisors(of: u32, most: u32) -> impl Iterator<Item = NonZeroU32> {
    (1..=of.min(most)).filter(move |n| of.is_multiple_of(*n)).filter_map(NonZeroU32::new)
}

/// Tensor, pipeline and data parallelism that fill the cluster.
pub(super) fn layouts(training: &Training) -> Vec<Strategy> {
    let devices = training.cluster.devices();
    let (most_tensor, most_stages) = match training.transformer() {
        Some(model) => (training.cluster.devices_per_node, model.layers.get().min(devices as usize) as u32),
        None => (1, 1),
    };
    let mut list = Vec::new();
    for tensor in divisors(devices, most_tensor) {
        for pipeline in divisors(devices / tensor, most_stages) {
            let Some(data) = NonZeroU32::new(devices / tensor / pipeline) else { continue };
            list.push(Strategy { data, tensor, pipeline, sequence: tensor.get() > 1, ..Strategy::SINGLE });
        }
    }
    list
}

/// Micro-batches, schedules, sharding and recomputation of one layout.
fn variants(training: &Training, layout: Strategy) -> Vec<Strategy> {
    let zeros: &[Zero] = match (layout.data.get(), layout.pipeline.get()) {
        (1, _) => &[Zero::Replicated],
        (_, 1) => &[Zero::Replicated, Zero::Optimizer, Zero::Gradients, Zero::Parameters],
        _ => &[Zero::Replicated, Zero::Optimizer],
    };
    let recomputes: &[Recompute] = match training.transformer() {
        None => &[Recompute::None],
        Some(_) => &[Recompute::None, Recompute::Selective, Recompute::Full],
    };
    let mut list = Vec::new();
    for micro in micro_batches(training, &layout) {
        for schedule in schedules(training, layout) {
            for (zero, recompute) in zeros.iter().flat_map(|zero| recomputes.iter().map(move |r| (*zero, *r))) {
                let micro_batch = NonZeroU32::new(micro);
                list.push(Strategy { micro_batch, schedule, zero, recompute, ..layout });
            }
        }
    }
    list
}

/// A replica's share of the batch, its halves as long as they are whole, and powers of two that divide it, ascending.
pub(super) fn micro_batches(training: &Training, layout: &Strategy) -> Vec<u32> {
    let share = training.global_batch / u64::from(layout.data.get());
    let powers = (0..=10).map(|power| 1_u64 << power).filter(|micro| share.is_multiple_of(*micro));
    let halves = powers.clone().map(|parts| share / parts);
    let mut list: Vec<u64> = powers.chain(halves).filter(|micro| (1..=MOST_RECORDS).contains(micro)).collect();
    list.sort_unstable();
    list.dedup();
    list.into_iter().map(|micro| micro as u32).collect()
}

/// 1F1B, and interleaved where layers divide into chunks.
pub(super) fn schedules(training: &Training, layout: Strategy) -> Vec<Schedule> {
    let mut list = vec![Schedule::OneForwardOneBackward];
    if let Some(model) = training.transformer().filter(|_| layout.pipeline.get() > 1) {
        let layers = model.layers.get() as u32;
        if layers.is_multiple_of(layout.pipeline.get()) {
            let chunks = divisors(layers / layout.pipeline.get(), MOST_CHUNKS).skip(1);
            list.extend(chunks.map(|chunks| Schedule::Interleaved { chunks }));
        }
    }
    list
}
