//! Every replica applies the mean gradient of all to all of its parameters.

use super::{Common, Held, Learned, Step, Update};
use crate::model::flat;
use crate::train::Phase;
use crate::transport::TransportError;

pub(super) struct Whole {
    pub(super) common: Common,
}

impl Update for Whole {
    fn apply(&mut self, held: Held, learned: Learned, step: &mut Step<'_>) -> Result<Held, TransportError> {
        let common = &mut self.common;
        let learned = match learned {
            Learned::Own(gradients) if !common.needs_host() => {
                return Ok(common.optimizer.step(step.learning_rate, held, gradients));
            }
            learned => learned,
        };
        let mut runs = common.runs(learned, &held, step.topology)?;
        common.clip(&mut runs, &[&*step.topology.tensor, &*step.topology.stages])?;
        step.clock.lap(Phase::Communication);
        let gradients = flat::restore_runs(runs.into_iter().map(|run| run.values), &held, &common.device);
        Ok(common.optimizer.step(step.learning_rate, held, gradients))
    }

    fn common(&self) -> &Common {
        &self.common
    }

    fn common_mut(&mut self) -> &mut Common {
        &mut self.common
    }
}
