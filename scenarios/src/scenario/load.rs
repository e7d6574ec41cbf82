//! Reading a scenario with everything that it names.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use indexmap::IndexMap;

use super::places::{self, OwnGroups};
use super::{Scenario, Workload, check, profiles};
use crate::catalog::Catalog;
use crate::diagnostics::Diagnostic;
use crate::machine::MachineProfile;
use crate::plan::PlacedSite;
use crate::residency::Period;
use crate::units::Date;
use crate::yaml::{self, Located, Node};
use crate::{document, schema};

/// A scenario that is valid in itself, with what it names.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The scenario.
    pub scenario: Scenario,
    /// SHA-256 of its meaning.
    pub digest: String,
    /// Its file; none for standard input.
    pub path: Option<PathBuf>,
    /// Machine profiles by the path that the scenario gives.
    pub profiles: IndexMap<String, LoadedProfile>,
    /// Sites with every name of a place that covers them.
    pub sites: IndexMap<String, PlacedSite>,
}

impl Loaded {
    /// First day of the planning period: the scenario's, or the date of the catalogue.
    #[must_use]
    pub fn starts(&self, catalog: &Catalog) -> Date {
        self.scenario.starts(catalog)
    }

    /// Days on which a workload may have the data that it reads: to its deadline, or the end of the period.
    #[must_use]
    pub fn period(&self, workload: &Workload, catalog: &Catalog) -> Period {
        let from = self.starts(catalog);
        let horizon = self.scenario.horizon.get();
        let latest = workload.deadline.map_or(horizon, |deadline| deadline.get().min(horizon));
        Period { from, until: from.after(latest) }
    }
}

/// A machine profile that a scenario names.
#[derive(Debug, Clone)]
pub struct LoadedProfile {
    /// Its file.
    pub path: PathBuf,
    /// Its content.
    pub profile: MachineProfile,
}

/// Why a scenario cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file cannot be read.
    #[error("cannot read the scenario `{}`: {source}", path.display())]
    Read {
        /// Its path.
        path: PathBuf,
        /// Cause.
        source: std::io::Error,
    },
    /// It has problems.
    #[error("{} in `{name}`", count(problems.len()))]
    Invalid {
        /// Name of the source in messages.
        name: String,
        /// The source.
        text: String,
        /// The problems, by place.
        problems: Vec<Diagnostic>,
    },
}

fn count(problems: usize) -> String {
    if problems == 1 { "1 problem".to_owned() } else { format!("{problems} problems") }
}

/// Reads the scenario at `path` (`-` is standard input) with the machine profiles that it names,
/// from the folder `profiles` or, by default, from the scenario's own.
///
/// Limits: 4 MiB, 64 levels, 1,000 sites, pools of a site and workloads, 10,000 datasets, policies, links and groups.
///
/// # Errors
/// It cannot be read, or has problems; then all of them are told.
pub fn load(path: &Path, profiles: Option<&Path>, catalog: &Catalog) -> Result<Loaded, LoadError> {
    let source = Source::read(path)?;
    let folder = profiles.or_else(|| path.parent()).unwrap_or(Path::new(""));
    let stated = (!is_stdin(path)).then(|| path.to_owned());
    match resolve(&source.text, folder, catalog) {
        Ok(loaded) => Ok(Loaded { path: stated, ..loaded }),
        Err(problems) => Err(source.invalid(problems)),
    }
}

/// Reads a scenario from a text that `name` tells in messages, with the machine profiles that it names from `folder`.
///
/// # Errors
/// It has problems; then all of them are told.
pub fn load_text(name: &str, text: &str, folder: &Path, catalog: &Catalog) -> Result<Loaded, LoadError> {
    let source = Source { name: name.to_owned(), text: text.to_owned() };
    resolve(text, folder, catalog).map_err(|problems| source.invalid(problems))
}

/// Digest of the scenario at `path`, to see whether a plan still answers it. Names are not looked up.
///
/// # Errors
/// It cannot be read, or is no scenario.
pub fn digest_of_file(path: &Path) -> Result<String, LoadError> {
    let source = Source::read(path)?;
    match parse(&source.text) {
        Ok(parsed) if parsed.problems.is_empty() => Ok(document::digest_of(&parsed.scenario)),
        Ok(parsed) => Err(source.invalid(parsed.problems)),
        Err(problem) => Err(source.invalid(vec![problem])),
    }
}

fn is_stdin(path: &Path) -> bool {
    path == Path::new("-")
}

/// The text of a scenario with its name in messages.
struct Source {
    name: String,
    text: String,
}

impl Source {
    fn read(path: &Path) -> Result<Self, LoadError> {
        let fail = |source| LoadError::Read { path: path.to_owned(), source };
        let name = if is_stdin(path) { "standard input".to_owned() } else { path.display().to_string() };
        let input: Box<dyn std::io::Read> = if is_stdin(path) {
            Box::new(std::io::stdin())
        } else {
            Box::new(std::fs::File::open(path).map_err(fail)?)
        };
        let mut bytes = Vec::new();
        input.take(yaml::MAX_BYTES + 1).read_to_end(&mut bytes).map_err(fail)?;
        let empty = Self { name, text: String::new() };
        if bytes.len() as u64 > yaml::MAX_BYTES {
            let message = format!("the file has more than {} MiB", yaml::MAX_BYTES >> 20);
            return Err(empty.invalid(vec![Diagnostic::new(0..0, message, "").help("split the scenario")]));
        }
        match String::from_utf8(bytes) {
            Ok(text) => Ok(Self { text, ..empty }),
            Err(error) => {
                let message = format!("this is no text: byte {} is not UTF-8", error.utf8_error().valid_up_to());
                Err(empty.invalid(vec![Diagnostic::new(0..0, message, "").help("save the file as UTF-8")]))
            }
        }
    }

    fn invalid(self, mut problems: Vec<Diagnostic>) -> LoadError {
        problems.sort_by_key(|problem| (problem.span.start, problem.span.end));
        LoadError::Invalid { name: self.name, text: self.text, problems }
    }
}

/// A scenario as far as its schema goes.
struct Parsed {
    root: Node,
    scenario: Scenario,
    problems: Vec<Diagnostic>,
}

fn parse(text: &str) -> Result<Parsed, Diagnostic> {
    let (root, mut problems) = yaml::parse(text)?;
    let (value, wrong) = yaml::read(&schema::SCENARIO, &root);
    problems.extend(wrong);
    let scenario = serde_json::from_value(value)
        .map_err(|error| Diagnostic::new(root.span.clone(), format!("this is no scenario: {error}"), "here"))?;
    Ok(Parsed { root, scenario, problems })
}

/// Everything that can be said about a scenario's text: what it means, or all of its problems.
fn resolve(text: &str, folder: &Path, catalog: &Catalog) -> Result<Loaded, Vec<Diagnostic>> {
    let Parsed { root, scenario, mut problems } = parse(text).map_err(|problem| vec![problem])?;
    let root = Located::root(&root);
    problems.extend(check::check(&scenario, root.clone(), catalog, &problems));
    let (profiles, unusable) = profiles::read(&scenario, &root, folder);
    problems.extend(unusable);
    if !problems.is_empty() {
        return Err(problems);
    }
    let groups = OwnGroups::of(&scenario.groups);
    let placed = |(name, site): (&String, _)| (name.clone(), places::placed(name, site, &groups, catalog));
    let sites = scenario.sites.iter().map(placed).collect();
    Ok(Loaded { digest: document::digest_of(&scenario), path: None, profiles, sites, scenario })
}
