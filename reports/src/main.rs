//! The binary `reports`.

use scenarios::terminal::Exit;

fn main() -> Exit {
    reports::cli::run()
}
