//! Time and memory of a step, or of a forward pass, on a measured machine.

use scenarios::carried_out;
use scenarios::machine::{Collective, OptimizerRule};
use scenarios::model::Model;
use scenarios::model::pieces::pieces;
use scenarios::plan::{Breakdown, Predicted};
use scenarios::scenario::Optimizer;
use scenarios::strategy::{Schedule, Strategy};
use scenarios::units::Interval;

use super::memory::Holding;
use super::stages::{Spread, Stage, VALUE_BYTES};
use super::update::{Update, Updated};
use super::{MeasuredMachine, NONE};
use crate::performance::memory::{Memory, moments};
use crate::performance::pipeline::{self, Pipeline};
use crate::performance::{Layout, MEASURED_BASIS, Prediction, Task, TaskKind, Unpredictable, plus};

/// Figures of a step that all ranks sum: the units of the losses, and losses with right answers.
const FIGURES: f64 = 2.0;
const FIGURE_BYTES: f64 = 16.0;

/// Predicts a task spread by a strategy over the ranks of a machine.
///
/// # Errors
/// The executor does not carry it out, or the profile lacks a measurement.
pub(in crate::performance) fn predict(
    task: &Task<'_>,
    machine: &MeasuredMachine<'_>,
    strategy: Strategy,
    layout: Layout,
) -> Result<Prediction, Unpredictable> {
    let job = Job::new(task, machine, strategy, layout)?;
    let pieces = pieces(task.model, strategy.tensor.get())?;
    let records = job.micro_batch as f64;
    let spread = Spread { machine, pieces: &pieces, strategy: &strategy, records, ranks: job.ranks };
    let stages = spread.stages()?;
    let mut parts = Parts::default();
    let in_flight = job.passes(&stages, &mut parts)?;
    job.input(&mut parts)?;
    if task.is_training() {
        job.update(&stages, pieces.tied as f64, &mut parts)?;
        job.wait(&stages, &mut parts)?;
    }
    Ok(job.prediction(&parts, job.memory(&stages, &in_flight)))
}

/// A task with what follows from its strategy.
struct Job<'a> {
    task: &'a Task<'a>,
    machine: &'a MeasuredMachine<'a>,
    strategy: Strategy,
    /// Ranks on a device.
    ranks: u32,
    /// Records of a rank's step, and of one of its passes.
    local: u64,
    micro_batch: u64,
}

/// Time of a step by phases, as the executor measures them.
#[derive(Debug, Default)]
struct Parts {
    list: Vec<(&'static str, Interval)>,
}

impl Parts {
    fn add(&mut self, phase: &'static str, time: Interval) {
        match self.list.iter_mut().find(|(name, _)| *name == phase) {
            Some((_, sum)) => *sum = plus(*sum, time),
            None => self.list.push((phase, time)),
        }
    }

    fn median(&self, phase: &str) -> f64 {
        self.list.iter().find(|(name, _)| *name == phase).map_or(0.0, |(_, time)| time.p50)
    }

    fn total(&self) -> Interval {
        self.list.iter().fold(NONE, |sum, (_, time)| plus(sum, *time))
    }
}

impl<'a> Job<'a> {
    fn new(
        task: &'a Task<'a>,
        machine: &'a MeasuredMachine<'a>,
        strategy: Strategy,
        layout: Layout,
    ) -> Result<Self, Unpredictable> {
        let ranks = layout.ranks_per_device();
        let (local, micro_batch) = match task.kind {
            TaskKind::Evaluate(evaluation) => (evaluation.batch.get() as u64, evaluation.batch.get() as u64),
            TaskKind::Train(training) => {
                let global_batch = training.global_batch.get() as u64;
                carried_out::check(task.model, &strategy, global_batch)?;
                let local = global_batch / u64::from(strategy.data.get());
                (local, carried_out::micro_batch(&strategy, local))
            }
        };
        Ok(Self { task, machine, strategy, ranks, local, micro_batch })
    }

    /// Adds the passes of all micro-batches; gives those that each rank of a pipeline has in flight at most.
    fn passes(&self, stages: &[Stage], parts: &mut Parts) -> Result<Vec<f64>, Unpredictable> {
        let m = (self.local / self.micro_batch.max(1)).max(1);
        let times = m as f64;
        if !self.task.is_training() {
            let forward = stages.iter().fold(NONE, |sum, stage| plus(sum, stage.forward));
            parts.add("forward", forward.scaled(times));
            return Ok(vec![1.0]);
        }
        let durations: Vec<pipeline::Stage> = stages.iter().map(Stage::timed).collect();
        let pipeline = Pipeline { schedule: self.schedule(), micro_batches: m, stages: &durations };
        let timeline = pipeline::simulate(&pipeline).map_err(|error| Unpredictable::Pipeline(error.to_string()))?;
        let fullest = self.fullest(stages);
        let sum =
            |of: fn(&Stage) -> Interval| fullest.iter().fold(NONE, |sum, stage| plus(sum, of(stage))).scaled(times);
        let (forward, backward, messages) = (sum(|s| s.forward), sum(|s| s.backward), sum(|s| s.messages));
        let busy = forward.p50 + backward.p50 + messages.p50;
        let waiting = (timeline.step_seconds - busy).max(0.0);
        parts.add("forward", forward);
        parts.add("backward", backward);
        parts.add("communication", messages);
        parts.add("waiting", Interval { p10: 0.9 * waiting, p50: waiting, p90: 1.1 * waiting });
        Ok(timeline.devices.iter().map(|device| device.in_flight as f64).collect())
    }

    /// A schedule of one stage has no chunks.
    const fn schedule(&self) -> Schedule {
        if self.strategy.pipeline.get() > 1 { self.strategy.schedule } else { Schedule::OneForwardOneBackward }
    }

    /// The chunks of the rank that computes longest.
    fn fullest<'s>(&self, stages: &'s [Stage]) -> Vec<&'s Stage> {
        let busy = |chunks: &Vec<&Stage>| chunks.iter().map(|stage| stage.timed().total()).sum::<f64>();
        let all = (0..self.strategy.pipeline.get()).map(|rank| self.chunks(stages, rank));
        all.max_by(|a, b| busy(a).total_cmp(&busy(b))).unwrap_or_default()
    }

    fn chunks<'s>(&self, stages: &'s [Stage], rank: u32) -> Vec<&'s Stage> {
        stages.iter().skip(rank as usize).step_by(self.strategy.pipeline.get() as usize).collect()
    }

    /// Batches are prepared ahead on other cores, where there are any; then only their copy to the device counts.
    fn input(&self, parts: &mut Parts) -> Result<(), Unpredictable> {
        let (values, records) = (values_per_record(self.task.model), self.local as f64);
        let copied = self.machine.copy(values * records * VALUE_BYTES, self.ranks)?;
        let prepared = self.machine.input(values, records, self.task.is_augmented(), self.ranks)?;
        let busy = parts.total().p50;
        let time = match self.machine.has_spare_cores(self.ranks) {
            true if prepared.p50 <= busy => copied,
            true => plus(copied, prepared.scaled(1.0 - busy / prepared.p50)),
            false => prepared,
        };
        parts.add("input", time);
        Ok(())
    }

    fn update(&self, stages: &[Stage], tied: f64, parts: &mut Parts) -> Result<(), Unpredictable> {
        let Some(optimizer) = self.task.optimizer() else { return Ok(()) };
        let ranks = (0..self.strategy.pipeline.get()).map(|rank| self.chunks(stages, rank));
        let most = |of: fn(&Stage) -> f64| {
            ranks.clone().map(|chunks| chunks.iter().map(|stage| of(stage)).sum::<f64>()).fold(0.0, f64::max)
        };
        let (parameters, tensors) = (most(|stage| stage.parameters), most(|stage| stage.tensors));
        let clipped = matches!(self.task.kind, TaskKind::Train(training) if training.clip_norm.is_some());
        let (machine, strategy, ranks) = (self.machine, &self.strategy, self.ranks);
        let rule = rule(optimizer);
        let update = Update { machine, strategy, rule, parameters, tensors, tied, clipped, ranks };
        let Updated { communication, optimizer } = update.seconds()?;
        parts.add("communication", communication);
        parts.add("optimizer", optimizer);
        let sums = (self.local / self.micro_batch.max(1)).saturating_sub(1) as f64;
        if sums > 0.0 {
            // A further micro-batch adds its gradients as plain descent adds them to parameters.
            let added = self.machine.optimizer(OptimizerRule::Sgd, parameters, tensors, ranks)?;
            parts.add("backward", added.scaled(sums));
        }
        Ok(())
    }

    /// What ranks wait for each other: figures that all sum, and the slowest of them wherever they meet.
    fn wait(&self, stages: &[Stage], parts: &mut Parts) -> Result<(), Unpredictable> {
        let all = self.strategy.ranks();
        if all == 1 {
            return Ok(());
        }
        let figures = self.machine.exchange(Collective::AllReduce, FIGURE_BYTES, all, self.ranks)?;
        parts.add("communication", figures.scaled(FIGURES));
        // Figures are summed in every step, however replicas agree; stages meet at every message.
        let passes = (self.local / self.micro_batch.max(1)).max(1) as f64;
        let messages = if self.strategy.pipeline.get() > 1 { 2.0 } else { 0.0 };
        let of_pass = messages + self.fullest(stages).iter().map(|stage| stage.meetings).sum::<f64>();
        let busy = parts.median("forward") + parts.median("backward") + parts.median("optimizer");
        let wait = busy * self.machine.wait(busy / (1.0 + passes * of_pass), self.ranks);
        parts.add("communication", Interval { p10: 0.0, p50: wait, p90: 2.0 * wait });
        Ok(())
    }

    /// Memory of the fullest device: of ranks that share one, all of theirs.
    fn memory(&self, stages: &[Stage], in_flight: &[f64]) -> Memory {
        let optimizer = self.task.optimizer();
        let values = self.local as f64 * values_per_record(self.task.model);
        let of = |rank: u32| {
            let in_flight = in_flight.get(rank as usize).copied().unwrap_or(1.0);
            let holding = Holding {
                machine: self.machine,
                strategy: &self.strategy,
                optimizer: optimizer.map(|optimizer| (rule(optimizer), moments(Some(optimizer)) as f64)),
                accumulates: self.local > self.micro_batch,
                in_flight,
                batch: values * VALUE_BYTES,
                ranks: self.ranks,
            };
            let chunks = self.chunks(stages, rank);
            (holding.rank(&chunks), holding.servers(&chunks))
        };
        let of_ranks: Vec<(Memory, Memory)> = (0..self.strategy.pipeline.get()).map(of).collect();
        if self.ranks == 1 {
            return of_ranks.iter().map(|(rank, _)| *rank).max_by_key(Memory::total).unwrap_or_default();
        }
        let (all, servers) = of_ranks.iter().fold(<(Memory, Memory)>::default(), |(all, servers), (rank, serving)| {
            (all.plus(rank), servers.plus(serving))
        });
        all.scaled(u64::from(self.ranks), of_ranks.len() as u64).plus(&servers)
    }

    fn prediction(&self, parts: &Parts, memory: Memory) -> Prediction {
        let (step, steps) = (parts.total(), self.task.steps(self.strategy));
        let records = self.task.records_per_step(self.strategy);
        let pass = parts.median("input") + parts.median("forward");
        let validation = self.task.validation_records().div_ceil(self.local.max(1)) * self.task.validations();
        let median = |(name, time): &(&'static str, Interval)| ((*name).to_owned(), time.p50);
        Prediction {
            steps,
            seconds: step.p50 * steps as f64 + validation as f64 * pass,
            predicted: Predicted {
                step_seconds: step,
                throughput: if step.p50 > 0.0 { records as f64 / step.p50 } else { 0.0 },
                throughput_unit: "samples/s".to_owned(),
                memory_bytes_per_device: memory.total(),
                breakdown: parts.list.iter().map(median).collect::<Breakdown>(),
                basis: MEASURED_BASIS.to_owned(),
            },
            memory,
        }
    }
}

impl Stage {
    /// The stage as pipelines are timed: messages inside it go with its passes, evenly.
    fn timed(&self) -> pipeline::Stage {
        let half = 0.5 * self.messages.p50;
        pipeline::Stage { forward: self.forward.p50 + half, backward: self.backward.p50 + half, hop: self.hop.p50 }
    }
}

const fn rule(optimizer: Optimizer) -> OptimizerRule {
    match optimizer {
        Optimizer::Sgd(_) => OptimizerRule::Sgd,
        Optimizer::Momentum(_) => OptimizerRule::Momentum,
        Optimizer::Adam(_) => OptimizerRule::Adam,
    }
}

/// Numbers of a record that a network reads.
fn values_per_record(model: &Model) -> f64 {
    match model.resolved() {
        Ok(Model::Transformer(network)) => network.sequence.get() as f64,
        Ok(Model::Rnn(network)) => network.sequence.get() as f64,
        Ok(Model::MatrixFactorization(_)) => 2.0,
        Ok(Model::Dlrm(network)) => (network.dense_inputs.get() + network.lookups()) as f64,
        Ok(other) => other.input().map_or(0.0, |shape| shape.elements() as f64),
        Err(_) => 0.0,
    }
}
