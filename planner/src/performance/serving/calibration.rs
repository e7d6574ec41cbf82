//! Constants of serving, fitted to runs, and the spread of what they leave.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::batching::operate;
use super::constants::{Constant, Constants};
use super::load::Load;
use super::runs::{Measured, ServingRun};
use super::server::Server;
use crate::performance::fit::least_squares::Hierarchy;

/// Error that is expected of a well-known run, as a standard deviation of logarithms.
const EXPECTED_ERROR: f64 = 0.08;
/// Error of a run whose prediction says that it is impossible, in logarithms.
const IMPOSSIBLE_ERROR: f64 = 2.3;
/// How far a device's constants stray from those of all devices, in units of the prior's deviation.
const DEVICE_STRAY: f64 = 0.4;
/// The group of all runs.
const ALL: &str = "all";

/// Software that serves: each kind is calibrated by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Batching {
    /// Whole batches.
    Static,
    /// Requests enter and leave a running batch.
    InFlight,
}

impl Batching {
    /// The kind that a load asks for.
    #[must_use]
    pub const fn of(load: Load) -> Self {
        match load {
            Load::Batches(_) => Self::Static,
            Load::Saturated | Load::Queued(_) | Load::Rate(_) => Self::InFlight,
        }
    }
}

/// Constants of serving and the spread of predictions, for both kinds of software.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServingCalibration {
    /// Static batches.
    pub static_batches: Fitted,
    /// Continuous batching.
    pub in_flight: Fitted,
}

/// Constants fitted to one kind of runs.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fitted {
    /// Runs that it was fitted to.
    pub runs: usize,
    /// Deviations from the prior on the fitted scale, by group (all, then each device) and constant.
    pub deviations: BTreeMap<String, BTreeMap<String, f64>>,
    /// Spread by class of network.
    pub spread: BTreeMap<String, Spread>,
}

/// Measured time over predicted time, a tenth below `p10` and a tenth above `p90`: of runs on devices that the fit
/// knows, and on devices that it doesn't.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spread {
    /// Devices that other runs informed.
    pub known: Factors,
    /// Devices of which no run was known.
    pub unknown: Factors,
}

/// Quantiles of measured time over predicted time.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Factors {
    /// Tenth percentile, at most 1.
    pub p10: f64,
    /// Ninetieth percentile, at least 1.
    pub p90: f64,
}

/// What is believed without runs: the default constants miss static batches by 21 % in the middle, and by twice as much
/// in one of five.
const NOTHING_KNOWN: Factors = Factors { p10: 0.6, p90: 1.6 };

impl Factors {
    /// Quantiles of logarithms of measured over predicted time.
    pub(super) fn of(errors: &[f64]) -> Self {
        let quantiles = scenarios::units::Interval::of(errors);
        quantiles
            .map_or(NOTHING_KNOWN, |q| Self { p10: rounded(q.p10.exp().min(1.0)), p90: rounded(q.p90.exp().max(1.0)) })
    }
}

/// Six decimals: what a file keeps.
fn rounded(value: f64) -> f64 {
    (value * 1e6).round() / 1e6
}

/// Class of network, within which predictions miss by similar factors.
pub(super) const fn class(server: &Server) -> &'static str {
    if server.model.experts.is_some() { "mixture of experts" } else { "dense" }
}

fn device_group(server: &Server) -> String {
    format!("device {}", server.device.name)
}

impl ServingCalibration {
    /// The calibration that ships with the product, fitted to the public table of serving runs.
    ///
    /// # Panics
    /// Never: the file is part of the binary, and a test reads it.
    #[must_use]
    pub fn bundled() -> Self {
        let text = include_str!("../../../calibration/serving.json");
        serde_json::from_str(text).expect("the bundled calibration is well-formed")
    }

    /// Fit of a kind of software.
    #[must_use]
    pub const fn fitted(&self, batching: Batching) -> &Fitted {
        match batching {
            Batching::Static => &self.static_batches,
            Batching::InFlight => &self.in_flight,
        }
    }
}

impl Fitted {
    /// Constants of a replica; groups that are not known add nothing.
    #[must_use]
    pub fn constants(&self, server: &Server) -> Constants {
        let device = device_group(server);
        let groups = [ALL, device.as_str()].map(|group| self.deviations.get(group));
        Constants::from_fitted(&Constant::ALL.map(|constant| {
            let deviations = groups.iter().flatten().filter_map(|group| group.get(constant.name()));
            constant.start() + deviations.sum::<f64>()
        }))
    }

    /// Whether runs on a replica's device informed the fit.
    #[must_use]
    pub fn knows(&self, server: &Server) -> bool {
        self.deviations.contains_key(&device_group(server))
    }

    /// Spread of predictions for a replica, between a thousandth and a thousandfold whatever a file says.
    #[must_use]
    pub fn factors(&self, server: &Server) -> Factors {
        let Factors { p10, p90 } = match self.spread.get(class(server)) {
            Some(spread) if self.knows(server) => spread.known,
            Some(spread) => spread.unknown,
            None => NOTHING_KNOWN,
        };
        Factors { p10: p10.clamp(1e-3, 1.0), p90: p90.clamp(1.0, 1e3) }
    }
}

/// Logarithm of predicted over measured time; `None` where the run is impossible with these constants.
pub(super) fn error(run: &ServingRun, constants: &Constants) -> Option<f64> {
    let operation = operate(&run.server, &[run.bucket], run.load, constants).ok()?;
    let slowness = match run.measured {
        Measured::FirstTokenSeconds(seconds) => operation.first_token_seconds / seconds,
        Measured::TokensPerSecond(rate) => rate / operation.tokens_per_second,
    };
    Some(slowness.ln()).filter(|error| error.is_finite())
}

/// Fits the constants of one kind of software to the runs for which `used` holds. The spread is left empty.
pub(super) fn fit_constants(runs: &[&ServingRun], used: impl Fn(&ServingRun) -> bool) -> Fitted {
    let mut names = vec![ALL.to_owned()];
    names.extend(runs.iter().filter(|run| used(run)).map(|run| device_group(&run.server)));
    names[1..].sort();
    names.dedup();
    let group = |run: &ServingRun| names.iter().position(|name| *name == device_group(&run.server));
    let stray = |index: usize| if index == 0 { 1.0 } else { DEVICE_STRAY };
    let hierarchy = Hierarchy {
        prior: Constant::ALL.map(Constant::start).to_vec(),
        spread: (0..names.len()).map(|index| Constant::ALL.map(|c| c.prior().1 * stray(index)).to_vec()).collect(),
        members: runs.iter().map(|run| [0].into_iter().chain(group(run)).collect()).collect(),
        used: runs.iter().map(|run| used(run)).collect(),
    };
    let found = hierarchy.fit(|row, at| {
        let error = error(runs[row], &Constants::from_fitted(at)).unwrap_or(IMPOSSIBLE_ERROR);
        error / EXPECTED_ERROR.hypot(runs[row].rounding)
    });
    let by_constant = |values: Vec<f64>| {
        let values =
            Constant::ALL.iter().zip(values).map(|(constant, value)| (constant.name().to_owned(), rounded(value)));
        values.collect()
    };
    Fitted {
        runs: hierarchy.used.iter().filter(|used| **used).count(),
        deviations: names.into_iter().zip(found.into_iter().map(by_constant)).collect(),
        spread: BTreeMap::new(),
    }
}
