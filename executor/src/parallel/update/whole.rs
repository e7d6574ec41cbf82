//! Every replica applies the mean gradient of all to all of its parameters.

use burn::module::Module as _;
use burn::optim::GradientsParams;

use super::{Common, Held, Step, Update};
use crate::model::flat;
use crate::train::Phase;
use crate::transport::{Reduction, TransportError};

pub(super) struct Whole {
    pub(super) common: Common,
}

impl Whole {
    /// The parameters after a step with this replica's own gradients, or with those of all replicas.
    pub(super) fn stepped(
        &mut self,
        held: Held,
        gradients: GradientsParams,
        step: &mut Step<'_>,
        over_replicas: bool,
    ) -> Result<Held, TransportError> {
        let (common, topology) = (&mut self.common, step.topology);
        let exchanges = over_replicas && topology.shape.replicas > 1;
        if !exchanges && !common.needs_host() {
            return Ok(common.optimizer.step(step.learning_rate, held, gradients));
        }
        let mut buffer = common.flat(gradients, &held, topology)?;
        if exchanges {
            topology.replicas.all_reduce(&mut buffer, Reduction::Sum)?;
            common.exchanged_bytes += 4 * held.num_params() as u64;
        }
        common.clip(&mut buffer, 0, &[&*topology.tensor, &*topology.stages])?;
        step.clock.lap(Phase::Communication);
        let gradients = flat::restore(&buffer, &held, &common.device);
        Ok(common.optimizer.step(step.learning_rate, held, gradients))
    }
}

impl Update for Whole {
    fn apply(&mut self, held: Held, gradients: GradientsParams, step: &mut Step<'_>) -> Result<Held, TransportError> {
        self.stepped(held, gradients, step, true)
    }

    fn common(&self) -> &Common {
        &self.common
    }

    fn common_mut(&mut self) -> &mut Common {
        &mut self.common
    }
}
