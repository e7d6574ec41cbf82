//! Carrying out an `evaluate` workload.

use std::time::Instant;

use scenarios::plan::Assignment;
use scenarios::run::{Bounds, WorkloadRun};
use scenarios::scenario::{Evaluation, Split};

use super::measured::per_second;
use super::{ApplyError, Ready, Workflow, unmeasured};
use crate::data::{Needs, Reader};
use crate::evaluate;
use crate::model::Checkpoint;
use crate::record::Stage;

impl Workflow<'_> {
    pub(super) fn evaluate(
        &mut self,
        assignment: &Assignment,
        evaluation: &Evaluation,
    ) -> Result<WorkloadRun, ApplyError> {
        let started = Instant::now();
        let weights = self.weights(assignment, &evaluation.weights_of)?;
        let place = self.preprocess_for(assignment, &weights)?;
        self.stage(assignment, Stage::Evaluate, format!("{} test records", self.prepared[place].records.test.len()))?;
        let Ready { records: prepared, used, .. } = &self.prepared[place];
        let reader = Reader::new(&weights.recipe.preprocessing, 0);
        let shares = (evaluation.batch.get(), assignment.strategy.ranks() as usize);
        let failed = |source| ApplyError::Evaluate { workload: assignment.workload.clone(), source };
        let found = evaluate::evaluate(&weights.network, &prepared.test, &reader, shares, &self.devices);
        let found = found.map_err(failed)?;
        let mut done = unmeasured(assignment, &self.devices, used.clone());
        for (name, figure) in found.figures() {
            done.metrics.insert(format!("test_{name}"), figure.value);
            let bounds = figure.interval.map(|[low, high]| (format!("test_{name}"), Bounds { low, high }));
            done.intervals.extend(bounds);
        }
        done.throughput = found.throughput();
        done.steps = found.records().div_ceil(evaluation.batch.get() as u64);
        if let Some(batch_seconds) = found.batch_seconds() {
            done.step_seconds = batch_seconds;
            done.throughput_interval = per_second(evaluation.batch.get() as f64, batch_seconds);
        }
        done.confusion = found.confusion();
        done.seconds = started.elapsed().as_secs_f64();
        Ok(done)
    }

    /// The weights that a workload of this run has kept.
    pub(super) fn weights(&self, assignment: &Assignment, of: &str) -> Result<Checkpoint, ApplyError> {
        Checkpoint::read(&self.folder.weights(of), self.devices.of_rank(0)).map_err(|source| {
            let (workload, of, source) = (assignment.workload.clone(), of.to_owned(), Box::new(source));
            ApplyError::Weights { workload, of, source }
        })
    }

    /// Reads and prepares data as it was for the training of weights; gives its place.
    pub(super) fn preprocess_for(
        &mut self,
        assignment: &Assignment,
        weights: &Checkpoint,
    ) -> Result<usize, ApplyError> {
        let needs = Needs::of(&weights.recipe.model);
        let needs = needs.map_err(|source| ApplyError::Model { workload: assignment.workload.clone(), source })?;
        let split = if assignment.data.as_ref().is_some_and(|data| weights.recipe.learned_from == data.dataset) {
            weights.recipe.preprocessing.split
        } else {
            Split::default()
        };
        self.preprocess(assignment, needs, split, Some(&weights.recipe.codes))
    }
}
