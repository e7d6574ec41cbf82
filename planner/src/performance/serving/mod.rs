//! Predicts serving: prompts read, tokens generated, requests that share a replica.
//!
//! [`pass`] gives the time of one pass of a [`Server`], [`memory`] what its cache of keys and values holds. [`batching`]
//! has the closed forms for static batches and for continuous batching; [`simulation`] plays the latter request by
//! request. The [`Constants`] come from a [`ServingCalibration`], fitted to [`runs`]. Formulas: `performance.md`.

pub mod accuracy;
pub mod arrivals;
pub mod batching;
pub mod calibration;
pub mod constants;
#[cfg(test)]
mod fixtures;
mod known;
pub mod load;
pub mod memory;
pub mod pass;
pub mod predict;
pub mod runs;
pub mod scheduler;
pub mod server;
pub mod simulation;

pub use accuracy::{Predicted, Split, accuracy, fit};
pub use arrivals::Arrivals;
pub use batching::{Operation, operate};
pub use calibration::{Batching, ServingCalibration};
pub use constants::{Constant, Constants};
pub use load::{Bucket, Load};
pub use memory::Memory;
pub use pass::{Parts, Rates, Work};
pub use predict::{Serving, predict};
pub use runs::ServingRun;
pub use scheduler::{Admission, Scheduler};
pub use server::{Impossible, Server};
pub use simulation::{Outcome, Percentiles, Simulated, simulate};
