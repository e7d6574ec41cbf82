//! Times from a machine profile that `executor calibrate` measured.

use scenarios::machine::{Collective, MachineProfile, Operation, OperationMeasurement, Pass};
use scenarios::units::Interval;

use super::operations::{Work, work};

/// A machine with its measurements.
#[derive(Debug, Clone, Copy)]
pub struct MeasuredMachine<'a>(pub &'a MachineProfile);

impl MeasuredMachine<'_> {
    /// Most ranks that were measured together on the device.
    #[must_use]
    pub fn max_ranks(&self) -> u32 {
        self.0.operations.iter().map(|measured| measured.ranks).max().unwrap_or(0)
    }

    /// Time of one operation in one of `ranks` ranks that share the device: the measurement of the
    /// same kind that is nearest in work, scaled by the work. `None` without such a measurement.
    #[must_use]
    pub fn seconds(&self, operation: &Operation, pass: Pass, ranks: u32) -> Option<Interval> {
        let wanted = work(operation, pass);
        let alike = |measured: &&OperationMeasurement| {
            measured.ranks == ranks
                && measured.pass == pass
                && std::mem::discriminant(&measured.operation) == std::mem::discriminant(operation)
        };
        let candidates = self.0.operations.iter().filter(alike);
        let nearest = candidates.min_by(|a, b| {
            let distance =
                |measured: &OperationMeasurement| ratio(&wanted, &work(&measured.operation, pass)).ln().abs();
            distance(a).total_cmp(&distance(b))
        })?;
        Some(nearest.seconds.scaled(ratio(&wanted, &work(&nearest.operation, pass))))
    }

    /// Time of an all-reduce of `bytes` in each of `ranks` ranks, between measured sizes on a line.
    #[must_use]
    pub fn all_reduce(&self, bytes: u64, ranks: u32) -> Option<Interval> {
        let mut points: Vec<_> = self
            .0
            .transports
            .iter()
            .filter(|measured| measured.ranks == ranks && measured.collective == Collective::AllReduce)
            .map(|measured| (measured.bytes as f64, measured.seconds))
            .collect();
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        interpolate(&points, bytes as f64)
    }

    /// Time to prepare a batch in one of `ranks` ranks: the nearest measurement, scaled by values.
    #[must_use]
    pub fn input(&self, values_per_record: u64, records: u64, augmented: bool, ranks: u32) -> Option<Interval> {
        let wanted = (values_per_record * records).max(1) as f64;
        let alike = self.0.inputs.iter().filter(|measured| measured.ranks == ranks && measured.augmented == augmented);
        let factor = |values: u64, records: u64| wanted / (values * records).max(1) as f64;
        let nearest = alike.min_by(|a, b| {
            let distance = |values, records| factor(values, records).ln().abs();
            distance(a.values_per_record, a.records).total_cmp(&distance(b.values_per_record, b.records))
        })?;
        Some(nearest.seconds.scaled(factor(nearest.values_per_record, nearest.records)))
    }
}

/// Work wanted over work measured: FLOPs where there are any, else bytes.
fn ratio(wanted: &Work, measured: &Work) -> f64 {
    if wanted.flops > 0.0 && measured.flops > 0.0 {
        wanted.flops / measured.flops
    } else if wanted.bytes > 0.0 && measured.bytes > 0.0 {
        wanted.bytes / measured.bytes
    } else {
        1.0
    }
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
