//! Replicas share the optimiser's state: each applies its part of the mean gradient to its part of the parameters, and
//! gives it to the others (ZeRO, Rajbhandari et al. 2020, stages 1 and 2).

use burn::module::{Module, Param, ParamId};
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::tensor::{Device, Tensor, TensorData};

use super::{Common, Held, Step, Topology, Update};
use crate::model::{flat, host};
use crate::train::Phase;
use crate::transport::{TransportError, part_start};

/// A run of parameters, whatever tensors they belong to: optimisers take each number by itself.
#[derive(Module, Debug)]
pub(super) struct Flat {
    values: Param<Tensor<1>>,
}

/// The one parameter of a flat run.
const ID: u64 = 1;

impl Flat {
    pub(super) fn new(values: Vec<f32>, device: &Device) -> Self {
        Self {
            values: Param::initialized(
                ParamId::from(ID),
                Tensor::from_data(data(values), &device.clone().autodiff()).require_grad(),
            ),
        }
    }

    /// The run after a step with a gradient.
    pub(super) fn stepped(
        self,
        optimizer: &mut ModuleOptimizer,
        learning_rate: f64,
        gradient: Vec<f32>,
        device: &Device,
    ) -> Self {
        let mut gradients = GradientsParams::new();
        gradients.register(ParamId::from(ID), Tensor::<1>::from_data(data(gradient), device));
        optimizer.step(learning_rate, self, gradients)
    }

    pub(super) fn values(&self) -> Vec<f32> {
        host(self.values.val())
    }
}

fn data(values: Vec<f32>) -> TensorData {
    let length = values.len();
    TensorData::new(values, [length])
}

pub(super) struct Sharded {
    common: Common,
    from: usize,
    length: usize,
}

impl Sharded {
    pub(super) fn new(common: Common, held: &Held, topology: &Topology) -> Self {
        let (all, rank, size) = (held.num_params(), topology.place.replica, topology.shape.replicas);
        let from = part_start(all, rank, size);
        Self { common, from, length: part_start(all, rank + 1, size) - from }
    }
}

impl Update for Sharded {
    fn apply(&mut self, held: Held, gradients: GradientsParams, step: &mut Step<'_>) -> Result<Held, TransportError> {
        let (common, topology) = (&mut self.common, step.topology);
        let mut gradient = common.flat(gradients, &held, topology)?;
        topology.replicas.reduce_scatter(&mut gradient)?;
        let groups = [&*topology.replicas, &*topology.tensor, &*topology.stages];
        common.clip(&mut gradient, self.from, &groups)?;
        step.clock.lap(Phase::Communication);
        let own = flat::parameters(&held)[self.from..self.from + self.length].to_vec();
        let own = Flat::new(own, &common.device);
        let own = own.stepped(&mut common.optimizer, step.learning_rate, gradient, &common.device);
        step.clock.lap(Phase::Optimizer);
        let all = topology.replicas.all_gather(own.values())?.concat();
        step.clock.lap(Phase::Communication);
        common.exchanged_bytes += 8 * all.len() as u64;
        Ok(flat::with_parameters(held, &all))
    }

    fn common(&self) -> &Common {
        &self.common
    }

    fn common_mut(&mut self) -> &mut Common {
        &mut self.common
    }

    fn has_own_state(&self) -> bool {
        true
    }
}
