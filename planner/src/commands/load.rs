//! Reads what commands start from.

use std::io::Read as _;
use std::path::Path;

use scenarios::catalog::Catalog;
use scenarios::document::{self, DocumentError};
use scenarios::plan::Plan;
use scenarios::scenario::{Loaded, load};
use scenarios::strategy::Strategy;

use super::failure::{Failure, UnknownWorkload};
use crate::candidates::Held;
use crate::cli::{Global, ScenarioFile};

/// The scenario with its machine profiles.
pub(super) fn scenario(file: &ScenarioFile, global: &Global) -> Result<Loaded, Failure> {
    Ok(load(&file.scenario, global.profiles.as_deref(), Catalog::bundled())?)
}

/// Folder of the machine profiles of a scenario.
pub(super) fn folder<'a>(scenario: &'a Path, global: &'a Global) -> &'a Path {
    global.profiles.as_deref().or_else(|| scenario.parent()).unwrap_or(Path::new(""))
}

/// Workloads held to a strategy, each of which the scenario has.
pub(super) fn held(loaded: &Loaded, held: &[(String, Strategy)]) -> Result<Held, Failure> {
    let workloads = &loaded.scenario.workloads;
    if let Some((name, _)) = held.iter().find(|(name, _)| !workloads.contains_key(name)) {
        let known = workloads.keys().map(|name| format!("`{name}`")).collect();
        return Err(Failure::Held(UnknownWorkload { name: name.clone(), known }));
    }
    Ok(held.iter().cloned().collect())
}

/// A plan from a file, or from standard input for `-`.
pub(super) fn plan(path: &Path) -> Result<Plan, DocumentError> {
    if path != Path::new("-") {
        return document::read(path);
    }
    let mut bytes = Vec::new();
    let read = std::io::stdin().lock().take(document::MAX_BYTES + 1).read_to_end(&mut bytes);
    read.map_err(|source| DocumentError::Read { name: "plan", path: path.to_owned(), source })?;
    document::parse(&bytes, path)
}
