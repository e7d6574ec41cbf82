//! How much there is to do in a training: one arithmetic for planner and executor.

use std::num::NonZeroU32;

use super::workload::Training;
use crate::model::Model;

impl Training {
    /// Passes over the training data; one where the amount of work is not given in passes.
    #[must_use]
    pub fn passes(&self) -> NonZeroU32 {
        self.epochs.unwrap_or(NonZeroU32::MIN)
    }

    /// Records to learn from over all passes, where the amount of work is given in samples or tokens.
    #[must_use]
    pub fn stated_samples(&self) -> Option<u64> {
        let of_tokens = |tokens: u64| tokens.div_ceil(tokens_per_record(&self.model));
        self.samples.or_else(|| self.tokens.map(of_tokens))
    }

    /// Optimiser steps over so many records to learn from: as many as give the samples or tokens, or the whole batches of
    /// each pass.
    #[must_use]
    pub fn steps(&self, records: u64) -> u64 {
        let batch = self.global_batch.get() as u64;
        match self.stated_samples() {
            Some(samples) => samples.div_ceil(batch),
            None => records / batch * u64::from(self.passes().get()),
        }
    }

    /// Steps between two validations, at each of which a checkpoint is kept: as stated, or those of a pass over so many
    /// records; at least 1.
    #[must_use]
    pub fn steps_per_round(&self, records: u64) -> u64 {
        let of_pass = (records / self.global_batch.get() as u64).max(1);
        self.validate_every.map_or(of_pass, |steps| u64::from(steps.get()))
    }

    /// Validations of a training on so many records; the last one is after the last step.
    #[must_use]
    pub fn rounds(&self, records: u64) -> u64 {
        self.steps(records).div_ceil(self.steps_per_round(records))
    }
}

/// Tokens of a record of a network that reads sequences, else 1.
fn tokens_per_record(model: &Model) -> u64 {
    match model.resolved() {
        Ok(Model::Transformer(transformer)) => transformer.sequence.get() as u64,
        Ok(Model::Rnn(network)) => {
            (network.sequence.get() + network.decoder.map_or(0, |decoder| decoder.sequence.get())) as u64
        }
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn amounts_become_steps_and_rounds() {
        let check = |amount: serde_json::Value, steps: u64, rounds: u64| {
            let mut training = json!({
                "model": { "rnn": { "cell": "lstm", "layers": 1, "hidden": 8, "vocabulary": 10, "sequence": 16 } },
                "data": "text", "global_batch": 10, "optimizer": { "sgd": { "learning_rate": 0.1 } },
            });
            let (Some(all), Some(amount)) = (training.as_object_mut(), amount.as_object()) else {
                unreachable!("objects")
            };
            all.extend(amount.clone());
            let training: Training = serde_json::from_value(training).expect("a training");
            assert_eq!((training.steps(105), training.rounds(105)), (steps, rounds), "{amount:?}");
        };
        check(json!({ "epochs": 3 }), 30, 3);
        check(json!({ "samples": 251 }), 26, 3);
        check(json!({ "samples": 20 }), 2, 1);
        check(json!({ "tokens": 4000 }), 25, 3);
        check(json!({ "tokens": 4001 }), 26, 3);
        check(json!({ "epochs": 3, "validate_every": 4 }), 30, 8);
        check(json!({ "samples": 251, "validate_every": 100 }), 26, 1);
    }
}
