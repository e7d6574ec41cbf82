//! Replicas share the optimiser's state: each applies its part of the mean gradient to its part of the parameters, and
//! gives it to the others (ZeRO, Rajbhandari et al. 2020, stages 1 and 2). A rank's part is one of each bucket.

use burn::module::{Module, Param, ParamId};
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::tensor::{Device, Tensor, TensorData};

use super::super::exchange::Run;
use super::{Common, Held, Learned, Step, Update};
use crate::model::{flat, host};
use crate::train::Phase;
use crate::transport::TransportError;

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
    pub(super) common: Common,
}

impl Update for Sharded {
    fn apply(&mut self, held: Held, learned: Learned, step: &mut Step<'_>) -> Result<Held, TransportError> {
        let (common, topology) = (&mut self.common, step.topology);
        let mut runs = common.runs(learned, &held, topology)?;
        common.clip(&mut runs, &[&*topology.replicas, &*topology.tensor, &*topology.stages])?;
        step.clock.lap(Phase::Communication);
        let ranges: Vec<_> = runs.iter().map(Run::range).collect();
        let own = Flat::new(flat::parts(&held, &ranges), &common.device);
        let gradient = Run::joined(runs);
        let own = own.stepped(&mut common.optimizer, step.learning_rate, gradient, &common.device).values();
        step.clock.lap(Phase::Optimizer);
        let mut rest = own.as_slice();
        let buckets = ranges.iter().map(|range| {
            let (part, behind) = rest.split_at(range.len());
            rest = behind;
            topology.replicas.all_gather(part.to_vec()).map(|parts| parts.concat())
        });
        let held = flat::with_runs(held, buckets)?;
        step.clock.lap(Phase::Communication);
        Ok(held)
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
