//! Reads what commands start from.

use std::io::Read as _;
use std::path::Path;

use scenarios::catalog::Catalog;
use scenarios::document::{self, DocumentError};
use scenarios::plan::Plan;
use scenarios::scenario::{Loaded, load};
use scenarios::strategy::Strategy;

use super::failure::{Failure, NotAllowed, UnknownWorkload};
use crate::candidates::Held;
use crate::cli::{Global, ScenarioFile};
use crate::performance::training::Allowed;

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
    let allowed =
        |name: &String, strategy| workloads.get(name).is_none_or(|it| Allowed::from(&it.strategies).admits(strategy));
    if let Some((name, strategy)) = held.iter().find(|(name, strategy)| !allowed(name, strategy)) {
        return Err(Failure::NotAllowed(NotAllowed { name: name.clone(), strategy: *strategy }));
    }
    Ok(held.iter().cloned().collect())
}

/// A plan from a file, or from standard input for `-`.
pub(super) fn plan(path: &Path) -> Result<Plan, DocumentError> {
    if path == Path::new("-") { document::parse(&bytes(path, "plan")?, path) } else { document::read(path) }
}

/// The content of a file, or of standard input for `-`; `name` is what it is called in messages.
pub(super) fn bytes(path: &Path, name: &'static str) -> Result<Vec<u8>, DocumentError> {
    let fail = |source| DocumentError::Read { name, path: path.to_owned(), source };
    let mut bytes = Vec::new();
    let most = document::MAX_BYTES + 1;
    if path == Path::new("-") {
        std::io::stdin().lock().take(most).read_to_end(&mut bytes).map_err(fail)?;
    } else {
        std::fs::File::open(path).map_err(fail)?.take(most).read_to_end(&mut bytes).map_err(fail)?;
    }
    let is_whole = bytes.len() as u64 <= document::MAX_BYTES;
    if is_whole { Ok(bytes) } else { Err(DocumentError::TooLarge { name, path: path.to_owned() }) }
}
