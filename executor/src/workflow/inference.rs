//! Carrying out a `batch_inference` workload.

use std::io::Write as _;
use std::thread::ScopedJoinHandle;
use std::time::Instant;

use burn::module::Module as _;
use burn::tensor::Device;
use scenarios::plan::Assignment;
use scenarios::run::WorkloadRun;
use scenarios::scenario::BatchInference;
use scenarios::units::Interval;
use serde::Serialize;

use super::measured::per_second;
use super::{ApplyError, Workflow, unmeasured, used_of};
use crate::data::{Needs, Reader, Records};
use crate::evaluate;
use crate::model::{Checkpoint, Network, Recipe};
use crate::predict::{Names, Prediction, Said, Told, predict};
use crate::record::{self, Event, RecordError, Stage};

/// What is told of each record.
const TOLD: Told = Told { top: 1, score: 0.5 };

/// A line of the file of predictions.
#[derive(Debug, Serialize)]
struct Line {
    /// Part of the data set: the files for training come first, those for the test behind them.
    part: &'static str,
    /// Place among the records of the part, from 1.
    record: usize,
    answer: Said,
}

impl Workflow<'_> {
    pub(super) fn infer(
        &mut self,
        assignment: &Assignment,
        inference: &BatchInference,
    ) -> Result<WorkloadRun, ApplyError> {
        let started = Instant::now();
        let workload = || assignment.workload.clone();
        let refused = |why| ApplyError::NotCarriedOut { workload: workload(), kind: "batch_inference", why };
        if inference.output_tokens > 0 {
            return Err(refused("texts that go on are a `serve` workload, or `executor generate`"));
        }
        let Some(of) = &inference.weights_of else {
            return Err(refused("it needs `weights_of` a workload that trains: without, answers mean nothing"));
        };
        let weights = self.weights(assignment, of)?;
        let model = |source| ApplyError::Model { workload: workload(), source };
        let needs = Needs::of(&weights.recipe.model).map_err(model)?;
        let source = Self::source(assignment)?;
        let found = self.find(assignment, source, &needs, Some(&weights.recipe.codes))?;
        let used = used_of(&source.dataset, &found);
        self.tell(&Event::Data { workload: workload(), data: used.clone() })?;
        let most = inference.records.map_or(usize::MAX, |records| usize::try_from(records).unwrap_or(usize::MAX));
        self.stage(assignment, Stage::Infer, format!("batches of {}", inference.batch))?;
        let mut task = Task {
            recipe: &weights.recipe,
            replicas: self.replicas(&weights, assignment.strategy.ranks() as usize),
            batch: inference.batch.get(),
            left: most,
            seconds: Vec::new(),
            records: 0,
        };
        let names =
            Names::of(&weights.recipe.codes).map_err(|source| ApplyError::Tokens { workload: workload(), source })?;
        let name = record::predictions_in_folder(&assignment.workload);
        let mut file = self.folder.create(&name)?;
        let parts = [("train", found.train), ("test", found.test)];
        for (part, records) in parts.into_iter().filter(|(_, records)| !records.is_empty()) {
            let mut write = |line: &Line| self.folder.write_line(&mut file, line);
            let unfit = |source| ApplyError::Evaluate { workload: workload(), source };
            evaluate::check_shape(weights.network.description(), &records).map_err(unfit)?;
            task.run(part, &records, &names, &mut write)?;
        }
        file.flush().map_err(|source| self.folder.failed(source))?;
        let mut done = unmeasured(assignment, &self.devices, used);
        task.fill(&mut done);
        done.predictions = Some(name);
        done.seconds = started.elapsed().as_secs_f64();
        Ok(done)
    }

    /// The network of each rank, on its device.
    fn replicas(&self, weights: &Checkpoint, ranks: usize) -> Vec<(Network, Device)> {
        let devices = (0..ranks.max(1)).map(|rank| self.devices.of_rank(rank));
        devices.map(|device| (weights.network.clone().to_device(device), device.clone())).collect()
    }
}

/// An inference under way.
struct Task<'a> {
    recipe: &'a Recipe,
    /// The network of each rank, on its device.
    replicas: Vec<(Network, Device)>,
    /// Records of one forward pass of a rank.
    batch: usize,
    /// Records that are still to be looked at.
    left: usize,
    /// Time of a pass of all ranks over a full batch each.
    seconds: Vec<f64>,
    records: u64,
}

impl Task<'_> {
    /// Answers to the records of a part of the data set.
    fn run(
        &mut self,
        part: &'static str,
        records: &Records,
        names: &Names<'_>,
        write: &mut dyn FnMut(&Line) -> Result<(), RecordError>,
    ) -> Result<(), RecordError> {
        let positions: Vec<usize> = (0..records.len().min(self.left)).collect();
        self.left -= positions.len();
        let together = self.batch * self.replicas.len();
        for positions in positions.chunks(together) {
            let begun = Instant::now();
            let answers = self.answers(records, positions);
            if positions.len() == together {
                self.seconds.push(begun.elapsed().as_secs_f64());
            }
            self.records += positions.len() as u64;
            for (position, answer) in positions.iter().zip(answers) {
                write(&Line { part, record: position + 1, answer: names.said(answer) })?;
            }
        }
        Ok(())
    }

    /// What the ranks say of records, each of its batch of them, all at the same time.
    fn answers(&self, records: &Records, positions: &[usize]) -> Vec<Prediction> {
        let reader = Reader::new(&self.recipe.preprocessing, self.recipe.seed);
        let reader = &reader;
        std::thread::scope(|scope| {
            let started: Vec<_> = (positions.chunks(self.batch).zip(&self.replicas))
                .map(|(own, (network, device))| {
                    scope.spawn(move || predict(network, reader.read(records, own), TOLD, device))
                })
                .collect();
            let joined = |rank: ScopedJoinHandle<'_, Vec<Prediction>>| {
                rank.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            };
            started.into_iter().flat_map(joined).collect()
        })
    }

    fn fill(&self, done: &mut WorkloadRun) {
        let together = self.batch * self.replicas.len();
        done.steps = self.records.div_ceil(together as u64);
        if let Some(interval) = Interval::of(&self.seconds) {
            done.step_seconds = interval;
            done.throughput = together as f64 / interval.p50.max(f64::MIN_POSITIVE);
            done.throughput_interval = per_second(together as f64, interval);
        }
        done.metrics.insert("records".to_owned(), self.records as f64);
    }
}
