//! Reading a number with its unit.

use rust_decimal::Decimal;

/// Why a text is no quantity.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QuantityError {
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
    /// Unit names with their factor to the base unit.
    pub units: &'static [(&'static str, f64)],
    /// Largest value in the base unit, and in words.
    pub limit: (f64, &'static str),
}

/// Splits `text` into its number and unit.
pub(super) fn split<'a>(text: &'a str, kind: &Kind) -> Result<(Decimal, &'a str), QuantityError> {
    let text = text.trim();
    let end = text
        .char_indices()
        .find(|&(at, c)| !(c.is_ascii_digit() || matches!(c, '.' | '_') || (at == 0 && matches!(c, '-' | '+'))))
        .map_or(text.len(), |(at, _)| at);
    let (number, unit) = text.split_at(end);
    let digits = number.replace('_', "");
    if digits.is_empty() {
        return Err(QuantityError::NoNumber { example: kind.example });
    }
    let value: Decimal = digits.parse().map_err(|_| match digits.bytes().filter(|b| *b == b'.').count() {
        0 | 1 if digits.bytes().any(|b| b.is_ascii_digit()) => too_large(text, kind),
        _ => QuantityError::NoNumber { example: kind.example },
    })?;
    let unit = unit.trim();
    if unit.is_empty() {
        return Err(QuantityError::NoUnit { number: number.to_owned(), example: kind.example });
    }
    if value.is_sign_negative() && !value.is_zero() {
        return Err(QuantityError::Negative { text: text.to_owned() });
    }
    Ok((value, unit))
}

fn too_large(text: &str, kind: &Kind) -> QuantityError {
    QuantityError::TooLarge { text: text.to_owned(), limit: kind.limit.1 }
}

/// Reads `text` as a quantity in the base unit of `kind`.
pub(super) fn number(text: &str, kind: &Kind) -> Result<f64, QuantityError> {
    let (value, unit) = split(text, kind)?;
    let factor = kind.units.iter().find(|(name, _)| *name == unit).map(|(_, factor)| *factor).ok_or_else(|| {
        let names: Vec<_> = kind.units.iter().map(|(name, _)| format!("`{name}`")).collect();
        QuantityError::UnknownUnit { unit: unit.to_owned(), expected: names.join(", ") }
    })?;
    let value: f64 = value.try_into().map_err(|_| too_large(text.trim(), kind))?;
    let value = value * factor;
    if value > kind.limit.0 { Err(too_large(text.trim(), kind)) } else { Ok(value) }
}

/// Reads `text` as an amount of money with exactly the unit of `kind`.
pub(super) fn decimal(text: &str, kind: &Kind) -> Result<Decimal, QuantityError> {
    let (value, unit) = split(text, kind)?;
    let expected = kind.units[0].0;
    if unit.replace(' ', "") != expected {
        return Err(QuantityError::UnknownUnit { unit: unit.to_owned(), expected: format!("`{expected}`") });
    }
    if value > Decimal::from(kind.limit.0 as u64) { Err(too_large(text.trim(), kind)) } else { Ok(value.normalize()) }
}

/// Shows a value in the largest unit of `kind` that leaves at least 1, with up to `digits` decimals.
pub(super) fn show(value: f64, units: &[(&str, f64)], digits: usize) -> String {
    let (name, factor) = units
        .iter()
        .filter(|(_, factor)| value >= *factor)
        .max_by(|a, b| a.1.total_cmp(&b.1))
        .or_else(|| units.iter().min_by(|a, b| a.1.total_cmp(&b.1)))
        .expect("every kind has units");
    let text = format!("{:.digits$}", value / factor);
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    format!("{text} {name}")
}

/// Checks `text` against the quantity that a JSON Schema's `format` names; `None` for other formats.
#[must_use]
pub fn check_format(format: &str, text: &str) -> Option<Result<(), QuantityError>> {
    let numbers = [&super::bytes::KIND, &super::time::KIND, &super::rate::BANDWIDTH, &super::rate::FLOP_RATE];
    if let Some(kind) = numbers.into_iter().find(|kind| kind.format == format) {
        return Some(number(text, kind).map(drop));
    }
    let money = [&super::money::USD, &super::money::USD_PER_HOUR, &super::money::USD_PER_GB];
    money.into_iter().find(|kind| kind.format == format).map(|kind| decimal(text, kind).map(drop))
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
                schemars::json_schema!({ "type": "string", "format": $kind.format, "examples": [$kind.example] })
            }
        }
    };
}
pub(super) use as_text;
