//! Times from a machine profile that `executor calibrate` measured.
//!
//! The profile holds measurements of operations at shapes of their own; `fit.rs` turns those of one kind
//! into costs of its arithmetic and memory traffic, and these give the time at any shape.

mod fit;

use std::collections::BTreeMap;

use scenarios::machine::{Collective, MachineProfile, Operation, OptimizerRule, Pass};
use scenarios::units::Interval;

use fit::{Fit, Terms};

/// A machine with its measurements.
#[derive(Debug, Clone)]
pub struct MeasuredMachine<'a> {
    profile: &'a MachineProfile,
    operations: BTreeMap<(Kind, Pass, u32), Fit>,
    inputs: BTreeMap<(bool, u32), Fit>,
}

/// Operations whose times have one formula.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Linear,
    /// With or without the gradient of its input.
    Conv2d(bool),
    MaxPool,
    Relu,
    Tanh,
    CrossEntropy,
    OptimizerStep(OptimizerRule),
    GradientExchange,
    HostToDevice,
    Launch,
}

impl<'a> MeasuredMachine<'a> {
    /// Fits the costs of every kind of operation that was measured.
    #[must_use]
    pub fn new(profile: &'a MachineProfile) -> Self {
        let operations = profile.operations.iter().map(|measured| {
            let (kind, terms) = kind_and_terms(&measured.operation);
            ((kind, measured.pass, measured.ranks), (terms, measured.seconds))
        });
        let inputs = profile.inputs.iter().map(|measured| {
            let terms = input_terms(measured.values_per_record, measured.records);
            ((measured.augmented, measured.ranks), (terms, measured.seconds))
        });
        Self { profile, operations: fit_groups(operations), inputs: fit_groups(inputs) }
    }

    /// Most ranks that were measured together on the device.
    #[must_use]
    pub fn max_ranks(&self) -> u32 {
        self.profile.operations.iter().map(|measured| measured.ranks).max().unwrap_or(0)
    }

    /// Time of one operation in one of `ranks` ranks that run at the same time. `None` if its kind was not measured so.
    #[must_use]
    pub fn seconds(&self, operation: &Operation, pass: Pass, ranks: u32) -> Option<Interval> {
        let (kind, terms) = kind_and_terms(operation);
        Some(self.operations.get(&(kind, pass, ranks))?.seconds(&terms))
    }

    /// Standard deviation of the operation's time from run to run.
    #[must_use]
    pub fn deviation(&self, operation: &Operation, pass: Pass, ranks: u32) -> Option<f64> {
        let (kind, terms) = kind_and_terms(operation);
        Some(self.operations.get(&(kind, pass, ranks))?.deviation(&terms))
    }

    /// Time of an all-reduce of `bytes` in each of `ranks` ranks, between measured sizes on a line.
    #[must_use]
    pub fn all_reduce(&self, bytes: u64, ranks: u32) -> Option<Interval> {
        let alike = self
            .profile
            .transports
            .iter()
            .filter(|measured| measured.ranks == ranks && measured.collective == Collective::AllReduce);
        let mut points: Vec<_> = alike.map(|measured| (measured.bytes as f64, measured.seconds)).collect();
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        interpolate(&points, bytes as f64)
    }

    /// Time to prepare a batch in one of `ranks` ranks, up to its tensor on the device.
    #[must_use]
    pub fn input(&self, values_per_record: u64, records: u64, augmented: bool, ranks: u32) -> Option<Interval> {
        let terms = input_terms(values_per_record, records);
        Some(self.inputs.get(&(augmented, ranks))?.seconds(&terms))
    }
}

fn fit_groups<K: Ord>(measured: impl Iterator<Item = (K, (Terms, Interval))>) -> BTreeMap<K, Fit> {
    let mut groups: BTreeMap<K, Vec<(Terms, Interval)>> = BTreeMap::new();
    for (key, point) in measured {
        groups.entry(key).or_default().push(point);
    }
    groups.into_iter().filter_map(|(key, points)| Some((key, Fit::new(&points)?))).collect()
}

/// What the time of an operation is made of: a constant, FLOPs, values that are read, unfolded or written.
fn kind_and_terms(operation: &Operation) -> (Kind, Terms) {
    let number = |value: u64| value as f64;
    match *operation {
        Operation::Linear { m, n, k } => {
            (Kind::Linear, [1.0, number(m) * number(n) * number(k), number(m * k), number(k * n), number(m * n)])
        }
        Operation::Conv2d {
            batch,
            channels_in,
            channels_out,
            height,
            width,
            kernel,
            stride,
            padding,
            input_gradient,
        } => {
            let side = |side: u64| number((side + 2 * padding).saturating_sub(kernel) / stride.max(1) + 1);
            let places = number(batch) * side(height) * side(width);
            let unfolded = places * number(channels_in * kernel * kernel);
            let (read, written) = (number(batch * channels_in * height * width), places * number(channels_out));
            (Kind::Conv2d(input_gradient), [1.0, unfolded * number(channels_out), unfolded, read, written])
        }
        Operation::MaxPool { planes, height, width, kernel, stride } => {
            let side = |side: u64| number(side.saturating_sub(kernel) / stride.max(1) + 1);
            let written = number(planes) * side(height) * side(width);
            let read = number(planes * height * width);
            (Kind::MaxPool, [1.0, written * number(kernel * kernel), read, written, number(planes)])
        }
        Operation::Relu { elements } => (Kind::Relu, [1.0, number(elements), 0.0, 0.0, 0.0]),
        Operation::Tanh { elements } => (Kind::Tanh, [1.0, number(elements), 0.0, 0.0, 0.0]),
        Operation::CrossEntropy { batch, classes } => {
            (Kind::CrossEntropy, [1.0, number(batch * classes), number(batch), 0.0, 0.0])
        }
        Operation::OptimizerStep { rule, parameters, tensors } => {
            (Kind::OptimizerStep(rule), [0.0, number(parameters), number(tensors), 0.0, 0.0])
        }
        Operation::GradientExchange { parameters, tensors } => {
            (Kind::GradientExchange, [0.0, number(parameters), number(tensors), 0.0, 0.0])
        }
        Operation::HostToDevice { bytes } => (Kind::HostToDevice, [1.0, number(bytes), 0.0, 0.0, 0.0]),
        Operation::Launch => (Kind::Launch, [1.0, 0.0, 0.0, 0.0, 0.0]),
    }
}

fn input_terms(values_per_record: u64, records: u64) -> Terms {
    [1.0, (values_per_record * records) as f64, records as f64, 0.0, 0.0]
}

fn interpolate(points: &[(f64, Interval)], at: f64) -> Option<Interval> {
    let (first, last) = (points.first()?, points.last()?);
    if at <= first.0 {
        return Some(first.1);
    }
    if at >= last.0 {
        return Some(last.1.scaled(at / last.0));
    }
    let above = points.iter().position(|point| point.0 >= at)?;
    let ((x0, low), (x1, high)) = (points[above - 1], points[above]);
    let share = (at - x0) / (x1 - x0);
    let mix = |a: f64, b: f64| a + (b - a) * share;
    Some(Interval { p10: mix(low.p10, high.p10), p50: mix(low.p50, high.p50), p90: mix(low.p90, high.p90) })
}
