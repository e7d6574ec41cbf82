//! What one pass through a network makes a device compute: from a description to segments of kernels.
//!
//! Each family unfolds in a file of its own. What is fused: biases into their matrix products, an activation into the
//! batch normalisation or sum before it. Parameters are read in the precision of activations, as a mixed-precision copy
//! is; embedding tables stay in 32 bits.

mod exchange;
#[cfg(test)]
mod hostile;
mod images;
mod product;
mod recommender;
mod recurrent;
pub mod transformer;

pub use exchange::{Exchange, exchanged};

use scenarios::model::{Model, ShapeError};
use scenarios::precision::Precision;

use super::kernel::Segment;

/// Bytes of a parameter in an embedding table.
const TABLE_BYTES: f64 = 4.0;

/// Largest number of records in one pass: beyond it, nothing fits anywhere.
const MAX_BATCH: f64 = 1e12;

/// Why a network has no segments.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum NetworkError {
    /// The description is no network.
    #[error(transparent)]
    Shape(#[from] ShapeError),
    /// Not a number of records.
    #[error("{0} is no number of records in one pass; it is above 0 and at most 10^12")]
    Batch(f64),
    /// Transformers unfold by strategy, not by batch alone.
    #[error("transformers are not unfolded by batch alone")]
    Transformer,
}

/// Segments of a network in the order of its forward pass, over `batch` records (images, sentences of `sequence`
/// tokens, ratings, clicks) on one device that holds it all.
///
/// # Errors
/// The description is no network, or `batch` is no number of records.
pub fn segments(model: &Model, batch: f64, precision: Precision) -> Result<Vec<Segment>, NetworkError> {
    model.parameters()?;
    if !(batch > 0.0 && batch <= MAX_BATCH) {
        return Err(NetworkError::Batch(batch));
    }
    let pass = Pass { batch, value_bytes: f64::from(precision.activation_bytes()) };
    match model.resolved()? {
        Model::Rnn(network) => Ok(recurrent::segments(&network, pass)),
        Model::MatrixFactorization(factors) => Ok(vec![recommender::factorization(&factors, pass)]),
        Model::Dlrm(network) => Ok(recommender::segments(&network, pass)),
        Model::Transformer(_) => Err(NetworkError::Transformer),
        other => Ok(images::segments(&other.sections()?, pass)),
    }
}

/// What all kernels of one pass have in common.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Pass {
    /// Records.
    batch: f64,
    /// Bytes of one activation.
    value_bytes: f64,
}

impl Pass {
    /// Bytes of `values` activations of each record.
    const fn bytes(self, values: f64) -> f64 {
        self.batch * self.value_bytes * values
    }
}

#[cfg(test)]
mod tests {
    use super::super::kernel::Kernel;
    use super::*;

    fn preset(name: &str) -> Model {
        Model::Preset(name.to_owned())
    }

    fn flops(kernels: impl Fn(&Segment) -> &Vec<Kernel>, segments: &[Segment]) -> f64 {
        segments.iter().map(|s| s.repeat * kernels(s).iter().map(|k| k.count * k.flops).sum::<f64>()).sum()
    }

    /// Multiply-adds as torchvision's model pages and the papers publish them, in billions a record.
    #[test]
    fn forward_work_is_the_published_one() {
        let check = |name: &str, batch: f64, expected: f64, tolerance: f64| {
            let segments = segments(&preset(name), batch, Precision::Fp16).expect("it is a network");
            let found = flops(|s| &s.forward, &segments) / 2e9 / batch;
            assert!((found / expected - 1.0).abs() < tolerance, "{name}: {found} instead of {expected}");
        };
        check("resnet18", 1.0, 1.81, 0.005);
        check("resnet34", 1.0, 3.66, 0.005);
        check("resnet50", 1.0, 4.09, 0.005);
        check("resnet50", 256.0, 4.09, 0.005);
        check("resnet101", 1.0, 7.80, 0.005);
        check("resnet152", 1.0, 11.51, 0.005);
        check("resnext50-32x4d", 1.0, 4.23, 0.005);
        check("resnext101-32x8d", 1.0, 16.41, 0.005);
        check("efficientnet-b0", 1.0, 0.39, 0.02);
        check("efficientnet-b4", 1.0, 4.39, 0.02);
        check("vgg16", 1.0, 15.47, 0.005);
        check("resnet20", 1.0, 0.0408, 0.01);
        check("retinanet-resnet50", 1.0, 151.54, 0.001);
        check("mnist-mlp", 8.0, 234_752e-9, 1e-6);
    }

    /// Every product has two gradients, but the first layer needs none of its input.
    #[test]
    fn backward_work_is_twice_the_forward_work_but_for_the_first_layer() {
        let check = |name: &str, lowest: f64, highest: f64| {
            let segments = segments(&preset(name), 32.0, Precision::Fp16).expect("it is a network");
            let ratio = flops(|s| &s.backward, &segments) / flops(|s| &s.forward, &segments);
            assert!((lowest..=highest).contains(&ratio), "{name}: {ratio}");
        };
        check("resnet50", 1.96, 1.98);
        check("vgg16", 1.99, 2.0);
        check("mnist-linear", 1.0, 1.0);
        check("gnmt-v2", 1.99, 2.0);
        check("lstm-lm", 2.0, 2.0);
        check("dlrm-small", 1.9, 2.0);
        check("ssd300-resnet50", 1.98, 2.0);
    }

    #[test]
    fn parameters_of_segments_are_those_of_the_network() {
        for preset in scenarios::model::PRESETS {
            let model = preset.model();
            if matches!(model, Model::Transformer(_)) {
                assert_eq!(segments(&model, 1.0, Precision::Bf16), Err(NetworkError::Transformer));
                continue;
            }
            let segments = segments(&model, 4.0, Precision::Bf16).expect("presets are networks");
            let found: f64 = segments.iter().map(|s| s.repeat * s.parameters).sum();
            let expected = model.parameters().expect("presets are networks") as f64;
            assert!((found - expected).abs() < 0.5, "{}: {found} instead of {expected}", preset.name);
        }
    }

    #[test]
    fn all_figures_are_finite_and_grow_with_the_batch() {
        let work = |model: &Model, batch: f64| -> f64 {
            let segments = segments(model, batch, Precision::Fp32).expect("it is a network");
            let kernels = segments.iter().flat_map(|s| s.forward.iter().chain(&s.backward));
            let sums = kernels.map(|k| {
                assert!([k.count, k.flops, k.bytes].iter().all(|v| v.is_finite() && *v >= 0.0), "{k:?}");
                k.count * k.bytes
            });
            sums.sum::<f64>() + segments.iter().map(|s| s.saved_bytes + s.output_bytes).sum::<f64>()
        };
        for preset in scenarios::model::PRESETS {
            let model = preset.model();
            if !matches!(model, Model::Transformer(_)) {
                assert!(work(&model, 1.0) < work(&model, 2.0), "{}", preset.name);
                assert!(work(&model, MAX_BATCH).is_finite(), "{}", preset.name);
            }
        }
    }

    /// ResNet-50 has 11.1 M values behind convolutions (torchvision's flop counter calls them activations); each is kept
    /// once before and once after normalisation, and the pool and 16 sums add 6.1 M.
    #[test]
    fn activations_kept_for_backward_are_realistic() {
        let segments = segments(&preset("resnet50"), 1.0, Precision::Fp16).expect("it is a network");
        let saved: f64 = segments.iter().map(|s| s.repeat * s.saved_bytes).sum();
        assert!((45e6..90e6).contains(&saved), "{saved}");
    }

    #[test]
    fn what_is_no_pass_is_refused() {
        let check = |model: &Model, batch: f64, expected: &str| {
            let found = segments(model, batch, Precision::Fp32);
            assert_eq!(found.map_err(|error| error.to_string()).err().as_deref(), Some(expected));
        };
        let range = "is no number of records in one pass; it is above 0 and at most 10^12";
        check(&preset("resnet50"), 0.0, &format!("0 {range}"));
        check(&preset("resnet50"), f64::NAN, &format!("NaN {range}"));
        check(&preset("resnet50"), f64::INFINITY, &format!("inf {range}"));
        check(&preset("resnet5"), 1.0, "unknown model preset `resnet5`");
    }
}
