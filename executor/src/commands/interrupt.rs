//! Ctrl-C: the first asks for a stop at the next step, the second ends the process.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use scenarios::terminal::Exit;

/// A flag that Ctrl-C (or a request to terminate) sets.
///
/// # Errors
/// The operating system refuses to tell.
pub(super) fn flag() -> Result<Arc<AtomicBool>, ctrlc::Error> {
    let flag = Arc::new(AtomicBool::new(false));
    let set = Arc::clone(&flag);
    ctrlc::set_handler(move || {
        if set.swap(true, Ordering::Relaxed) {
            std::process::exit(i32::from(Exit::Interrupted.code()));
        }
    })?;
    Ok(flag)
}
