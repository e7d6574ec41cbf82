//! Rates of data and of arithmetic.

use std::str::FromStr;

use super::parse::{self, Kind, QuantityError, as_text};

pub(super) const BANDWIDTH: Kind = Kind {
    format: "bandwidth",
    example: "10 Gbit/s",
    units: &[
        ("bit/s", 1.0),
        ("kbit/s", 1e3),
        ("Mbit/s", 1e6),
        ("Gbit/s", 1e9),
        ("Tbit/s", 1e12),
        ("kB/s", 8e3),
        ("MB/s", 8e6),
        ("GB/s", 8e9),
        ("TB/s", 8e12),
    ],
    limit: (1e18, "1,000,000 Tbit/s"),
};

pub(super) const FLOP_RATE: Kind = Kind {
    format: "flop-rate",
    example: "312 TFLOP/s",
    units: &[("FLOP/s", 1.0), ("MFLOP/s", 1e6), ("GFLOP/s", 1e9), ("TFLOP/s", 1e12), ("PFLOP/s", 1e15)],
    limit: (1e21, "1,000,000 PFLOP/s"),
};

pub(super) const FREQUENCY: Kind = Kind {
    format: "frequency",
    example: "3 /s",
    units: &[
        ("/s", 1.0),
        ("/min", 1.0 / 60.0),
        ("/h", 1.0 / 3600.0),
        ("/d", 1.0 / 86_400.0),
        ("/month", 1.0 / 2_592_000.0),
    ],
    limit: (1e12, "10^12 /s"),
};

/// How often something happens, per second; a month has 30 days.
#[derive(Debug, Clone, Copy, Default, PartialEq, PartialOrd)]
pub struct Frequency(pub f64);

impl FromStr for Frequency {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse::number(text, &FREQUENCY).map(Self)
    }
}

impl std::fmt::Display for Frequency {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&parse::show_exactly(self.0, FREQUENCY.units))
    }
}

as_text!(Frequency, FREQUENCY);

/// A rate of data in bits per second.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Bandwidth(pub f64);

impl Bandwidth {
    /// A rate in gigabits (10⁹ bits) per second.
    #[must_use]
    pub const fn from_gbps(gbps: f64) -> Self {
        Self(gbps * 1e9)
    }

    /// Bytes per second.
    #[must_use]
    pub const fn bytes_per_second(self) -> f64 {
        self.0 / 8.0
    }
}

impl FromStr for Bandwidth {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse::number(text, &BANDWIDTH).map(Self)
    }
}

impl std::fmt::Display for Bandwidth {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&parse::show_exactly(self.0, &BANDWIDTH.units[..5]))
    }
}

as_text!(Bandwidth, BANDWIDTH);

/// A rate of arithmetic in floating-point operations per second; a multiply-add counts as two.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct FlopRate(pub f64);

impl FromStr for FlopRate {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse::number(text, &FLOP_RATE).map(Self)
    }
}

impl std::fmt::Display for FlopRate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&parse::show_exactly(self.0, FLOP_RATE.units))
    }
}

as_text!(FlopRate, FLOP_RATE);
