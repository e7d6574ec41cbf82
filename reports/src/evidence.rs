//! What the runs say about the plan: one measurement for each workload of each run.

use scenarios::plan::{Plan, Predicted};
use scenarios::run::{DataUsed, Run, RunStatus, WorkloadRun};
use scenarios::units::Interval;

/// Everything that a report is made of.
#[derive(Debug, Clone)]
pub struct Evidence {
    /// The plan.
    pub plan: Plan,
    /// Its file, as the user named it.
    pub plan_path: String,
    /// Runs, in the user's order.
    pub runs: Vec<NamedRun>,
}

/// A run with its place.
#[derive(Debug, Clone)]
pub struct NamedRun {
    /// Its folder or file, as the user named it.
    pub path: String,
    /// The record.
    pub run: Run,
}

/// A workload as one run measured it.
#[derive(Debug, Clone, Copy)]
pub struct Measurement<'a> {
    /// From 1, over all runs; charts and tables name it by this.
    pub number: usize,
    /// The run, from 1.
    pub run_number: usize,
    /// The run.
    pub run: &'a Run,
    /// The workload.
    pub workload: &'a WorkloadRun,
}

impl Evidence {
    /// All measurements in order.
    #[must_use]
    pub fn measurements(&self) -> Vec<Measurement<'_>> {
        let workloads = self.runs.iter().zip(1..).flat_map(|(named, run_number)| {
            named.run.workloads.iter().map(move |workload| (run_number, &named.run, workload))
        });
        workloads
            .zip(1..)
            .map(|((run_number, run, workload), number)| Measurement { number, run_number, run, workload })
            .collect()
    }

    /// Whether a run applied exactly this plan.
    #[must_use]
    pub fn is_of_plan(&self, run: &Run) -> bool {
        run.plan_digest == self.plan.digest
    }
}

impl Measurement<'_> {
    /// `train, data 2, run 1`
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}, {}, run {}", self.workload.workload, self.workload.strategy, self.run_number)
    }

    /// Whether enough was measured to compare it with the prediction.
    #[must_use]
    pub fn is_comparable(&self) -> bool {
        let positive = |value: f64| value.is_finite() && value > 0.0;
        self.workload.steps > 0 && positive(self.workload.throughput) && positive(self.workload.predicted.throughput)
    }

    /// Records in a second that were predicted.
    #[must_use]
    pub fn predicted(&self) -> Interval {
        throughput(&self.workload.predicted, self.workload.predicted.step_seconds, self.workload.predicted.throughput)
    }

    /// Records in a second that were measured: the mean, between the rates of slow and fast steps.
    #[must_use]
    pub fn measured(&self) -> Interval {
        throughput(&self.workload.predicted, self.workload.step_seconds, self.workload.throughput)
    }

    /// (predicted − measured) / measured
    #[must_use]
    pub fn error(&self) -> f64 {
        (self.workload.predicted.throughput - self.workload.throughput) / self.workload.throughput
    }

    /// Whether the measured throughput lies between the tenth and ninetieth percentile of the prediction.
    #[must_use]
    pub fn is_inside(&self) -> bool {
        let predicted = self.predicted();
        (predicted.p10..=predicted.p90).contains(&self.workload.throughput)
    }
}

/// Throughput for step times: slow steps make its tenth percentile. Records of a step follow from the prediction,
/// which is exact about them.
fn throughput(predicted: &Predicted, steps: Interval, middle: f64) -> Interval {
    let records = predicted.throughput * predicted.step_seconds.p50;
    let rate = |seconds: f64| if seconds > 0.0 { records / seconds } else { middle };
    Interval { p10: rate(steps.p90).min(middle), p50: middle, p90: rate(steps.p10).max(middle) }
}

/// Whether the records were drawn by the program's own generator instead of read from the data set.
#[must_use]
pub fn is_generated(data: &DataUsed) -> bool {
    data.source.to_lowercase().contains("generat")
}

/// How far a run came, in a word.
#[must_use]
pub const fn status_word(status: RunStatus) -> &'static str {
    match status {
        RunStatus::Completed => "completed",
        RunStatus::Interrupted => "interrupted",
        RunStatus::Failed => "failed",
    }
}

/// Middle of the absolute errors of these measurements, `None` without any.
#[must_use]
pub fn median_absolute_error(measurements: &[Measurement<'_>]) -> Option<f64> {
    let mut errors: Vec<_> = measurements.iter().map(|m| m.error().abs()).collect();
    errors.sort_by(f64::total_cmp);
    let middle = errors.len() / 2;
    match errors.len() {
        0 => None,
        n if n % 2 == 1 => Some(errors[middle]),
        _ => Some(f64::midpoint(errors[middle - 1], errors[middle])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[test]
    fn measurements_are_judged_by_the_prediction() {
        let check = |predicted: f64, measured: f64, error: f64, inside: bool| {
            let workload = fixture::workload_run("train", 1, predicted, measured);
            let run = fixture::sealed_run("", RunStatus::Completed, vec![workload]);
            let m = Measurement { number: 1, run_number: 1, run: &run, workload: &run.workloads[0] };
            assert!((m.error() - error).abs() < 1e-12, "{}", m.error());
            assert_eq!(m.is_inside(), inside, "{predicted} {measured}");
            assert!(m.predicted().p10 < m.predicted().p50 && m.predicted().p50 < m.predicted().p90);
        };
        check(100.0, 80.0, 0.25, false);
        check(100.0, 125.0, -0.2, false);
        check(100.0, 100.0, 0.0, true);
        check(100.0, 105.0, -5.0 / 105.0, true);
        check(100.0, 90.0, 10.0 / 90.0, true);
    }

    #[test]
    fn the_median_error_ignores_the_sign() {
        let check = |throughputs: &[f64], expected: Option<f64>| {
            let workloads = throughputs.iter().map(|&t| fixture::workload_run("train", 1, 100.0, t)).collect();
            let runs =
                vec![NamedRun { path: String::new(), run: fixture::sealed_run("", RunStatus::Completed, workloads) }];
            let evidence = Evidence { plan: fixture::plan(), plan_path: String::new(), runs };
            let found = median_absolute_error(&evidence.measurements());
            assert_eq!(found.map(|e| (e * 1e9).round()), expected.map(|e| (e * 1e9).round()));
        };
        check(&[], None);
        check(&[80.0], Some(0.25));
        check(&[80.0, 125.0, 100.0], Some(0.2));
        check(&[80.0, 125.0], Some(0.225));
    }
}
