//! Matrix factorisation: a rating is the product of a user's and an item's factors, plus biases.

use burn::module::{Module, Param};
use burn::tensor::{Int, Tensor};
use scenarios::model::MatrixFactorization;

use super::build::{Build, Initial, Wanted};

/// Rating of user u and item i: pᵤ·qᵢ + bᵤ + bᵢ + µ (Koren, Bell and Volinsky 2009, "Matrix factorization techniques for
/// recommender systems").
///
/// A backward pass gives dense gradients: as large as the tables, whatever the batch. A step therefore costs a few passes
/// over both tables.
#[derive(Module, Debug)]
pub struct Factors {
    users: Param<Tensor<2>>,
    items: Param<Tensor<2>>,
    biases: Option<Biases>,
}

/// Biases of users, of items and of the whole.
#[derive(Module, Debug)]
pub struct Biases {
    users: Param<Tensor<2>>,
    items: Param<Tensor<2>>,
    mean: Param<Tensor<1>>,
}

impl Factors {
    /// Factors drawn so that a first product has a deviation of 0.1; biases of 0.
    pub(super) fn new(description: &MatrixFactorization, build: &mut Build<'_>) -> Self {
        let [users, items, factors] = [description.users, description.items, description.factors].map(usize::from);
        let deviation = (0.1 / (factors as f32).sqrt()).sqrt();
        let mut factors_of = |name: &str, rows| {
            build.parameter(format!("{name}.weight"), Wanted::new([rows, factors], Initial::Normal(deviation)))
        };
        let (user_factors, item_factors) = (factors_of("users", users), factors_of("items", items));
        let biases = description.biases.then(|| {
            let mut bias_of = |name: &str, rows| {
                build.parameter(format!("{name}.weight"), Wanted::new([rows, 1], Initial::Constant(0.0)))
            };
            let (users, items) = (bias_of("user_bias", users), bias_of("item_bias", items));
            Biases { users, items, mean: build.parameter("mean", Wanted::new([1], Initial::Constant(0.0))) }
        });
        Self { users: user_factors, items: item_factors, biases }
    }

    /// Ratings of pairs of user and item: `[records, 2]` → `[records, 1]`
    pub(super) fn forward(&self, pairs: &Tensor<2, Int>) -> Tensor<2> {
        let [users, items] = [0, 1].map(|column| pairs.clone().narrow(1, column, 1).squeeze_dim::<1>(1));
        let product = self.users.val().select(0, users.clone()) * self.items.val().select(0, items.clone());
        let product = product.sum_dim(1);
        match &self.biases {
            None => product,
            Some(biases) => {
                let rows = biases.users.val().select(0, users) + biases.items.val().select(0, items);
                product + rows + biases.mean.val().unsqueeze_dim(0)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;

    use burn::optim::{AdamConfig, GradientsParams};
    use burn::tensor::{Device, TensorData};
    use rand::{RngExt as _, SeedableRng as _};
    use rand_chacha::ChaCha8Rng;
    use rand_distr::{Distribution, StandardNormal};
    use scenarios::model::Model;

    use super::super::{Description, Network, Pass, flat, host, loss};
    use super::*;
    use crate::data::{Inputs, Targets};

    fn model(users: usize, items: usize, factors: usize, biases: bool) -> Model {
        let n = |value| NonZeroUsize::new(value).expect("not zero");
        Model::MatrixFactorization(MatrixFactorization {
            users: n(users),
            items: n(items),
            factors: n(factors),
            biases,
        })
    }

    fn pairs(pairs: &[[u32; 2]], device: &Device) -> Inputs {
        Inputs::Pairs(Tensor::from_data(TensorData::new(pairs.concat(), [pairs.len(), 2]), device))
    }

    #[test]
    fn ratings_follow_the_formula_and_parameters_are_counted() {
        for biases in [false, true] {
            let model = model(5, 4, 3, biases);
            let (description, device) = (Description::of(&model).expect("it is valid"), Device::flex());
            let network = Network::new(&description, description.whole(), 2, &device);
            assert_eq!(network.size() as u64, model.parameters().expect("it is valid"));
            let values = flat::parameters(&network);
            let (users, items) = (&values[..15], &values[15..27]);
            let asked = [[4, 0], [1, 3], [1, 1]];
            let found = host(network.output(pairs(&asked, &device), &Pass::plain()).single().flat());
            for ([user, item], found) in asked.into_iter().zip(found) {
                let [user, item] = [user as usize, item as usize];
                let expected: f32 = (0..3).map(|f| users[user * 3 + f] * items[item * 3 + f]).sum();
                assert!((found - expected).abs() < 1e-6, "{user} {item}: {found} and {expected}");
            }
        }
    }

    /// Ratings of rank 4 with noise of deviation 0.3: the error on unseen pairs is that of the noise.
    #[test]
    fn it_recovers_low_rank_ratings_to_within_a_twentieth_of_the_noise() {
        const NOISE: f32 = 0.3;
        let (users, items, rank) = (300, 200, 4);
        let mut random = ChaCha8Rng::seed_from_u64(7);
        let mut normal = |scale: f32| scale * Distribution::<f32>::sample(&StandardNormal, &mut random);
        let factors: Vec<f32> = (0..(users + items) * rank).map(|_| normal(0.7)).collect();
        let mut ratings: Vec<([u32; 2], f32)> = (0..users * items)
            .map(|at| {
                let (user, item) = (at / items, at % items);
                let product: f32 =
                    (0..rank).map(|f| factors[user * rank + f] * factors[(users + item) * rank + f]).sum();
                ([user as u32, item as u32], 3.5 + product + normal(NOISE))
            })
            .collect();
        let mut random = ChaCha8Rng::seed_from_u64(8);
        (1..ratings.len()).rev().for_each(|at| ratings.swap(at, random.random_range(0..=at)));
        let (seen, unseen) = ratings.split_at(ratings.len() * 9 / 10);

        let description = Description::of(&model(users, items, rank, true)).expect("it is valid");
        let device = Device::flex();
        let mut network = Network::new(&description, description.whole(), 1, &device.clone().autodiff());
        let mut optimizer = AdamConfig::new().init();
        let of = |part: &[([u32; 2], f32)], device: &Device| {
            let (asked, given): (Vec<_>, Vec<_>) = part.iter().copied().unzip();
            (pairs(&asked, device), Tensor::<2>::from_data(TensorData::new(given, [part.len(), 1]), device))
        };
        for step in 0..800 {
            let (inputs, truth) = of(seen, &device.clone().autodiff());
            let output = network.output(inputs, &Pass { learns: true, ..Pass::plain() });
            let loss =
                loss::loss(&description, output, Targets::Numbers(truth), &Pass::plain()).sum / seen.len() as f32;
            let gradients = GradientsParams::from_grads(loss.backward(), &network);
            let rate = if step < 600 { 0.05 } else { 0.005 };
            network = optimizer.step(rate, network.clone(), gradients);
        }
        let (inputs, truth) = of(unseen, &device);
        let found = network.valid().output(inputs, &Pass::plain()).single().flat();
        let error = host((found - truth).powi_scalar(2).mean())[0].sqrt();
        eprintln!("root mean square error {error}, noise {NOISE}");
        assert!(error < 1.05 * NOISE, "{error}");
    }
}
