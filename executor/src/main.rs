//! `executor`: runs plans for real.

use scenarios::terminal::Exit;

fn main() -> Exit {
    executor::cli::run()
}
