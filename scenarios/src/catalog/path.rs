//! Network between regions.

use serde::Deserialize;

use super::pairs::{Pairs, RegionIndex, index};
use super::region::Region;
use super::table;

/// Network path between two places.
#[derive(Debug, Clone, PartialEq)]
pub struct Path {
    /// Rate in Gbit/s of one pair of machines.
    pub gbps: f64,
    /// Round-trip time in seconds.
    pub round_trip_seconds: f64,
    /// Measured or estimated, and from what.
    pub source: String,
}

/// What was measured between two regions.
#[derive(Debug, Clone, Copy)]
pub(super) struct Measured {
    gbps: Option<f64>,
    round_trip_ms: Option<f64>,
}

#[derive(Deserialize)]
struct Row {
    src_provider: String,
    src_region: String,
    dst_provider: String,
    dst_region: String,
    throughput_gbps: Option<f64>,
    rtt_avg_ms: Option<f64>,
}

/// Medians of the measured grid in Gbit/s by sending provider, for the round-trip times of [`BUCKETS_MS`].
///
/// They are limits of one virtual machine (January 2022), so more machines move more.
const MEDIAN_GBPS: [(&str, [f64; 5]); 3] =
    [("aws", [4.8, 4.6, 4.2, 3.6, 2.9]), ("azure", [15.4, 13.4, 6.1, 4.0, 3.1]), ("gcp", [7.0, 6.5, 5.5, 4.9, 4.0])];

/// Upper ends of the buckets of round-trip times; the last one has none.
const BUCKETS_MS: [f64; 4] = [20.0, 60.0, 120.0, 200.0];

/// Round-trip time inside one region, an assumption.
const WITHIN_REGION_MS: f64 = 1.0;

/// Reads what was measured.
pub(super) fn load(regions: &[Region]) -> Pairs<Measured> {
    let pair = |row: Row| {
        let from = index(regions, &row.src_provider, &row.src_region)?;
        let to = index(regions, &row.dst_provider, &row.dst_region)?;
        Some(((from, to), Measured { gbps: row.throughput_gbps, round_trip_ms: row.rtt_avg_ms }))
    };
    table::THROUGHPUT.rows().filter_map(pair).collect()
}

/// Network between two regions: what was measured, else an estimate; `None` where not even the distance is known.
pub(super) fn path(measured: &Pairs<Measured>, regions: &[Region], from: RegionIndex, to: RegionIndex) -> Option<Path> {
    let known = measured.get(&(from, to));
    let (ms, how_ms) = match known.and_then(|known| known.round_trip_ms) {
        Some(ms) => (ms, "round trip measured"),
        None if from == to => (WITHIN_REGION_MS, "same region"),
        None => (estimated_ms(kilometres(regions[from].position?, regions[to].position?)), "round trip from distance"),
    };
    let (gbps, how_gbps) = match known.and_then(|known| known.gbps) {
        Some(gbps) => (gbps, "rate measured by skyplane (2022)"),
        None => (estimated_gbps(&regions[from].provider, ms), "rate from the median of skyplane's grid (2022)"),
    };
    Some(Path { gbps, round_trip_seconds: ms / 1e3, source: format!("{how_gbps}, {how_ms}") })
}

/// Fit over 4,692 pairs of the grid (R² 0.62, median error 20 ms).
fn estimated_ms(kilometres: f64) -> f64 {
    21.4 + 0.014_52 * kilometres
}

/// Median of the sending provider's pairs with such a round-trip time; the lowest of all for a provider without any.
fn estimated_gbps(provider: &str, round_trip_ms: f64) -> f64 {
    let bucket = BUCKETS_MS.iter().position(|end| round_trip_ms < *end).unwrap_or(BUCKETS_MS.len());
    let own = MEDIAN_GBPS.iter().find(|(name, _)| *name == provider).map(|(_, medians)| medians[bucket]);
    own.unwrap_or_else(|| MEDIAN_GBPS.iter().map(|(_, medians)| medians[bucket]).fold(f64::INFINITY, f64::min))
}

/// Great-circle distance by the haversine formula, on a sphere of 6,371 km.
fn kilometres(a: [f64; 2], b: [f64; 2]) -> f64 {
    let ([lat_a, lon_a], [lat_b, lon_b]) = (a.map(f64::to_radians), b.map(f64::to_radians));
    let half = |angle: f64| (angle / 2.0).sin().powi(2);
    let h = half(lat_b - lat_a) + lat_a.cos() * lat_b.cos() * half(lon_b - lon_a);
    2.0 * 6371.0 * h.clamp(0.0, 1.0).sqrt().asin()
}

#[cfg(test)]
mod tests {
    use super::super::Catalog;
    use super::*;

    #[test]
    fn distances_are_those_of_an_atlas() {
        let check = |a, b, expected: f64| {
            let found = kilometres(a, b);
            assert!((found - expected).abs() < 0.01 * expected.max(1.0), "{a:?} {b:?} {found}");
        };
        check([50.11, 8.68], [50.11, 8.68], 0.0);
        check([50.11, 8.68], [53.35, -6.26], 1090.0);
        check([0.0, 0.0], [0.0, 180.0], 20_015.0);
    }

    #[test]
    fn paths_are_measured_or_estimated() {
        let check = |from: (&str, &str), to: (&str, &str), expected: Option<(f64, f64)>, source: &str| {
            let found = Catalog::bundled().path(from, to);
            let rounded = |value: f64| (value * 1e3).round() / 1e3;
            let figures = found.as_ref().map(|path| (rounded(path.gbps), rounded(path.round_trip_seconds)));
            assert_eq!(figures, expected, "{from:?} {to:?}");
            assert!(found.is_none_or(|path| path.source.contains(source)), "{from:?} {to:?}");
        };
        let frankfurt = ("aws", "eu-central-1");
        check(("aws", "af-south-1"), ("aws", "ap-east-1"), Some((2.566, 0.249)), "rate measured by skyplane (2022)");
        check(frankfurt, frankfurt, Some((4.8, 0.001)), "same region");
        check(frankfurt, ("alibaba", "cn-hangzhou"), Some((3.6, 0.15)), "round trip from distance");
        check(("alibaba", "cn-hangzhou"), frankfurt, Some((3.6, 0.15)), "round trip from distance");
        check(frankfurt, ("aws", "moon-1"), None, "");
    }

    #[test]
    fn medians_are_those_of_the_grid() {
        let catalog = Catalog::bundled();
        for (provider, medians) in MEDIAN_GBPS {
            for (bucket, median) in medians.into_iter().enumerate() {
                let low = if bucket == 0 { 0.0 } else { BUCKETS_MS[bucket - 1] };
                let high = BUCKETS_MS.get(bucket).copied().unwrap_or(400.0);
                let of_bucket = catalog.measured.iter().filter(|((from, _), known)| {
                    catalog.regions()[*from].provider == provider
                        && known.round_trip_ms.is_some_and(|ms| ms >= low && ms < high)
                });
                let mut rates: Vec<f64> = of_bucket.filter_map(|(_, known)| known.gbps).collect();
                rates.sort_by(f64::total_cmp);
                let found = rates[rates.len() / 2];
                assert!((found - median).abs() <= 0.06 * median, "{provider} {bucket}: {found}, not {median}");
            }
        }
    }
}
