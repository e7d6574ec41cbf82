//! Rotary positions.

use burn::tensor::{FloatDType, Tensor, TensorData};

/// Base of the angles (arXiv 2104.09864, section 3.2.2).
const BASE: f64 = 10_000.0;

/// Cosines and sines of the angles p·BASE^(−2i/d) by which a head's values i and i + d/2 at position p are turned: the pairs
/// of LLaMA's published weights.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Rotary {
    /// Values of a head, d.
    size: usize,
    /// cos for each position and value: `[positions, d]`
    cosines: Vec<f32>,
    /// sin likewise, negative for the first half, whose partner enters with a minus.
    sines: Vec<f32>,
}

impl Rotary {
    /// For positions below a limit, and heads of an even size.
    pub fn new(positions: usize, size: usize) -> Self {
        let half = size / 2;
        let angles = move |position: usize| {
            (0..size).map(move |i| {
                let angle = position as f64 * BASE.powf(-2.0 * (i % half) as f64 / size as f64);
                if i < half { (angle.cos(), -angle.sin()) } else { (angle.cos(), angle.sin()) }
            })
        };
        let (cosines, sines) =
            (0..positions).flat_map(angles).map(|(cosine, sine)| (cosine as f32, sine as f32)).unzip();
        Self { size, cosines, sines }
    }

    /// Queries or keys `[records, heads, positions, d]`, turned; the first is at a position. Computed in 32 bits.
    pub fn turned(&self, x: Tensor<4>, first: usize) -> Tensor<4> {
        let ([records, heads, positions, size], device, format) = (x.dims(), x.device(), x.dtype());
        let x = x.cast(FloatDType::F32);
        let table = |values: &[f32]| {
            let values = values[first * size..(first + positions) * size].to_vec();
            Tensor::<4>::from_data(TensorData::new(values, [1, 1, positions, size]), &device)
        };
        let halves = x.clone().reshape([records, heads, positions, 2, self.size / 2]);
        let partners = halves.flip([3]).reshape([records, heads, positions, size]);
        (x * table(&self.cosines) + partners * table(&self.sines)).cast(format)
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::super::super::host;
    use super::*;

    #[test]
    fn pairs_are_turned_as_complex_numbers() {
        let (positions, size) = (5, 6);
        let values: Vec<f32> = (0..2 * positions * size).map(|i| (i as f32 * 0.7).sin()).collect();
        let tensor = Tensor::from_data(TensorData::new(values.clone(), [1, 2, positions, size]), &Device::flex());
        let turned = host(Rotary::new(9, size).turned(tensor, 3));
        for (row, (before, after)) in values.chunks(size).zip(turned.chunks(size)).enumerate() {
            let position = (3 + row % positions) as f64;
            for i in 0..size / 2 {
                let (re, im) = (f64::from(before[i]), f64::from(before[i + size / 2]));
                let (sin, cos) = (position / 10_000f64.powf(2.0 * i as f64 / size as f64)).sin_cos();
                for (found, expected) in [(after[i], re * cos - im * sin), (after[i + size / 2], re * sin + im * cos)] {
                    assert!((f64::from(found) - expected).abs() < 1e-6, "row {row}, pair {i}");
                }
            }
        }
    }
}
