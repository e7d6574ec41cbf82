//! The binary `reports`.

use scenarios::terminal::{Exit, guarded};

fn main() -> Exit {
    guarded(reports::cli::run)
}
