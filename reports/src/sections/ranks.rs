//! What each rank held and waited for, beside what was predicted.

use crate::evidence::Evidence;
use crate::table::{Cell, Table};

/// One row for each rank of each measured training.
pub(super) fn table(evidence: &Evidence) -> Table {
    let columns = [
        ("Workload", "workload"),
        ("Strategy", "strategy"),
        ("Rank", "rank"),
        ("Role", "role"),
        ("Ranks on its core or GPU", "sharing"),
        ("Most memory", "memory_peak_bytes"),
        ("Predicted memory", "predicted_memory_bytes"),
        ("Communication", "communication_share"),
        ("Bubble", "bubble"),
    ];
    let mut table = Table::new("tables/ranks", "Ranks: memory, communication and waiting for other stages", &columns);
    for measurement in evidence.measurements() {
        let workload = measurement.workload;
        for rank in &workload.ranks {
            let step: f64 = rank.phases_seconds.values().sum();
            let communication = rank.phases_seconds.get("communication").filter(|_| step > 0.0);
            table.row([
                Cell::name(&workload.workload),
                Cell::text(workload.strategy.to_string()),
                Cell::count(rank.rank.into()),
                Cell::text(&rank.role),
                Cell::count(rank.sharing.into()),
                Cell::or_none(rank.memory_peak_bytes, Cell::bytes),
                Cell::bytes(workload.predicted.memory_bytes_per_device),
                Cell::or_none(communication, |seconds| Cell::percent(seconds / step)),
                Cell::percent(rank.bubble),
            ]);
        }
    }
    table
}
