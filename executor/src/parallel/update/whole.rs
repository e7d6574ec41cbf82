//! Every replica applies the mean gradient of all to all of its parameters.

use burn::module::Module as _;
use burn::optim::{GradientsParams, ModuleOptimizer};

use super::{Common, Held, Topology, UnusableState, Update, UpdateState, bytes_of, optimizer, with_bytes};
use crate::model::flat;
use crate::train::{Phase, StepClock};
use crate::transport::{Reduction, TransportError};

pub(super) struct Whole {
    common: Common,
    optimizer: ModuleOptimizer,
    exchanged_bytes: u64,
}

impl Whole {
    pub(super) fn new(common: Common) -> Self {
        let (optimizer, _) = optimizer::build(&common.training.optimizer);
        Self { common, optimizer, exchanged_bytes: 0 }
    }

    /// The parameters after a step of this replica alone, whose gradients the other ranks of it hold the rest of.
    pub(super) fn alone(
        &mut self,
        held: Held,
        gradients: GradientsParams,
        learning_rate: f64,
        topology: &Topology,
        clock: &mut StepClock,
        over_replicas: bool,
    ) -> Result<Held, TransportError> {
        let exchanges = over_replicas && topology.shape.replicas > 1;
        if !exchanges && !self.common.needs_host() {
            return Ok(self.optimizer.step(learning_rate, held, gradients));
        }
        let mut buffer = self.common.flat(gradients, &held, topology)?;
        if exchanges {
            topology.replicas.all_reduce(&mut buffer, Reduction::Sum)?;
            self.exchanged_bytes += 4 * held.num_params() as u64;
        }
        self.common.clip(&mut buffer, 0, &[&*topology.tensor, &*topology.stages])?;
        clock.lap(Phase::Communication);
        let gradients = flat::restore(&buffer, &held, &self.common.device);
        Ok(self.optimizer.step(learning_rate, held, gradients))
    }
}

impl Update for Whole {
    fn apply(
        &mut self,
        held: Held,
        gradients: GradientsParams,
        learning_rate: f64,
        topology: &Topology,
        clock: &mut StepClock,
    ) -> Result<Held, TransportError> {
        self.alone(held, gradients, learning_rate, topology, clock, true)
    }

    fn exchanged_bytes(&self) -> u64 {
        self.exchanged_bytes
    }

    fn state(&self, _: &Topology) -> Result<UpdateState, UnusableState> {
        Ok(UpdateState { optimizer: bytes_of(&self.optimizer)?, outer: vec![] })
    }

    fn resume(&mut self, state: &UpdateState) -> Result<(), UnusableState> {
        self.optimizer = with_bytes(&self.common.training, &state.optimizer)?;
        Ok(())
    }
}
