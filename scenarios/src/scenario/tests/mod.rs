//! Reading of whole scenarios.

mod bundled;
mod hostile;
mod models;
mod problems;

use std::path::Path;

use super::{LoadError, Loaded, load};
use crate::catalog::Catalog;
use crate::diagnostics;
use crate::document;
use crate::machine::{Device, DeviceKind, Host, MachineProfile};

/// A small valid scenario, to be broken.
const SMALL: &str = include_str!("small.yaml");

/// A valid scenario that says everything that can be said.
const WHOLE: &str = include_str!("whole.yaml");

/// Reads a scenario's text from a folder that has a machine profile `machine.json`.
fn load_text(text: impl AsRef<[u8]>) -> Result<Loaded, LoadError> {
    let folder = tempfile::tempdir().expect("there is room for a folder");
    document::write(&mut profile(), &folder.path().join("machine.json")).expect("the folder is writable");
    std::fs::write(folder.path().join("scenario.yaml"), text).expect("the folder is writable");
    load(&folder.path().join("scenario.yaml"), None, Catalog::bundled())
}

/// The problems of a text as a terminal without colours shows them.
fn rendered(text: &str) -> String {
    match load_text(text) {
        Ok(_) => "no problems\n".to_owned(),
        Err(LoadError::Invalid { name, text, problems }) => {
            let shown = diagnostics::render("scenario.yaml", &text, &problems);
            let folder = name.trim_end_matches("scenario.yaml");
            anstream::adapter::strip_str(&shown).to_string().replace(folder, "")
        }
        Err(error) => error.to_string(),
    }
}

fn profile() -> MachineProfile {
    MachineProfile {
        format: crate::machine::FORMAT.to_owned(),
        digest: String::new(),
        name: "bench".to_owned(),
        measured_at: "2026-01-01T00:00:00Z".to_owned(),
        host: Host { os: "Linux".to_owned(), cpu: "a processor".to_owned(), cores: 2, memory_bytes: 1 << 34 },
        device: Device {
            kind: DeviceKind::Cpu,
            name: "a processor".to_owned(),
            backend: "flex".to_owned(),
            count: 1,
            memory_bytes: 1 << 34,
        },
        software: "causeway".to_owned(),
        operations: vec![],
        pieces: vec![],
        waits: vec![],
        references: vec![],
        rank_bytes: None,
        transports: vec![],
        inputs: vec![],
    }
}

/// The folder of the bundled scenarios.
fn library() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/library"))
}
