//! Large scenarios, read as users' scenarios are read.

use scenarios::catalog::Catalog;
use scenarios::scenario::{LoadError, Loaded, load};

#[path = "../../../tests/src/scale.rs"]
mod scale;

pub use scale::Scale;

/// Writes a scenario to a file of `folder` and reads it.
pub fn loaded(folder: &std::path::Path, scale: Scale) -> Loaded {
    let path = folder.join("scale.yaml");
    std::fs::write(&path, scale.text()).expect("the temporary folder can be written to");
    match load(&path, None, Catalog::bundled()) {
        Ok(loaded) => loaded,
        Err(LoadError::Invalid { name, text, problems }) => {
            panic!("{}", scenarios::diagnostics::render(&name, &text, &problems))
        }
        Err(error) => panic!("{error}"),
    }
}
