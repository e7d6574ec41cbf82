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

#[cfg(test)]
mod tests {
    use super::super::{Bandwidth, Bytes, FlopRate, Seconds};
    use super::*;

    #[test]
    fn quantities_are_read_with_their_unit() {
        fn check<T: FromStr<Err = QuantityError> + PartialEq + std::fmt::Debug>(text: &str, expected: &T) {
            assert_eq!(text.parse::<T>().as_ref(), Ok(expected), "{text}");
        }
        check("4 TB", &Bytes(4_000_000_000_000));
        check("4TiB", &Bytes(4_398_046_511_104));
        check("1_000 B", &Bytes(1000));
        check("20d", &Seconds::from_days(20.0));
        check("90 min", &Seconds::new(5400.0));
        check("200 Gbit/s", &Bandwidth(2e11));
        check("25 GB/s", &Bandwidth(2e11));
        check("312 TFLOP/s", &FlopRate(3.12e14));
        check("9.50 USD/h", &UsdPerHour(Decimal::new(95, 1)));
        check("0.09 USD/GB", &UsdPerGb(Decimal::new(9, 2)));
        check("0 USD", &Usd(Decimal::ZERO));
    }

    #[test]
    fn a_bad_quantity_says_what_is_missing() {
        fn check<T: FromStr<Err = QuantityError> + std::fmt::Debug>(text: &str, expected: &str) {
            let error = text.parse::<T>().expect_err(text);
            assert_eq!(error.to_string(), expected, "{text}");
        }
        check::<Bytes>("4", "`4` has no unit; write for example `4 GB`");
        check::<Bytes>("much", "expected a number and a unit, such as `4 GB`");
        check::<Bytes>("1.2.3 GB", "expected a number and a unit, such as `4 GB`");
        check::<Bytes>("-3 GB", "`-3 GB` is negative");
        check::<Bytes>("99999 PB", "`99999 PB` is more than 1000 PB");
        check::<Bytes>(
            "99999999999999999999999999999999999 B",
            "`99999999999999999999999999999999999 B` is more than 1000 PB",
        );
        check::<Seconds>(
            "20 fortnights",
            "unknown unit `fortnights`; expected one of `us`, `µs`, `ms`, `s`, `min`, `h`, `d`, `w`",
        );
        check::<Usd>("20 EUR", "unknown unit `EUR`; expected one of `USD`");
        check::<UsdPerHour>("20 USD", "unknown unit `USD`; expected one of `USD/h`");
    }
}
