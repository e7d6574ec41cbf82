//! Reading a number with its unit.

use rust_decimal::Decimal;

use super::{
    Bandwidth, Bytes, CarbonIntensity, Date, FlopRate, Frequency, Power, Seconds, Usd, UsdPerGb, UsdPerGbMonth,
    UsdPerHour, UsdPerKg, UsdPerKwh,
};

/// Why a text is no quantity.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QuantityError {
    /// A day that is none.
    #[error(transparent)]
    Date(#[from] super::DateError),
    /// No number at the start.
    #[error("expected a number and a unit, such as `{example}`")]
    NoNumber {
        /// A correct text.
        example: &'static str,
    },
    /// A number without a unit.
    #[error("`{number}` has no unit; write for example `{example}`")]
    NoUnit {
        /// The number.
        number: String,
        /// A correct text.
        example: &'static str,
    },
    /// A unit of something else.
    #[error("unknown unit `{unit}`; expected one of {expected}")]
    UnknownUnit {
        /// The unit.
        unit: String,
        /// Units that fit.
        expected: String,
    },
    /// Below zero.
    #[error("`{text}` is negative")]
    Negative {
        /// The text.
        text: String,
    },
    /// More than the type holds or anything real can be.
    #[error("`{text}` is more than {limit}")]
    TooLarge {
        /// The text.
        text: String,
        /// The limit with its unit.
        limit: &'static str,
    },
}

/// A kind of quantity: its units by name with their factor to the base unit.
pub(super) struct Kind {
    /// Name of the kind in JSON Schema's `format`.
    pub format: &'static str,
    /// A correct text.
    pub example: &'static str,
    /// Unit names with their factor to the base unit, which stands first.
    pub units: &'static [(&'static str, f64)],
    /// Largest value in the base unit, and in words.
    pub limit: (f64, &'static str),
}

/// Splits `text` into its digits and unit.
fn split<'a>(text: &'a str, kind: &Kind) -> Result<(String, &'a str), QuantityError> {
    let text = text.trim();
    let end = text
        .char_indices()
        .find(|&(at, c)| !(c.is_ascii_digit() || matches!(c, '.' | '_') || (at == 0 && matches!(c, '-' | '+'))))
        .map_or(text.len(), |(at, _)| at);
    let (number, unit) = (&text[..end], text[end..].trim());
    let digits = number.replace('_', "");
    let Ok(value) = digits.parse::<f64>() else {
        return Err(QuantityError::NoNumber { example: kind.example });
    };
    if unit.is_empty() {
        return Err(QuantityError::NoUnit { number: number.to_owned(), example: kind.example });
    }
    if value < 0.0 {
        return Err(QuantityError::Negative { text: text.to_owned() });
    }
    Ok((digits.trim_start_matches(['-', '+']).to_owned(), unit))
}

fn too_large(text: &str, kind: &Kind) -> QuantityError {
    QuantityError::TooLarge { text: text.trim().to_owned(), limit: kind.limit.1 }
}

fn factor(unit: &str, kind: &Kind) -> Result<f64, QuantityError> {
    kind.units.iter().find(|(name, _)| *name == unit).map(|(_, factor)| *factor).ok_or_else(|| {
        let names: Vec<_> = kind.units.iter().map(|(name, _)| format!("`{name}`")).collect();
        QuantityError::UnknownUnit { unit: unit.to_owned(), expected: names.join(", ") }
    })
}

/// Reads `text` as a quantity in the base unit of `kind`, rounded to the nearest floating-point number.
pub(super) fn number(text: &str, kind: &Kind) -> Result<f64, QuantityError> {
    let (digits, unit) = split(text, kind)?;
    let value = digits.parse::<f64>().map_err(|_| QuantityError::NoNumber { example: kind.example })?;
    let value = value * factor(unit, kind)?;
    if value > kind.limit.0 { Err(too_large(text, kind)) } else { Ok(value) }
}

/// Reads `text` as a quantity in the base unit of `kind`, exactly to 28 digits. Factors are whole numbers.
pub(super) fn decimal(text: &str, kind: &Kind) -> Result<Decimal, QuantityError> {
    let (digits, unit) = split(text, kind)?;
    let factor = factor(&unit.replace(' ', ""), kind)?;
    let value = digits.parse::<Decimal>().ok().and_then(|value| value.checked_mul(Decimal::from(factor as u64)));
    let limit = Decimal::from(kind.limit.0 as u64);
    value.filter(|value| *value <= limit).map(|value| value.normalize()).ok_or_else(|| too_large(text, kind))
}

/// Shows a value in the largest unit of `kind` that leaves at least 1, with up to `digits` decimals.
pub(super) fn show(value: f64, units: &[(&str, f64)], digits: usize) -> String {
    let (name, factor) = largest_first(units).find(|(_, factor)| value >= *factor).unwrap_or(units[0]);
    let text = format!("{:.digits$}", value / factor);
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    format!("{text} {name}")
}

/// Shows a value so that reading it gives the same value: in the largest unit that can, else in the base unit.
pub(super) fn show_exactly(value: f64, units: &[(&str, f64)]) -> String {
    /// More characters are a sign that the unit does not suit the value.
    const LONGEST: usize = 8;
    let exact = |(name, factor): (&str, f64)| {
        let text = (value / factor).to_string();
        let is_same = text.len() <= LONGEST
            && text.parse::<f64>().is_ok_and(|shown| (shown * factor).to_bits() == value.to_bits());
        (value >= factor && is_same).then(|| format!("{text} {name}"))
    };
    largest_first(units).find_map(exact).unwrap_or_else(|| format!("{value} {}", units[0].0))
}

fn largest_first<'a>(units: &[(&'a str, f64)]) -> impl Iterator<Item = (&'a str, f64)> {
    let mut units = units.to_vec();
    units.sort_by(|a, b| b.1.total_cmp(&a.1));
    units.into_iter()
}

/// Checks `text` against the quantity that a JSON Schema's `format` names; `None` for other formats.
#[must_use]
pub fn check_format(format: &str, text: &str) -> Option<Result<(), QuantityError>> {
    fn check<T: std::str::FromStr<Err = QuantityError>>(text: &str) -> Result<(), QuantityError> {
        text.parse::<T>().map(drop)
    }
    Some(match format {
        "bytes" => check::<Bytes>(text),
        "duration" => check::<Seconds>(text),
        "bandwidth" => check::<Bandwidth>(text),
        "flop-rate" => check::<FlopRate>(text),
        "usd" => check::<Usd>(text),
        "usd-per-hour" => check::<UsdPerHour>(text),
        "usd-per-gb" => check::<UsdPerGb>(text),
        "usd-per-gb-month" => check::<UsdPerGbMonth>(text),
        "usd-per-kwh" => check::<UsdPerKwh>(text),
        "usd-per-kg" => check::<UsdPerKg>(text),
        "frequency" => check::<Frequency>(text),
        "power" => check::<Power>(text),
        "carbon-intensity" => check::<CarbonIntensity>(text),
        "date" => text.parse::<Date>().map(drop).map_err(Into::into),
        _ => return None,
    })
}

impl Kind {
    /// JSON Schema of the quantity as text. The pattern shows editors the units.
    pub fn schema(&self) -> schemars::Schema {
        let units: Vec<&str> = self.units.iter().map(|(name, _)| *name).collect();
        let pattern = format!("^ *[+]?[0-9._]+ *({}) *$", units.join("|"));
        let examples = [self.example];
        schemars::json_schema!({ "type": "string", "format": self.format, "pattern": pattern, "examples": examples })
    }
}

/// Gives a quantity its text form in serde, schemars and `FromStr`.
macro_rules! as_text {
    ($name:ident, $kind:path) => {
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }

        impl schemars::JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                $kind.schema()
            }
        }
    };
}
pub(super) use as_text;
