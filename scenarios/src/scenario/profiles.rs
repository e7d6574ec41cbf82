//! Machine profiles that a scenario names.

use std::io::ErrorKind;
use std::path::Path;

use indexmap::IndexMap;

use super::{LoadedProfile, Machine, Scenario};
use crate::diagnostics::Diagnostic;
use crate::document::{self, DocumentError};
use crate::machine::MachineProfile;
use crate::yaml::Located;

/// Reads every profile that pools name, from `folder`; tells which ones cannot be used.
pub(super) fn read(
    scenario: &Scenario,
    root: &Located<'_>,
    folder: &Path,
) -> (IndexMap<String, LoadedProfile>, Vec<Diagnostic>) {
    let mut profiles = IndexMap::new();
    let mut problems = Vec::new();
    for (site_name, site) in &scenario.sites {
        for (pool_name, pool) in &site.pools {
            let Machine::Profile(name) = &pool.machine else { continue };
            if profiles.contains_key(name) {
                continue;
            }
            let path = folder.join(name);
            match document::read::<MachineProfile>(&path) {
                Ok(profile) => drop(profiles.insert(name.clone(), LoadedProfile { path, profile })),
                Err(error) => {
                    let pools = root.key("sites").key(site_name).key("pools");
                    let at = pools.key(pool_name).key("machine").key("profile");
                    problems.push(unusable(&at, &path, &error));
                }
            }
        }
    }
    (profiles, problems)
}

fn unusable(at: &Located<'_>, path: &Path, error: &DocumentError) -> Diagnostic {
    let calibrate = format!("run `executor calibrate -o {}` on that machine", path.display());
    match error {
        DocumentError::Read { source, .. } if source.kind() == ErrorKind::NotFound => {
            let message = format!("there is no machine profile `{}`", path.display());
            Diagnostic::new(at.span(), message, "not measured yet").help(calibrate)
        }
        DocumentError::Read { .. } => {
            Diagnostic::new(at.span(), error.to_string(), "not readable").help("check the file and its permissions")
        }
        DocumentError::Digest { .. } => {
            let help = format!("restore it, or {calibrate}");
            Diagnostic::new(at.span(), error.to_string(), "changed by hand").help(help)
        }
        _ => Diagnostic::new(at.span(), error.to_string(), "not a machine profile").help(calibrate),
    }
}
