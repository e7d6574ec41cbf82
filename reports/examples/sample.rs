//! Writes the sample documents of the tests into a folder, to look at the report that is made of them.

#[path = "../src/fixture.rs"]
mod fixture;

use std::path::PathBuf;

use scenarios::document::{DocumentError, write};

fn main() -> Result<(), DocumentError> {
    let folder = PathBuf::from(std::env::args_os().nth(1).unwrap_or_else(|| "sample".into()));
    if let Err(source) = std::fs::create_dir_all(&folder) {
        return Err(DocumentError::Write { path: folder, source });
    }
    write(&mut fixture::plan(), &folder.join("plan.json"))?;
    write(&mut fixture::run_single(), &folder.join("run-1.json"))?;
    write(&mut fixture::run_two_ranks(), &folder.join("run-2.json"))?;
    write(&mut fixture::run_interrupted(), &folder.join("run-3.json"))
}
