//! Fitting constants to runs.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::performance::fit::least_squares::Hierarchy;
use crate::performance::kernel::Segment;
use crate::performance::runs::{Measured, Run};
use crate::performance::training::{Constant, Constants, Impossible, Timing, Training, lower, step};

/// Error that is expected of a well-known run, as a standard deviation of logarithms.
const EXPECTED_ERROR: f64 = 0.05;

/// How far the constants of each kind of group stray from the larger group, in units of the prior's spread. Software
/// strays furthest, so that what all others share is not drawn to one of them; of some values that were tried these
/// predicted sources best that had been left out.
const STRAY: [(&str, f64); 6] =
    [("all", 1.0), ("family", 0.5), ("device", 0.2), ("precision", 0.5), ("stack", 2.4), ("stack and device", 0.6)];

/// Names of the groups that a run belongs to, from the largest to the smallest.
#[must_use]
pub fn groups(training: &Training, stack: &str) -> Vec<String> {
    let device = &training.cluster.device;
    let family = training.model.family();
    let short = match training.precision {
        scenarios::precision::Precision::Fp16 | scenarios::precision::Precision::Bf16 => "16 bits",
        other => other.name(),
    };
    vec![
        "all".to_owned(),
        format!("family {family}"),
        format!("device {device}"),
        format!("precision {short}"),
        format!("stack {stack}"),
        format!("stack and device {stack} {device} {short}"),
    ]
}

fn stray(group: &str) -> f64 {
    let kinds = STRAY.iter().filter(|(kind, _)| group.starts_with(kind));
    kinds.max_by_key(|(kind, _)| kind.len()).map_or(0.0, |(_, stray)| *stray)
}

/// Fitted deviations of every group.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fitted {
    /// By the group's name, in logarithms, in the order of [`Constant::ALL`].
    pub deviations: BTreeMap<String, Vec<f64>>,
}

impl Fitted {
    /// Constants for a training with a software stack; groups that are not known add nothing.
    #[must_use]
    pub fn constants(&self, training: &Training, stack: &str) -> Constants {
        let mut logarithms = prior();
        for group in groups(training, stack) {
            for (value, deviation) in logarithms.iter_mut().zip(self.deviations.get(&group).into_iter().flatten()) {
                *value += deviation;
            }
        }
        Constants::from_logarithms(&logarithms)
    }
}

fn prior() -> Vec<f64> {
    Constant::ALL.iter().map(|constant| constant.prior().0.ln()).collect()
}

/// Runs with a measured step, lowered once.
pub(super) struct Lowered<'a> {
    run: &'a Run,
    segments: Vec<Segment>,
    seconds: f64,
}

impl<'a> Lowered<'a> {
    pub(super) fn new(run: &'a Run) -> Option<Self> {
        let Measured::StepSeconds(seconds) = run.measured else { return None };
        Some(Self { run, segments: lower(&run.training).ok()?, seconds })
    }

    /// Logarithm of predicted over measured.
    pub(super) fn error(&self, constants: &Constants) -> Result<f64, Impossible> {
        Ok((step::step(&self.run.training, &self.segments, constants, Timing::ClosedForm)?.total() / self.seconds).ln())
    }
}

/// Fits all groups to the runs for which `used` holds.
#[must_use]
pub fn fit(runs: &[Run], used: impl Fn(usize) -> bool) -> Fitted {
    let lowered: Vec<Option<Lowered<'_>>> = runs.iter().map(Lowered::new).collect();
    let mut names: Vec<String> = Vec::new();
    let mut members = Vec::with_capacity(runs.len());
    for run in runs {
        let of_run = groups(&run.training, &run.source).into_iter().map(|name| {
            names.iter().position(|other| *other == name).unwrap_or_else(|| {
                names.push(name);
                names.len() - 1
            })
        });
        members.push(of_run.collect());
    }
    let spread = |name: &String| Constant::ALL.iter().map(|c| c.prior().1 * stray(name)).collect();
    let hierarchy = Hierarchy {
        prior: prior(),
        spread: names.iter().map(spread).collect(),
        members,
        used: (0..runs.len()).map(|row| used(row) && lowered[row].is_some()).collect(),
    };
    let fitted = hierarchy.fit(|row, logarithms| {
        let constants = Constants::from_logarithms(logarithms);
        let error = lowered[row].as_ref().and_then(|lowered| lowered.error(&constants).ok());
        error.unwrap_or(0.0) / EXPECTED_ERROR
    });
    Fitted { deviations: names.into_iter().zip(fitted).collect() }
}
