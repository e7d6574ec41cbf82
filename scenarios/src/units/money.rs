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
