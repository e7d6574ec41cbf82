//! From a tree to JSON, checked against a JSON Schema.

use std::ops::Range;

use serde_json::{Map, Value};

use super::placeholder::{placeholder, sketch};
use super::shape::{Schema, Shape};
use super::{Content, Entry, Node};
use crate::diagnostics::{Diagnostic, did_you_mean, listed};
use crate::units::check_format;

/// Reads a document as its schema says, and tells everything that is not as it should be.
///
/// The schema decides what a value is, so `NO` is the text "NO" where text is expected. The value is always valid:
/// what is wrong is replaced by something that isn't, so that everything else can be checked further.
#[must_use]
pub fn read(schema: &Value, document: &Node) -> (Value, Vec<Diagnostic>) {
    let mut reader = Reader { problems: Vec::new() };
    let value = reader.value(Schema { root: schema, here: schema }, document, &document.span);
    (value, reader.problems)
}

struct Reader {
    problems: Vec<Diagnostic>,
}

impl Reader {
    /// Reads a node; `owner` is the key that it belongs to.
    fn value(&mut self, schema: Schema<'_>, node: &Node, owner: &Range<usize>) -> Value {
        if node.is_nothing() {
            let place = owner.start..node.span.end.max(owner.end);
            let problem = Diagnostic::new(place, "nothing is given here", "has no value");
            return self.wrong(schema, problem.help("give a value, `{}` for all defaults, or remove the key"));
        }
        match (schema.shape(), &node.content) {
            (Shape::Struct { properties, required }, Content::Mapping(entries)) => {
                self.structure(schema, properties, &required, entries, owner)
            }
            (Shape::Map(values), Content::Mapping(entries)) => {
                let entry =
                    |entry: &Entry| (entry.key.clone(), self.value(schema.at(values), &entry.value, &entry.span));
                entries.iter().map(entry).collect::<Map<_, _>>().into()
            }
            (Shape::List { items, least, most }, Content::Sequence(nodes)) => {
                self.list(schema, items, least..=most, node, nodes)
            }
            (Shape::Choice(forms), _) => self.choice(schema, &forms, node),
            (Shape::Text { format }, Content::Scalar { text, .. }) => self.text(schema, format, node, text),
            (Shape::Integer { least, most }, Content::Scalar { text, plain: true }) => match text.parse::<u64>() {
                Ok(number) if (least..=most).contains(&number) => number.into(),
                _ => self.wrong(schema, no_integer(node, text, least, most)),
            },
            (Shape::Number { single }, Content::Scalar { text, plain: true }) => match number(text, single) {
                Some(number) => number.into(),
                None => self.wrong(schema, no_number(node, text)),
            },
            (Shape::Boolean, Content::Scalar { text, plain: true }) => match text.parse::<bool>() {
                Ok(value) => value.into(),
                Err(_) => self.wrong(schema, no_boolean(node, text)),
            },
            (shape, _) => self.wrong(schema, wrong_kind(schema, &shape, node)),
        }
    }

    fn wrong(&mut self, schema: Schema<'_>, problem: Diagnostic) -> Value {
        self.problems.push(problem);
        placeholder(schema)
    }

    fn structure(
        &mut self,
        schema: Schema<'_>,
        properties: &Map<String, Value>,
        required: &[&str],
        entries: &[Entry],
        owner: &Range<usize>,
    ) -> Value {
        let mut object = Map::new();
        let mut suggested = Vec::new();
        for Entry { key, span, value } in entries {
            if let Some(property) = properties.get(key) {
                object.insert(key.clone(), self.value(schema.at(property), value, span));
            } else {
                let free = properties.keys().map(String::as_str).filter(|name| entries.iter().all(|e| e.key != *name));
                let help = did_you_mean(key, free);
                suggested.push(help.clone());
                let problem = Diagnostic::new(span.clone(), format!("unknown key `{key}`"), "not known here");
                self.problems.push(problem.help(help));
            }
        }
        for &key in required.iter().filter(|key| entries.iter().all(|entry| entry.key != **key)) {
            let property = schema.at(&properties[key]);
            object.insert(key.to_owned(), placeholder(property));
            // A misspelt key was told already.
            if !suggested.iter().any(|help| help.contains(&format!("did you mean `{key}`"))) {
                let problem = Diagnostic::new(owner.clone(), format!("the key `{key}` is missing"), "here");
                self.problems.push(problem.help(format!("add `{key}: {}`", sketch(property))));
            }
        }
        object.into()
    }

    fn list(
        &mut self,
        schema: Schema<'_>,
        items: &Value,
        count: std::ops::RangeInclusive<u64>,
        node: &Node,
        nodes: &[Node],
    ) -> Value {
        if !count.contains(&(nodes.len() as u64)) {
            let message = format!("expected {} values, found {}", count.start(), nodes.len());
            return self.wrong(schema, Diagnostic::new(node.span.clone(), message, "in this list"));
        }
        nodes.iter().map(|item| self.value(schema.at(items), item, &item.span)).collect::<Vec<_>>().into()
    }

    /// Reads `name`, or `{name: value}`, as one of the forms.
    fn choice(&mut self, schema: Schema<'_>, forms: &[(&str, Option<&Value>)], node: &Node) -> Value {
        let (name, span, value) = match &node.content {
            Content::Scalar { text, .. } => (text, &node.span, None),
            Content::Mapping(entries) if entries.len() == 1 => {
                (&entries[0].key, &entries[0].span, Some(&entries[0].value))
            }
            _ => return self.wrong(schema, no_choice(forms, node)),
        };
        match (forms.iter().find(|(form, _)| form == name), value) {
            (Some((_, None)), None) => name.as_str().into(),
            (Some((_, Some(inner))), Some(value)) => {
                Map::from_iter([(name.clone(), self.value(schema.at(inner), value, span))]).into()
            }
            (Some((_, Some(inner))), None) => {
                let problem = Diagnostic::new(span.clone(), format!("`{name}` needs a value"), "has none");
                self.wrong(schema, problem.help(format!("write `{name}: {}`", sketch(schema.at(inner)))))
            }
            (Some((_, None)), Some(_)) => {
                let problem = Diagnostic::new(span.clone(), format!("`{name}` takes no value"), "has one");
                self.wrong(schema, problem.help(format!("write just `{name}`")))
            }
            (None, _) => {
                let problem = Diagnostic::new(span.clone(), format!("unknown choice `{name}`"), "not known here");
                self.wrong(schema, problem.help(did_you_mean(name, forms.iter().map(|(form, _)| *form))))
            }
        }
    }

    fn text(&mut self, schema: Schema<'_>, format: &str, node: &Node, text: &str) -> Value {
        match check_format(format, text) {
            Some(Err(error)) => {
                let (message, example) = (error.to_string(), sketch(schema));
                let help = (!message.contains(&example)).then(|| format!("write for example `{example}`"));
                let problem = Diagnostic::new(node.span.clone(), message, "not a quantity that fits");
                self.wrong(schema, Diagnostic { help, ..problem })
            }
            _ => text.into(),
        }
    }
}

/// A finite number; in 32 bits, if it must fit there.
fn number(text: &str, single: bool) -> Option<f64> {
    let is_number = text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.'));
    let number: f64 = text.parse().ok().filter(|_| is_number)?;
    let fits = if single { (number as f32).is_finite() } else { number.is_finite() };
    fits.then_some(number)
}

fn no_integer(node: &Node, text: &str, least: u64, most: u64) -> Diagnostic {
    let range = if most == u64::MAX { format!("from {least}") } else { format!("from {least} to {most}") };
    let problem =
        Diagnostic::new(node.span.clone(), format!("`{text}` is no whole number {range}"), "expected a number");
    let digits: String = text.chars().filter(|c| !matches!(c, '_' | ',' | ' ' | '\'')).collect();
    match digits.parse::<u64>() {
        Ok(number) if digits != text => problem.help(format!("write `{number}`")),
        _ => problem,
    }
}

fn no_number(node: &Node, text: &str) -> Diagnostic {
    Diagnostic::new(node.span.clone(), format!("`{text}` is no number"), "expected a finite number")
}

fn no_boolean(node: &Node, text: &str) -> Diagnostic {
    let problem = Diagnostic::new(node.span.clone(), format!("`{text}` is neither `true` nor `false`"), "here");
    match text.to_ascii_lowercase().as_str() {
        "yes" | "on" | "true" => problem.help("write `true`"),
        "no" | "off" | "false" => problem.help("write `false`"),
        _ => problem,
    }
}

fn no_choice(forms: &[(&str, Option<&Value>)], node: &Node) -> Diagnostic {
    let names = listed(forms.iter().map(|(name, _)| *name));
    let problem = Diagnostic::new(node.span.clone(), format!("expected exactly one of {names}"), node.kind());
    match &node.content {
        Content::Mapping(entries) if !entries.is_empty() => problem.help("keep one of the keys"),
        _ => problem,
    }
}

fn wrong_kind(schema: Schema<'_>, shape: &Shape<'_>, node: &Node) -> Diagnostic {
    let expected = match shape {
        Shape::Struct { .. } | Shape::Map(_) | Shape::Choice(_) => "keys with values",
        Shape::List { .. } => "a list",
        Shape::Text { .. } => "text",
        Shape::Integer { .. } => "a whole number",
        Shape::Number { .. } => "a number",
        Shape::Boolean => "true or false",
    };
    let problem = Diagnostic::new(node.span.clone(), format!("expected {expected}, found {}", node.kind()), "here");
    match (shape, &node.content) {
        (Shape::List { .. }, Content::Scalar { text, .. }) => problem.help(format!("write `[{text}]`")),
        (Shape::Integer { .. } | Shape::Number { .. } | Shape::Boolean, Content::Scalar { .. }) => {
            problem.help("remove the quotes")
        }
        _ => problem.help(format!("write for example `{}`", sketch(schema))),
    }
}
