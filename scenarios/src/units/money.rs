//! Money: exact decimals in US dollars.

use std::str::FromStr;

use rust_decimal::Decimal;

use super::parse::{self, Kind, QuantityError, as_text};

pub(super) const USD: Kind =
    Kind { format: "usd", example: "500 USD", units: &[("USD", 1.0)], limit: (1e15, "10^15 USD") };

pub(super) const USD_PER_HOUR: Kind =
    Kind { format: "usd-per-hour", example: "9.50 USD/h", units: &[("USD/h", 1.0)], limit: (1e9, "10^9 USD/h") };

pub(super) const USD_PER_GB: Kind =
    Kind { format: "usd-per-gb", example: "0.09 USD/GB", units: &[("USD/GB", 1.0)], limit: (1e9, "10^9 USD/GB") };

pub(super) const USD_PER_GB_MONTH: Kind = Kind {
    format: "usd-per-gb-month",
    example: "0.023 USD/GB/month",
    units: &[("USD/GB/month", 1.0)],
    limit: (1e9, "10^9 USD/GB/month"),
};

pub(super) const USD_PER_KWH: Kind =
    Kind { format: "usd-per-kwh", example: "0.12 USD/kWh", units: &[("USD/kWh", 1.0)], limit: (1e9, "10^9 USD/kWh") };

pub(super) const USD_PER_KG: Kind =
    Kind { format: "usd-per-kg", example: "0.10 USD/kg", units: &[("USD/kg", 1.0)], limit: (1e9, "10^9 USD/kg") };

macro_rules! money {
    ($(#[$doc:meta])* $name:ident, $kind:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub Decimal);

        impl FromStr for $name {
            type Err = QuantityError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                parse::decimal(text, &$kind).map(Self)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{} {}", self.0, $kind.units[0].0)
            }
        }

        as_text!($name, $kind);
    };
}

money! {
    /// An amount in US dollars.
    Usd, USD
}

money! {
    /// A price in US dollars an hour.
    UsdPerHour, USD_PER_HOUR
}

money! {
    /// A price in US dollars a gigabyte (10⁹ bytes).
    UsdPerGb, USD_PER_GB
}

money! {
    /// A price in US dollars for keeping a gigabyte (10⁹ bytes) for a month of 30 days.
    UsdPerGbMonth, USD_PER_GB_MONTH
}

money! {
    /// A price of electric energy in US dollars a kilowatt-hour.
    UsdPerKwh, USD_PER_KWH
}

money! {
    /// A price of greenhouse gas in US dollars a kilogram of CO₂ equivalent.
    UsdPerKg, USD_PER_KG
}
