//! From a scenario to a plan: predicts every job, places all of them, checks and explains the result.
//!
//! Data flows one way: [`candidates`] lists placements with the times that [`performance`]
//! predicts, [`placement`] chooses among them, [`planning`] writes the choice down as a plan,
//! [`explain`] says why, and [`verify`] checks the plan without any of their code. Only
//! [`commands`] read files and print. Two questions stand alone: which way a bulk copy takes
//! ([`transfer`]), and which layers of a served network lie on which of unequal machines ([`layers`]).

pub mod candidates;
pub mod cli;
pub mod clock;
pub mod commands;
pub mod explain;
pub mod layers;
pub mod performance;
pub mod placement;
pub mod planning;
pub mod transfer;
pub mod verify;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
