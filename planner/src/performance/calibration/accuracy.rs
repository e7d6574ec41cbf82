//! How far predictions miss measured runs that the fit has not seen.

use std::collections::BTreeMap;

use scenarios::units::Interval;

use super::fit::{Lowered, fit, groups};
use super::interval::Spread;
use crate::performance::runs::{Measured, Run};

/// Which runs are left out together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Split {
    /// None: the error of the fit itself.
    None,
    /// One of five parts of the runs at a time.
    Folds,
    /// One source at a time.
    Sources,
    /// One device at a time.
    Devices,
}

/// A run predicted by constants that were fitted without it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Prediction {
    /// Predicted figure in the unit of the measured one.
    pub interval: Interval,
    /// Logarithm of predicted over measured.
    pub error: f64,
    /// Part of the runs that was left out with it.
    pub part: usize,
}

impl Prediction {
    /// Whether the measured value lies between p10 and p90.
    #[must_use]
    pub fn is_inside(&self) -> bool {
        let measured = self.interval.p50 / self.error.exp();
        (self.interval.p10..=self.interval.p90).contains(&measured)
    }

    /// Half of the interval's width over the prediction.
    #[must_use]
    pub fn half_width(&self) -> f64 {
        (self.interval.p90 - self.interval.p10) / 2.0 / self.interval.p50
    }
}

/// Predicts the step of every run by constants fitted to the others, with an interval that comes from the errors of the
/// other parts; in the order of the runs, `None` where no time of a step was measured.
#[must_use]
pub fn cross_validate(runs: &[Run], split: Split) -> Vec<Option<Prediction>> {
    let parts: Vec<Vec<usize>> = parts(runs, split).into_values().collect();
    let mut errors = vec![None; runs.len()];
    for (part, rows) in parts.iter().enumerate() {
        let fitted = fit(runs, |row| split == Split::None || !rows.contains(&row));
        for row in rows {
            let run = &runs[*row];
            let lowered = Lowered::new(run);
            let error = lowered.and_then(|lowered| lowered.error(&fitted.constants(&run.training, &run.source)).ok());
            errors[*row] = error.map(|error| (part, error));
        }
    }
    let spreads: Vec<Spread> = (0..parts.len()).map(|part| spread(runs, &errors, part)).collect();
    let predict = |(row, error): (usize, &Option<(usize, f64)>)| {
        let (part, error) = (*error)?;
        let Measured::StepSeconds(measured) = runs[row].measured else { return None };
        let of_run = groups(&runs[row].training, &runs[row].source);
        Some(Prediction { interval: spreads[part].around(measured * error.exp(), &of_run), error, part })
    };
    errors.iter().enumerate().map(predict).collect()
}

/// Spread of the errors outside a part; of all where there is only one part.
fn spread(runs: &[Run], errors: &[Option<(usize, f64)>], part: usize) -> Spread {
    let is_only = errors.iter().flatten().all(|(other, _)| *other == part);
    let outside = errors.iter().enumerate().filter_map(|(row, error)| {
        let (other, error) = (*error)?;
        let run = &runs[row];
        (is_only || other != part).then(|| (groups(&run.training, &run.source), error))
    });
    Spread::of(&outside.collect::<Vec<_>>())
}

/// Rows by part.
fn parts(runs: &[Run], split: Split) -> BTreeMap<String, Vec<usize>> {
    let mut parts = BTreeMap::<String, Vec<usize>>::new();
    for (row, run) in runs.iter().enumerate() {
        let part = match split {
            Split::None => String::new(),
            Split::Folds => fold(&run.id).to_string(),
            Split::Sources => run.source.clone(),
            Split::Devices => run.training.cluster.device.clone(),
        };
        parts.entry(part).or_default().push(row);
    }
    parts
}

/// The one of five parts that a run belongs to, by FNV-1a of its identifier: the same on every machine.
#[must_use]
pub fn fold(id: &str) -> u64 {
    id.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)) % 5
}
