//! Writing a report: all of it or nothing.
//!
//! Every file is written to a hidden folder inside the target first, so a full disk leaves the old
//! report as it was; then the old entries are moved aside and the new ones moved in.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::Path;

use fs_err as fs;

use crate::error::ReportError;
use crate::report::{GENERATOR, Report};

/// Entries of a report's folder; the page comes last, so that it never names files that are not there yet.
const ENTRIES: [&str; 3] = ["charts", "tables", "index.html"];

/// Writes a report into a folder, which is created if need be. Other files in it stay.
///
/// # Errors
/// The folder cannot be written to, the disk is full, or the folder holds entries of the same
/// names that no report wrote.
pub fn write(report: &Report, folder: &Path) -> Result<(), ReportError> {
    refuse_foreign(folder)?;
    let fail = |source| ReportError::Write { path: folder.to_owned(), source };
    let is_new = !folder.exists();
    fs::create_dir_all(folder).map_err(fail)?;
    let written = stage_and_swap(report, folder);
    if written.is_err() && is_new {
        // An empty folder that this call made; whether it can be removed changes nothing for the caller.
        let _ = fs::remove_dir(folder);
    }
    written.map_err(fail)
}

fn refuse_foreign(folder: &Path) -> Result<(), ReportError> {
    let page = fs::read_to_string(folder.join("index.html")).unwrap_or_default();
    let ours = page.get(..page.len().min(2000)).unwrap_or(&page).contains(GENERATOR);
    match ENTRIES.iter().find(|entry| folder.join(entry).exists()) {
        Some(found) if !ours => Err(ReportError::Occupied { path: folder.to_owned(), found: (*found).to_owned() }),
        _ => Ok(()),
    }
}

fn stage_and_swap(report: &Report, folder: &Path) -> std::io::Result<()> {
    let stage = tempfile::Builder::new().prefix(".causeway-").tempdir_in(folder)?;
    let (new, old) = (stage.path().join("new"), stage.path().join("old"));
    fs::create_dir(&new)?;
    fs::create_dir(&old)?;
    let folders: BTreeSet<_> =
        report.files.keys().filter_map(|path| path.split_once('/')).map(|(name, _)| name).collect();
    folders.iter().try_for_each(|name| fs::create_dir(new.join(name)))?;
    for (path, content) in &report.files {
        let mut file = fs::File::create(new.join(path))?;
        file.write_all(content.as_bytes())?;
        file.sync_all()?;
    }
    swap(folder, &new, &old)
}

/// Moves old entries aside and new ones in; on failure everything goes back.
fn swap(folder: &Path, new: &Path, old: &Path) -> std::io::Result<()> {
    let mut done = Vec::new();
    let moves = ENTRIES
        .iter()
        .flat_map(|entry| [(folder.join(entry), old.join(entry)), (new.join(entry), folder.join(entry))])
        .filter(|(from, _)| from.exists())
        .collect::<Vec<_>>();
    for (from, to) in moves {
        if let Err(error) = fs::rename(&from, &to) {
            // Best effort: the first error is the one to tell.
            done.iter().rev().for_each(|(from, to)| drop(fs::rename(to, from)));
            return Err(error);
        }
        done.push((from, to));
    }
    Ok(())
}
