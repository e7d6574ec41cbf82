//! Carrying out an `evaluate` workload.

use std::time::Instant;

use burn::module::Module as _;
use indexmap::IndexMap;
use scenarios::plan::Assignment;
use scenarios::run::WorkloadRun;
use scenarios::scenario::{Evaluation, Split};

use super::{ApplyError, Ready, Workflow, unmeasured};
use crate::data::{Needs, Reader, Records};
use crate::device::Devices;
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
        let of = &evaluation.weights_of;
        let missing = |source| {
            let (workload, of, source) = (assignment.workload.clone(), of.clone(), Box::new(source));
            ApplyError::Weights { workload, of, source }
        };
        let weights = Checkpoint::read(&self.folder.weights(of), self.devices.of_rank(0)).map_err(missing)?;
        let needs = Needs::of(&weights.recipe.model);
        let needs = needs.map_err(|source| ApplyError::Model { workload: assignment.workload.clone(), source })?;
        let split = if assignment.data.as_ref().is_some_and(|data| weights.recipe.learned_from == data.dataset) {
            weights.recipe.preprocessing.split
        } else {
            Split::default()
        };
        let place = self.preprocess(assignment, needs, split, Some(&weights.recipe.codes))?;
        check_shape(assignment, &weights, &self.prepared[place].records.test)?;
        self.stage(assignment, Stage::Evaluate, format!("{} test records", self.prepared[place].records.test.len()))?;
        let Ready { records: prepared, used, .. } = &self.prepared[place];
        let ranks = assignment.strategy.ranks() as usize;
        let found = in_ranks(&weights, &prepared.test, evaluation.batch.get(), ranks, &self.devices);
        let mut done = unmeasured(assignment, &self.devices, used.clone());
        done.metrics =
            IndexMap::from([("test_accuracy".to_owned(), found.accuracy()), ("test_loss".to_owned(), found.loss())]);
        done.throughput = found.throughput();
        done.steps = found.records().div_ceil(evaluation.batch.get() as u64);
        if let Some(batch_seconds) = found.batch_seconds() {
            done.step_seconds = batch_seconds;
        }
        done.confusion = found.confusion;
        done.seconds = started.elapsed().as_secs_f64();
        Ok(done)
    }
}

fn check_shape(assignment: &Assignment, weights: &Checkpoint, test: &Records) -> Result<(), ApplyError> {
    let model_error = |source| ApplyError::Model { workload: assignment.workload.clone(), source };
    let expected = weights.recipe.model.input().map_err(model_error)?.elements();
    let found = test.values();
    if found == expected {
        Ok(())
    } else {
        Err(ApplyError::TestShape { workload: assignment.workload.clone(), found, expected })
    }
}

/// Every rank evaluates its share of the records, all at the same time, together `batch` in a forward pass.
fn in_ranks(
    weights: &Checkpoint,
    test: &Records,
    batch: usize,
    ranks: usize,
    devices: &Devices,
) -> evaluate::Evaluation {
    let reader = Reader::new(&weights.recipe.preprocessing, 0);
    let share = test.len().div_ceil(ranks.max(1));
    let parts: Vec<Vec<usize>> =
        (0..test.len()).collect::<Vec<_>>().chunks(share.max(1)).map(<[usize]>::to_vec).collect();
    let run = |rank: usize, positions: &[usize]| {
        let (records, device) = (test.select(positions), devices.of_rank(rank));
        let network = weights.network.clone().to_device(device);
        evaluate::evaluate(&network, &records, &reader, batch.div_ceil(ranks.max(1)), device)
    };
    let run = &run;
    let found: Vec<_> = std::thread::scope(|scope| {
        let started: Vec<_> =
            parts.iter().enumerate().map(|(rank, positions)| scope.spawn(move || run(rank, positions))).collect();
        started.into_iter().map(|rank| rank.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
    });
    let mut joined = evaluate::Evaluation::default();
    for part in &found {
        joined.join(part);
    }
    joined
}
