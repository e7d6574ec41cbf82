//! `executor`: runs plans for real.

use scenarios::terminal::{Exit, guarded};

fn main() -> Exit {
    guarded(executor::cli::run)
}
