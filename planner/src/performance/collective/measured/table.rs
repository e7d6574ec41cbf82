//! Tables of measured collectives: published points, and what ships with the product.

use std::collections::BTreeMap;
use std::io::Read;

use serde::{Deserialize, Serialize};

use super::{CURVE_TOLERANCE, FitError, Measurement, Measurements, fit, fit_curve};
use crate::performance::collective::{Curve, CurveError, Kind, Link};

/// Constants, one row for each device, kind and number of ranks.
const CONSTANTS: &str = include_str!("../../../../calibration/collectives.csv");
/// Knots of curves, one row for each size.
const CURVES: &str = include_str!("../../../../calibration/collective_curves.csv");

/// Why a table cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// It is no CSV or lacks a column.
    #[error(transparent)]
    Csv(#[from] csv::Error),
    /// A collective of another name.
    #[error("there is no collective `{0}`")]
    Kind(String),
    /// A rate or start that is none.
    #[error("{kind} over {ranks} {device}: a start of {start_us} µs and {bus_gb_s} GB/s are no constants")]
    Constants {
        /// Device.
        device: String,
        /// Collective.
        kind: String,
        /// Devices.
        ranks: u32,
        /// Start in µs.
        start_us: f64,
        /// Bus bandwidth in GB/s.
        bus_gb_s: f64,
    },
    /// Points give no constants.
    #[error(transparent)]
    Fit(#[from] FitError),
    /// Points are no curve.
    #[error(transparent)]
    Curve(#[from] CurveError),
}

/// Points of one curve: device, kind and ranks lead to source and points (bytes, seconds).
pub type Points = BTreeMap<(String, Kind, u32), (String, Vec<(f64, f64)>)>;

/// A row of published points.
#[derive(Debug, Deserialize)]
struct PointRow {
    source: String,
    gpu: String,
    gpus: u32,
    collective: String,
    size_bytes: f64,
    time_us: f64,
}

/// A row of constants.
#[derive(Debug, Serialize, Deserialize)]
struct ConstantsRow {
    device: String,
    collective: String,
    ranks: u32,
    start_us: f64,
    bus_gb_s: f64,
    mean_error: f64,
    largest_error: f64,
    source: String,
}

/// A knot of a curve.
#[derive(Debug, Serialize, Deserialize)]
struct KnotRow {
    device: String,
    collective: String,
    ranks: u32,
    size_bytes: f64,
    time_us: f64,
}

/// Reads published points (columns source, gpu, gpus, collective, size_bytes, time_us), each curve in the order of sizes.
///
/// # Errors
/// It is no such table, or names an unknown collective.
pub fn read_points(table: impl Read) -> Result<Points, TableError> {
    let mut points = Points::new();
    for row in csv::Reader::from_reader(table).deserialize() {
        let row: PointRow = row?;
        let curve = points.entry((row.gpu, kind(&row.collective)?, row.gpus)).or_insert((row.source, Vec::new()));
        curve.1.push((row.size_bytes, row.time_us * 1e-6));
    }
    for (_, curve) in points.values_mut() {
        curve.sort_by(|a, b| a.0.total_cmp(&b.0));
    }
    Ok(points)
}

/// Collectives that were measured, by device.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Table {
    devices: BTreeMap<String, Measurements>,
}

impl Table {
    /// What ships with the product.
    ///
    /// # Errors
    /// The files in the product are broken; a test says they are not.
    pub fn shipped() -> Result<Self, TableError> {
        Self::read(CONSTANTS.as_bytes(), CURVES.as_bytes())
    }

    /// Reads constants and knots.
    ///
    /// # Errors
    /// They are no such tables.
    pub fn read(constants: impl Read, knots: impl Read) -> Result<Self, TableError> {
        let mut curves: BTreeMap<(String, Kind, u32), Vec<(f64, f64)>> = BTreeMap::new();
        for row in csv::Reader::from_reader(knots).deserialize() {
            let row: KnotRow = row?;
            let curve = curves.entry((row.device, kind(&row.collective)?, row.ranks)).or_default();
            curve.push((row.size_bytes, row.time_us * 1e-6));
        }
        let mut devices: BTreeMap<String, Vec<Measurement>> = BTreeMap::new();
        for row in csv::Reader::from_reader(constants).deserialize() {
            let row: ConstantsRow = row?;
            let (kind, ranks, link) = (kind(&row.collective)?, row.ranks, row.link()?);
            let curve = curves.get(&(row.device.clone(), kind, ranks)).map(|points| Curve::new(points)).transpose()?;
            devices.entry(row.device).or_default().push(Measurement { kind, ranks, link, curve });
        }
        Ok(Self { devices: devices.into_iter().map(|(name, entries)| (name, Measurements::new(entries))).collect() })
    }

    /// Measurements of the device of that name, or of the family that the name begins with (`A100` for
    /// `A100-SXM4-80GB`). `None` if there are none, and for cards in slots: all were measured over NVLink.
    #[must_use]
    pub fn device(&self, name: &str) -> Option<&Measurements> {
        let rest =
            |family: &str| name.strip_prefix(family).is_some_and(|rest| !rest.starts_with(char::is_alphanumeric));
        let soldered = !name.to_ascii_lowercase().contains("pcie");
        let family = |full: &str| full.split('-').next().map(str::to_owned).unwrap_or_default();
        self.devices.iter().find(|(full, _)| soldered && rest(&family(full))).map(|(_, measurements)| measurements)
    }

    /// Fits constants and knots to points, as the two files that [`Table::read`] reads.
    ///
    /// # Errors
    /// A curve has too few points, or points that are no measurements.
    pub fn fitted(points: &Points) -> Result<(Vec<u8>, Vec<u8>), TableError> {
        let (mut constants, mut knots) = (csv::Writer::from_writer(Vec::new()), csv::Writer::from_writer(Vec::new()));
        for ((device, kind, ranks), (source, points)) in points {
            let found = fit(*kind, *ranks, points)?;
            let (collective, device) = (kind.name().to_owned(), device.clone());
            for (bytes, seconds) in fit_curve(points, CURVE_TOLERANCE)? {
                let (device, collective) = (device.clone(), collective.clone());
                let time_us = rounded(seconds * 1e6, 3);
                knots.serialize(KnotRow { device, collective, ranks: *ranks, size_bytes: bytes, time_us })?;
            }
            constants.serialize(ConstantsRow {
                device,
                collective,
                ranks: *ranks,
                start_us: rounded(found.link.latency_seconds * 1e6, 2),
                bus_gb_s: rounded(found.link.bytes_per_second / 1e9, 2),
                mean_error: rounded(found.mean_error, 4),
                largest_error: rounded(found.largest_error, 4),
                source: source.clone(),
            })?;
        }
        let bytes =
            |writer: csv::Writer<Vec<u8>>| writer.into_inner().map_err(|error| csv::Error::from(error.into_error()));
        Ok((bytes(constants)?, bytes(knots)?))
    }
}

impl ConstantsRow {
    fn link(&self) -> Result<Link, TableError> {
        let (latency_seconds, bytes_per_second) = (self.start_us * 1e-6, self.bus_gb_s * 1e9);
        if (0.0..1e9).contains(&latency_seconds) && bytes_per_second > 0.0 && bytes_per_second.is_finite() {
            return Ok(Link { latency_seconds, bytes_per_second });
        }
        let (device, kind, ranks) = (self.device.clone(), self.collective.clone(), self.ranks);
        Err(TableError::Constants { device, kind, ranks, start_us: self.start_us, bus_gb_s: self.bus_gb_s })
    }
}

fn kind(name: &str) -> Result<Kind, TableError> {
    let known = if name == "alltoall" { Some(Kind::AllToAll) } else { Kind::named(name) };
    known.ok_or_else(|| TableError::Kind(name.to_owned()))
}

fn rounded(value: f64, digits: i32) -> f64 {
    let scale = 10_f64.powi(digits);
    (value * scale).round() / scale
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The published curves; `None` where they are absent.
    fn published() -> Option<Points> {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data/performance/nccl_allreduce_curves.csv");
        let file = std::fs::File::open(path).ok()?;
        Some(read_points(file).expect("the published table"))
    }

    #[test]
    fn shipped_tables_are_those_of_the_command() {
        let Some(points) = published() else { return absent() };
        let (constants, knots) = Table::fitted(&points).expect("fits");
        assert_eq!(String::from_utf8_lossy(&constants), CONSTANTS);
        assert_eq!(String::from_utf8_lossy(&knots), CURVES);
    }

    #[test]
    fn published_curves_are_met_within_ten_percent() {
        let Some(points) = published() else { return absent() };
        let table = Table::shipped().expect("the shipped tables");
        for ((device, kind, ranks), (_, points)) in &points {
            let measured = table.device(device).expect("a device of the table");
            let mut plain = measured.clone();
            plain.entries.iter_mut().for_each(|entry| entry.curve = None);
            let errors = |measured: &Measurements| {
                let error = |(bytes, seconds): &(f64, f64)| {
                    let time = measured.time(*kind, *ranks, *bytes).expect("it was measured");
                    (time / seconds - 1.0).abs()
                };
                let errors: Vec<_> = points.iter().map(error).collect();
                (errors.iter().sum::<f64>() / errors.len() as f64, errors.into_iter().fold(0.0, f64::max))
            };
            let (mean, _) = errors(&plain);
            assert!(mean < 0.08, "two constants: {kind:?} over {ranks} {device}: {mean}");
            let (mean, largest) = errors(measured);
            assert!(mean < 0.02 && largest < 0.04, "curve: {kind:?} over {ranks} {device}: {mean} {largest}");
        }
    }

    #[test]
    fn curves_meet_points_that_they_were_not_given() {
        let Some(points) = published() else { return absent() };
        let (mut sum, mut count) = (0.0, 0.0);
        for ((device, kind, ranks), (_, points)) in &points {
            let mut own = 0.0;
            for left_out in 1..points.len() - 1 {
                let mut others = points.clone();
                let (bytes, seconds) = others.remove(left_out);
                let curve = Curve::new(&fit_curve(&others, CURVE_TOLERANCE).expect("knots")).expect("a curve");
                let link = fit(*kind, *ranks, &others).expect("constants").link;
                let entry = Measurement { kind: *kind, ranks: *ranks, link, curve: Some(curve) };
                own += (entry.time(bytes) / seconds - 1.0).abs();
            }
            let mean = own / (points.len() - 2) as f64;
            assert!(mean < 0.1, "{kind:?} over {ranks} {device}: {mean}");
            (sum, count) = (sum + own, count + (points.len() - 2) as f64);
        }
        assert!(sum / count < 0.05, "all curves: {}", sum / count);
    }

    #[test]
    fn devices_are_found_by_their_family() {
        let table = Table::shipped().expect("the shipped tables");
        let check = |name: &str, ranks: Option<usize>| {
            let counts = table.device(name).map(|measured| measured.entries().len());
            assert_eq!(counts, ranks, "{name}");
        };
        check("A100", Some(7));
        check("A100-SXM4-80GB", Some(7));
        check("V100-SXM2-16GB", Some(7));
        check("H100-SXM5-80GB", Some(4));
        check("A100-PCIe-80GB", None);
        check("A10", None);
        check("A1000", None);
        check("", None);
    }

    #[test]
    fn broken_tables_say_what_is_wrong() {
        let head = "device,collective,ranks,start_us,bus_gb_s,mean_error,largest_error,source\n";
        let check = |row: &str, expected: &str| {
            let found = Table::read(format!("{head}{row}").as_bytes(), &b""[..]).map_err(|e| e.to_string());
            assert!(found.as_ref().is_err_and(|text| text.contains(expected)), "{row}: {found:?}");
        };
        check("X,gather,8,1,1,0,0,s", "there is no collective `gather`");
        check("X,all_reduce,8,1,0,0,0,s", "no constants");
        check("X,all_reduce,8,NaN,1,0,0,s", "no constants");
        check("X,all_reduce,-8,1,1,0,0,s", "invalid digit");
    }

    #[allow(clippy::print_stderr)]
    fn absent() {
        eprintln!("the published curves are absent, nothing was checked");
    }
}
