//! A job with the amount of work that follows from it.

use scenarios::model::Model;
use scenarios::scenario::{Evaluation, Job, Optimizer, Scenario, Training};
use scenarios::strategy::Strategy;

use super::Unpredictable;

/// A job to predict.
#[derive(Debug, Clone, Copy)]
pub struct Task<'a> {
    /// The network.
    pub model: &'a Model,
    /// What is done with it.
    pub kind: TaskKind<'a>,
    /// Records of the data set, for training and validation; test records of an evaluation.
    pub records: u64,
}

/// What is done with a network.
#[derive(Debug, Clone, Copy)]
pub enum TaskKind<'a> {
    /// Training.
    Train(&'a Training),
    /// Forward passes only.
    Evaluate(&'a Evaluation),
}

impl<'a> Task<'a> {
    /// The task of a workload; `None` if the scenario has no such workload, data or trained model.
    #[must_use]
    pub fn of(scenario: &'a Scenario, workload: &str) -> Option<Self> {
        match &scenario.workloads.get(workload)?.job {
            Job::Train(training) | Job::FineTune(training) => {
                let records = records(scenario, &training.data)?;
                Some(Self { model: &training.model, kind: TaskKind::Train(training), records })
            }
            Job::Evaluate(evaluation) => match &scenario.workloads.get(&evaluation.weights_of)?.job {
                Job::Train(training) | Job::FineTune(training) => {
                    let kind = TaskKind::Evaluate(evaluation);
                    Some(Self { model: &training.model, kind, records: evaluation.records })
                }
                _ => None,
            },
            Job::Preprocess(_) | Job::BatchInference(_) | Job::Serve(_) => None,
        }
    }

    /// Whether gradients are computed.
    #[must_use]
    pub const fn is_training(&self) -> bool {
        matches!(self.kind, TaskKind::Train(_))
    }

    /// Whether records are changed at random on the way in.
    #[must_use]
    pub fn is_augmented(&self) -> bool {
        matches!(self.kind, TaskKind::Train(training) if training.preprocessing.augmentation.shift > 0)
    }

    /// The optimiser of a training.
    #[must_use]
    pub fn optimizer(&self) -> Option<Optimizer> {
        match self.kind {
            TaskKind::Train(training) => Some(training.optimizer),
            TaskKind::Evaluate(_) => None,
        }
    }

    /// Passes over the records that are held back for validation.
    #[must_use]
    pub fn validations(&self) -> u64 {
        match self.kind {
            TaskKind::Train(training) => training.rounds(self.learned_records()),
            TaskKind::Evaluate(_) => 1,
        }
    }

    /// Records that are not held back for validation or the test.
    fn learned_records(&self) -> u64 {
        let held_back = match self.kind {
            TaskKind::Train(training) => {
                share(self.records, training.preprocessing.split.validation)
                    + share(self.records, training.preprocessing.split.test)
            }
            TaskKind::Evaluate(_) => 0,
        };
        self.records.saturating_sub(held_back)
    }

    /// Records of one step in one rank.
    ///
    /// # Errors
    /// The global batch is not divisible by the ranks.
    pub fn local_batch(&self, strategy: Strategy) -> Result<u64, Unpredictable> {
        let ranks = strategy.ranks();
        match self.kind {
            TaskKind::Evaluate(evaluation) => Ok(evaluation.batch.get() as u64),
            TaskKind::Train(training) => {
                let global_batch = training.global_batch.get() as u64;
                if global_batch.is_multiple_of(u64::from(ranks)) {
                    Ok(global_batch / u64::from(ranks))
                } else {
                    Err(Unpredictable::Indivisible { global_batch, ranks })
                }
            }
        }
    }

    /// Records of one step over all ranks.
    #[must_use]
    pub fn records_per_step(&self, strategy: Strategy) -> u64 {
        match self.kind {
            TaskKind::Train(training) => training.global_batch.get() as u64,
            TaskKind::Evaluate(evaluation) => evaluation.batch.get() as u64 * u64::from(strategy.ranks()),
        }
    }

    /// Records that are held back for validation.
    #[must_use]
    pub fn validation_records(&self) -> u64 {
        match self.kind {
            TaskKind::Train(training) => share(self.records, training.preprocessing.split.validation),
            TaskKind::Evaluate(_) => 0,
        }
    }

    /// Optimiser steps over all epochs, of whole batches only; as many as give the samples or tokens, where these are
    /// given instead; or forward passes, of which the last may be smaller.
    #[must_use]
    pub fn steps(&self, strategy: Strategy) -> u64 {
        match self.kind {
            TaskKind::Train(training) => training.steps(self.learned_records()),
            TaskKind::Evaluate(_) => self.records.div_ceil(self.records_per_step(strategy).max(1)),
        }
    }
}

/// Records of a data set, or of what a preparation makes of one.
#[must_use]
pub fn records(scenario: &Scenario, data: &str) -> Option<u64> {
    if let Some(dataset) = scenario.datasets.get(data) {
        return Some(dataset.records);
    }
    match &scenario.workloads.get(data)?.job {
        Job::Preprocess(made) => made.records.or_else(|| Some(scenario.datasets.get(&made.data)?.records)),
        _ => None,
    }
}

fn share(records: u64, share: f64) -> u64 {
    (records as f64 * share).round() as u64
}
