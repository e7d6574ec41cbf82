//! Batches in the memory of the host, before they go to a device.

use burn::tensor::{Device, Int, Tensor, TensorData};

use super::batch::{Batch, Inputs, Targets};
use super::records::rows;

/// Records of a pass in the host's memory.
#[derive(Debug, Clone, PartialEq)]
pub struct HostBatch {
    /// What a network reads.
    pub inputs: HostInputs,
    /// What it is to give.
    pub targets: HostTargets,
}

/// What a network reads, record after record.
#[derive(Debug, Clone, PartialEq)]
pub enum HostInputs {
    /// Numbers of records of this width.
    Numbers(usize, Vec<f32>),
    /// Tokens of records of this length, and which of them are there and not filled up; none if all are.
    Tokens(usize, Vec<i32>, Option<Vec<f32>>),
    /// User and item of each record.
    Pairs(Vec<i32>),
    /// Numbers of records of the first width, and rows of tables of the second.
    Clicks([usize; 2], Vec<f32>, Vec<i32>),
}

/// What is true of the records.
#[derive(Debug, Clone, PartialEq)]
pub enum HostTargets {
    /// Nothing is known.
    Unknown,
    /// One class a record.
    Classes(Vec<i32>),
    /// Numbers of records of this width.
    Numbers(usize, Vec<f32>),
    /// Tokens of records of this length, and 1 for each that counts, else 0.
    Tokens(usize, Vec<i32>, Vec<f32>),
    /// Class, then centre, width and height of each object of each record, as shares of the image.
    Boxes(Vec<Vec<(usize, [f32; 4])>>),
}

impl HostInputs {
    /// Records of the batch.
    #[must_use]
    pub fn records(&self) -> usize {
        let of = |values: usize, width: usize| values.checked_div(width).unwrap_or(0);
        match self {
            Self::Numbers(width, values) => of(values.len(), *width),
            Self::Tokens(length, tokens, _) => of(tokens.len(), *length),
            Self::Pairs(pairs) => pairs.len() / 2,
            Self::Clicks([width, lookups], values, rows) => of(values.len(), *width).max(of(rows.len(), *lookups)),
        }
    }

    /// The same on a device.
    #[must_use]
    pub fn on(self, device: &Device) -> Inputs {
        let records = self.records();
        match self {
            Self::Numbers(width, values) => Inputs::Numbers(numbers(values, [records, width], device)),
            Self::Tokens(length, tokens, there) => Inputs::Tokens(
                whole(tokens, [records, length], device),
                there.map(|there| numbers(there, [records, length], device)),
            ),
            Self::Pairs(pairs) => Inputs::Pairs(whole(pairs, [records, 2], device)),
            Self::Clicks([width, lookups], values, rows) => {
                Inputs::Clicks(numbers(values, [records, width], device), whole(rows, [records, lookups], device))
            }
        }
    }

    fn select(&self, positions: &[usize]) -> Self {
        match self {
            Self::Numbers(width, values) => Self::Numbers(*width, rows(values, *width, positions)),
            Self::Tokens(length, tokens, there) => {
                let there = there.as_ref().map(|there| rows(there, *length, positions));
                Self::Tokens(*length, rows(tokens, *length, positions), there)
            }
            Self::Pairs(pairs) => Self::Pairs(rows(pairs, 2, positions)),
            Self::Clicks([width, lookups], values, of_tables) => {
                Self::Clicks([*width, *lookups], rows(values, *width, positions), rows(of_tables, *lookups, positions))
            }
        }
    }
}

impl HostTargets {
    /// How many losses are summed: records, or tokens that count.
    fn units(&self, records: usize) -> f64 {
        match self {
            Self::Tokens(_, _, counts) => counts.iter().map(|&count| f64::from(count)).sum(),
            _ => records as f64,
        }
    }

    fn on(self, records: usize, device: &Device) -> Targets {
        match self {
            Self::Unknown => unreachable!("nothing is learned from records without a truth"),
            Self::Classes(classes) => Targets::Classes(Tensor::from_data(TensorData::new(classes, [records]), device)),
            Self::Numbers(width, values) => Targets::Numbers(numbers(values, [records, width], device)),
            Self::Tokens(length, tokens, counts) => {
                Targets::Tokens(whole(tokens, [records, length], device), numbers(counts, [records, length], device))
            }
            Self::Boxes(boxes) => Targets::Boxes(boxes),
        }
    }

    fn select(&self, positions: &[usize]) -> Self {
        match self {
            Self::Unknown => Self::Unknown,
            Self::Classes(classes) => Self::Classes(rows(classes, 1, positions)),
            Self::Numbers(width, values) => Self::Numbers(*width, rows(values, *width, positions)),
            Self::Tokens(length, tokens, counts) => {
                Self::Tokens(*length, rows(tokens, *length, positions), rows(counts, *length, positions))
            }
            Self::Boxes(boxes) => Self::Boxes(positions.iter().map(|&position| boxes[position].clone()).collect()),
        }
    }
}

impl HostBatch {
    /// Records of the batch.
    #[must_use]
    pub fn records(&self) -> usize {
        self.inputs.records()
    }

    /// How many losses are summed: records, or tokens that count.
    #[must_use]
    pub fn units(&self) -> f64 {
        self.targets.units(self.records())
    }

    /// The same on a device.
    ///
    /// # Panics
    /// Nothing is known to be true of the records.
    #[must_use]
    pub fn on(self, device: &Device) -> Batch {
        let (records, units) = (self.records(), self.units());
        Batch { inputs: self.inputs.on(device), targets: self.targets.on(records, device), units }
    }

    /// Micro-batches of `records` each, in order; the last one may have fewer.
    #[must_use]
    pub fn split(self, records: usize) -> Vec<Self> {
        let count = self.records();
        if count <= records {
            return vec![self];
        }
        let positions: Vec<usize> = (0..count).collect();
        let part = |part: &[usize]| Self { inputs: self.inputs.select(part), targets: self.targets.select(part) };
        positions.chunks(records.max(1)).map(part).collect()
    }
}

fn numbers(values: Vec<f32>, shape: [usize; 2], device: &Device) -> Tensor<2> {
    Tensor::from_data(TensorData::new(values, shape), device)
}

fn whole(values: Vec<i32>, shape: [usize; 2], device: &Device) -> Tensor<2, Int> {
    Tensor::from_data(TensorData::new(values, shape), device)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::host;

    #[test]
    fn micro_batches_together_are_the_batch() {
        let check = |inputs: HostInputs, targets: HostTargets, units: f64| {
            let batch = HostBatch { inputs, targets };
            assert_eq!((batch.records(), batch.units()), (3, units));
            let parts = batch.clone().split(2);
            assert_eq!(parts.iter().map(HostBatch::records).collect::<Vec<_>>(), [2, 1]);
            assert!((parts.iter().map(HostBatch::units).sum::<f64>() - units).abs() < 1e-12);
            assert_eq!(parts[1].inputs, batch.inputs.select(&[2]));
            assert_eq!(parts[1].targets, batch.targets.select(&[2]));
            assert_eq!(batch.clone().split(3), [batch]);
        };
        let numbers = HostInputs::Numbers(2, vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        check(numbers, HostTargets::Classes(vec![7, 8, 9]), 3.0);
        let tokens = HostInputs::Tokens(2, (0..6).collect(), Some(vec![1.0, 1.0, 1.0, 0.0, 1.0, 1.0]));
        let counts = vec![1.0, 0.0, 0.0, 0.0, 1.0, 1.0];
        check(tokens, HostTargets::Tokens(2, (10..16).collect(), counts), 3.0);
        check(HostInputs::Pairs((0..6).collect()), HostTargets::Numbers(1, vec![0.5, 1.5, 2.5]), 3.0);
        let clicks = HostInputs::Clicks([1, 2], vec![1.0, 2.0, 3.0], (0..6).collect());
        check(clicks, HostTargets::Boxes(vec![vec![(1, [0.5; 4])], vec![], vec![(2, [0.1; 4])]]), 3.0);
    }

    #[test]
    fn values_are_the_same_on_a_device() {
        let device = Device::flex();
        let inputs = HostInputs::Tokens(2, vec![1, 2, 3, 4], Some(vec![1.0, 0.0, 1.0, 1.0]));
        let batch = HostBatch { inputs, targets: HostTargets::Tokens(2, vec![2, 3, 4, 5], vec![1.0, 0.0, 1.0, 1.0]) };
        let batch = batch.on(&device);
        assert!((batch.units - 3.0).abs() < 1e-12);
        let Inputs::Tokens(tokens, Some(there)) = batch.inputs else { unreachable!("they are tokens") };
        assert_eq!(
            (tokens.dims(), host(tokens.float()), host(there)),
            ([2, 2], vec![1.0, 2.0, 3.0, 4.0], vec![1.0, 0.0, 1.0, 1.0])
        );
        let Targets::Tokens(next, counts) = batch.targets else { unreachable!("they are tokens") };
        assert_eq!((host(next.float()), host(counts)), (vec![2.0, 3.0, 4.0, 5.0], vec![1.0, 0.0, 1.0, 1.0]));
    }
}
