//! How far a training has come.

use scenarios::run::Epoch;
use serde::{Deserialize, Serialize};

use crate::parallel::precision::LossScale;

/// Losses that are kept of the first steps.
const FIRST_LOSSES: usize = 100;

/// Position and figures of a training, kept with each checkpoint.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Progress {
    /// Epochs that have ended, with their figures.
    pub epochs: Vec<Epoch>,
    /// Steps of the current epoch that were taken.
    pub step: usize,
    /// Steps in all.
    pub steps: u64,
    /// Losses of the first steps.
    pub first_losses: Vec<f64>,
    /// What losses are scaled by, in 16-bit floating point.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loss_scale: Option<LossScale>,
    /// Sum of the losses of the current epoch's steps.
    loss_sum: f64,
    /// Sum of the shares of right answers of the current epoch's steps.
    right_sum: f64,
    /// Time of the current epoch's steps.
    seconds: f64,
}

impl Progress {
    /// The epoch that comes next or is under way, from 1.
    #[must_use]
    pub const fn epoch(&self) -> u32 {
        self.epochs.len() as u32 + 1
    }

    /// Mean loss of the current epoch's steps so far.
    #[must_use]
    pub fn mean_loss(&self) -> f64 {
        self.loss_sum / self.step.max(1) as f64
    }

    /// Mean share of right answers (of records, or of tokens that count) of the current epoch's steps so far.
    #[must_use]
    pub fn accuracy(&self) -> f64 {
        self.right_sum / self.step.max(1) as f64
    }

    /// Records per second of the current epoch so far, with global batches of `batch`.
    #[must_use]
    pub fn throughput(&self, batch: usize) -> f64 {
        if self.seconds > 0.0 { (self.step * batch) as f64 / self.seconds } else { 0.0 }
    }

    /// Counts a step with its mean loss and its share of right answers.
    pub(super) fn stepped(&mut self, loss: f64, right: f64) {
        self.step += 1;
        self.steps += 1;
        self.loss_sum += loss;
        self.right_sum += right;
        if self.first_losses.len() < FIRST_LOSSES {
            self.first_losses.push(loss);
        }
    }

    /// Adds time to the current epoch.
    pub(super) fn spent(&mut self, seconds: f64) {
        self.seconds += seconds;
    }

    /// Ends the current epoch of steps with `batch` records each.
    pub(super) fn end_epoch(&mut self, batch: usize, validation: Option<(f64, f64)>) -> Epoch {
        let epoch = Epoch {
            epoch: self.epoch(),
            train_loss: self.mean_loss(),
            train_accuracy: self.accuracy(),
            validation_loss: validation.map(|(loss, _)| loss),
            validation_accuracy: validation.map(|(_, accuracy)| accuracy),
            throughput: self.throughput(batch),
            seconds: self.seconds,
        };
        self.epochs.push(epoch.clone());
        (self.step, self.loss_sum, self.right_sum, self.seconds) = (0, 0.0, 0.0, 0.0);
        epoch
    }
}
