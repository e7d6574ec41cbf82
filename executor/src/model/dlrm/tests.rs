use std::num::NonZeroUsize;

use burn::module::Module as _;
use burn::tensor::{Device, Int, Tensor, TensorData};
use scenarios::model::{Cross, Dlrm, Interaction, Model, Tables};

use super::super::{Description, Network, Pass, flat, host};
use crate::data::Inputs;

fn n(value: usize) -> NonZeroUsize {
    NonZeroUsize::new(value).expect("not zero")
}

/// Two tables of 7 rows that are looked up once, one of 5 rows that is looked up three times.
fn model(interaction: Interaction) -> Dlrm {
    Dlrm {
        dense_inputs: n(3),
        width: n(2),
        tables: vec![
            Tables { count: n(2), rows: n(7), lookups: n(1) },
            Tables { count: n(1), rows: n(5), lookups: n(3) },
        ],
        bottom: vec![n(4), n(2)],
        top: vec![n(6), n(1)],
        interaction,
    }
}

/// Parameters by name, as they lie in the network: weights `[inputs, outputs]`.
struct Host(Vec<(String, Vec<f32>)>);

impl Host {
    fn get(&self, name: &str) -> &[f32] {
        &self.0.iter().find(|(found, _)| found == name).unwrap_or_else(|| panic!("{name} is a parameter")).1
    }

    fn linear(&self, name: &str, input: &[f32], activated: bool) -> Vec<f32> {
        let (weight, bias) = (self.get(&format!("{name}.weight")), self.get(&format!("{name}.bias")));
        let sum = |out: usize| -> f32 {
            bias[out] + input.iter().enumerate().map(|(at, value)| value * weight[at * bias.len() + out]).sum::<f32>()
        };
        (0..bias.len()).map(sum).map(|value| if activated { value.max(0.0) } else { value }).collect()
    }

    fn product(&self, name: &str, input: &[f32]) -> Vec<f32> {
        let weight = self.get(name);
        let outputs = weight.len() / input.len();
        (0..outputs).map(|out| input.iter().enumerate().map(|(at, v)| v * weight[at * outputs + out]).sum()).collect()
    }

    /// The output by the formulas of the papers, record by record.
    fn output(&self, model: &Dlrm, numbers: &[f32], rows: &[i32]) -> f32 {
        let row = |table: usize, row: i32| {
            let row = row as usize;
            self.get(&format!("emb_l.{table}.weight"))[row * 2..row * 2 + 2].to_vec()
        };
        let bottom = self.linear("bot_l.2", &self.linear("bot_l.0", numbers, true), true);
        let summed =
            rows[2..].iter().map(|at| row(2, *at)).fold([0.0; 2], |sum, row| [sum[0] + row[0], sum[1] + row[1]]);
        let vectors = [bottom.clone(), row(0, rows[0]), row(1, rows[1]), summed.to_vec()];
        let met = match model.interaction {
            Interaction::Dot => {
                let mut met = bottom;
                for (at, one) in vectors.iter().enumerate() {
                    met.extend(
                        vectors[..at].iter().map(|other| one.iter().zip(other).map(|(a, b)| a * b).sum::<f32>()),
                    );
                }
                met
            }
            Interaction::Cross(cross) => {
                let start = vectors.concat();
                (0..cross.layers.get()).fold(start.clone(), |at, layer| {
                    let narrow = self.product(&format!("crossnet.V_kernels.{layer}"), &at);
                    let wide = self.product(&format!("crossnet.W_kernels.{layer}"), &narrow);
                    at.iter().zip(&wide).zip(&start).map(|((at, wide), start)| start * wide + at).collect()
                })
            }
        };
        self.linear("top_l.2", &self.linear("top_l.0", &met, true), false)[0]
    }
}

#[test]
fn outputs_follow_the_formulas_and_parameters_are_counted() {
    let device = Device::flex();
    for interaction in [Interaction::Dot, Interaction::Cross(Cross { layers: n(2), rank: n(3) })] {
        let dlrm = model(interaction);
        let model = Model::Dlrm(dlrm.clone());
        let description = Description::of(&model).expect("it is valid");
        let network = Network::new(&description, description.whole(), 5, &device);
        assert_eq!(network.num_params() as u64, model.parameters().expect("it is valid"));
        let mut values = flat::parameters(&network).into_iter();
        let host_of = network.parameters().iter().map(|parameter| {
            (parameter.name.clone(), values.by_ref().take(parameter.shape.iter().product()).collect())
        });
        let by_name = Host(host_of.collect());
        let (numbers, rows) = ([0.5, -1.0, 2.0, 0.1, 0.2, 0.3], [6, 0, 1, 1, 4, 2, 3, 0, 2, 4]);
        let inputs = Inputs::Clicks(
            Tensor::from_data(TensorData::new(numbers.to_vec(), [2, 3]), &device),
            Tensor::<2, Int>::from_data(TensorData::new(rows.to_vec(), [2, 5]), &device),
        );
        let found = host(network.output(inputs, &Pass::plain()).single().flat());
        for (record, found) in found.into_iter().enumerate() {
            let expected = by_name.output(&dlrm, &numbers[record * 3..][..3], &rows[record * 5..][..5]);
            assert!((found - expected).abs() < 1e-5, "{interaction:?}: {found} and {expected}");
        }
    }
}
