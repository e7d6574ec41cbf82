//! What a JSON Schema expects at one place: the few forms that schemars derives from our types.

use serde_json::{Map, Value};

/// What is expected.
#[derive(Debug)]
pub(super) enum Shape<'a> {
    /// Known keys.
    Struct { properties: &'a Map<String, Value>, required: Vec<&'a str> },
    /// Any keys, all values alike.
    Map(&'a Value),
    /// A list with least and most items.
    List { items: &'a Value, least: u64, most: u64 },
    /// One of several forms, each with its name; a form without a value is just its name.
    Choice(Vec<(&'a str, Option<&'a Value>)>),
    /// Text, perhaps a quantity.
    Text { format: &'a str },
    /// A whole number in a range.
    Integer { least: u64, most: u64 },
    /// A number; whether it must fit 32 bits.
    Number { single: bool },
    /// `true` or `false`.
    Boolean,
}

/// A schema with the one whose `definitions` its references name.
#[derive(Debug, Clone, Copy)]
pub(super) struct Schema<'a> {
    pub root: &'a Value,
    pub here: &'a Value,
}

impl<'a> Schema<'a> {
    pub const fn at(self, here: &'a Value) -> Self {
        Self { root: self.root, here }
    }

    /// Follows references, and leaves "or null" aside: an absent key is left out.
    fn resolved(self) -> &'a Value {
        let mut here = self.here;
        loop {
            let inner = here["$ref"].as_str().map(|name| self.definition(name)).or_else(|| {
                let alternatives = here["allOf"].as_array().or_else(|| here["anyOf"].as_array())?;
                alternatives.iter().find(|schema| schema["type"] != "null")
            });
            match inner {
                Some(inner) => here = inner,
                None => return here,
            }
        }
    }

    fn definition(self, reference: &str) -> &'a Value {
        let name = reference.trim_start_matches("#/definitions/");
        &self.root["definitions"][name]
    }

    /// What is expected here.
    ///
    /// # Panics
    /// If the schema has a form that none of our types has; a test reads the whole schema.
    pub fn shape(self) -> Shape<'a> {
        let here = self.resolved();
        if let Some(variants) = here["oneOf"].as_array() {
            return Shape::Choice(variants.iter().flat_map(variant).collect());
        }
        let kind = &here["type"];
        match kind.as_str().or_else(|| kind[0].as_str()) {
            Some("object") => object(here),
            Some("array") => Shape::List {
                items: &here["items"],
                least: here["minItems"].as_u64().unwrap_or(0),
                most: here["maxItems"].as_u64().unwrap_or(u64::MAX),
            },
            Some("integer") => Shape::Integer {
                least: here["minimum"].as_u64().unwrap_or(0),
                most: if here["format"] == "uint32" { u64::from(u32::MAX) } else { u64::MAX },
            },
            Some("number") => Shape::Number { single: here["format"] == "float" },
            Some("boolean") => Shape::Boolean,
            Some("string") => match here["enum"].as_array() {
                Some(_) => Shape::Choice(variant(here)),
                None => Shape::Text { format: here["format"].as_str().unwrap_or_default() },
            },
            _ => panic!("no such form of schema is known: {here}"),
        }
    }
}

fn object(here: &Value) -> Shape<'_> {
    match (&here["properties"], &here["additionalProperties"]) {
        (Value::Object(properties), _) => {
            let required = here["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
            Shape::Struct { properties, required }
        }
        (_, values) => Shape::Map(values),
    }
}

/// The forms that one alternative allows: names without a value, or one key with its value.
fn variant(schema: &Value) -> Vec<(&str, Option<&Value>)> {
    if let Value::Object(properties) = &schema["properties"] {
        return properties.iter().map(|(name, value)| (name.as_str(), Some(value))).collect();
    }
    let names = schema["enum"].as_array().into_iter().flatten().chain(schema.get("const"));
    names.filter_map(Value::as_str).map(|name| (name, None)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema;

    /// Asks for the shape of everything in a schema; our schemas do not contain themselves.
    fn walk(schema: Schema<'_>) -> usize {
        let inner: Vec<&Value> = match schema.shape() {
            Shape::Struct { properties, required } => {
                assert!(required.iter().all(|key| properties.contains_key(*key)));
                properties.values().collect()
            }
            Shape::Map(value) | Shape::List { items: value, .. } => vec![value],
            Shape::Choice(forms) => forms.into_iter().filter_map(|(_, value)| value).collect(),
            Shape::Text { .. } | Shape::Integer { .. } | Shape::Number { .. } | Shape::Boolean => vec![],
        };
        1 + inner.into_iter().map(|here| walk(schema.at(here))).sum::<usize>()
    }

    #[test]
    fn every_form_of_the_scenario_is_known() {
        let root = &*schema::SCENARIO;
        assert!(walk(Schema { root, here: root }) > 100);
    }
}
