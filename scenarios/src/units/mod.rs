//! Quantities that carry their unit.
//!
//! In documents that people write a quantity is a string with its unit (`4 TB`, `200 Gbit/s`,
//! `20d`, `9.50 USD/h`); a bare number is an error. Decimal (`GB`) and binary (`GiB`) prefixes are
//! distinct. Documents that programs write hold plain numbers under names that end in the unit.

mod bytes;
mod date;
mod interval;
mod money;
mod parse;
mod power;
mod rate;
mod tariff;
#[cfg(test)]
mod tests;
mod time;

pub use bytes::Bytes;
pub use date::{Date, DateError};
pub use interval::Interval;
pub use money::{Usd, UsdPerGb, UsdPerGbMonth, UsdPerHour, UsdPerKg, UsdPerKwh};
pub use parse::{QuantityError, check_format};
pub use power::{CarbonIntensity, Power};
pub use rate::{Bandwidth, FlopRate, Frequency};
pub use tariff::{Tariff, TariffError, Tier};
pub use time::Seconds;
