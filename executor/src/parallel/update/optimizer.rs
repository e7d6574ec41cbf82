//! Optimisers of burn with the constants of the scenario.

use burn::optim::momentum::MomentumConfig;
use burn::optim::{AdamConfig, AdamWConfig, ModuleOptimizer, SgdConfig};
use scenarios::scenario::Optimizer;

/// The optimiser.
#[must_use]
pub fn build(optimizer: &Optimizer) -> ModuleOptimizer {
    match optimizer {
        Optimizer::Sgd(_) => SgdConfig::new().init(),
        Optimizer::Momentum(momentum) => {
            let config = MomentumConfig::new().with_momentum(momentum.momentum).with_dampening(0.0);
            SgdConfig::new().with_momentum(Some(config)).init()
        }
        Optimizer::Adam(adam) if adam.weight_decay > 0.0 => {
            let config = AdamWConfig::new()
                .with_beta_1(adam.beta_1 as f32)
                .with_beta_2(adam.beta_2 as f32)
                .with_epsilon(adam.epsilon as f32)
                .with_weight_decay(adam.weight_decay as f32);
            config.init()
        }
        Optimizer::Adam(adam) => {
            let config = AdamConfig::new()
                .with_beta_1(adam.beta_1 as f32)
                .with_beta_2(adam.beta_2 as f32)
                .with_epsilon(adam.epsilon as f32);
            config.init()
        }
    }
}

#[cfg(test)]
mod tests {
    use burn::module::{Module, Param, ParamId};
    use burn::optim::GradientsParams;
    use burn::tensor::{Device, Tensor};
    use scenarios::scenario::{Adam, Momentum, Sgd};

    use super::*;
    use crate::model::host;

    #[derive(Module, Debug)]
    struct Value {
        value: Param<Tensor<1>>,
    }

    /// Values of one parameter over steps with these gradients.
    fn run(optimizer: &Optimizer, gradients: &[f32]) -> Vec<f32> {
        let device = Device::flex();
        let value = Tensor::from_floats([1.0], &device.clone().autodiff()).require_grad();
        let mut module = Value { value: Param::initialized(ParamId::from(1), value) };
        let (mut optimizer, learning_rate) = (build(optimizer), optimizer.learning_rate());
        let step = |gradient: &f32| {
            let mut gradients = GradientsParams::new();
            gradients.register(ParamId::from(1), Tensor::<1>::from_floats([*gradient], &device));
            module = optimizer.step(learning_rate, module.clone(), gradients);
            host(module.value.val())[0]
        };
        gradients.iter().map(step).collect()
    }

    #[test]
    fn steps_follow_the_formulas() {
        let check = |optimizer: Optimizer, expected: &[f32]| {
            let found = run(&optimizer, &[1.0, 0.5]);
            assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-5), "{optimizer:?}: {found:?}");
        };
        check(Optimizer::Sgd(Sgd { learning_rate: 0.1 }), &[0.9, 0.85]);
        // v = 1, then 0.9 · 1 + 0.5 = 1.4
        check(Optimizer::Momentum(Momentum { learning_rate: 0.1, momentum: 0.9 }), &[0.9, 0.76]);
        // m̂ = 1, v̂ = 1; then m̂ = 0.14 / 0.19 = 0.736842, v̂ = 0.001249 / 0.001999 = 0.624812
        let adam = Adam { learning_rate: 0.1, beta_1: 0.9, beta_2: 0.999, epsilon: 1e-8, weight_decay: 0.0 };
        check(Optimizer::Adam(adam), &[0.9, 0.9 - 0.1 * 0.736_842 / 0.790_451]);
        // The decay takes 0.1 · 0.5 of the parameter first.
        let decayed = Adam { weight_decay: 0.5, ..adam };
        check(Optimizer::Adam(decayed), &[0.85, 0.85 - 0.0425 - 0.1 * 0.736_842 / 0.790_451]);
    }
}
