//! Replicas train on their own and take the mean of their parameters now and then: θ = 1/N Σ θ_i (local SGD). With an outer
//! optimiser the mean is a direction instead (DiLoCo, Douillard et al. 2023): Δ = θ − mean, v ← μ·v + Δ,
//! θ ← θ − lr·(Δ + μ·v).

use scenarios::scenario::Outer;

use super::whole::Whole;
use super::{Common, Held, Learned, Step, Topology, UnusableState, Update, UpdateState};
use crate::model::flat;
use crate::train::Phase;
use crate::transport::{Reduction, TransportError};

pub(super) struct Averaged {
    inner: Whole,
    every: u64,
    steps: u64,
    outer: Option<OuterState>,
}

struct OuterState {
    constants: Outer,
    /// Parameters at the last mean.
    parameters: Vec<f32>,
    momentum: Vec<f32>,
}

impl Averaged {
    pub(super) fn new(common: Common, every: u32, outer: Option<Outer>, held: &Held) -> Self {
        let outer = outer.map(|constants| {
            let parameters = flat::parameters(held);
            OuterState { constants, momentum: vec![0.0; parameters.len()], parameters }
        });
        Self { inner: Whole { common }, every: u64::from(every), steps: 0, outer }
    }

    fn mean(&mut self, held: Held, topology: &Topology) -> Result<Held, TransportError> {
        let mut mean = flat::parameters(&held);
        topology.replicas.all_reduce(&mut mean, Reduction::Sum)?;
        let share = 1.0 / topology.shape.replicas as f32;
        for value in &mut mean {
            *value *= share;
        }
        if let Some(outer) = &mut self.outer {
            outer.descend(&mut mean);
        }
        Ok(flat::with_parameters(held, &mean))
    }
}

impl OuterState {
    /// Turns the mean of the replicas into the next parameters.
    fn descend(&mut self, mean: &mut [f32]) {
        let (rate, decay) = (self.constants.learning_rate as f32, self.constants.momentum as f32);
        for ((value, parameter), momentum) in mean.iter_mut().zip(&mut self.parameters).zip(&mut self.momentum) {
            let delta = *parameter - *value;
            *momentum = decay * *momentum + delta;
            *parameter -= rate * (delta + decay * *momentum);
            *value = *parameter;
        }
    }
}

impl Update for Averaged {
    fn scale(&self, own: f64, _: f64) -> f64 {
        1.0 / own
    }

    fn apply(&mut self, held: Held, learned: Learned, step: &mut Step<'_>) -> Result<Held, TransportError> {
        let held = self.inner.apply(held, learned, step)?;
        self.steps += 1;
        step.clock.lap(Phase::Optimizer);
        let held = if self.steps.is_multiple_of(self.every) { self.mean(held, step.topology)? } else { held };
        step.clock.lap(Phase::Communication);
        Ok(held)
    }

    fn common(&self) -> &Common {
        &self.inner.common
    }

    fn common_mut(&mut self) -> &mut Common {
        &mut self.inner.common
    }

    fn differs(&self) -> bool {
        true
    }

    fn state(&self, topology: &Topology) -> Result<UpdateState, UnusableState> {
        let outer = self.outer.iter().flat_map(|outer| outer.parameters.iter().chain(&outer.momentum)).copied();
        let mut state = self.inner.state(topology)?;
        state.outer = std::iter::once(self.steps as f32).chain(outer).collect();
        Ok(state)
    }

    fn resume(&mut self, state: &UpdateState) -> Result<(), UnusableState> {
        self.inner.resume(state)?;
        let expected = 1 + self.outer.as_ref().map_or(0, |outer| 2 * outer.parameters.len());
        let found = state.outer.len();
        if found != expected {
            return Err(UnusableState(format!("it has {found} values of the outer optimiser instead of {expected}")));
        }
        self.steps = state.outer[0] as u64;
        if let Some(outer) = &mut self.outer {
            let (parameters, momentum) = state.outer[1..].split_at(outer.parameters.len());
            outer.parameters.copy_from_slice(parameters);
            outer.momentum.copy_from_slice(momentum);
        }
        Ok(())
    }
}
