//! Servers hold the parameters: workers give them gradients and take parameters back (Li et al. 2014). Each server holds
//! a part.
//!
//! Without staleness a step waits for all workers, and is that of one device. With it each gradient is applied as it comes,
//! and a worker may be that many steps ahead of the slowest one (Ho et al. 2013). A gradient that was computed τ updates ago
//! counts 1/(1 + τ) of the learning rate (Zhang et al. 2016).

use burn::optim::ModuleOptimizer;
use burn::tensor::Device;
use scenarios::scenario::Training;

use super::super::exchange::Run;
use super::sharded::Flat;
use super::{
    Common, Held, Learned, Step, Topology, UnusableState, Update, UpdateState, bytes_of, optimizer, with_bytes,
};
use crate::model::flat;
use crate::train::Phase;
use crate::transport::bytes::{packed, unpacked};
use crate::transport::{Reduction, Transport, TransportError};

/// What workers give to servers, and what servers give back.
const TO_SERVER: u64 = 1 << 40;
const TO_WORKER: u64 = TO_SERVER + 1;

/// What a message to a server begins with.
const STEP: f32 = 0.0;
const START: f32 = 1.0;
const STATE: f32 = 2.0;
const END: f32 = 3.0;

pub(super) struct Served {
    common: Common,
    staleness: u32,
    started: bool,
    /// State that servers are to go on from, one after the other.
    resumed: Vec<u8>,
}

impl Served {
    pub(super) fn new(common: Common, staleness: u32) -> Self {
        Self { common, staleness, started: false, resumed: Vec::new() }
    }

    /// Gives the servers what they begin with.
    fn start(&mut self, held: &Held, topology: &Topology) -> Result<(), TransportError> {
        self.started = true;
        if topology.world.rank() > 0 {
            return Ok(());
        }
        let parameters = flat::parameters(held);
        let mut states = unjoined(&self.resumed).into_iter();
        for (server, part) in topology.parts(parameters.len()) {
            let state = states.next().unwrap_or_default();
            let mut message = vec![START];
            message.extend(packed(&state));
            message.extend_from_slice(&parameters[part]);
            topology.job.send(server, TO_SERVER, message)?;
        }
        Ok(())
    }
}

impl Update for Served {
    fn scale(&self, own: f64, all: f64) -> f64 {
        if self.staleness == 0 { 1.0 / all } else { 1.0 / own }
    }

    fn apply(&mut self, held: Held, learned: Learned, step: &mut Step<'_>) -> Result<Held, TransportError> {
        let topology = step.topology;
        if !self.started {
            self.start(&held, topology)?;
        }
        let mut runs = self.common.runs(learned, &held, topology)?;
        if self.staleness > 0 {
            self.common.clip(&mut runs, &[])?;
        }
        let gradient = Run::joined(runs);
        for (server, part) in topology.parts(gradient.len()) {
            let message = [&[STEP, step.learning_rate as f32], &gradient[part]].concat();
            topology.job.send(server, TO_SERVER, message)?;
        }
        let mut parameters = Vec::with_capacity(gradient.len());
        for (server, _) in topology.parts(gradient.len()) {
            parameters.extend(topology.job.receive(server, TO_WORKER)?);
        }
        step.clock.lap(Phase::Communication);
        Ok(flat::with_parameters(held, &parameters))
    }

    fn common(&self) -> &Common {
        &self.common
    }

    fn common_mut(&mut self) -> &mut Common {
        &mut self.common
    }

    fn differs(&self) -> bool {
        self.staleness > 0
    }

    fn finish(&self, topology: &Topology) -> Result<(), TransportError> {
        topology.servers().try_for_each(|server| topology.job.send(server, TO_SERVER, vec![END]))
    }

    fn state(&self, topology: &Topology) -> Result<UpdateState, UnusableState> {
        if topology.world.rank() > 0 || !self.started {
            return Ok(UpdateState { optimizer: self.resumed.clone(), outer: vec![] });
        }
        let lost = |error: TransportError| UnusableState(error.to_string());
        let mut joined = Vec::new();
        for server in topology.servers() {
            topology.job.send(server, TO_SERVER, vec![STATE]).map_err(lost)?;
            let (state, _) = unpacked(&topology.job.receive(server, TO_WORKER).map_err(lost)?);
            joined.extend((state.len() as u64).to_le_bytes());
            joined.extend(state);
        }
        Ok(UpdateState { optimizer: joined, outer: vec![] })
    }

    fn resume(&mut self, state: &UpdateState) -> Result<(), UnusableState> {
        self.resumed.clone_from(&state.optimizer);
        Ok(())
    }
}

/// A server of a training.
pub struct Server<'a> {
    /// The recipe.
    pub training: &'a Training,
    /// Workers, which are the first ranks of the job.
    pub workers: usize,
    /// Steps that a worker may be ahead of the slowest one; 0 is synchronous.
    pub staleness: u32,
    /// All ranks.
    pub job: &'a dyn Transport,
    /// The servers.
    pub group: &'a dyn Transport,
    /// Where the optimiser computes.
    pub device: &'a Device,
}

/// Serves until all workers have ended.
///
/// # Errors
/// A worker has left without an end, or its state is of no use.
pub fn serve(server: &Server<'_>) -> Result<(), TransportError> {
    let mut serving = Serving {
        server,
        run: None,
        optimizer: optimizer::build(&server.training.optimizer),
        ended: vec![false; server.workers],
        clocks: vec![0; server.workers],
        version: 0,
        seen: vec![0; server.workers],
        waiting: Vec::new(),
        sum: Vec::new(),
    };
    if server.staleness == 0 { serving.in_step() } else { serving.as_they_come() }
}

struct Serving<'a> {
    server: &'a Server<'a>,
    run: Option<Flat>,
    optimizer: ModuleOptimizer,
    ended: Vec<bool>,
    /// Steps of each worker.
    clocks: Vec<u64>,
    /// Updates so far, and how many each worker has seen.
    version: u64,
    seen: Vec<u64>,
    /// Workers that wait for parameters.
    waiting: Vec<usize>,
    /// Gradients of a synchronous step so far.
    sum: Vec<f32>,
}

impl Serving<'_> {
    /// Takes the gradients of all workers in their order, then steps.
    fn in_step(&mut self) -> Result<(), TransportError> {
        loop {
            let mut learning_rate = 0.0;
            for worker in 0..self.server.workers {
                let Some((rate, gradient)) = self.next_of(worker)? else {
                    // All end after the same step; who left at once would not be there for the others' end.
                    return (worker + 1..self.server.workers).try_for_each(|other| self.next_of(other).map(drop));
                };
                learning_rate = rate;
                if worker == 0 {
                    self.sum = gradient;
                } else {
                    self.sum.iter_mut().zip(gradient).for_each(|(sum, value)| *sum += value);
                }
            }
            let mut gradient = std::mem::take(&mut self.sum);
            self.clip(&mut gradient)?;
            self.step(learning_rate, gradient);
            (0..self.server.workers).try_for_each(|worker| self.answer(worker))?;
        }
    }

    /// The next gradient of a worker; none when it has ended.
    fn next_of(&mut self, worker: usize) -> Result<Option<(f64, Vec<f32>)>, TransportError> {
        loop {
            let message = self.server.job.receive(worker, TO_SERVER)?;
            match self.understood(worker, message)? {
                Message::Gradient(rate, gradient) => return Ok(Some((rate, gradient))),
                Message::End => return Ok(None),
                Message::Done => {}
            }
        }
    }

    /// Steps with every gradient as it comes, and answers those who are not too far ahead.
    fn as_they_come(&mut self) -> Result<(), TransportError> {
        while self.run.is_none() && !self.ended[0] {
            let message = self.server.job.receive(0, TO_SERVER)?;
            if let Message::End = self.understood(0, message)? {
                self.ended[0] = true;
            }
        }
        while self.ended.contains(&false) {
            let workers: Vec<usize> = (0..self.server.workers).filter(|worker| !self.ended[*worker]).collect();
            let (worker, message) = self.server.job.receive_any(&workers, TO_SERVER)?;
            match self.understood(worker, message)? {
                Message::Gradient(rate, gradient) => {
                    let late = (self.version - self.seen[worker]) as f64;
                    self.step(rate / (1.0 + late), gradient);
                    self.clocks[worker] += 1;
                    self.waiting.push(worker);
                }
                Message::End => self.ended[worker] = true,
                Message::Done => {}
            }
            self.answer_those_who_may()?;
        }
        Ok(())
    }

    fn answer_those_who_may(&mut self) -> Result<(), TransportError> {
        let running = self.clocks.iter().zip(&self.ended).filter(|(_, ended)| !**ended);
        let slowest = running.map(|(clock, _)| *clock).min().unwrap_or(u64::MAX);
        let may = |worker: &usize| self.clocks[*worker] <= slowest.saturating_add(u64::from(self.server.staleness));
        let (now, later): (Vec<usize>, Vec<usize>) = self.waiting.iter().partition(|worker| may(worker));
        self.waiting = later;
        for worker in now {
            self.answer(worker)?;
            self.seen[worker] = self.version;
        }
        Ok(())
    }

    fn understood(&mut self, worker: usize, mut message: Vec<f32>) -> Result<Message, TransportError> {
        match message.first().copied() {
            Some(STEP) => {
                let gradient = message.split_off(2);
                Ok(Message::Gradient(f64::from(message[1]), gradient))
            }
            Some(START) => {
                let (state, begin) = unpacked(&message[1..]);
                let values = message.split_off(1 + begin);
                self.run = Some(Flat::new(values, self.server.device));
                if !state.is_empty()
                    && let Ok(optimizer) = with_bytes(self.server.training, &state)
                {
                    self.optimizer = optimizer;
                }
                Ok(Message::Done)
            }
            Some(STATE) => {
                let state = bytes_of(&self.optimizer).unwrap_or_default();
                self.server.job.send(worker, TO_WORKER, packed(&state))?;
                Ok(Message::Done)
            }
            _ => Ok(Message::End),
        }
    }

    fn clip(&self, gradient: &mut [f32]) -> Result<(), TransportError> {
        let Some(most) = self.server.training.clip_norm else { return Ok(()) };
        let mut squares = vec![gradient.iter().map(|value| value * value).sum::<f32>()];
        self.server.group.all_reduce(&mut squares, Reduction::Sum)?;
        let length = f64::from(squares[0]).sqrt();
        if length > most {
            let factor = (most / (length + 1e-6)) as f32;
            for value in gradient.iter_mut() {
                *value *= factor;
            }
        }
        Ok(())
    }

    fn step(&mut self, learning_rate: f64, gradient: Vec<f32>) {
        let device = self.server.device;
        self.run = self.run.take().map(|run| run.stepped(&mut self.optimizer, learning_rate, gradient, device));
        self.version += 1;
    }

    fn answer(&self, worker: usize) -> Result<(), TransportError> {
        self.server.job.send(worker, TO_WORKER, self.run.as_ref().map(Flat::values).unwrap_or_default())
    }
}

enum Message {
    /// Learning rate and gradient.
    Gradient(f64, Vec<f32>),
    /// The worker has ended.
    End,
    /// Something that was dealt with.
    Done,
}

/// States of several servers out of one run of bytes.
fn unjoined(mut bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut states = Vec::new();
    while let Some((length, rest)) = bytes.split_first_chunk::<8>() {
        let length = usize::try_from(u64::from_le_bytes(*length)).unwrap_or(0).min(rest.len());
        states.push(rest[..length].to_vec());
        bytes = &rest[length..];
    }
    states
}
