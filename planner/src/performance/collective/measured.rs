//! Collectives as they were measured: constants for each device, kind and number of ranks, and curves.
//!
//! Tables ship with the product (`planner/calibration/collectives.csv`, `collective_curves.csv`). They are made from
//! published measurements by `planner fit CURVES.csv -o planner/calibration`.

mod fit;
mod table;

pub use fit::{FitError, Fitted, fit, fit_curve};
pub use table::{Points, Table, TableError, read_points};

use super::{Curve, Kind, Link};

/// Most sizes on a curve may miss the measurement by this much before a knot is added.
pub const CURVE_TOLERANCE: f64 = 0.03;

/// One collective over one number of devices.
#[derive(Debug, Clone, PartialEq)]
pub struct Measurement {
    /// What was exchanged.
    pub kind: Kind,
    /// Devices.
    pub ranks: u32,
    /// Start of the whole collective, and bus bandwidth (bytes × [`Kind::volume`] over time, as nccl-tests report it).
    /// It may exceed the link's rate where the switch sums (NVLS: 450 GB/s and more over eight H100).
    pub link: Link,
    /// Times by size, where two constants are not enough.
    pub curve: Option<Curve>,
}

impl Measurement {
    /// α + volume · S / β with the constants of this measurement for another kind or number of ranks, in seconds.
    fn formula(&self, kind: Kind, ranks: u32, bytes: f64) -> f64 {
        self.link.latency() + self.link.transfer(bytes * kind.volume(ranks))
    }

    /// Time of what was measured, in seconds.
    #[must_use]
    pub fn time(&self, bytes: f64) -> f64 {
        let formula = |bytes| self.formula(self.kind, self.ranks, bytes);
        self.curve.as_ref().map_or_else(|| formula(bytes), |curve| curve.time(bytes, formula))
    }
}

/// Collectives over the devices of one kind of node.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Measurements {
    /// In the order of kinds, then ranks.
    entries: Vec<Measurement>,
}

impl Measurements {
    /// A set; of two measurements of the same the first counts.
    #[must_use]
    pub fn new(mut entries: Vec<Measurement>) -> Self {
        entries.sort_by_key(|entry| (entry.kind, entry.ranks));
        entries.dedup_by_key(|entry| (entry.kind, entry.ranks));
        Self { entries }
    }

    /// All measurements.
    #[must_use]
    pub fn entries(&self) -> &[Measurement] {
        &self.entries
    }

    /// Time of `kind` over `ranks` devices, in seconds; `None` where nothing tells.
    ///
    /// What was measured takes its measured time. Numbers of ranks between two that were measured lie between them,
    /// others take the constants of the nearest. Where only the all-reduce was measured, its halves run at its
    /// bus bandwidth.
    #[must_use]
    pub fn time(&self, kind: Kind, ranks: u32, bytes: f64) -> Option<f64> {
        let of = |kind| {
            let entries = self.entries.iter().filter(move |entry| entry.kind == kind);
            let less = entries.clone().rfind(|entry| entry.ranks <= ranks);
            let more = entries.clone().find(|entry| entry.ranks >= ranks);
            (less, more)
        };
        let own = of(kind);
        let halves = matches!(kind, Kind::ReduceScatter | Kind::AllGather);
        let neighbours = if own == (None, None) && halves { of(Kind::AllReduce) } else { own };
        match neighbours {
            (Some(entry), _) if entry.kind == kind && entry.ranks == ranks => Some(entry.time(bytes)),
            (Some(less), Some(more)) if less.ranks < more.ranks => {
                let share = f64::from(ranks - less.ranks) / f64::from(more.ranks - less.ranks);
                let [a, b] = [less, more].map(|entry| entry.formula(kind, ranks, bytes));
                Some(a + share * (b - a))
            }
            (Some(nearest), _) | (None, Some(nearest)) => Some(nearest.formula(kind, ranks, bytes)),
            (None, None) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_and_kinds_that_were_not_measured_take_their_neighbours() {
        let entry = |kind, ranks, start: f64, rate: f64| {
            let link = Link { latency_seconds: start, bytes_per_second: rate };
            Measurement { kind, ranks, link, curve: None }
        };
        let all = Measurements::new(vec![
            entry(Kind::AllReduce, 8, 80.0, 4.0),
            entry(Kind::AllReduce, 4, 40.0, 2.0),
            entry(Kind::AllToAll, 8, 10.0, 1.0),
        ]);
        let check = |kind, ranks, bytes: f64, expected: Option<f64>| {
            let found = all.time(kind, ranks, bytes);
            let same = match (found, expected) {
                (Some(found), Some(expected)) => (found - expected).abs() < 1e-9,
                (found, expected) => found == expected,
            };
            assert!(same, "{kind:?} {ranks} {bytes}: {found:?} instead of {expected:?}");
        };
        check(Kind::AllReduce, 4, 0.0, Some(40.0));
        check(Kind::AllReduce, 8, 16.0, Some(80.0 + 7.0));
        check(Kind::AllReduce, 6, 0.0, Some(60.0));
        check(Kind::AllReduce, 2, 16.0, Some(40.0 + 8.0));
        check(Kind::AllReduce, 16, 0.0, Some(80.0));
        check(Kind::AllGather, 8, 16.0, Some(80.0 + 3.5));
        check(Kind::AllToAll, 8, 8.0, Some(10.0 + 7.0));
        check(Kind::Broadcast, 8, 8.0, None);
    }
}
