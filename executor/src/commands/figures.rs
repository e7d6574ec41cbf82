//! Measured beside predicted, as a table.

use scenarios::run::{RankRun, Run, WorkloadRun};
use scenarios::terminal::Table;
use scenarios::units::{Bytes, Seconds};

/// Figures that stand for a result, the most telling first, and whether they are shares of a hundred.
const RESULTS: [(&str, bool); 9] = [
    ("test_accuracy", true),
    ("test_map_50", true),
    ("test_rmse", false),
    ("test_perplexity", false),
    ("validation_accuracy", true),
    ("train_accuracy", true),
    ("first_token_p50_seconds", false),
    ("records", false),
    ("output_bytes", false),
];

/// How far the measured throughput is from the predicted one, as a share of the measured one.
pub(super) fn error_of(done: &WorkloadRun) -> Option<f64> {
    (done.throughput > 0.0 && done.steps > 0).then(|| done.predicted.throughput / done.throughput - 1.0)
}

/// One row for each workload of a run.
pub(super) fn table(run: &Run) -> Table {
    let mut table = Table::new(&[
        "workload",
        "ranks",
        "device",
        "step p50",
        "per second",
        "predicted",
        "error",
        "memory",
        "predicted",
        "result",
        "time",
    ]);
    table.rows = run.workloads.iter().map(row).collect();
    table
}

fn row(done: &WorkloadRun) -> Vec<String> {
    let error = error_of(done).map_or_else(|| "–".to_owned(), |error| format!("{:+.1} %", 100.0 * error));
    let memory = done.ranks.iter().filter_map(|rank| rank.memory_peak_bytes).max();
    let result = RESULTS.iter().find_map(|(name, is_share)| {
        let value = done.metrics.get(*name)?;
        let shown = if *is_share { format!("{:.2} %", 100.0 * value) } else { format!("{value:.4}") };
        Some(format!("{} {shown}", name.replace('_', " ")))
    });
    vec![
        done.workload.clone(),
        done.strategy.ranks().to_string(),
        done.device.kind.to_string(),
        Seconds::new(done.step_seconds.p50).rounded(),
        format!("{:.0}", done.throughput),
        format!("{:.0}", done.predicted.throughput),
        error,
        memory.map_or_else(|| "–".to_owned(), |bytes| Bytes(bytes).rounded()),
        Bytes(done.predicted.memory_bytes_per_device).rounded(),
        result.unwrap_or_else(|| "–".to_owned()),
        Seconds::new(done.seconds).rounded(),
    ]
}

/// Where the time of each rank's steps went, a line for each.
pub(super) fn ranks(done: &WorkloadRun) -> Vec<String> {
    let line = |rank: &RankRun| {
        let all: f64 = rank.phases_seconds.values().sum();
        let shares = rank.phases_seconds.iter().filter(|(_, seconds)| **seconds > 0.005 * all);
        let shares: Vec<_> = shares.map(|(phase, seconds)| format!("{phase} {:.0} %", 100.0 * seconds / all)).collect();
        let company = match rank.sharing {
            1 => String::new(),
            others => format!(" ({others} ranks on its core or GPU)"),
        };
        format!("{}: rank {}{company}: {}", done.workload, rank.rank, shares.join(", "))
    };
    done.ranks.iter().filter(|rank| !rank.phases_seconds.is_empty()).map(line).collect()
}
