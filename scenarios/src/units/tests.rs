//! Reading and writing of all quantities.

use std::fmt::{Debug, Display};
use std::str::FromStr;

use proptest::prelude::*;
use rust_decimal::Decimal;

use super::{Bandwidth, Bytes, FlopRate, QuantityError, Seconds, Usd, UsdPerGb, UsdPerHour, check_format};

#[test]
fn quantities_are_read_with_their_unit() {
    fn check<T: FromStr<Err = QuantityError> + PartialEq + Debug>(text: &str, expected: &T) {
        assert_eq!(text.parse::<T>().as_ref(), Ok(expected), "{text}");
    }
    check("4 TB", &Bytes(4_000_000_000_000));
    check("4TiB", &Bytes(4_398_046_511_104));
    check("1_000 B", &Bytes(1000));
    check("9007199254740993 B", &Bytes(9_007_199_254_740_993));
    check("54.95 MB", &Bytes(54_950_000));
    check("20d", &Seconds::from_days(20.0));
    check("90 min", &Seconds::new(5400.0));
    check("200 Gbit/s", &Bandwidth(2e11));
    check("25 GB/s", &Bandwidth(2e11));
    check("312 TFLOP/s", &FlopRate(3.12e14));
    check("9.50 USD/h", &UsdPerHour(Decimal::new(95, 1)));
    check("0.09 USD / GB", &UsdPerGb(Decimal::new(9, 2)));
    check("0 USD", &Usd(Decimal::ZERO));
}

#[test]
fn a_bad_quantity_says_what_is_missing() {
    fn check<T: FromStr<Err = QuantityError> + Debug>(text: &str, expected: &str) {
        let error = text.parse::<T>().expect_err(text);
        assert_eq!(error.to_string(), expected, "{text}");
    }
    check::<Bytes>("4", "`4` has no unit; write for example `4 GB`");
    check::<Bytes>("much", "expected a number and a unit, such as `4 GB`");
    check::<Bytes>("1.2.3 GB", "expected a number and a unit, such as `4 GB`");
    check::<Bytes>("-3 GB", "`-3 GB` is negative");
    check::<Bytes>("99999 PB", "`99999 PB` is more than 1000 PB");
    let many = "99999999999999999999999999999999999 B";
    check::<Bytes>(many, &format!("`{many}` is more than 1000 PB"));
    check::<Bytes>("79228162514264337593543950335 PB", "`79228162514264337593543950335 PB` is more than 1000 PB");
    check::<Seconds>(
        "20 fortnights",
        "unknown unit `fortnights`; expected one of `s`, `us`, `µs`, `ms`, `min`, `h`, `d`, `w`",
    );
    check::<Usd>("20 EUR", "unknown unit `EUR`; expected one of `USD`");
    check::<UsdPerHour>("20 USD", "unknown unit `USD`; expected one of `USD/h`");
}

#[test]
fn quantities_are_written_in_a_fitting_unit() {
    let check = |quantity: &dyn Display, expected: &str| assert_eq!(quantity.to_string(), expected);
    check(&Bytes(54_950_000), "54950 kB");
    check(&Bytes(0), "0 B");
    check(&Seconds::new(0.006), "0.006 s");
    check(&Bandwidth(5e8), "500 Mbit/s");
    check(&Bandwidth(123_456_789.125), "123456789.125 bit/s");
    check(&FlopRate(8.1e12), "8.1 TFLOP/s");
    check(&UsdPerHour(Decimal::new(95, 1)), "9.5 USD/h");
}

#[test]
fn formats_of_the_schema_are_checked() {
    let check = |format: &str, text: &str, fits: Option<bool>| {
        assert_eq!(check_format(format, text).map(|result| result.is_ok()), fits, "{format} {text}");
    };
    check("bytes", "4 GB", Some(true));
    check("bytes", "4 h", Some(false));
    check("duration", "4 h", Some(true));
    check("usd", "4 USD", Some(true));
    check("uint32", "4", None);
}

fn same<T: FromStr<Err = QuantityError> + Display + PartialEq + Debug>(quantity: &T) {
    assert_eq!(quantity.to_string().parse::<T>().as_ref(), Ok(quantity));
}

proptest! {
    #[test]
    fn what_is_written_is_read_again(
        bytes in 0..=1_000_000_000_000_000_000u64,
        seconds in prop_oneof![0.0..3e9f64, 0.0..1e-3f64],
        rate in prop_oneof![0.0..1e18f64, (0u32..4_000_000_000u32).prop_map(|rate| f64::from(rate) * 1e6)],
        cents in 0..100_000_000_000u64,
        scale in 2..12u32,
    ) {
        same(&Bytes(bytes));
        same(&Seconds::new(seconds));
        same(&Bandwidth(rate));
        same(&FlopRate(rate));
        let amount = Decimal::from_i128_with_scale(cents.into(), scale);
        same(&Usd(amount));
        same(&UsdPerHour(amount));
        same(&UsdPerGb(amount));
    }

    #[test]
    fn no_text_makes_reading_panic(text in "[-+0-9._]{0,40} ?[a-zA-Zµ/]{0,8}|.{0,20}") {
        for format in ["bytes", "duration", "bandwidth", "flop-rate", "usd", "usd-per-hour", "usd-per-gb"] {
            if let Some(Err(error)) = check_format(format, &text) {
                prop_assert!(!error.to_string().is_empty());
            }
        }
    }
}
