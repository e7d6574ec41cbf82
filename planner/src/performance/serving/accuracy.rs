//! How far predictions miss measured runs that the fit has not seen, and the spread that follows from it.

use std::collections::{BTreeMap, BTreeSet};

use scenarios::units::Interval;

use super::calibration::{Batching, Factors, Fitted, ServingCalibration, Spread, class, error, fit_constants};
use super::runs::{Measured, ServingRun};
use crate::performance::calibration::fold;

/// Which runs are left out together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Split {
    /// None: the error of the fit itself.
    None,
    /// One of five parts of the runs at a time.
    Folds,
    /// All runs of one device at a time.
    Devices,
}

/// A run predicted by constants that were fitted without it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Predicted {
    /// What was measured: seconds to the first token, or tokens in a second of the whole replica.
    pub measured: f64,
    /// The same, predicted. The interval's width comes from other parts' errors.
    pub predicted: Interval,
}

impl Predicted {
    /// Error as a share of the measured value.
    #[must_use]
    pub fn relative_error(&self) -> f64 {
        (self.predicted.p50 / self.measured - 1.0).abs()
    }

    /// Whether the measured value lies inside the interval.
    #[must_use]
    pub fn is_inside(&self) -> bool {
        (self.predicted.p10..=self.predicted.p90).contains(&self.measured)
    }
}

/// Predicts every run, in their order, by constants that were fitted to the others of its kind of software; `None` where
/// the prediction says that the run is impossible.
#[must_use]
pub fn accuracy(runs: &[ServingRun], split: Split) -> Vec<Option<Predicted>> {
    let errors = cross_validate(runs, split);
    runs.iter()
        .zip(&errors)
        .map(|(run, error)| {
            // The spread of the run's group without the part that it belongs to.
            let part = part(run, split);
            let others = runs.iter().zip(&errors).filter(|(other, _)| {
                is_alike(run, other) && (split == Split::None || self::part(other, split) != part)
            });
            let others: Vec<f64> = others.filter_map(|(_, error)| error.map(|error| -error)).collect();
            Some(predicted(run, (*error)?, Factors::of(&others)))
        })
        .collect()
}

fn is_alike(a: &ServingRun, b: &ServingRun) -> bool {
    Batching::of(a.load) == Batching::of(b.load) && class(&a.server) == class(&b.server)
}

fn predicted(run: &ServingRun, error: f64, factors: Factors) -> Predicted {
    let (measured, predicted) = match run.measured {
        Measured::FirstTokenSeconds(seconds) => (seconds, spread_seconds(seconds * error.exp(), factors)),
        Measured::TokensPerSecond(rate) => (rate, spread_rate(rate / error.exp(), factors)),
    };
    Predicted { measured, predicted }
}

/// A predicted time with its spread.
pub(super) fn spread_seconds(seconds: f64, factors: Factors) -> Interval {
    Interval { p10: seconds * factors.p10, p50: seconds, p90: seconds * factors.p90 }
}

/// A predicted rate with its spread.
pub(super) fn spread_rate(rate: f64, factors: Factors) -> Interval {
    Interval { p10: rate / factors.p90, p50: rate, p90: rate / factors.p10 }
}

/// Logarithm of predicted over measured time of every run.
fn cross_validate(runs: &[ServingRun], split: Split) -> Vec<Option<f64>> {
    let mut errors = vec![None; runs.len()];
    for batching in [Batching::Static, Batching::InFlight] {
        let rows: Vec<usize> = (0..runs.len()).filter(|row| Batching::of(runs[*row].load) == batching).collect();
        let alike: Vec<&ServingRun> = rows.iter().map(|row| &runs[*row]).collect();
        let parts: BTreeSet<String> = alike.iter().map(|run| part(run, split)).collect();
        for left_out in parts {
            let fitted = fit_constants(&alike, |run| split == Split::None || part(run, split) != left_out);
            for row in rows.iter().filter(|row| part(&runs[**row], split) == left_out) {
                errors[*row] = error(&runs[*row], &fitted.constants(&runs[*row].server));
            }
        }
    }
    errors
}

/// The part of the runs that a run belongs to.
fn part(run: &ServingRun, split: Split) -> String {
    match split {
        Split::None => String::new(),
        Split::Folds => fold(&run.id).to_string(),
        Split::Devices => run.device.clone(),
    }
}

/// Fits both kinds of software. Spreads come from runs that the fit did not see: left out in folds for devices that it
/// knows, a device at a time for those that it doesn't.
#[must_use]
pub fn fit(runs: &[ServingRun]) -> ServingCalibration {
    let [folds, devices] = [Split::Folds, Split::Devices].map(|split| cross_validate(runs, split));
    let fitted = |batching| {
        let rows: Vec<usize> = (0..runs.len()).filter(|row| Batching::of(runs[*row].load) == batching).collect();
        let alike: Vec<&ServingRun> = rows.iter().map(|row| &runs[*row]).collect();
        let classes: BTreeSet<&str> = alike.iter().map(|run| class(&run.server)).collect();
        let factors = |errors: &[Option<f64>], of: &str| {
            let rows = rows.iter().filter(|row| class(&runs[**row].server) == of);
            Factors::of(&rows.filter_map(|row| errors[*row].map(|error| -error)).collect::<Vec<_>>())
        };
        let spread = classes.into_iter().map(|class| {
            (class.to_owned(), Spread { known: factors(&folds, class), unknown: factors(&devices, class) })
        });
        Fitted { spread: spread.collect::<BTreeMap<_, _>>(), ..fit_constants(&alike, |_| true) }
    };
    ServingCalibration { static_batches: fitted(Batching::Static), in_flight: fitted(Batching::InFlight) }
}

#[cfg(test)]
mod tests {
    use super::super::runs::read;
    use super::*;

    /// The public table, where it is at hand.
    fn public_runs() -> Option<Vec<ServingRun>> {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data/performance/serving_runs.csv");
        let Ok(text) = std::fs::read(path) else {
            println!("the public table of serving runs is absent: not compared");
            return None;
        };
        let runs = read(text.as_slice()).expect("a table");
        assert_eq!(runs.refused, []);
        Some(runs.runs)
    }

    fn quantile(mut values: Vec<f64>, share: f64) -> f64 {
        values.sort_by(f64::total_cmp);
        values.get(((values.len() as f64 - 1.0) * share).round() as usize).copied().unwrap_or(f64::NAN)
    }

    #[test]
    fn runs_that_were_left_out_are_predicted() {
        let Some(runs) = public_runs() else { return };
        let check = |split: Split, batching: Batching, most: f64, least_inside: f64| {
            let accuracy = accuracy(&runs, split);
            let rows = runs.iter().zip(accuracy).filter(|(run, _)| Batching::of(run.load) == batching);
            let rows: Vec<Predicted> = rows.map(|(_, predicted)| predicted.expect("possible")).collect();
            let errors: Vec<f64> = rows.iter().map(Predicted::relative_error).collect();
            let (count, median, p90) = (errors.len(), quantile(errors.clone(), 0.5), quantile(errors.clone(), 0.9));
            let mean = errors.iter().sum::<f64>() / count as f64;
            let inside = rows.iter().filter(|row| row.is_inside()).count() as f64 / count as f64;
            let shown = format!(
                "{split:?} {batching:?}: {count} runs, error median {median:.3} mean {mean:.3} p90 {p90:.3}, inside {inside:.2}"
            );
            println!("{shown}");
            assert!(median <= most && inside >= least_inside, "{shown}");
        };
        check(Split::None, Batching::Static, 0.10, 0.75);
        check(Split::None, Batching::InFlight, 0.10, 0.75);
        check(Split::Folds, Batching::Static, 0.10, 0.75);
        check(Split::Folds, Batching::InFlight, 0.10, 0.75);
        // Three devices have static runs: the spread of two says little of the third.
        check(Split::Devices, Batching::Static, 0.15, 0.45);
        check(Split::Devices, Batching::InFlight, 0.20, 0.70);
    }

    #[test]
    fn the_bundled_calibration_is_fitted_to_the_public_table() {
        let Some(runs) = public_runs() else { return };
        let (fitted, bundled) = (fit(&runs), ServingCalibration::bundled());
        for batching in [Batching::Static, Batching::InFlight] {
            let (fitted, bundled) = (fitted.fitted(batching), bundled.fitted(batching));
            assert_eq!(fitted.runs, bundled.runs);
            assert!(
                fitted.deviations.keys().eq(bundled.deviations.keys())
                    && fitted.spread.keys().eq(bundled.spread.keys())
            );
            let constants =
                |of: &Fitted| of.deviations.values().flat_map(BTreeMap::values).copied().collect::<Vec<_>>();
            let pairs = constants(fitted).into_iter().zip(constants(bundled));
            // Other machines round exponentials differently.
            let farthest = pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
            assert!(farthest < 1e-3, "{batching:?}: {farthest}");
        }
    }

    #[test]
    fn nothing_measured_leaves_the_prior() {
        let fitted = fit(&[]);
        assert_eq!(accuracy(&[], Split::Folds), []);
        assert!(fitted.static_batches.spread.is_empty() && fitted.in_flight.runs == 0);
    }
}
