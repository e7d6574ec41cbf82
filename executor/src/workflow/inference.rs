//! Carrying out a `batch_inference` workload.

use std::io::Write as _;
use std::time::Instant;

use scenarios::plan::Assignment;
use scenarios::run::WorkloadRun;
use scenarios::scenario::BatchInference;
use scenarios::units::Interval;
use serde::Serialize;

use super::{ApplyError, Workflow, unmeasured, used_of};
use crate::data::{Needs, Reader, Records};
use crate::evaluate;
use crate::model::Checkpoint;
use crate::predict::{Names, Said, Told, predict};
use crate::record::{self, Stage};

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
        let most = inference.records.map_or(usize::MAX, |records| usize::try_from(records).unwrap_or(usize::MAX));
        self.stage(assignment, Stage::Infer, format!("batches of {}", inference.batch))?;
        let mut task =
            Task { weights: &weights, batch: inference.batch.get(), left: most, seconds: Vec::new(), records: 0 };
        let names =
            Names::of(&weights.recipe.codes).map_err(|source| ApplyError::Tokens { workload: workload(), source })?;
        let name = record::predictions_in_folder(&assignment.workload);
        let mut file = self.folder.create(&name)?;
        for (part, records) in [("train", found.train), ("test", found.test)] {
            let mut write = |line: &Line| self.folder.write_line(&mut file, line);
            let unfit = |source| ApplyError::Evaluate { workload: workload(), source };
            evaluate::check_shape(weights.network.description(), &records).map_err(unfit)?;
            task.run(part, &records, &names, self.devices.of_rank(0), &mut write)?;
        }
        file.flush().map_err(|source| self.folder.failed(source))?;
        let mut done = unmeasured(assignment, &self.devices, used);
        task.fill(&mut done);
        done.predictions = Some(name);
        done.seconds = started.elapsed().as_secs_f64();
        Ok(done)
    }
}

/// An inference under way.
struct Task<'a> {
    weights: &'a Checkpoint,
    batch: usize,
    /// Records that are still to be looked at.
    left: usize,
    /// Time of each full batch.
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
        device: &burn::tensor::Device,
        write: &mut dyn FnMut(&Line) -> Result<(), record::RecordError>,
    ) -> Result<(), ApplyError> {
        let recipe = &self.weights.recipe;
        let reader = Reader::new(&recipe.preprocessing, recipe.seed);
        let positions: Vec<usize> = (0..records.len().min(self.left)).collect();
        self.left -= positions.len();
        for positions in positions.chunks(self.batch) {
            let begun = Instant::now();
            let answers = predict(&self.weights.network, reader.read(records, positions), TOLD, device);
            if positions.len() == self.batch {
                self.seconds.push(begun.elapsed().as_secs_f64());
            }
            self.records += positions.len() as u64;
            for (position, answer) in positions.iter().zip(answers) {
                write(&Line { part, record: position + 1, answer: names.said(answer) })?;
            }
        }
        Ok(())
    }

    fn fill(&self, done: &mut WorkloadRun) {
        done.steps = self.records.div_ceil(self.batch as u64);
        if let Some(interval) = Interval::of(&self.seconds) {
            done.step_seconds = interval;
            done.throughput = self.batch as f64 / interval.p50.max(f64::MIN_POSITIVE);
        }
        done.metrics.insert("records".to_owned(), self.records as f64);
    }
}
