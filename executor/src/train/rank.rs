//! The loop that every rank runs.

use std::sync::atomic::Ordering;

use burn::module::Module as _;
use burn::nn::loss::{CrossEntropyLoss, CrossEntropyLossConfig};
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::store::RecordError;
use burn::tensor::{Bytes, Device, Int, Tensor};
use scenarios::machine::DeviceKind;

use super::phases::{Phase, StepClock};
use super::timing::Timing;
use super::{Observer, Outcome, Phases, Progress, Session, Snapshot, TrainError, gradients, optimizer};
use crate::data::{BatchShare, Batches, Reader, Targets};
use crate::evaluate::evaluate;
use crate::model::{Network, Pass, host};
use crate::transport::Transport;

/// Steps between readings of a GPU's figures: a reading waits for the device.
const GPU_STEPS_PER_READING: usize = 16;

/// Runs one rank to the end.
pub(super) fn run(
    session: Session<'_>,
    transport: impl Transport,
    observer: &mut dyn Observer,
) -> Result<Outcome, TrainError> {
    let mut rank = Rank::new(session, transport)?;
    let interrupted = rank.train(observer)?;
    Ok(rank.outcome(interrupted))
}

struct Rank<'a, T> {
    session: Session<'a>,
    transport: T,
    device: Device,
    differentiated: Device,
    batches: Batches<'a>,
    network: Network,
    optimizer: ModuleOptimizer,
    learning_rate: f64,
    loss: CrossEntropyLoss,
    steps_per_reading: usize,
    /// Figures of the steps since the last reading.
    unread: Vec<Figures>,
    progress: Progress,
    timing: Timing,
    phases: Phases,
    exchanged_bytes: u64,
}

/// Loss and right answers of one step.
enum Figures {
    /// Of the only rank, still on its device.
    OnDevice(Box<Tensor<1>>),
    /// Of all ranks.
    Known([f32; 2]),
}

impl<'a, T: Transport> Rank<'a, T> {
    fn new(session: Session<'a>, transport: T) -> Result<Self, TrainError> {
        let device = session.devices.of_rank(transport.rank()).clone();
        let differentiated = device.clone().autodiff();
        let training = session.training;
        let (mut optimizer, learning_rate) = optimizer::build(&training.optimizer);
        let mut network = Network::new(session.description, session.description.whole(), session.seed, &differentiated);
        if let Some(resume) = session.resume {
            let (found, expected) = (resume.parameters.len(), network.size());
            if found != expected {
                let reason = format!("it has {found} parameters, the network {expected}");
                return Err(TrainError::State { reason });
            }
            network = gradients::with_parameters(network, &resume.parameters);
            let unusable = |error: RecordError| TrainError::State { reason: error.to_string() };
            optimizer = optimizer.from_bytes(Bytes::from_bytes_vec(resume.optimizer.clone())).map_err(unusable)?;
        }
        Ok(Self {
            batches: Batches::new(
                session.train,
                &training.preprocessing,
                BatchShare::even(training.global_batch.get(), transport.rank(), transport.size()),
                session.seed,
            ),
            differentiated,
            loss: CrossEntropyLossConfig::new().init(&device),
            steps_per_reading: match session.devices.description.kind {
                DeviceKind::Cpu => 1,
                DeviceKind::Gpu => GPU_STEPS_PER_READING,
            },
            unread: Vec::new(),
            progress: session.resume.map(|resume| resume.progress.clone()).unwrap_or_default(),
            timing: Timing::start(),
            phases: Phases::default(),
            exchanged_bytes: 0,
            session,
            transport,
            device,
            network,
            optimizer,
            learning_rate,
        })
    }

    /// Takes all steps; whether the user stopped it.
    fn train(&mut self, observer: &mut dyn Observer) -> Result<bool, TrainError> {
        let steps = self.batches.steps_per_epoch();
        while self.progress.epoch() <= self.session.training.passes().get() {
            self.timing.skip();
            while self.position() < steps {
                let stop = self.step(observer)?;
                if stop || self.session.max_steps.is_some_and(|limit| self.taken() >= limit) {
                    self.read_figures(observer)?;
                    self.keep(observer)?;
                    return Ok(stop);
                }
            }
            self.read_figures(observer)?;
            let validation = self.validate();
            let ended = self.progress.end_epoch(self.session.training.global_batch.get(), validation);
            observer.epoch_ended(&ended);
            self.keep(observer)?;
        }
        Ok(false)
    }

    /// Steps of the current epoch that were taken.
    fn position(&self) -> usize {
        self.progress.step + self.unread.len()
    }

    /// Steps that were taken in all.
    fn taken(&self) -> u64 {
        self.progress.steps + self.unread.len() as u64
    }

    /// Takes a step; whether the user wants to stop.
    fn step(&mut self, observer: &mut dyn Observer) -> Result<bool, TrainError> {
        let measured = self.position().is_multiple_of(self.steps_per_reading);
        let mut clock = StepClock::start(measured.then(|| self.device.clone()));
        let before = u64::from(self.progress.epoch() - 1) * self.batches.steps_per_epoch() as u64;
        let batch = self.batches.batch(before + self.position() as u64).on(&self.differentiated);
        let Targets::Classes(classes) = batch.targets else { unreachable!("records are checked before a training") };
        clock.lap(Phase::Input);
        let pass = Pass { learns: true, counts: true, ..Pass::plain() };
        let scores = self.network.output(batch.inputs, &pass).single().flat();
        let loss = self.loss.forward(scores.clone(), classes.clone());
        clock.lap(Phase::Forward);
        let gradients = GradientsParams::from_grads(loss.clone().backward(), &self.network);
        clock.lap(Phase::Backward);
        let figures = Tensor::cat(vec![loss.inner(), right_answers(scores.inner(), classes.inner())], 0);
        let wish = self.session.stop.load(Ordering::Relaxed);
        let (gradients, figures, stop) = self.exchange(gradients, figures, wish)?;
        clock.lap(Phase::Communication);
        self.network = self.optimizer.step(self.learning_rate, self.network.take(), gradients);
        clock.lap(Phase::Optimizer);
        self.unread.push(figures);
        if self.unread.len() >= self.steps_per_reading {
            self.read_figures(observer)?;
        }
        clock.lap(Phase::Other);
        self.phases.add(&clock);
        Ok(stop)
    }

    /// Averages gradients and loss over all ranks, sums right answers, and stops all if one is to.
    fn exchange(
        &mut self,
        gradients: GradientsParams,
        figures: Tensor<1>,
        stop: bool,
    ) -> Result<(GradientsParams, Figures, bool), TrainError> {
        if self.transport.size() == 1 {
            return Ok((gradients, Figures::OnDevice(Box::new(figures)), stop));
        }
        let count = self.network.size();
        let mut buffer = Vec::with_capacity(count + 3);
        gradients::flatten(gradients, &self.network, &mut buffer);
        buffer.extend(host(figures));
        buffer.push(f32::from(stop));
        self.transport.all_reduce(&mut buffer)?;
        self.exchanged_bytes += 4 * count as u64;
        let share = 1.0 / self.transport.size() as f32;
        buffer[..=count].iter_mut().for_each(|value| *value *= share);
        let gradients = gradients::restore(&buffer[..count], &self.network, &self.device);
        Ok((gradients, Figures::Known([buffer[count], buffer[count + 1]]), buffer[count + 2] > 0.0))
    }

    /// Reads the figures of the steps since the last reading.
    fn read_figures(&mut self, observer: &mut dyn Observer) -> Result<(), TrainError> {
        let steps = self.unread.len();
        for figures in std::mem::take(&mut self.unread) {
            let [loss, correct] = match figures {
                Figures::OnDevice(tensor) => {
                    let values = host(*tensor);
                    [values[0], values[1]]
                }
                Figures::Known(values) => values,
            };
            self.progress.stepped(f64::from(loss), f64::from(correct));
            if !loss.is_finite() {
                let (step, epoch) = (self.progress.step, self.progress.epoch());
                return Err(TrainError::Diverged { loss: loss.into(), step, epoch });
            }
        }
        let seconds = self.timing.read(steps);
        self.progress.spent(seconds);
        observer.stepped(&self.progress, self.batches.steps_per_epoch());
        Ok(())
    }

    /// Mean loss and share of right answers on the validation records, in rank 0.
    fn validate(&self) -> Option<(f64, f64)> {
        let (records, training) = (self.session.validation, self.session.training);
        if records.is_empty() || self.transport.rank() != 0 {
            return None;
        }
        let reader = Reader::new(&training.preprocessing, self.session.seed);
        let found = evaluate(&self.network.valid(), records, &reader, training.global_batch.get(), &self.device);
        Some((found.loss(), found.accuracy()))
    }

    fn keep(&self, observer: &mut dyn Observer) -> Result<(), TrainError> {
        let (network, optimizer, progress) = (&self.network, &self.optimizer, &self.progress);
        Ok(observer.keep(Snapshot { network, optimizer, progress })?)
    }

    fn outcome(self, interrupted: bool) -> Outcome {
        Outcome {
            interrupted,
            step_seconds: self.timing.step_seconds(),
            throughput: self.timing.steps_per_second() * self.session.training.global_batch.get() as f64,
            timed_steps: self.timing.steps(),
            network: self.network,
            progress: self.progress,
            phases: self.phases,
            exchanged_bytes: self.exchanged_bytes,
        }
    }
}

/// How many records have their highest score at their class, `[1]`.
fn right_answers(scores: Tensor<2>, classes: Tensor<1, Int>) -> Tensor<1> {
    scores.argmax(1).squeeze_dim::<1>(1).equal(classes).float().sum()
}
