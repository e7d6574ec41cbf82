//! Memory of the fullest device.

use scenarios::strategy::{Recompute, Schedule, Strategy, Zero};

use super::Training;
use crate::performance::kernel::Segment;

/// Bytes of one device by use.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Memory {
    /// Parameters in the format that computes.
    pub parameters: f64,
    /// Gradients.
    pub gradients: f64,
    /// 32-bit copies of parameters, and moments.
    pub optimizer: f64,
    /// What forward passes keep for backward passes.
    pub activations: f64,
    /// Logits and their gradient.
    pub logits: f64,
    /// Buffers: gathered layers, recomputed layers, gradients of activations.
    pub buffers: f64,
    /// Stage that is fullest, from 0.
    pub stage: u32,
}

impl Memory {
    /// Sum of all, in bytes.
    #[must_use]
    pub fn total(&self) -> f64 {
        self.parameters + self.gradients + self.optimizer + self.activations + self.logits + self.buffers
    }

    /// Whether a device of `bytes` holds all, [`RESERVE`] left free.
    #[must_use]
    pub fn fits(&self, bytes: f64) -> bool {
        self.total() <= (1.0 - RESERVE) * bytes
    }

    /// Parts by name.
    #[must_use]
    pub const fn parts(&self) -> [(&'static str, f64); 6] {
        [
            ("parameters", self.parameters),
            ("gradients", self.gradients),
            ("optimizer", self.optimizer),
            ("activations", self.activations),
            ("logits", self.logits),
            ("buffers", self.buffers),
        ]
    }
}

/// Share of a device's memory that is kept free: context of the driver, communication buffers, fragments.
pub const RESERVE: f64 = 0.05;

/// Memory of the fullest stage's devices.
#[must_use]
pub fn of(training: &Training, segments: &[Segment]) -> Memory {
    let stages = training.strategy.pipeline.get();
    let all = (0..stages).map(|stage| of_stage(training, segments, stage));
    all.reduce(|a, b| if b.total() > a.total() { b } else { a }).unwrap_or_default()
}

/// Ranks that share states under ZeRO: data and context parallel ones.
pub(super) fn sharers(strategy: &Strategy) -> u32 {
    strategy.shard.unwrap_or(strategy.data.saturating_mul(strategy.context)).get()
}

/// Bytes of a parameter's copies: what computes, its gradient, and what the optimiser keeps.
///
/// Mixed precision without sharding, as Megatron keeps it: 2 + 4 + 4 + 8 = 18 bytes, with ZeRO-1 6 + 12/d; 32 bits: 4 + 4 + 8.
/// ZeRO-3 as PyTorch's FSDP keeps it: 32-bit shards of everything, 16/d.
fn states(training: &Training, parameters: f64) -> [f64; 3] {
    let strategy = &training.strategy;
    let shard = f64::from(sharers(strategy));
    let mixed = training.precision.is_mixed();
    let over = |stage: Zero| if strategy.zero >= stage { shard } else { 1.0 };
    if training.frozen {
        return [2.0 * parameters / over(Zero::Parameters), 0.0, 0.0];
    }
    let (computing, gradient, copies) = match (mixed, strategy.zero) {
        (true, Zero::Replicated | Zero::Optimizer | Zero::Gradients) => (2.0, 4.0, 4.0 + training.optimizer_bytes),
        (true, Zero::Parameters) | (false, _) => (4.0, 4.0, training.optimizer_bytes),
    };
    [
        computing * parameters / over(Zero::Parameters),
        gradient * parameters / over(Zero::Gradients),
        copies * parameters / over(Zero::Optimizer),
    ]
}

fn of_stage(training: &Training, segments: &[Segment], stage: u32) -> Memory {
    let stages = training.strategy.pipeline.get();
    let (mut parameters, mut saved, mut logits, mut largest) = (0.0, 0.0, 0.0, 0.0_f64);
    let (mut layer_parameters, mut outer_parameters) = (0.0_f64, 0.0_f64);
    for (index, segment) in segments.iter().enumerate() {
        let copies = copies(segment, index, stage, stages);
        parameters += copies * segment.parameters;
        if segment.name == "head" {
            logits += copies * segment.saved_bytes;
        } else {
            saved += copies * segment.saved_bytes;
        }
        if copies > 0.0 {
            largest = largest.max(segment.output_bytes);
            layer_parameters = layer_parameters.max(segment.parameters);
            if segment.repeat <= 1.0 {
                outer_parameters = outer_parameters.max(segment.parameters);
            }
        }
    }
    let whole = parameters;
    let [parameters, gradients, optimizer] = states(training, parameters);
    let gathered = match (training.strategy.zero, stages) {
        // Two layers: one computes, the next arrives.
        (Zero::Parameters, 1) => 2.0 * 2.0 * layer_parameters,
        // A stage keeps its parameters and gradients whole between micro-batches.
        (Zero::Parameters, _) => (2.0 + 4.0) * whole,
        // The gradient of the vocabulary's matrix is made beside the sum that it is added to.
        _ if training.frozen => 0.0,
        _ => 4.0 * outer_parameters,
    };
    Memory {
        parameters,
        gradients,
        optimizer,
        activations: saved * in_flight(training, stage),
        logits,
        buffers: gathered + 2.0 * largest + live_layer(training, segments),
        stage,
    }
}

/// Copies of a network's segment that a stage holds: layers as many as others, the middle stages one more where they
/// don't divide; what stands before the layers in the first stage, what stands behind them in the last.
pub(super) fn copies(segment: &Segment, index: usize, stage: u32, stages: u32) -> f64 {
    if segment.repeat <= 1.0 {
        let here = if index == 0 { stage == 0 } else { stage + 1 == stages };
        return f64::from(u8::from(here)) * segment.repeat;
    }
    let (layers, p) = (segment.repeat as u32, stages);
    let rest = layers % p;
    let first = (p - rest).div_ceil(2);
    f64::from(layers / p + u32::from(rest > 0 && stage >= first && stage < first + rest))
}

/// Micro-batches whose activations a stage holds at once: all in GPipe, those of the stages that follow in 1F1B,
/// 1 + (p − 1)/(p·v) times as many where it is interleaved (Megatron).
fn in_flight(training: &Training, stage: u32) -> f64 {
    let m = training.micro_batches() as f64;
    let p = f64::from(training.strategy.pipeline.get());
    match training.strategy.schedule {
        Schedule::Gpipe => m,
        Schedule::OneForwardOneBackward => (p - f64::from(stage)).min(m),
        Schedule::Interleaved { chunks } => {
            let more = 1.0 + (p - 1.0) / (p * f64::from(chunks.get()));
            ((p - f64::from(stage)) * more).min(m)
        }
    }
}

/// A layer that is computed again holds all its activations for a moment.
fn live_layer(training: &Training, segments: &[Segment]) -> f64 {
    if training.strategy.recompute == Recompute::None {
        return 0.0;
    }
    let mut strategy = training.strategy;
    strategy.recompute = Recompute::None;
    let whole = Training { strategy, ..training.clone() };
    let kept = |segments: &[Segment]| segments.get(1).map_or(0.0, |segment| segment.saved_bytes);
    super::lower(&whole).map_or(0.0, |lowered| (kept(&lowered) - kept(segments)).max(0.0))
}

impl Training {
    /// Whether the training fits its devices' memory.
    #[must_use]
    pub fn fits(&self) -> bool {
        super::lower(self).is_ok_and(|segments| of(self, &segments).fits(self.cluster.memory_bytes))
    }
}
