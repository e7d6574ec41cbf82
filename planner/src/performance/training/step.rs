//! Time of one optimiser step.

use scenarios::model::Model;
use scenarios::strategy::{Sync, Zero};

use super::device::longer;
use super::exchange::Exchanges;
use super::memory::{copies, sharers};
use super::{Constant, Constants, Device, Impossible, Training};
use crate::performance::kernel::{Message, Segment};
use crate::performance::network;
use crate::performance::pipeline::{self, Pipeline, Stage};

/// Time of one optimiser step by parts, in seconds. Parts add up to the step.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Step {
    /// Forward passes of the fullest stage.
    pub forward: f64,
    /// Backward passes of the fullest stage, recomputation included.
    pub backward: f64,
    /// Messages between the ranks of a tensor, context or expert group, not hidden.
    pub layers: f64,
    /// Stages that wait for others, and their messages.
    pub bubble: f64,
    /// Gradients and parameters between replicas, as far as not hidden behind computation.
    pub replicas: f64,
    /// Update of the parameters.
    pub optimizer: f64,
    /// Fixed part of a step.
    pub fixed: f64,
}

impl Step {
    /// The whole step, in seconds.
    #[must_use]
    pub fn total(&self) -> f64 {
        self.forward + self.backward + self.layers + self.bubble + self.replicas + self.optimizer + self.fixed
    }

    /// Parts by name, in the order of a step.
    #[must_use]
    pub const fn parts(&self) -> [(&'static str, f64); 7] {
        [
            ("forward", self.forward),
            ("backward", self.backward),
            ("layer_communication", self.layers),
            ("pipeline_bubble", self.bubble),
            ("gradient_communication", self.replicas),
            ("optimizer", self.optimizer),
            ("fixed", self.fixed),
        ]
    }
}

/// How pipelines are timed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Timing {
    /// By formula, for searches and fits.
    ClosedForm,
    /// By simulation of all passes.
    Simulated,
}

/// Share of a micro-batch's time in which gradients of other layers are ready: the backward pass but for its start.
const BACKWARD_SHARE: f64 = 0.6;

/// Time of one micro-batch in one piece of a network.
#[derive(Debug, Clone, Copy, Default)]
struct Piece {
    forward: f64,
    backward: f64,
    messages: f64,
    parameters: f64,
}

impl Piece {
    fn total(&self) -> f64 {
        self.forward + self.backward + self.messages
    }

    fn add(&mut self, other: &Self, times: f64) {
        self.forward += other.forward * times;
        self.backward += other.backward * times;
        self.messages += other.messages * times;
        self.parameters += other.parameters * times;
    }
}

/// Time of one step of `training`, whose network was lowered to `segments` of one rank.
///
/// # Errors
/// The data sheet lacks the peak.
pub fn step(
    training: &Training,
    segments: &[Segment],
    constants: &Constants,
    timing: Timing,
) -> Result<Step, Impossible> {
    let no_peak = || Impossible::NoPeak { device: training.cluster.device.clone(), precision: training.precision };
    let device = Device::of(&training.cluster, training.precision, *constants).ok_or_else(no_peak)?;
    let exchanges = Exchanges::new(training, constants);
    let launch = constants.get(Constant::Launch);
    let pieces: Vec<Piece> = segments.iter().map(|segment| piece(segment, &device, &exchanges, launch)).collect();
    let stages = stages(segments, &pieces, training);
    let m = training.micro_batches() as f64;
    let slowest = stages.iter().copied().reduce(|a, b| if b.total() > a.total() { b } else { a }).unwrap_or_default();
    let boundary = segments.iter().map(|segment| segment.output_bytes).fold(0.0, f64::max);
    let whole = pipelined(training, &stages, exchanges.stage(boundary), timing)?;
    let parameters = learning(training, stages.iter().map(|stage| stage.parameters).fold(0.0, f64::max));
    let compute = slowest.forward + slowest.backward + slowest.messages;
    Ok(Step {
        forward: m * slowest.forward,
        backward: m * slowest.backward,
        layers: m * slowest.messages,
        bubble: (whole - m * slowest.total()).max(0.0),
        replicas: replicas(training, &exchanges, parameters, compute, constants) + tables(training, &exchanges),
        optimizer: optimizer(training, &device, parameters),
        fixed: constants.get(Constant::Step),
    })
}

/// Time that the fullest stage is busy with all micro-batches, in seconds: no step of these segments is shorter,
/// whatever its schedule and sharding.
///
/// # Errors
/// The data sheet lacks the peak.
pub fn busy_seconds(training: &Training, segments: &[Segment], constants: &Constants) -> Result<f64, Impossible> {
    let no_peak = || Impossible::NoPeak { device: training.cluster.device.clone(), precision: training.precision };
    let device = Device::of(&training.cluster, training.precision, *constants).ok_or_else(no_peak)?;
    let exchanges = Exchanges::new(training, constants);
    let launch = constants.get(Constant::Launch);
    let pieces: Vec<Piece> = segments.iter().map(|segment| piece(segment, &device, &exchanges, launch)).collect();
    let fullest = stages(segments, &pieces, training).iter().map(Piece::total).fold(0.0, f64::max);
    Ok(training.micro_batches() as f64 * fullest + constants.get(Constant::Step))
}

/// Time of one forward pass of a whole network on one rank, in seconds.
///
/// # Errors
/// The data sheet lacks the peak.
pub fn forward_seconds(training: &Training, segments: &[Segment], constants: &Constants) -> Result<f64, Impossible> {
    let no_peak = || Impossible::NoPeak { device: training.cluster.device.clone(), precision: training.precision };
    let device = Device::of(&training.cluster, training.precision, *constants).ok_or_else(no_peak)?;
    let exchanges = Exchanges::new(training, constants);
    let launch = constants.get(Constant::Launch);
    let one = |segment: &Segment| {
        let kernels: f64 = segment.forward.iter().map(|kernel| kernel.count).sum();
        let ahead = |message: &Message| exchanges.message(&Message { backward: 0.0, ..*message });
        let computed = longer(device.total(&segment.forward), kernels * launch);
        segment.repeat * (computed + segment.messages.iter().map(ahead).sum::<f64>())
    };
    Ok(segments.iter().map(one).sum::<f64>() + constants.get(Constant::Step))
}

/// Time of all micro-batches in the pipeline, in seconds.
///
/// Stages of a chunk are taken as equal parts of the device's stage.
fn pipelined(training: &Training, stages: &[Piece], hop: f64, timing: Timing) -> Result<f64, Impossible> {
    let schedule = training.strategy.schedule;
    let chunks = schedule.chunks();
    let part = |piece: &Piece| {
        let share = 1.0 / f64::from(chunks);
        // Messages inside a stage go with its passes, two thirds of them backward.
        let forward = (piece.forward + piece.messages / 3.0) * share;
        Stage { forward, backward: (piece.backward + piece.messages * 2.0 / 3.0) * share, hop }
    };
    let dealt: Vec<Stage> = (0..chunks).flat_map(|_| stages.iter().map(part)).collect();
    let pipeline = Pipeline { schedule, micro_batches: training.micro_batches(), stages: &dealt };
    let seconds = match timing {
        Timing::ClosedForm => pipeline::closed_form(&pipeline),
        Timing::Simulated => pipeline::simulate(&pipeline).map(|timeline| timeline.step_seconds),
    };
    seconds.map_err(|error| Impossible::Model(error.to_string()))
}

/// The host starts kernels ahead of the device: whichever takes longer decides, and both passes grow alike.
fn piece(segment: &Segment, device: &Device, exchanges: &Exchanges, launch: f64) -> Piece {
    let parts = Piece {
        forward: device.total(&segment.forward),
        backward: device.total(&segment.backward),
        messages: segment.messages.iter().map(|message| exchanges.message(message)).sum(),
        parameters: segment.parameters,
    };
    let kernels: f64 = segment.forward.iter().chain(&segment.backward).map(|kernel| kernel.count).sum();
    let host = kernels * launch;
    let whole = parts.forward + parts.backward;
    let grown = if whole > 0.0 { longer(whole, host) / whole } else { 1.0 };
    Piece { forward: parts.forward * grown, backward: parts.backward * grown, ..parts }
}

/// What the pipeline's stages take for a micro-batch.
fn stages(segments: &[Segment], pieces: &[Piece], training: &Training) -> Vec<Piece> {
    let count = training.strategy.pipeline.get();
    let stage = |at| {
        let mut stage = Piece::default();
        for (index, (segment, piece)) in segments.iter().zip(pieces).enumerate() {
            stage.add(piece, copies(segment, index, at, count));
        }
        stage
    };
    (0..count).map(stage).collect()
}

/// Parameters of the fullest stage that are summed over replicas and updated by the optimiser: a recommender's tables are
/// updated where their rows are read.
fn learning(training: &Training, parameters: f64) -> f64 {
    match &training.model {
        Model::Dlrm(network) => network.dense_parameters() as f64,
        _ => parameters,
    }
}

/// Exchange between replicas that is not hidden: gradients, and under ZeRO parameters.
fn replicas(training: &Training, exchanges: &Exchanges, parameters: f64, compute: f64, constants: &Constants) -> f64 {
    let strategy = &training.strategy;
    if training.frozen || strategy.data.saturating_mul(strategy.context).get() == 1 {
        return 0.0;
    }
    let value = if training.precision.is_mixed() { 2.0 } else { 4.0 };
    let bytes = parameters * value;
    let exposed = constants.get(Constant::Exposed).min(1.0);
    // What is not hidden grows from `exposed` of a short exchange to all but the computation of a long one.
    let hidden = |time: f64, behind: f64| longer(exposed * time, (time - behind).max(0.0));
    let m = training.micro_batches() as f64;
    match (strategy.sync, strategy.zero) {
        (Sync::Averaging { every_steps }, _) => exchanges.all_reduce(parameters * 4.0) / f64::from(every_steps.get()),
        (Sync::ParameterServer { servers, staleness }, _) => {
            let workers = vec![m * compute; strategy.data.get() as usize];
            exchanges.servers(&workers, servers.get(), staleness, bytes)
        }
        (Sync::AllReduce, Zero::Parameters) => {
            // Parameters are gathered forward and again backward.
            let gathers = 2.0 * exchanges.gather(bytes);
            m * hidden(gathers + exchanges.scatter(bytes), compute)
        }
        (Sync::AllReduce, _) => hidden(exchanges.all_reduce(bytes), BACKWARD_SHARE * compute),
    }
}

/// Embeddings and their gradients between the ranks that hold a recommender's tables.
fn tables(training: &Training, exchanges: &Exchanges) -> f64 {
    if !matches!(training.model, Model::Dlrm(_)) {
        return 0.0;
    }
    let volumes = network::exchanged(&training.model, training.micro_batch() as f64, training.precision);
    let sent =
        volumes.map_or(0.0, |volumes| exchanges.all_to_all_of_replicas(volumes.all_to_all_bytes, volumes.all_to_alls));
    training.micro_batches() as f64 * sent
}

/// Update of the parameters: gradient, parameter and moments are read and written once.
fn optimizer(training: &Training, device: &Device, parameters: f64) -> f64 {
    if training.frozen {
        return 0.0;
    }
    let shared = match training.strategy.zero {
        Zero::Replicated => 1.0,
        _ => f64::from(sharers(&training.strategy)),
    };
    device.pass(parameters / shared * (2.0 * training.optimizer_bytes + 10.0))
}
