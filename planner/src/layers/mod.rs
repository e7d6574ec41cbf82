//! Which layers of a served network lie on which of unequal machines, for the highest throughput.
//!
//! The structure is that of Helix (Mei et al., ASPLOS 2025): each machine holds consecutive layers, and answers as many
//! tokens a second as was measured for so many; what one machine has computed goes on to any machine that begins where
//! it ended. The throughput of a placement is the maximum flow from before the first layer to behind the last, over
//! machines as edges between boundaries of layers ([`flow`](Placement)).
//!
//! [`place`] looks at more general placements only while the bound says that something may be won: one pipeline, by
//! thresholds; all series-parallel compositions of machines, by dynamic programming; or, where those are too many, chains
//! of stages of several machines and replicated pipelines, without a search of all. The bound comes from what it takes to carry a rate over one layer (`bound.rs`), and usually proves the
//! placement optimal.

mod bound;
mod composition;
mod document;
mod fleet;
mod flow;
mod pipeline;
mod place;
mod replicas;
mod stages;
#[cfg(test)]
mod tests;

pub use document::{Entry, EntryError, parse};
pub use fleet::{Class, Fleet, FleetError};
pub use place::{Held, Placement, place};
