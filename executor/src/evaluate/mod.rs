//! What a trained network is worth on records that it has not seen.

use std::time::Instant;

use burn::nn::loss::CrossEntropyLossConfig;
use burn::tensor::activation::softmax;
use burn::tensor::{Device, Int, Tensor, TensorData};
use scenarios::units::Interval;

use crate::data::{HostTargets, Inputs, Reader, Records};
use crate::model::{Network, Pass, host};

/// Figures of a network on a set of records.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Evaluation {
    /// Rows are true classes, columns predicted ones.
    pub confusion: Vec<Vec<u64>>,
    /// Sum of the cross-entropy of all records.
    loss_sum: f64,
    /// Time of each full batch.
    batch_seconds: Vec<f64>,
    /// Time of everything.
    seconds: f64,
}

impl Evaluation {
    /// Records that were looked at.
    #[must_use]
    pub fn records(&self) -> u64 {
        self.confusion.iter().flatten().sum()
    }

    /// Share of records that were classified rightly; 0 without records.
    #[must_use]
    pub fn accuracy(&self) -> f64 {
        let right: u64 = self.confusion.iter().enumerate().filter_map(|(class, row)| row.get(class)).sum();
        right as f64 / self.records().max(1) as f64
    }

    /// Mean cross-entropy in nats; 0 without records.
    #[must_use]
    pub fn loss(&self) -> f64 {
        self.loss_sum / self.records().max(1) as f64
    }

    /// Records per second.
    #[must_use]
    pub fn throughput(&self) -> f64 {
        if self.seconds > 0.0 { self.records() as f64 / self.seconds } else { 0.0 }
    }

    /// Time of one batch.
    #[must_use]
    pub fn batch_seconds(&self) -> Option<Interval> {
        Interval::of(&self.batch_seconds)
    }

    /// Adds what another rank has found, at the same time, on other records.
    pub fn join(&mut self, other: &Self) {
        if self.confusion.is_empty() {
            self.confusion = vec![vec![0; other.confusion.len()]; other.confusion.len()];
        }
        for (row, more) in self.confusion.iter_mut().zip(&other.confusion) {
            row.iter_mut().zip(more).for_each(|(count, more)| *count += more);
        }
        self.loss_sum += other.loss_sum;
        self.batch_seconds.extend(&other.batch_seconds);
        self.seconds = self.seconds.max(other.seconds);
    }
}

/// Runs a network over labelled records in batches of `batch`.
#[must_use]
pub fn evaluate(network: &Network, records: &Records, reader: &Reader, batch: usize, device: &Device) -> Evaluation {
    let loss = CrossEntropyLossConfig::new().init(device);
    let mut found = Evaluation::default();
    let started = Instant::now();
    let positions: Vec<usize> = (0..records.len()).collect();
    for positions in positions.chunks(batch.max(1)) {
        let batch_started = Instant::now();
        let read = reader.read(records, positions);
        let HostTargets::Classes(labels) = read.targets else {
            unreachable!("only records with classes are evaluated")
        };
        let classes = Tensor::<1, Int>::from_data(TensorData::new(labels.clone(), [positions.len()]), device);
        let scores = scores(network, read.inputs.on(device));
        let classes_count = scores.dims()[1];
        found.confusion.resize_with(classes_count, || vec![0; classes_count]);
        found.loss_sum += f64::from(host(loss.forward(scores.clone(), classes))[0]) * positions.len() as f64;
        for (label, predicted) in labels.into_iter().zip(best(&host(scores), classes_count)) {
            found.confusion[label as usize][predicted] += 1;
        }
        if positions.len() == batch {
            found.batch_seconds.push(batch_started.elapsed().as_secs_f64());
        }
    }
    found.seconds = started.elapsed().as_secs_f64();
    found
}

/// Classes of records with the network's confidence in each.
#[must_use]
pub fn classify(
    network: &Network,
    records: &Records,
    reader: &Reader,
    batch: usize,
    device: &Device,
) -> Vec<(usize, f32)> {
    let positions: Vec<usize> = (0..records.len()).collect();
    let batches = positions.chunks(batch.max(1)).flat_map(|positions| {
        let shares = softmax(scores(network, reader.read(records, positions).inputs.on(device)), 1);
        let classes = shares.dims()[1];
        let shares = host(shares);
        let predicted: Vec<_> = best(&shares, classes).collect();
        predicted
            .into_iter()
            .enumerate()
            .map(move |(row, class)| (class, shares[row * classes + class]))
            .collect::<Vec<_>>()
    });
    batches.collect()
}

/// Scores of classes: `[records, classes]`.
fn scores(network: &Network, inputs: Inputs) -> Tensor<2> {
    network.output(inputs, &Pass::plain()).single().flat()
}

/// Position of the highest value in each row; the first of equals.
fn best(values: &[f32], columns: usize) -> impl Iterator<Item = usize> + '_ {
    values.chunks(columns).map(|row| {
        let higher = |best: usize, at: usize| if row[at] > row[best] { at } else { best };
        (1..row.len()).fold(0, higher)
    })
}

#[cfg(test)]
mod tests {
    use scenarios::model::Model;
    use scenarios::scenario::Preprocessing;

    use super::*;
    use crate::model::Description;

    #[test]
    fn figures_are_counted_over_all_batches() {
        let description = Description::of(&Model::Preset("mnist-linear".to_owned())).expect("it is a preset");
        let device = Device::flex();
        let network = Network::new(&description, description.whole(), 4, &device);
        let pixels = (0..784 * 25).map(|at| (at * 7 % 251) as u8).collect();
        let records = Records::grey(28, 28, pixels, &(0..25).map(|at| at % 10).collect::<Vec<u8>>());
        let reader = Reader::new(&Preprocessing::default(), 1);
        let whole = evaluate(&network, &records, &reader, 25, &device);
        let batched = evaluate(&network, &records, &reader, 10, &device);
        assert_eq!(whole.confusion, batched.confusion);
        assert!((whole.loss() - batched.loss()).abs() < 1e-5);
        assert_eq!((whole.records(), batched.batch_seconds.len()), (25, 2));
        let classes = classify(&network, &records, &reader, 10, &device);
        let right = classes.iter().enumerate().filter(|(at, (class, _))| records.class(*at) == Some(*class)).count();
        assert!((whole.accuracy() - right as f64 / 25.0).abs() < 1e-12);
        assert!(classes.iter().all(|&(_, share)| (0.1..=1.0).contains(&share)));
    }

    #[test]
    fn ranks_join_their_figures() {
        let part = |count, seconds| Evaluation {
            confusion: vec![vec![count, 1], vec![0, 2]],
            loss_sum: 2.0,
            batch_seconds: vec![seconds],
            seconds,
        };
        let mut joined = part(3, 2.0);
        joined.join(&part(5, 1.0));
        assert_eq!(joined.confusion, vec![vec![8, 2], vec![0, 4]]);
        assert_eq!((joined.records(), joined.loss(), joined.seconds), (14, 4.0 / 14.0, 2.0));
        assert_eq!((joined.accuracy(), joined.throughput()), (12.0 / 14.0, 7.0));
    }

    #[test]
    fn of_equal_scores_the_first_class_wins() {
        let found: Vec<_> = best(&[0.0, 1.0, 1.0, 2.0, 1.0, 0.0], 3).collect();
        assert_eq!(found, [1, 0]);
    }
}
