//! What `planner layers` reads: one fleet, or a list of them, in JSON.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::fleet::{Class, Fleet, FleetError};

/// A network and the machines that may hold it.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// What it is called.
    pub name: String,
    /// Names of the classes.
    pub classes: Vec<String>,
    /// Layers and machines.
    pub fleet: Fleet,
    /// The best throughput that is known, in tokens a second.
    pub best_known: Option<f64>,
}

/// Why there is nothing to place.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum EntryError {
    /// It is no such document.
    #[error("neither a fleet nor a list of fleets: {0}")]
    Json(String),
    /// Layers held that are no number from 1.
    #[error("`{name}`: class {class} gives a rate for `{layers}` layers; expected a whole number from 1 to 1000")]
    Layers {
        /// Which entry.
        name: String,
        /// Which class, from 1.
        class: usize,
        /// What is given.
        layers: String,
    },
    /// The figures make no fleet.
    #[error("`{name}`: {source}")]
    Fleet {
        /// Which entry.
        name: String,
        /// Cause.
        source: FleetError,
    },
}

/// An entry as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    name: String,
    layers: usize,
    classes: Vec<WrittenClass>,
    #[serde(default)]
    best_known: Option<f64>,
    // Provenance: it may be said, and changes nothing.
    #[serde(default, rename = "source")]
    _source: Option<String>,
    #[serde(default, rename = "licence")]
    _licence: Option<String>,
    #[serde(default, rename = "published_objective")]
    _published_objective: Option<f64>,
    #[serde(default, rename = "proven_optimal")]
    _proven_optimal: Option<bool>,
    #[serde(default, rename = "how")]
    _how: Option<String>,
}

/// A class as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenClass {
    #[serde(default)]
    name: Option<String>,
    count: usize,
    tokens_per_s_by_layers_held: BTreeMap<String, f64>,
}

/// Most layers that a class can speak of.
const MOST_LAYERS: usize = 1_000;

/// Reads one entry, or a list of them.
///
/// # Errors
/// For what is no JSON of this form, and for figures that make no fleet.
pub fn parse(bytes: &[u8]) -> Result<Vec<Entry>, EntryError> {
    let json = |error: serde_json::Error| EntryError::Json(error.to_string());
    let is_list = bytes.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'[');
    let written: Vec<Written> = if is_list {
        serde_json::from_slice(bytes).map_err(json)?
    } else {
        vec![serde_json::from_slice(bytes).map_err(json)?]
    };
    written.into_iter().map(entry).collect()
}

fn entry(written: Written) -> Result<Entry, EntryError> {
    let Written { name, layers, classes, best_known, .. } = written;
    let names =
        classes.iter().zip(1..).map(|(class, number)| class.name.clone().unwrap_or_else(|| format!("class {number}")));
    let names = names.collect();
    let classes = classes.iter().zip(1..).map(|(class, number)| read_class(&name, number, class));
    let classes = classes.collect::<Result<_, _>>()?;
    let fleet = Fleet::new(layers, classes).map_err(|source| EntryError::Fleet { name: name.clone(), source })?;
    Ok(Entry { name, classes: names, fleet, best_known })
}

fn read_class(name: &str, number: usize, class: &WrittenClass) -> Result<Class, EntryError> {
    let mut rates = Vec::new();
    for (text, rate) in &class.tokens_per_s_by_layers_held {
        let layers = text.parse().ok().filter(|layers| (1..=MOST_LAYERS).contains(layers));
        let wrong = || EntryError::Layers { name: name.to_owned(), class: number, layers: text.clone() };
        let layers: usize = layers.ok_or_else(wrong)?;
        if rates.len() < layers {
            rates.resize(layers, 0.0);
        }
        rates[layers - 1] = *rate;
    }
    Ok(Class { count: class.count, tokens_per_second: rates })
}
