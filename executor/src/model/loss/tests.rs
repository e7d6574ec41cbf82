use std::num::NonZeroUsize;

use burn::tensor::{Device, Tensor};
use scenarios::model::{Dlrm, Interaction, MatrixFactorization, Model, Tables};

use super::*;
use crate::model::{Value, host};

fn n(value: usize) -> NonZeroUsize {
    NonZeroUsize::new(value).expect("not zero")
}

#[test]
fn numbers_are_clicks_or_measurements_by_the_family() {
    let factors = MatrixFactorization { users: n(2), items: n(2), factors: n(1), biases: false };
    let dlrm = Dlrm {
        dense_inputs: n(1),
        width: n(1),
        tables: vec![Tables { count: n(1), rows: n(2), lookups: n(1) }],
        bottom: vec![n(1)],
        top: vec![n(1)],
        interaction: Interaction::Dot,
    };
    let device = Device::flex();
    let column = |values: [f32; 4]| Tensor::<1>::from_floats(values, &device).reshape([4, 1]);
    let check = |model: &Model, output: [f32; 4], truth: [f32; 4], expected: [f32; 2]| {
        let description = Description::of(model).expect("it is valid");
        let targets = Targets::Numbers(column(truth));
        let Loss { sum, right } = loss(&description, Value::Vector(column(output)).into(), targets, &Pass::plain());
        for (found, expected) in [host(sum)[0], host(right)[0]].into_iter().zip(expected) {
            assert!((found - expected).abs() < 1e-5, "{model:?}: {found} and {expected}");
        }
    };
    let truth = [1.0, 0.0, 1.0, 0.0];
    check(&Model::MatrixFactorization(factors), [3.0, 0.5, -1.0, 0.0], truth, [4.0 + 0.25 + 4.0, 0.0]);
    // −ln σ(0), −ln(1 − σ(ln 3)) = ln 4, and logits whose exponential overflows.
    let (two, four) = (2.0_f32.ln(), 4.0_f32.ln());
    check(&Model::Dlrm(dlrm.clone()), [0.0, 3.0_f32.ln(), -(3.0_f32.ln()), 0.0], truth, [2.0 * two + 2.0 * four, 1.0]);
    check(&Model::Dlrm(dlrm), [500.0, -500.0, -500.0, 500.0], truth, [1000.0, 2.0]);
}
