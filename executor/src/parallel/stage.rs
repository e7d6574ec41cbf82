//! What one rank holds of a network, and its passes over the micro-batches of a step.

use std::cell::RefCell;
use std::collections::HashMap;

use burn::module::Module;
use burn::tensor::{Device, FloatDType, Tensor};
use scenarios::model::pieces::balanced;
use scenarios::strategy::{Schedule, Strategy};

use super::bucket;
use super::exchange::{Buckets, Exchange, Learned, Pass, Round};
use super::precision::working;
use super::schedule::{Task, tasks};
use super::tape::{Backflow, Behind, Meeting, Output, Segment, Tape, backward, forward, infer, segments};
use super::topology::Topology;
use super::wire::{packed, packed_flow, unpacked, unpacked_flow};
use crate::data::Batch;
use crate::model::build::Share;
use crate::model::loss::{Loss, loss};
use crate::model::{Alone, Description, Flow, Group, Network, Part};
use crate::train::{Phase, StepClock};
use crate::transport::{Reduction, Transport, TransportError};

/// The parts of a network that a rank holds: one, or several chunks of an interleaved pipeline.
#[derive(Module, Debug)]
pub struct Held {
    /// From the first pieces to the last.
    pub chunks: Vec<Network>,
}

impl Held {
    /// Takes over the running figures of a copy that has learned.
    fn follow(&self, copy: &Self) {
        self.chunks.iter().zip(&copy.chunks).for_each(|(own, copy)| own.follow(copy, 0..own.pieces().len()));
    }

    /// The same, leaving nothing in its place.
    #[must_use]
    pub fn take(&mut self) -> Self {
        Self { chunks: std::mem::take(&mut self.chunks) }
    }
}

/// A rank's part of the work of a step.
#[derive(Debug)]
pub struct Stage {
    description: Description,
    device: Device,
    segments: Vec<Vec<Segment>>,
    schedule: Schedule,
    chunks: usize,
    /// Format that passes compute in while the network learns.
    format: FloatDType,
    /// Whether replicas are one batch: they meet in batch statistics.
    together: bool,
}

/// What losses count.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scale {
    /// One over the units that a mean is taken of.
    pub loss: f64,
    /// What gradients are scaled up by on their way back, and down by at its end.
    pub up: f64,
}

/// What comes of a rank's passes of a step.
pub struct Passed {
    /// Gradients of the parameters that it holds.
    pub learned: Learned,
    /// Sum of the losses `[1]` of its records, in ranks of the last stage.
    pub loss: Option<Tensor<1>>,
    /// Right answers `[1]`, in ranks of the last stage.
    pub right: Option<Tensor<1>>,
}

impl Stage {
    /// A rank's part of a network, with initial parameters drawn by `seed`, whose gradients are exchanged in `buckets`
    /// and computed in `format`. Replicas meet in batch statistics if they are `together`.
    #[must_use]
    pub fn new(
        description: &Description,
        (strategy, buckets): (&Strategy, Buckets),
        topology: &Topology,
        (together, format): (bool, FloatDType),
        (seed, device): (u64, &Device),
    ) -> (Self, Held) {
        let chunks = if topology.shape.stages > 1 { strategy.schedule.chunks() as usize } else { 1 };
        let runs = balanced(&description.work(), topology.shape.stages * chunks);
        let share = Share { rank: topology.place.tensor, of: topology.shape.tensor };
        let own = runs.into_iter().skip(topology.place.stage).step_by(topology.shape.stages);
        let parts = own.map(|pieces| Network::new(description, Part { pieces, share }, seed, device));
        let held = Held { chunks: parts.collect() };
        let meetings = Meetings::new(topology, together);
        let cut = |network: &Network| {
            let cuts = if Exchange::cuts(strategy) { bucket::cuts(network, buckets.bytes) } else { Vec::new() };
            segments(network, meetings.meeting(), strategy.recompute, &cuts)
        };
        let stage = Self {
            description: description.clone(),
            device: device.clone(),
            segments: held.chunks.iter().map(cut).collect(),
            schedule: strategy.schedule,
            chunks,
            format,
            together,
        };
        (stage, held)
    }

    /// Passes over the micro-batches of a step, whose losses count as `scale` says.
    ///
    /// # Errors
    /// Another rank has left or hangs.
    pub fn learn(
        &self,
        held: &Held,
        topology: &Topology,
        micros: &[Batch],
        scale: Scale,
        (exchange, clock): (&mut Exchange, &mut StepClock),
    ) -> Result<Passed, TransportError> {
        let meetings = Meetings::new(topology, self.together);
        let copy = working(held, self.format);
        let mut passes = Passes {
            stage: self,
            held: copy.as_ref().unwrap_or(held),
            topology,
            meeting: meetings.meeting(),
            micros,
            scale: scale.loss * scale.up,
            clock,
            tapes: HashMap::new(),
            round: exchange.step(1.0 / scale.up),
            loss: None,
            right: None,
        };
        let own = topology.place.stage;
        for task in tasks(self.schedule, own, topology.shape.stages, micros.len()) {
            passes.run(task)?;
            let phase = if task.backward { Phase::Backward } else { Phase::Forward };
            passes.clock.lap(phase);
            meetings.check()?;
            topology.world.alive();
        }
        let Passes { round, clock, loss, right, .. } = passes;
        if let Some(copy) = &copy {
            held.follow(copy);
        }
        Ok(Passed { learned: round.finish(clock)?, loss, right })
    }

    /// Passes over micro-batches without learning: what the network gives, in ranks of the last stage.
    ///
    /// # Errors
    /// Another rank has left or hangs.
    pub fn infer(&self, held: &Held, topology: &Topology, batch: Batch) -> Result<Option<Flow>, TransportError> {
        let meetings = Meetings::new(topology, false);
        let (stages, own) = (topology.shape.stages, topology.place.stage);
        let mut inputs = Some(batch.inputs);
        for (chunk, network) in held.chunks.iter().enumerate() {
            let at = chunk * stages + own;
            let entering = match (at, inputs.take()) {
                (0, Some(inputs)) => self.description.start(inputs),
                _ => unpacked_flow(&topology.stages.receive((at - 1) % stages, at as u64)?, &self.device),
            };
            let out = infer(network, meetings.meeting(), entering);
            meetings.check()?;
            if at + 1 == stages * self.chunks {
                return Ok(Some(out));
            }
            topology.stages.send((at + 1) % stages, at as u64 + 1, packed_flow(out))?;
        }
        Ok(None)
    }

    /// Loss of records without learning, in ranks of the last stage.
    ///
    /// # Errors
    /// Another rank has left or hangs.
    pub fn validate(&self, held: &Held, topology: &Topology, batch: Batch) -> Result<Option<Loss>, TransportError> {
        let targets = batch.targets.clone();
        let output = self.infer(held, topology, batch)?;
        let meetings = Meetings::new(topology, false);
        let pass = meetings.meeting().pass(false, false);
        Ok(output.map(|output| loss(&self.description, output, targets, &pass)))
    }
}

/// A group over a transport. A pass can't fail, so a failure is kept until it has ended.
pub(crate) struct Met<'a> {
    transport: &'a dyn Transport,
    failed: RefCell<Option<TransportError>>,
}

impl<'a> Met<'a> {
    pub(crate) fn new(transport: &'a dyn Transport) -> Self {
        Self { transport, failed: RefCell::new(None) }
    }

    fn reduce(&self, values: &mut Vec<f32>, reduction: Reduction) {
        if self.failed.borrow().is_some() {
            return;
        }
        if let Err(error) = self.transport.all_reduce(values, reduction) {
            *self.failed.borrow_mut() = Some(error);
        }
    }
}

impl Group for Met<'_> {
    fn size(&self) -> usize {
        self.transport.size()
    }

    fn rank(&self) -> usize {
        self.transport.rank()
    }

    fn sum(&self, values: &mut Vec<f32>) {
        self.reduce(values, Reduction::Sum);
    }

    fn greatest(&self, values: &mut Vec<f32>) {
        self.reduce(values, Reduction::Greatest);
    }
}

/// Groups of a pass.
struct Meetings<'a> {
    tensor: Met<'a>,
    replicas: Met<'a>,
    together: bool,
}

impl<'a> Meetings<'a> {
    fn new(topology: &'a Topology, together: bool) -> Self {
        Self { tensor: Met::new(&*topology.tensor), replicas: Met::new(&*topology.replicas), together }
    }

    fn meeting(&self) -> Meeting<'_> {
        let replicas: &dyn Group = if self.together { &self.replicas } else { &Alone };
        Meeting { tensor: &self.tensor, replicas }
    }

    fn check(&self) -> Result<(), TransportError> {
        let failed = self.tensor.failed.borrow_mut().take().or_else(|| self.replicas.failed.borrow_mut().take());
        failed.map_or(Ok(()), Err)
    }
}

/// The passes of one step.
struct Passes<'a> {
    stage: &'a Stage,
    held: &'a Held,
    topology: &'a Topology,
    meeting: Meeting<'a>,
    micros: &'a [Batch],
    scale: f64,
    clock: &'a mut StepClock,
    tapes: HashMap<(usize, usize), Tape>,
    round: Round<'a>,
    loss: Option<Tensor<1>>,
    right: Option<Tensor<1>>,
}

impl Passes<'_> {
    fn run(&mut self, Task { chunk, micro, backward }: Task) -> Result<(), TransportError> {
        if backward { self.backward(chunk, micro) } else { self.forward(chunk, micro) }
    }

    /// Number of a chunk among those of all stages.
    const fn number(&self, chunk: usize) -> usize {
        chunk * self.topology.shape.stages + self.topology.place.stage
    }

    const fn is_last(&self, number: usize) -> bool {
        number + 1 == self.topology.shape.stages * self.stage.chunks
    }

    /// What marks what goes from a chunk to the next, or back.
    const fn tag(&self, number: usize, micro: usize, back: bool) -> u64 {
        ((micro * self.topology.shape.stages * self.stage.chunks + number) * 2 + back as usize) as u64
    }

    fn forward(&mut self, chunk: usize, micro: usize) -> Result<(), TransportError> {
        let (number, network) = (self.number(chunk), &self.held.chunks[chunk]);
        let entering = if number == 0 {
            self.stage.description.start(self.micros[micro].inputs.clone()).cast(self.stage.format)
        } else {
            let values = self.receive(number - 1, self.tag(number - 1, micro, false))?;
            unpacked_flow(&values, &self.stage.device)
        };
        let targets = self.is_last(number).then_some(&self.micros[micro].targets);
        let (tape, output) = forward(network, &self.stage.segments[chunk], self.meeting, entering, targets);
        self.tapes.insert((chunk, micro), tape);
        match output {
            Output::Values(flow) => self.send(number + 1, self.tag(number, micro, false), packed_flow(flow)),
            Output::Loss(Loss { sum, right }) => {
                let add =
                    |before: Option<Tensor<1>>, more: Tensor<1>| Some(before.map_or(more.clone(), |sum| sum + more));
                self.loss = add(self.loss.take(), sum);
                self.right = add(self.right.take(), right);
                Ok(())
            }
        }
    }

    fn backward(&mut self, chunk: usize, micro: usize) -> Result<(), TransportError> {
        let number = self.number(chunk);
        let behind = if self.is_last(number) {
            Behind::Loss { targets: &self.micros[micro].targets, scale: self.scale }
        } else {
            let values = self.receive(number + 1, self.tag(number, micro, true))?;
            Behind::Values(unpacked(&values, &self.stage.device.clone().inner()))
        };
        let Some(tape) = self.tapes.remove(&(chunk, micro)) else { unreachable!("a forward pass comes first") };
        let (held, round, clock) = (self.held, &mut self.round, &mut *self.clock);
        let (network, segments) = (&held.chunks[chunk], &self.stage.segments[chunk]);
        let pass = Pass { chunk, is_last: micro + 1 == self.micros.len() };
        let back: Backflow = backward(network, segments, self.meeting, tape, behind, |first_piece, gradients| {
            round.take(held, pass, first_piece, gradients, clock)
        })?;
        round.end(held, pass, clock)?;
        if number == 0 { Ok(()) } else { self.send(number - 1, self.tag(number - 1, micro, true), packed(back)) }
    }

    fn send(&self, to: usize, tag: u64, values: Vec<f32>) -> Result<(), TransportError> {
        self.topology.stages.send(to % self.topology.shape.stages, tag, values)
    }

    fn receive(&mut self, from: usize, tag: u64) -> Result<Vec<f32>, TransportError> {
        let values = self.topology.stages.receive(from % self.topology.shape.stages, tag);
        self.clock.lap(Phase::Waiting);
        values
    }
}
