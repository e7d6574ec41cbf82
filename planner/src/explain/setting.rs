//! Changes of a scenario as users write them: `PATH OPERATOR VALUE` over the keys of its document.
//!
//! Beside paths there are shorthands: `price.MACHINE` (instance type or accelerator) for all prices of machines,
//! `demand` or `demand.WORKLOAD` for rates of requests, `link.KEY` or `link.SITE.KEY` for links.

mod arithmetic;
mod path;
mod shorthand;
mod write;

use std::collections::BTreeMap;
use std::str::FromStr;

use scenarios::catalog::Catalog;
use scenarios::scenario::Scenario;
use scenarios::yaml::{self, Node};

/// A change of a scenario.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// As the user wrote it.
    text: String,
    /// Keys; `*` in a key stands for any letters.
    path: Vec<String>,
    operator: Operator,
    value: String,
}

/// What is done with the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Set,
    Add,
    Subtract,
    Multiply,
    Divide,
}

/// Why a change cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingError {
    /// It cannot be read.
    #[error("`{text}` is no change: expected PATH and a value, such as `budget=500 USD` or `price.h100*=0.8`")]
    Syntax {
        /// The change.
        text: String,
    },
    /// Something that the scenario does not have.
    #[error("`{text}`: {problem}")]
    Unknown {
        /// The change.
        text: String,
        /// What is not there.
        problem: String,
        /// What could be meant.
        help: String,
    },
    /// The value cannot be computed.
    #[error("`{text}`: {reason}")]
    Value {
        /// The change.
        text: String,
        /// Why not.
        reason: String,
    },
    /// Two changes of the same value, the later of which takes no account of the earlier.
    #[error("`{second}` contradicts `{first}`: both change `{path}`")]
    Contradiction {
        /// The earlier one.
        first: String,
        /// The later one.
        second: String,
        /// What both change.
        path: String,
    },
}

impl SettingError {
    /// The smallest fix.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        match self {
            Self::Syntax { .. } => Some("operators are =, +=, -=, *= and /=".to_owned()),
            Self::Unknown { help, .. } => Some(help.clone()),
            Self::Value { .. } => None,
            Self::Contradiction { .. } => Some("keep one of them".to_owned()),
        }
    }
}

impl FromStr for Setting {
    type Err = SettingError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || SettingError::Syntax { text: text.to_owned() };
        let at = text.find('=').ok_or_else(wrong)?;
        let (before, value) = (&text[..at], text[at + 1..].trim());
        let operators =
            [('+', Operator::Add), ('-', Operator::Subtract), ('*', Operator::Multiply), ('/', Operator::Divide)];
        let found = operators.into_iter().find_map(|(sign, operator)| Some((before.strip_suffix(sign)?, operator)));
        let (keys, operator) = found.unwrap_or((before, Operator::Set));
        let path = path::split(keys.trim()).ok_or_else(wrong)?;
        if value.is_empty() {
            return Err(wrong());
        }
        Ok(Self { text: text.to_owned(), path, operator, value: value.to_owned() })
    }
}

impl std::fmt::Display for Setting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

/// The text of a scenario after changes, one after the other.
///
/// # Errors
/// A key that is not there, a value that cannot be computed, or changes that contradict each other.
pub fn changed(scenario: &Scenario, settings: &[Setting], catalog: &Catalog) -> Result<String, SettingError> {
    let scenario = shorthand::with_prices(scenario, settings, catalog);
    let mut root = document(&scenario)?;
    let mut touched: BTreeMap<Vec<String>, &Setting> = BTreeMap::new();
    for setting in settings {
        for place in shorthand::expand(setting, &scenario, catalog, &root)? {
            let related = |path: &Vec<String>| path.starts_with(&place) || place.starts_with(path);
            let earlier = touched.iter().find(|(path, _)| setting.operator == Operator::Set && related(path));
            if let Some((_, first)) = earlier {
                return Err(SettingError::Contradiction {
                    first: first.text.clone(),
                    second: setting.text.clone(),
                    path: place.join("."),
                });
            }
            arithmetic::apply(&mut root, &place, setting)?;
            touched.insert(place, setting);
        }
    }
    Ok(write::document(&root))
}

/// A scenario as a document with all that its reader filled in.
fn document(scenario: &Scenario) -> Result<Node, SettingError> {
    let text = scenarios::document::to_json(scenario);
    let parsed = yaml::parse(&text);
    parsed
        .map(|(root, _)| without_nothing(root))
        .map_err(|problem| SettingError::Value { text: scenario.name.clone(), reason: problem.message })
}

/// A document without keys that have no value.
fn without_nothing(mut node: Node) -> Node {
    match &mut node.content {
        yaml::Content::Mapping(entries) => {
            entries.retain(|entry| !entry.value.is_nothing());
            for entry in entries {
                entry.value = without_nothing(entry.value.clone());
            }
        }
        yaml::Content::Sequence(items) => {
            for item in items {
                *item = without_nothing(item.clone());
            }
        }
        yaml::Content::Scalar { .. } => {}
    }
    node
}

#[cfg(test)]
mod tests;
