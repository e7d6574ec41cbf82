//! Calibrations as documents.

use std::sync::OnceLock;

use scenarios::document::Document as _;
use scenarios::units::Interval;
use serde::{Deserialize, Serialize};

use super::accuracy::{Split, cross_validate};
use super::fit::{Fitted, fit, groups};
use super::interval::Spread;
use crate::performance::runs::Run;
use crate::performance::training::{Constants, Training};

/// A calibration: deviations of constants from their priors by groups of runs, and sizes of errors.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calibration {
    /// Format and version of the document.
    pub format: String,
    /// SHA-256 of the rest.
    pub digest: String,
    /// Runs that it was fitted to.
    pub runs: usize,
    /// Fitted constants.
    pub fitted: Fitted,
    /// Errors where both device and software stack were among the runs.
    pub known: Spread,
    /// Errors where the software stack was not.
    pub other_stack: Spread,
    /// Errors where the device was not either.
    pub other_device: Spread,
}

scenarios::document!(Calibration, "causeway.calibration/1", "calibration");

/// What a prediction rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// Runs of this device with this software stack.
    Calibrated,
    /// Runs of this device with other software.
    OtherStack,
    /// Runs of other devices: the data sheet is all that is known.
    OtherDevice,
}

impl Basis {
    /// In words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Calibrated => "calibrated on runs of this device and software",
            Self::OtherStack => "no runs of this software on this device: calibrated on other software, wide",
            Self::OtherDevice => "no runs of this device: data sheet and other devices' efficiency, wide",
        }
    }
}

impl Calibration {
    /// Fits constants to runs, and learns the size of errors from runs that fits had not seen.
    #[must_use]
    pub fn of(runs: &[Run]) -> Self {
        let spread = |split| {
            let errors = cross_validate(runs, split).into_iter().enumerate().filter_map(|(row, prediction)| {
                let run = &runs[row];
                Some((groups(&run.training, &run.source), prediction?.error))
            });
            Spread::of(&errors.collect::<Vec<_>>())
        };
        let (known, other_stack, other_device) = (spread(Split::Folds), spread(Split::Sources), spread(Split::Devices));
        let (format, digest) = (Self::FORMAT.to_owned(), String::new());
        let fitted = fit(runs, |_| true);
        Self { format, digest, runs: runs.len(), fitted, known, other_stack, other_device }
    }

    /// Constants for a training with a software stack.
    #[must_use]
    pub fn constants(&self, training: &Training, stack: &str) -> Constants {
        self.fitted.constants(training, stack)
    }

    /// What a prediction of this training rests on.
    #[must_use]
    pub fn basis(&self, training: &Training, stack: &str) -> Basis {
        let has = |group: &str| self.fitted.deviations.contains_key(group);
        match groups(training, stack) {
            groups if groups.last().is_some_and(|group| has(group)) => Basis::Calibrated,
            groups if groups.iter().any(|group| group.starts_with("device ") && has(group)) => Basis::OtherStack,
            _ => Basis::OtherDevice,
        }
    }

    /// The interval around a predicted time.
    #[must_use]
    pub fn interval(&self, predicted: f64, training: &Training, stack: &str) -> Interval {
        let spread = match self.basis(training, stack) {
            Basis::Calibrated => &self.known,
            Basis::OtherStack => &self.other_stack,
            Basis::OtherDevice => &self.other_device,
        };
        spread.around(predicted, &groups(training, stack))
    }
}

/// The calibration that ships with the product, made by `planner fit` from the public table of runs.
///
/// # Panics
/// Never: a test reads it.
#[must_use]
pub fn bundled() -> &'static Calibration {
    static BUNDLED: OnceLock<Calibration> = OnceLock::new();
    BUNDLED.get_or_init(|| {
        let text = include_str!("../../../calibration/training.json");
        serde_json::from_str(text).expect("the bundled calibration is one")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bundled_calibration_is_whole() {
        let calibration = bundled();
        let path = std::path::Path::new("training.json");
        let text = serde_json::to_vec(calibration).expect("it is plain");
        assert_eq!(scenarios::document::parse::<Calibration>(&text, path).map_err(|e| e.to_string()).err(), None);
        assert!(calibration.runs > 500, "{}", calibration.runs);
    }
}
