//! .
pub mod candidates;
pub mod performance;
pub mod placement;
