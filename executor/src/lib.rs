//! Runs plans for real: devices, models in burn, data, ranks, training, evaluation, calibration.
//!
//! It knows no solver. What it needs of a plan is in the plan; what it measures goes into the run
//! record and the machine profile.

pub mod calibrate;
pub mod cli;
mod commands;
pub mod data;
pub mod device;
pub mod evaluate;
pub mod guard;
pub mod metrics;
pub mod model;
pub mod parallel;
pub mod predict;
pub mod record;
pub mod serve;
pub mod train;
pub mod transport;
pub mod workflow;

#[global_allocator]
static ALLOCATOR: tracking_allocator::Allocator<mimalloc::MiMalloc> =
    tracking_allocator::Allocator::from_allocator(mimalloc::MiMalloc);
