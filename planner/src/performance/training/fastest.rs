//! The fastest strategy that fits, among those that are allowed, without predicting all of them.

use std::num::NonZeroU32;

use scenarios::scenario::Strategies;
use scenarios::strategy::{Recompute, Schedule, Strategy, Zero};

use super::search::{Found, layouts, micro_batches, schedules};
use super::step::{Timing, busy_seconds, step};
use super::{Constants, Memory, Training, lower, memory};
use crate::performance::kernel::Segment;

/// Strategies that a search may choose from; `None` allows all.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Allowed {
    /// Numbers of data-parallel replicas.
    pub data: Option<Vec<NonZeroU32>>,
    /// Numbers of tensor-parallel ranks.
    pub tensor: Option<Vec<NonZeroU32>>,
    /// Numbers of pipeline stages.
    pub pipeline: Option<Vec<NonZeroU32>>,
    /// Stages of ZeRO.
    pub zero: Option<Vec<Zero>>,
    /// Kinds of recomputation.
    pub recompute: Option<Vec<Recompute>>,
    /// Whether ranks may not exchange activations, so that they share no matrices and no layers.
    pub without_activations: bool,
}

impl From<&Strategies> for Allowed {
    fn from(strategies: &Strategies) -> Self {
        Self {
            data: strategies.data.clone(),
            tensor: strategies.tensor.clone(),
            pipeline: strategies.pipeline.clone(),
            zero: strategies.zero.clone(),
            recompute: strategies.recompute.clone(),
            without_activations: false,
        }
    }
}

impl Allowed {
    /// Whether a strategy is one of those that are allowed.
    #[must_use]
    pub fn admits(&self, strategy: &Strategy) -> bool {
        self.layout(strategy)
            && is_in(self.zero.as_ref(), &strategy.zero)
            && is_in(self.recompute.as_ref(), &strategy.recompute)
    }

    fn layout(&self, layout: &Strategy) -> bool {
        let shared = layout.tensor.get() > 1 || layout.pipeline.get() > 1;
        is_in(self.data.as_ref(), &layout.data)
            && is_in(self.tensor.as_ref(), &layout.tensor)
            && is_in(self.pipeline.as_ref(), &layout.pipeline)
            && !(shared && self.without_activations)
    }
}

fn is_in<T: PartialEq>(list: Option<&Vec<T>>, value: &T) -> bool {
    list.is_none_or(|list| list.contains(value))
}

/// What a search for the fastest strategy has found.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Fastest {
    /// The fastest strategy that fits.
    pub found: Option<Found>,
    /// Of what does not fit, the least memory of a device.
    pub least: Option<Memory>,
    /// Strategies that were weighed up.
    pub possible: u64,
}

/// The fastest allowed strategy that fits: what [`super::search()`] has first, where all are allowed.
///
/// Two facts save most predictions. Recomputing takes longer and needs less memory, so that it is tried only where the
/// same strategy without it does not fit. And no step is shorter than its fullest stage is busy, whatever schedule and
/// sharding.
#[must_use]
pub fn fastest(training: &Training, constants: &Constants, allowed: &Allowed) -> Fastest {
    let mut search = Fastest::default();
    for layout in layouts(training).into_iter().filter(|layout| allowed.layout(layout)) {
        let mut sizes = micro_batches(training, &layout);
        sizes.reverse();
        for micro_batch in sizes {
            let layout = Strategy { micro_batch: NonZeroU32::new(micro_batch), ..layout };
            search.try_layout(training, constants, allowed, layout);
        }
    }
    search
}

impl Fastest {
    /// Tries a layout with one micro-batch, with as little recomputation as fits.
    fn try_layout(&mut self, training: &Training, constants: &Constants, allowed: &Allowed, layout: Strategy) {
        let mut open: Vec<(Schedule, Zero)> = Vec::new();
        for schedule in schedules(training, layout) {
            open.extend(zeros(&layout, allowed).into_iter().map(|zero| (schedule, zero)));
        }
        for recompute in recomputes(training, allowed) {
            let mut candidate = Training { strategy: Strategy { recompute, ..layout }, ..training.clone() };
            if candidate.check().is_err() {
                return;
            }
            let Ok(segments) = lower(&candidate) else { return };
            let Ok(busy) = busy_seconds(&candidate, &segments, constants) else { return };
            if self.found.is_some_and(|found| found.step.total() <= busy) {
                self.possible += open.len() as u64;
                return;
            }
            open.retain(|(schedule, zero)| {
                candidate.strategy = Strategy { schedule: *schedule, zero: *zero, recompute, ..layout };
                !self.try_one(&candidate, &segments, constants)
            });
            if open.is_empty() {
                return;
            }
        }
    }

    /// Predicts one strategy; whether it fits.
    fn try_one(&mut self, training: &Training, segments: &[Segment], constants: &Constants) -> bool {
        if training.check().is_err() {
            return false;
        }
        self.possible += 1;
        let memory = memory::of(training, segments);
        if !memory.fits(training.cluster.memory_bytes) {
            if self.least.is_none_or(|least| memory.total() < least.total()) {
                self.least = Some(memory);
            }
            return false;
        }
        let Ok(step) = step(training, segments, constants, Timing::ClosedForm) else { return true };
        let found = Found { strategy: training.strategy, step, memory };
        let key = |found: &Found| (found.step.total(), found.memory.total());
        let is_better = self.found.is_none_or(|best| key(&found) < key(&best));
        if is_better && step.total().is_finite() {
            self.found = Some(found);
        }
        true
    }
}

/// Stages of ZeRO that are worth a prediction: those that share gradients only where less does not do.
fn zeros(layout: &Strategy, allowed: &Allowed) -> Vec<Zero> {
    let all: &[Zero] = match (layout.data.get(), layout.pipeline.get()) {
        (1, _) => &[Zero::Replicated],
        (_, 1) => &[Zero::Replicated, Zero::Optimizer, Zero::Gradients, Zero::Parameters],
        _ => &[Zero::Replicated, Zero::Optimizer],
    };
    all.iter().copied().filter(|zero| is_in(allowed.zero.as_ref(), zero)).collect()
}

/// Kinds of recomputation from the least.
fn recomputes(training: &Training, allowed: &Allowed) -> Vec<Recompute> {
    let all: &[Recompute] = match training.transformer() {
        None => &[Recompute::None],
        Some(_) => &[Recompute::None, Recompute::Selective, Recompute::Full],
    };
    all.iter().copied().filter(|recompute| is_in(allowed.recompute.as_ref(), recompute)).collect()
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::{Cluster, search};
    use super::*;
    use crate::performance::calibration::bundled;
    use scenarios::catalog::Catalog;
    use scenarios::model::find_alias;
    use scenarios::precision::Precision;

    /// Training of a preset in 16 bits with Adam.
    pub(in super::super) fn training(model: &str, device: &str, nodes: u32, devices: u32, batch: u64) -> Training {
        let sheet = Catalog::bundled().accelerator(device).expect("a data sheet");
        Training {
            model: find_alias(model).expect("a preset").model(),
            strategy: Strategy::SINGLE,
            global_batch: batch,
            precision: Precision::Fp16,
            optimizer_bytes: 8.0,
            fused_attention: true,
            frozen: false,
            cluster: Cluster::new(sheet, nodes, devices, Some(50e9)),
        }
    }

    #[test]
    fn the_fastest_is_the_first_of_all() {
        let check = |model: &str, device: &str, nodes: u32, devices: u32, batch: u64| {
            let training = training(model, device, nodes, devices, batch);
            let constants = bundled().constants(&training, "");
            let all = search(&training, &constants);
            let found = fastest(&training, &constants, &Allowed::default());
            let time = |found: &Found| found.step.total();
            let (best, first) = (found.found.as_ref().map(time), all.found.first().map(time));
            assert_eq!(best, first, "{model} {device} {nodes}×{devices}");
            assert_eq!(found.found.is_none(), all.found.is_empty(), "{model}");
        };
        for (nodes, devices) in [(1, 1), (1, 4), (1, 8), (2, 8), (4, 8)] {
            check("gpt3-13b", "A100-80GB", nodes, devices, 512);
            check("bert-large", "V100", nodes, devices, 256);
            check("resnet50", "T4", nodes, devices, 256);
            check("llama-33b", "H100", nodes, devices, 64);
        }
    }

    #[test]
    fn only_allowed_strategies_are_found() {
        let training = training("gpt3-13b", "A100-80GB", 2, 8, 512);
        let constants = bundled().constants(&training, "");
        let n = |value: u32| NonZeroU32::new(value).expect("not zero");
        let check = |allowed: Allowed, holds: fn(&Strategy) -> bool| {
            let found = fastest(&training, &constants, &allowed).found.expect("something fits");
            assert!(holds(&found.strategy), "{allowed:?}: {}", found.strategy);
        };
        let all = Allowed::default;
        check(Allowed { data: Some(vec![n(2)]), ..all() }, |s| s.data.get() == 2);
        check(Allowed { tensor: Some(vec![n(4)]), ..all() }, |s| s.tensor.get() == 4);
        check(Allowed { pipeline: Some(vec![n(8)]), ..all() }, |s| s.pipeline.get() == 8);
        check(Allowed { zero: Some(vec![Zero::Parameters]), ..all() }, |s| s.zero == Zero::Parameters);
        check(Allowed { recompute: Some(vec![Recompute::Full]), ..all() }, |s| s.recompute == Recompute::Full);
        check(Allowed { without_activations: true, ..all() }, |s| s.data.get() == 16);
    }

    #[test]
    fn what_is_missing_is_told() {
        let training = training("llama-33b", "T4", 1, 4, 64);
        let constants = bundled().constants(&training, "");
        let search = fastest(&training, &constants, &Allowed::default());
        assert!(search.found.is_none() && search.least.is_some_and(|least| least.total() > 16e9), "{search:?}");
    }
}
