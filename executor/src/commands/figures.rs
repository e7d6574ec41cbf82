//! Measured beside predicted, as a table.

use scenarios::run::{Run, WorkloadRun};
use scenarios::terminal::Table;
use scenarios::units::Seconds;

/// How far the measured throughput is from the predicted one, as a share of the measured one.
pub(super) fn error_of(done: &WorkloadRun) -> Option<f64> {
    (done.throughput > 0.0 && done.steps > 0).then(|| done.predicted.throughput / done.throughput - 1.0)
}

/// One row for each workload of a run.
pub(super) fn table(run: &Run) -> Table {
    let mut table =
        Table::new(&["workload", "ranks", "device", "step p50", "samples/s", "predicted", "error", "result", "time"]);
    table.rows = run.workloads.iter().map(row).collect();
    table
}

fn row(done: &WorkloadRun) -> Vec<String> {
    let error = error_of(done).map_or_else(|| "–".to_owned(), |error| format!("{:+.1} %", 100.0 * error));
    let result = ["test_accuracy", "validation_accuracy", "train_accuracy"].into_iter().find_map(|name| {
        done.metrics.get(name).map(|value| format!("{} {:.2} %", name.replace('_', " "), 100.0 * value))
    });
    vec![
        done.workload.clone(),
        done.strategy.ranks().to_string(),
        done.device.kind.to_string(),
        Seconds::new(done.step_seconds.p50).rounded(),
        format!("{:.0}", done.throughput),
        format!("{:.0}", done.predicted.throughput),
        error,
        result.unwrap_or_else(|| "–".to_owned()),
        Seconds::new(done.seconds).rounded(),
    ]
}
