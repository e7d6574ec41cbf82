//! Electric power, and what its generation emits.

use std::str::FromStr;

use super::parse::{self, Kind, QuantityError, as_text};

pub(super) const POWER: Kind = Kind {
    format: "power",
    example: "6.5 kW",
    units: &[("W", 1.0), ("kW", 1e3), ("MW", 1e6)],
    limit: (1e12, "10^6 MW"),
};

pub(super) const INTENSITY: Kind = Kind {
    format: "carbon-intensity",
    example: "350 g/kWh",
    units: &[("g/kWh", 1.0), ("kg/kWh", 1e3)],
    limit: (1e6, "1,000 kg/kWh"),
};

/// Electric power in watts.
#[derive(Debug, Clone, Copy, Default, PartialEq, PartialOrd)]
pub struct Power(pub f64);

impl FromStr for Power {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse::number(text, &POWER).map(Self)
    }
}

impl std::fmt::Display for Power {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&parse::show_exactly(self.0, POWER.units))
    }
}

as_text!(Power, POWER);

/// Greenhouse gas of electric energy in grams of CO₂ equivalent a kilowatt-hour.
#[derive(Debug, Clone, Copy, Default, PartialEq, PartialOrd)]
pub struct CarbonIntensity(pub f64);

impl FromStr for CarbonIntensity {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse::number(text, &INTENSITY).map(Self)
    }
}

impl std::fmt::Display for CarbonIntensity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&parse::show_exactly(self.0, INTENSITY.units))
    }
}

as_text!(CarbonIntensity, INTENSITY);
