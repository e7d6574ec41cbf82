//! Computing with values of a document: numbers, quantities with units, lists.

use rust_decimal::Decimal;
use scenarios::units::{Bandwidth, Bytes, FlopRate, Frequency, Power, Seconds};
use scenarios::yaml::{self, Content, Entry, Node};

use super::{Operator, Setting, SettingError, path};

/// Changes the value at a place of a document.
///
/// # Errors
/// The value is none that the operator can compute with.
pub(super) fn apply(root: &mut Node, place: &[String], setting: &Setting) -> Result<(), SettingError> {
    let wrong = |reason: String| SettingError::Value { text: setting.text.clone(), reason };
    let given = parsed(&setting.value).map_err(wrong)?;
    let Some(value) = path::value(root, place) else {
        if let Some((key, parent)) = place.split_last()
            && let Some(Node { content: Content::Mapping(entries), .. }) = path::value(root, parent)
        {
            entries.push(Entry { key: key.clone(), span: 0..0, value: given });
        }
        return Ok(());
    };
    match (&mut value.content, setting.operator) {
        (_, Operator::Set) => *value = given,
        (Content::Sequence(items), Operator::Add) => items.extend(listed(given)),
        (Content::Sequence(items), Operator::Subtract) => {
            let removed = listed(given);
            items.retain(|item| !removed.iter().any(|other| same(item, other)));
        }
        (Content::Scalar { text, .. }, operator) => *text = computed(text, operator, &setting.value).map_err(wrong)?,
        _ => return Err(wrong("the value is a collection; name a key in it".to_owned())),
    }
    Ok(())
}

fn parsed(value: &str) -> Result<Node, String> {
    match yaml::parse(value) {
        Ok((node, problems)) if problems.is_empty() => Ok(node),
        Ok((_, problems)) => Err(problems.into_iter().map(|problem| problem.message).collect::<Vec<_>>().join("; ")),
        Err(problem) => Err(problem.message),
    }
}

/// The items of a list, or a single value as the only one.
fn listed(node: Node) -> Vec<Node> {
    match node.content {
        Content::Sequence(items) => items,
        _ => vec![node],
    }
}

fn same(a: &Node, b: &Node) -> bool {
    matches!((&a.content, &b.content), (Content::Scalar { text: a, .. }, Content::Scalar { text: b, .. }) if a == b)
}

/// A number with what follows it.
fn split(text: &str) -> (&str, &str) {
    let text = text.trim();
    if number(text).is_some() {
        return (text, "");
    }
    let is_digit =
        |(at, c): &(usize, char)| c.is_ascii_digit() || matches!(c, '.' | '_') || (*at == 0 && matches!(c, '+' | '-'));
    let end = text.char_indices().find(|at| !is_digit(at)).map_or(text.len(), |(at, _)| at);
    (&text[..end], text[end..].trim())
}

fn number(text: &str) -> Option<Decimal> {
    let digits = text.replace('_', "");
    digits.parse().ok().or_else(|| Decimal::from_scientific(&digits).ok())
}

/// The value after an operation with another one.
///
/// # Errors
/// One of them is no number, or their units do not go together.
fn computed(current: &str, operator: Operator, other: &str) -> Result<String, String> {
    let (digits, unit) = split(current);
    let own = number(digits).ok_or_else(|| format!("`{current}` is no number; set it with `=`"))?;
    let (other_digits, other_unit) = split(other);
    let given = number(other_digits).ok_or_else(|| format!("`{other}` is no number"))?;
    let result = match operator {
        Operator::Multiply | Operator::Divide if !other_unit.is_empty() => {
            return Err(format!("`{other}` has a unit; multiply and divide by a number"));
        }
        Operator::Multiply => own.checked_mul(given),
        Operator::Divide if given.is_zero() => return Err("nothing can be divided by 0".to_owned()),
        Operator::Divide => own.checked_div(given),
        _ if unit.replace(' ', "") != other_unit.replace(' ', "") => return converted(current, operator, other, unit),
        Operator::Add => own.checked_add(given),
        Operator::Subtract => own.checked_sub(given),
        Operator::Set => Some(given),
    };
    let result = result.ok_or_else(|| "the result has more digits than a number may have".to_owned())?;
    // As many digits as any document needs.
    let digits = result.round_dp(12).normalize();
    Ok(if unit.is_empty() { digits.to_string() } else { format!("{digits} {unit}") })
}

/// The sum or difference of quantities in different units of one kind.
fn converted(current: &str, operator: Operator, other: &str, unit: &str) -> Result<String, String> {
    fn try_as<T>(current: &str, other: &str, sign: f64, of: fn(T) -> f64, make: fn(f64) -> T) -> Option<String>
    where
        T: std::str::FromStr + std::fmt::Display,
    {
        let (a, b) = (current.parse::<T>().ok()?, other.parse::<T>().ok()?);
        let sum = sign.mul_add(of(b), of(a));
        Some(if sum < 0.0 { format!("-{}", make(-sum)) } else { make(sum).to_string() })
    }
    let sign = if operator == Operator::Subtract { -1.0 } else { 1.0 };
    let kinds = [
        try_as::<Seconds>(current, other, sign, Seconds::get, Seconds::new),
        try_as::<Bytes>(current, other, sign, |bytes| bytes.0 as f64, |bytes| Bytes(bytes.round() as u64)),
        try_as::<Bandwidth>(current, other, sign, |rate| rate.0, Bandwidth),
        try_as::<FlopRate>(current, other, sign, |rate| rate.0, FlopRate),
        try_as::<Frequency>(current, other, sign, |rate| rate.0, Frequency),
        try_as::<Power>(current, other, sign, |power| power.0, Power),
    ];
    kinds.into_iter().flatten().next().ok_or_else(|| {
        let wanted =
            if unit.is_empty() { "a number without a unit".to_owned() } else { format!("a unit as in `{current}`") };
        format!("`{other}` cannot be added to `{current}`: expected {wanted}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_computed_with_their_units() {
        let check = |current: &str, operator: Operator, other: &str, expected: Result<&str, &str>| {
            let found = computed(current, operator, other);
            match expected {
                Ok(expected) => assert_eq!(found.as_deref(), Ok(expected), "{current} {operator:?} {other}"),
                Err(part) => assert!(found.as_ref().is_err_and(|text| text.contains(part)), "{found:?}"),
            }
        };
        check("9.50 USD/h", Operator::Multiply, "0.8", Ok("7.6 USD/h"));
        check("8", Operator::Add, "8", Ok("16"));
        check("3", Operator::Multiply, "1.5", Ok("4.5"));
        check("10 USD", Operator::Divide, "4", Ok("2.5 USD"));
        check("10 USD", Operator::Subtract, "12 USD", Ok("-2 USD"));
        check("8 h", Operator::Add, "30 min", Ok("30600 s"));
        check("1 TB", Operator::Subtract, "500 GB", Ok("500 GB"));
        check("200 Gbit/s", Operator::Add, "50 Gbit/s", Ok("250 Gbit/s"));
        check("10 USD", Operator::Divide, "0", Err("divided by 0"));
        check("10 USD", Operator::Add, "5", Err("a unit as in `10 USD`"));
        check("10 USD", Operator::Add, "5 h", Err("cannot be added"));
        check("10 USD", Operator::Multiply, "5 USD", Err("has a unit"));
        check("cost", Operator::Multiply, "2", Err("no number"));
        check("79228162514264337593543950335", Operator::Multiply, "10", Err("more digits"));
    }
}
