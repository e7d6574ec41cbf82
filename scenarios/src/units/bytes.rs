//! Amounts of data.

use std::str::FromStr;

use super::parse::{self, Kind, QuantityError, as_text};

pub(super) const KIND: Kind = Kind {
    format: "bytes",
    example: "4 GB",
    units: &[
        ("B", 1.0),
        ("kB", 1e3),
        ("MB", 1e6),
        ("GB", 1e9),
        ("TB", 1e12),
        ("PB", 1e15),
        ("KiB", 1024.0),
        ("MiB", 1_048_576.0),
        ("GiB", 1_073_741_824.0),
        ("TiB", 1_099_511_627_776.0),
        ("PiB", 1_125_899_906_842_624.0),
    ],
    limit: (1e18, "1000 PB"),
};

/// An amount of data in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bytes(pub u64);

impl Bytes {
    /// Gigabytes (10⁹ bytes), the unit of egress prices.
    #[must_use]
    pub const fn gigabytes(self) -> f64 {
        self.0 as f64 / 1e9
    }
}

impl FromStr for Bytes {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bytes = parse::decimal(text, &KIND)?.round();
        Ok(Self(u64::try_from(bytes).expect("the limit of the quantity fits")))
    }
}

impl std::fmt::Display for Bytes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let exact = [1_000_000_000_000_000, 1_000_000_000_000, 1_000_000_000, 1_000_000, 1_000, 1]
            .into_iter()
            .zip(["PB", "TB", "GB", "MB", "kB", "B"])
            .find(|(factor, _)| self.0.is_multiple_of(*factor));
        match exact {
            Some((factor, unit)) if self.0 > 0 => write!(f, "{} {unit}", self.0 / factor),
            _ => write!(f, "{} B", self.0),
        }
    }
}

as_text!(Bytes, KIND);

impl Bytes {
    /// The amount rounded to three digits in the largest fitting decimal unit, for people.
    #[must_use]
    pub fn rounded(self) -> String {
        parse::show(self.0 as f64, &KIND.units[..6], 2)
    }
}
