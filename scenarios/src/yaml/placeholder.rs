//! Something valid in the place of what is not, so that the rest of a document can be read and checked too.

use serde_json::{Map, Value};

use super::shape::{Schema, Shape};

/// The smallest valid value.
pub(super) fn placeholder(schema: Schema<'_>) -> Value {
    if let Some(default) = schema.here.get("default") {
        return default.clone();
    }
    match schema.shape() {
        Shape::Struct { properties, required } => {
            let entry = |key: &str| (key.to_owned(), placeholder(schema.at(&properties[key])));
            required.into_iter().map(entry).collect::<Map<_, _>>().into()
        }
        Shape::Map(_) => Map::new().into(),
        Shape::List { items, least, .. } => {
            (0..least).map(|_| placeholder(schema.at(items))).collect::<Vec<_>>().into()
        }
        Shape::Choice(forms) => match forms.first() {
            Some((name, Some(value))) => Map::from_iter([((*name).to_owned(), placeholder(schema.at(value)))]).into(),
            Some((name, None)) => (*name).into(),
            None => Value::Null,
        },
        Shape::Text { .. } => example(schema).unwrap_or("x").into(),
        Shape::Integer { least, .. } => least.max(1).into(),
        Shape::Number { .. } => 0.5.into(),
        Shape::Boolean => false.into(),
    }
}

/// How a value may be written, in a few characters; for messages.
pub(super) fn sketch(schema: Schema<'_>) -> String {
    match schema.shape() {
        Shape::Struct { .. } | Shape::Map(_) => "{…}".to_owned(),
        Shape::List { .. } => "[…]".to_owned(),
        Shape::Choice(forms) => match forms.first() {
            Some((_, Some(_))) => {
                let names: Vec<_> = forms.iter().map(|(name, _)| *name).collect();
                format!("{{{}: …}}", names.join(" | "))
            }
            Some((name, None)) => (*name).to_owned(),
            None => "…".to_owned(),
        },
        Shape::Text { .. } => example(schema).unwrap_or("…").to_owned(),
        Shape::Integer { least, .. } => least.max(1).to_string(),
        Shape::Number { .. } => "0.5".to_owned(),
        Shape::Boolean => "true".to_owned(),
    }
}

fn example(schema: Schema<'_>) -> Option<&str> {
    schema.here["examples"][0].as_str()
}
