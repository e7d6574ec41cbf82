//! Lengths of time.

use std::str::FromStr;

use super::parse::{self, Kind, QuantityError, as_text};

pub(super) const KIND: Kind = Kind {
    format: "duration",
    example: "20 d",
    units: &[
        ("s", 1.0),
        ("us", 1e-6),
        ("µs", 1e-6),
        ("ms", 1e-3),
        ("min", 60.0),
        ("h", 3600.0),
        ("d", 86_400.0),
        ("w", 604_800.0),
    ],
    limit: (3.156e9, "100 years"),
};

/// A length of time in seconds: finite and not negative.
#[derive(Debug, Clone, Copy, Default, PartialEq, PartialOrd)]
pub struct Seconds(f64);

impl Seconds {
    /// A length in seconds. What is not finite or is negative becomes zero.
    #[must_use]
    pub const fn new(seconds: f64) -> Self {
        Self(if seconds.is_finite() && seconds > 0.0 { seconds } else { 0.0 })
    }

    /// A length in days of 24 hours.
    #[must_use]
    pub const fn from_days(days: f64) -> Self {
        Self::new(days * 86_400.0)
    }

    /// The number of seconds.
    #[must_use]
    pub const fn get(self) -> f64 {
        self.0
    }

    /// The length rounded to two decimals in the largest fitting unit, for people.
    #[must_use]
    pub fn rounded(self) -> String {
        const SHOWN: &[(&str, f64)] =
            &[("µs", 1e-6), ("ms", 1e-3), ("s", 1.0), ("min", 60.0), ("h", 3600.0), ("d", 86_400.0)];
        if self.0 == 0.0 { "0 s".to_owned() } else { parse::show(self.0, SHOWN, 2) }
    }
}

impl FromStr for Seconds {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse::number(text, &KIND).map(Self)
    }
}

impl std::fmt::Display for Seconds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} s", self.0)
    }
}

as_text!(Seconds, KIND);
