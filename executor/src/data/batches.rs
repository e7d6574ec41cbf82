//! Batches: which records, in which order, as which numbers.

use burn::tensor::{Device, Int, Tensor, TensorData};
use scenarios::scenario::Preprocessing;

use super::Records;
use super::prepare::{epoch_order, shift_of};

/// Number for each value of a pixel: scaled to 0..1, then (x − mean) / deviation.
#[derive(Debug, Clone)]
pub struct Normalization([f32; 256]);

impl Normalization {
    /// The table of a recipe.
    #[must_use]
    pub fn new(preprocessing: &Preprocessing) -> Self {
        let [mean, deviation] = preprocessing.normalize.unwrap_or([0.0, 1.0]);
        Self(std::array::from_fn(|pixel| (pixel as f32 / 255.0 - mean) / deviation))
    }

    /// Images as a tensor `[images, pixels]`.
    #[must_use]
    pub fn tensor(&self, records: &Records, positions: &[usize], device: &Device) -> Tensor<2> {
        let mut values = Vec::with_capacity(positions.len() * records.values());
        for &position in positions {
            values.extend(records.image(position).iter().map(|&pixel| self.0[usize::from(pixel)]));
        }
        Tensor::from_data(TensorData::new(values, [positions.len(), records.values()]), device)
    }

    fn extend_shifted(&self, values: &mut Vec<f32>, records: &Records, position: usize, shift: (isize, isize)) {
        let (height, width) = (records.height.cast_signed(), records.width.cast_signed());
        let image = records.image(position);
        for row in 0..height {
            for column in 0..width {
                let (from_row, from_column) = (row - shift.0, column - shift.1);
                let inside = (0..height).contains(&from_row) && (0..width).contains(&from_column);
                let pixel = if inside { image[(from_row * width + from_column) as usize] } else { 0 };
                values.push(self.0[usize::from(pixel)]);
            }
        }
    }
}

/// The batches of one rank. At any number of ranks, the ranks' batches of a step together are the
/// same global batch: it is a function of the seed, the epoch and the step alone.
#[derive(Debug)]
pub struct Batches<'a> {
    records: &'a Records,
    normalization: Normalization,
    shift: u32,
    seed: u64,
    rank: usize,
    ranks: usize,
    global_batch: usize,
    device: Device,
    epoch: u32,
    order: Vec<usize>,
}

impl<'a> Batches<'a> {
    /// Batches of `rank` of `ranks`; the global batch is divisible by `ranks`.
    #[must_use]
    pub fn new(
        records: &'a Records,
        preprocessing: &Preprocessing,
        global_batch: usize,
        (rank, ranks): (usize, usize),
        seed: u64,
        device: Device,
    ) -> Self {
        let normalization = Normalization::new(preprocessing);
        let shift = preprocessing.augmentation.shift;
        let (epoch, order) = (0, Vec::new());
        Self { records, normalization, shift, seed, rank, ranks, global_batch, device, epoch, order }
    }

    /// Whole global batches in one epoch; records that fill none are left out of it.
    #[must_use]
    pub const fn steps_per_epoch(&self) -> usize {
        self.records.len() / self.global_batch
    }

    /// Records `[batch, values]` and classes `[batch]` of a step (from 0) of an epoch (from 1).
    pub fn batch(&mut self, epoch: u32, step: usize) -> (Tensor<2>, Tensor<1, Int>) {
        if epoch != self.epoch {
            self.order = epoch_order(self.records.len(), self.seed, epoch);
            self.epoch = epoch;
        }
        let share = self.global_batch / self.ranks;
        let from = step * self.global_batch + self.rank * share;
        let positions = &self.order[from..from + share];
        (self.images(positions), classes(self.records, positions, &self.device))
    }

    fn images(&self, positions: &[usize]) -> Tensor<2> {
        if self.shift == 0 {
            return self.normalization.tensor(self.records, positions, &self.device);
        }
        let mut values = Vec::with_capacity(positions.len() * self.records.values());
        for &position in positions {
            let shift = shift_of(position, self.shift, self.seed, self.epoch);
            self.normalization.extend_shifted(&mut values, self.records, position, shift);
        }
        Tensor::from_data(TensorData::new(values, [positions.len(), self.records.values()]), &self.device)
    }
}

/// Classes of records as a tensor `[records]`.
fn classes(records: &Records, positions: &[usize], device: &Device) -> Tensor<1, Int> {
    let labels: Vec<i32> = positions.iter().map(|&position| i32::from(records.labels[position])).collect();
    Tensor::from_data(TensorData::new(labels, [positions.len()]), device)
}

#[cfg(test)]
mod tests {
    use scenarios::scenario::Augmentation;

    use super::*;
    use crate::model::host;

    fn records() -> Records {
        Records { height: 2, width: 2, pixels: (0..48).collect(), labels: (0..12).collect() }
    }

    fn batches<'a>(records: &'a Records, preprocessing: &Preprocessing, rank: usize, ranks: usize) -> Batches<'a> {
        Batches::new(records, preprocessing, 4, (rank, ranks), 9, Device::flex())
    }

    #[test]
    fn the_ranks_together_read_the_same_global_batch() {
        let records = records();
        let shifted = Preprocessing {
            augmentation: Augmentation { shift: 1, ..Augmentation::default() },
            ..Preprocessing::default()
        };
        for preprocessing in [Preprocessing::default(), shifted] {
            let read = |ranks: usize, epoch, step| -> Vec<f32> {
                let of = |rank| host(batches(&records, &preprocessing, rank, ranks).batch(epoch, step).0);
                (0..ranks).flat_map(of).collect()
            };
            for (epoch, step) in [(1, 0), (1, 2), (2, 1)] {
                assert_eq!(read(1, epoch, step), read(2, epoch, step));
                assert_eq!(read(1, epoch, step), read(4, epoch, step));
            }
        }
    }

    #[test]
    fn an_epoch_reads_every_record_once() {
        let records = records();
        let mut batches = batches(&records, &Preprocessing::default(), 0, 1);
        let mut seen: Vec<i64> = (0..batches.steps_per_epoch())
            .flat_map(|step| {
                batches.batch(3, step).1.into_data().convert::<i64>().try_to_vec::<i64>().expect("integers")
            })
            .collect();
        seen.sort_unstable();
        assert_eq!(seen, (0..12).collect::<Vec<_>>());
    }

    #[test]
    fn pixels_are_scaled_normalized_and_shifted() {
        let records = Records { height: 2, width: 2, pixels: vec![0, 255, 51, 204], labels: vec![0] };
        let preprocessing = Preprocessing { normalize: Some([0.5, 0.5]), ..Preprocessing::default() };
        let table = Normalization::new(&preprocessing);
        let close = |found: &[f32], expected: [f32; 4]| {
            assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6), "{found:?}");
        };
        close(&host(table.tensor(&records, &[0], &Device::flex())), [-1.0, 1.0, -0.6, 0.6]);
        let mut values = Vec::new();
        table.extend_shifted(&mut values, &records, 0, (1, -1));
        close(&values, [-1.0, -1.0, 1.0, -1.0]);
    }
}
