//! The loop that every rank runs.

use std::sync::atomic::Ordering;
use std::thread::Scope;
use std::time::Instant;

use burn::tensor::{Device, Tensor};
use scenarios::carried_out;
use scenarios::machine::DeviceKind;
use scenarios::scenario::Training;

use super::phases::{Phase, StepClock};
use super::relay::{Finished, Relay};
use super::snapshot::{self, RankState};
use super::timing::{Speed, Timing};
use super::{Figure, Outcome, Outside, Phases, Progress, RankReport, Session, TrainError};
use crate::data::{Batch, Batches, Portion, Prefetch, Reader};
use crate::device::memory::Meter;
use crate::model::{Network, flat, host};
use crate::parallel::exchange::{Exchange, Learned};
use crate::parallel::gather;
use crate::parallel::precision::{Computing, LossScale};
use crate::parallel::stage::{Held, Scale, Stage};
use crate::parallel::topology::{Shape, Topology};
use crate::parallel::update::{self, Step, Update, rate};
use crate::transport::{Pace, Reduction, Transport};

/// Steps between readings of a GPU's figures: a reading waits for the device.
const GPU_STEPS_PER_READING: usize = 16;

/// Steps after which it is known how long one takes: kernels are compiled.
const STEPS_TO_KNOW: u64 = 3;

/// Batches that are made before they are asked for.
const BATCHES_AHEAD: usize = 2;

/// Runs one rank to the end; the first one gives the outcome.
pub(super) fn run(
    session: &Session,
    job: Box<dyn Transport>,
    relay: &Relay,
    meter: &Meter,
) -> Result<Finished, TrainError> {
    let started = Instant::now();
    let mut rank = Rank::new(session, job, (relay, meter))?;
    rank.outside.start = started.elapsed();
    meter.restart();
    let interrupted = std::thread::scope(|scope| {
        let mut input = rank.input(scope);
        rank.train(&mut input)
    })?;
    rank.update.finish(&rank.topology)?;
    rank.finished(interrupted)
}

struct Rank<'a> {
    session: &'a Session,
    relay: &'a Relay,
    meter: &'a Meter,
    memory_peak: u64,
    outside: Outside,
    topology: Topology,
    stage: Stage,
    held: Held,
    exchange: Exchange,
    update: Box<dyn Update>,
    /// The whole network as it was kept, in the first rank, until the next step.
    kept: Option<Network>,
    /// Whether nothing was learned since.
    has_kept: bool,
    device: Device,
    reader: Reader,
    steps_per_reading: usize,
    /// Figures of the steps since the last reading.
    unread: Vec<Figures>,
    progress: Progress,
    /// Steps that were taken since the training began or went on.
    steps_here: u64,
    timing: Timing,
    speed: Speed,
    phases: Phases,
}

/// Sum of losses, right answers and units of one step.
enum Figures {
    /// Of the only rank, still on its device.
    OnDevice(Box<Tensor<1>>, f64),
    /// Of all ranks, and whether the loss of this rank is a number.
    Known { of_all: [f32; 3], own_is_finite: bool },
}

/// What ranks do behind a step because one of them wishes it.
#[derive(Debug, Clone, Copy)]
struct Wishes {
    /// End the training.
    stop: bool,
    /// Look how fast their devices are.
    look: bool,
}

impl<'a> Rank<'a> {
    fn new(
        session: &'a Session,
        job: Box<dyn Transport>,
        (relay, meter): (&'a Relay, &'a Meter),
    ) -> Result<Self, TrainError> {
        let device: Device = session.devices.of_rank(job.rank()).clone().autodiff();
        let topology = Topology::new(Shape::of(&session.strategy), job)?;
        let training = &session.training;
        let format = Computing::of(training.precision, &device).format;
        let together = snapshot::replicas_are_one(&session.strategy);
        let (stage, mut held) = Stage::new(
            &session.description,
            (&session.strategy, session.buckets),
            &topology,
            (together, format),
            (session.seed, &device),
        );
        if let Some(weights) = &session.weights {
            held.chunks = held.chunks.into_iter().map(|chunk| chunk.with_weights_of(weights)).collect();
        }
        let earlier = session.resume.as_ref().map(|resume| resume.of(topology.world.rank(), &topology)).transpose()?;
        if let Some(earlier) = earlier {
            held = earlier.held(held)?;
        }
        let exchange = Exchange::new(&held, &session.strategy, session.buckets, &topology)?;
        let mut update = update::of(training, &session.strategy, (&held, exchange.buckets()), &topology, &device)?;
        if let Some(earlier) = earlier {
            update.resume(&earlier.update).map_err(|error| TrainError::State { reason: error.to_string() })?;
        }
        let mut progress = session.resume.as_ref().map(|resume| resume.progress.clone()).unwrap_or_default();
        progress.loss_scale = progress.loss_scale.or_else(|| LossScale::of(format));
        Ok(Self {
            reader: Reader::new(&training.preprocessing, session.seed),
            steps_per_reading: match session.devices.description.kind {
                DeviceKind::Cpu => 1,
                DeviceKind::Gpu => GPU_STEPS_PER_READING,
            },
            unread: Vec::new(),
            progress,
            timing: Timing::start(),
            speed: Speed::new(&device),
            device,
            phases: Phases::default(),
            steps_here: 0,
            memory_peak: 0,
            outside: Outside::default(),
            session,
            relay,
            meter,
            topology,
            stage,
            held,
            exchange,
            update,
            kept: None,
            has_kept: false,
        })
    }

    /// This replica's records of the steps that are left, made ahead of time.
    fn input<'scope>(&self, scope: &'scope Scope<'scope, '_>) -> Prefetch
    where
        'a: 'scope,
    {
        let (session, portion) = (self.session, self.portion());
        let share = portion.batch.clone();
        let batches = Batches::new(&portion.train, &session.training.preprocessing, share, session.seed);
        // Work that is stated in passes reads a text in order; otherwise windows are drawn from all of it.
        let batches = if session.training.epochs.is_some() { batches } else { batches.drawn() };
        Prefetch::start(scope, batches, self.taken()..self.session.course.steps, BATCHES_AHEAD)
    }

    /// Takes all steps; whether the user stopped it.
    fn train(&mut self, input: &mut Prefetch) -> Result<bool, TrainError> {
        while self.steps_of_round() > 0 {
            self.timing.skip();
            while self.position() < self.steps_of_round() {
                let stop = self.step(input)?;
                if stop || self.session.max_steps.is_some_and(|limit| self.taken() >= limit) {
                    self.read_figures()?;
                    self.keep()?;
                    return Ok(stop);
                }
            }
            self.read_figures()?;
            let validation = self.validate()?;
            if let Some((loss, _)) = validation.filter(|(loss, _)| !loss.is_finite()) {
                return Err(self.not_finite(Figure::ValidationLoss, loss, true));
            }
            let ended = self.progress.end_epoch(self.session.training.global_batch.get(), validation);
            if self.is_first() {
                self.relay.epoch_ended(ended)?;
            }
            self.keep()?;
        }
        Ok(false)
    }

    /// What this replica reads.
    fn portion(&self) -> &'a Portion {
        &self.session.portions[self.topology.place.replica]
    }

    fn is_first(&self) -> bool {
        self.topology.world.rank() == 0
    }

    /// Steps of the current epoch that were taken.
    fn position(&self) -> usize {
        self.progress.step + self.unread.len()
    }

    /// Steps that were taken in all.
    fn taken(&self) -> u64 {
        self.progress.steps + self.unread.len() as u64
    }

    /// Steps of the current round.
    fn steps_of_round(&self) -> usize {
        self.session.course.steps_of_round(self.progress.epochs.len())
    }

    /// Takes a step; whether the user wants to stop.
    fn step(&mut self, input: &mut Prefetch) -> Result<bool, TrainError> {
        let pace = if self.steps_here < STEPS_TO_KNOW { Pace::Unknown } else { Pace::Steps };
        self.topology.world.pace(pace);
        #[cfg(test)]
        self.session.fault.iter().for_each(|fault| fault.strike(self.topology.job.rank(), self.steps_here));
        self.steps_here += 1;
        (self.kept, self.has_kept) = (None, false);
        let measured = self.position().is_multiple_of(self.steps_per_reading);
        let mut clock = StepClock::start(measured.then(|| self.device.clone()));
        let micros = self.micros(input);
        clock.lap(Phase::Input);
        let units: f64 = micros.iter().map(|batch| batch.units).sum();
        let up = self.progress.loss_scale.map_or(1.0, |scale| scale.factor);
        let scale = Scale { loss: self.update.scale(units, self.all_units(units)?), up };
        clock.lap(Phase::Communication);
        let ways = (&mut self.exchange, &mut clock);
        let passed = self.stage.learn(&self.held, &self.topology, &micros, scale, ways)?;
        let wishes = Wishes {
            stop: self.session.stop.load(Ordering::Relaxed),
            look: self.is_first() && self.speed.is_time_to_look(),
        };
        let (figures, wishes) = self.figures(passed.loss, passed.right, units, wishes)?;
        clock.lap(Phase::Communication);
        let wrong = passed.learned.wrong_sum().filter(|_| self.progress.loss_scale.is_none());
        if wrong.is_none() && self.may_step(&passed.learned)? {
            self.apply(passed.learned, &mut clock)?;
        }
        self.unread.push(figures);
        if self.unread.len() >= self.steps_per_reading || wrong.is_some() {
            self.read_figures()?;
        }
        if let Some(value) = wrong {
            return Err(self.not_finite(Figure::Gradient, value.into(), false));
        }
        clock.lap(Phase::Other);
        self.phases.add(&clock);
        if wishes.look && self.unread.is_empty() {
            self.speed.look();
            self.timing.skip();
        }
        Ok(wishes.stop)
    }

    /// This replica's records of the step, as the strategy divides them.
    fn micros(&self, input: &mut Prefetch) -> Vec<Batch> {
        let Some(batch) = input.next_batch() else { unreachable!("there are batches for all steps") };
        let records = carried_out::micro_batch(&self.session.strategy, batch.records() as u64) as usize;
        batch.split(records).into_iter().map(|micro| micro.on(&self.device)).collect()
    }

    /// Units of all replicas.
    fn all_units(&self, own: f64) -> Result<f64, TrainError> {
        if self.topology.shape.replicas == 1 {
            return Ok(own);
        }
        let mut sum = vec![own as f32];
        self.topology.replicas.all_reduce(&mut sum, Reduction::Sum)?;
        Ok(f64::from(sum[0]))
    }

    /// Whether gradients that were scaled are finite in all ranks, so that a step can be taken; the next ones are scaled
    /// accordingly.
    fn may_step(&mut self, learned: &Learned) -> Result<bool, TrainError> {
        let Some(scale) = self.progress.loss_scale else { return Ok(true) };
        let mut overflow = vec![f32::from(!learned.is_finite(&self.held))];
        self.topology.world.all_reduce(&mut overflow, Reduction::Greatest)?;
        let finite = overflow[0] == 0.0;
        self.progress.loss_scale = Some(scale.after(finite));
        Ok(finite)
    }

    fn apply(&mut self, learned: Learned, clock: &mut StepClock) -> Result<(), TrainError> {
        let Training { rate, optimizer, .. } = &self.session.training;
        let learning_rate = rate::at(*rate, optimizer.learning_rate(), self.taken(), self.session.course.steps);
        let mut step = Step { learning_rate, topology: &self.topology, clock };
        self.held = self.update.apply(self.held.take(), learned, &mut step)?;
        clock.lap(Phase::Optimizer);
        Ok(())
    }

    /// Figures of a step over all ranks, and what one of them wishes.
    fn figures(
        &self,
        loss: Option<Tensor<1>>,
        right: Option<Tensor<1>>,
        units: f64,
        wishes: Wishes,
    ) -> Result<(Figures, Wishes), TrainError> {
        let own = loss.zip(right).map(|(loss, right)| Tensor::cat(vec![loss.inner(), right.inner()], 0));
        if self.topology.world.size() == 1
            && let Some(own) = own
        {
            return Ok((Figures::OnDevice(Box::new(own), units), wishes));
        }
        let mut sums = vec![0.0; 3];
        if let Some(own) = own.filter(|_| self.topology.place.tensor == 0) {
            sums = host(own);
            sums.push(units as f32);
        }
        sums.extend([wishes.stop, wishes.look].map(f32::from));
        let own_is_finite = sums[0].is_finite();
        self.topology.world.all_reduce(&mut sums, Reduction::Sum)?;
        let wishes = Wishes { stop: sums[3] > 0.0, look: sums[4] > 0.0 };
        Ok((Figures::Known { of_all: [sums[0], sums[1], sums[2]], own_is_finite }, wishes))
    }

    /// That a figure of the last step is no number, which came up here unless what this rank found is finite.
    fn not_finite(&self, what: Figure, value: f64, own_is_finite: bool) -> TrainError {
        let (step, epoch) = (self.progress.step, self.progress.epoch());
        let rank = (!own_is_finite).then(|| self.topology.job.rank());
        TrainError::NotFinite { what, value, step, epoch, rank }
    }

    /// Reads the figures of the steps since the last reading.
    fn read_figures(&mut self) -> Result<(), TrainError> {
        let steps = self.unread.len();
        for figures in std::mem::take(&mut self.unread) {
            let ([loss, right, units], own_is_finite) = match figures {
                Figures::OnDevice(tensor, units) => {
                    let values = host(*tensor);
                    ([values[0], values[1], units as f32], values[0].is_finite())
                }
                Figures::Known { of_all, own_is_finite } => (of_all, own_is_finite),
            };
            let [loss, right] = [loss, right].map(|sum| f64::from(sum) / f64::from(units));
            self.progress.stepped(loss, right);
            if !loss.is_finite() {
                return Err(self.not_finite(Figure::Loss, loss, own_is_finite));
            }
        }
        let seconds = self.timing.read(steps);
        self.progress.spent(seconds);
        if self.is_first() {
            self.relay.stepped(&self.progress, self.steps_of_round());
        }
        Ok(())
    }

    /// Mean loss and share of right answers on the validation records, each replica looking at its share of them.
    fn validate(&mut self) -> Result<Option<(f64, f64)>, TrainError> {
        if self.session.portions.iter().all(|portion| portion.validation.is_empty()) {
            return Ok(None);
        }
        let portion = self.portion();
        let started = Instant::now();
        self.topology.world.pace(Pace::Unknown);
        let mean;
        let held = if self.update.differs() {
            mean = gather::mean_of_replicas(&self.held, &self.topology)?;
            &mean
        } else {
            &self.held
        };
        let mut sums = vec![0.0; 3];
        for positions in portion.validated().chunks(portion.batch.records().max(1)) {
            let batch = self.reader.read(&portion.validation, positions).on(&self.device);
            let units = batch.units;
            self.topology.world.alive();
            let found = self.stage.validate(held, &self.topology, batch)?;
            if let Some(loss) = found.filter(|_| self.topology.place.tensor == 0) {
                sums[0] += host(loss.sum)[0];
                sums[1] += host(loss.right)[0];
                sums[2] += units as f32;
            }
        }
        self.topology.world.all_reduce(&mut sums, Reduction::Sum)?;
        let [loss, right, units] = [0, 1, 2].map(|at| f64::from(sums[at]));
        self.outside.validation += started.elapsed();
        Ok(Some((loss / units, right / units)))
    }

    fn keep(&mut self) -> Result<(), TrainError> {
        let started = Instant::now();
        self.memory_peak = self.memory_peak.max(self.meter.peak());
        self.topology.world.pace(Pace::Unknown);
        let state = RankState {
            parameters: flat::parameters(&self.held),
            running: snapshot::running(&self.held.chunks),
            update: self
                .update
                .state(&self.topology)
                .map_err(|error| TrainError::State { reason: error.to_string() })?,
        };
        if let Some(value) = state.parameters.iter().find(|value| !value.is_finite()) {
            return Err(self.not_finite(Figure::Parameters, f64::from(*value), false));
        }
        let own = self.update.has_own_state() || self.topology.place.replica == 0;
        let ranks = snapshot::gathered(own.then_some(state), &self.topology)?;
        let network = snapshot::network(self.session, &self.held, &self.topology, self.update.differs())?;
        if let Some(network) = &network {
            let snapshot = (network.clone(), ranks, self.progress.clone());
            self.relay.keep(snapshot, || self.topology.world.alive())?;
        }
        (self.kept, self.has_kept) = (network, true);
        self.outside.checkpoint += started.elapsed();
        self.outside.checkpoints += 1;
        self.meter.restart();
        Ok(())
    }

    fn finished(self, interrupted: bool) -> Result<Finished, TrainError> {
        let report = RankReport {
            rank: self.topology.job.rank(),
            phases: self.phases,
            memory_peak_bytes: self.memory_peak,
            counts: self.topology.counts.clone(),
            outside: self.outside,
            references: self.speed.seconds,
        };
        // A training that goes on behind its last step keeps nothing anew.
        let network = if self.has_kept {
            self.kept
        } else {
            snapshot::network(self.session, &self.held, &self.topology, self.update.differs())?
        };
        let of = |network| Outcome {
            network,
            interrupted,
            step_seconds: self.timing.step_seconds(),
            throughput: self.timing.steps_per_second() * self.session.training.global_batch.get() as f64,
            records_per_step: self.session.training.global_batch.get() as f64,
            timed_steps: self.timing.steps(),
            progress: self.progress,
            ranks: Vec::new(),
        };
        Ok(Finished { outcome: network.map(of).map(Box::new), report })
    }
}
