//! Reading the plan and the runs.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use scenarios::document::{self, Document as _, DocumentError, MAX_BYTES};
use scenarios::plan::Plan;
use scenarios::run::Run;

use crate::error::ReportError;
use crate::evidence::{Evidence, NamedRun};

/// Reads a plan (`-` is standard input) and runs (folders, or their `run.json`), with warnings about what does not fit.
///
/// # Errors
/// A document cannot be read, is no such document, or was changed after it was written.
pub fn read(plan_path: &Path, runs: &[PathBuf]) -> Result<(Evidence, Vec<String>), ReportError> {
    let plan = read_plan(plan_path)?;
    let mut evidence = Evidence { plan, plan_path: plan_path.display().to_string(), runs: Vec::new() };
    let mut warnings = Vec::new();
    for path in runs {
        let run = read_run(path)?;
        if evidence.runs.iter().any(|known| known.run.digest == run.digest) {
            warnings.push(format!("`{}` was given before; it is counted once", path.display()));
            continue;
        }
        if !evidence.is_of_plan(&run) {
            warnings.push(format!(
                "`{}` applied another plan ({}); the report compares it with that plan's predictions and says so",
                path.display(),
                run.plan_digest
            ));
        }
        evidence.runs.push(NamedRun { path: path.display().to_string(), run });
    }
    Ok((evidence, warnings))
}

fn read_plan(path: &Path) -> Result<Plan, DocumentError> {
    if path != Path::new("-") {
        return document::read(path);
    }
    let mut bytes = Vec::new();
    let fail = |source| DocumentError::Read { name: Plan::NAME, path: path.to_owned(), source };
    std::io::stdin().lock().take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(fail)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(DocumentError::TooLarge { name: Plan::NAME, path: path.to_owned() });
    }
    document::parse(&bytes, path)
}

fn read_run(path: &Path) -> Result<Run, DocumentError> {
    let file = if path.is_dir() { path.join("run.json") } else { path.to_owned() };
    document::read(&file)
}
