//! One training over many ranks: every strategy takes the steps of one device.
//!
//! A network is a chain of pieces. A rank holds a run of them (a stage of a pipeline, or several chunks), all of each matrix
//! or a part of it (tensor parallelism), and learns from its share of the records (data parallelism). Passes are cut where
//! ranks meet ([`tape`]); stages take micro-batches in the order of a [`schedule`]; what was learned is exchanged while
//! earlier pieces still go back ([`exchange`]) and applied as the strategy says.

pub mod bucket;
pub mod exchange;
pub mod gather;
pub mod link;
pub mod precision;
pub mod schedule;
pub mod stage;
pub mod tape;
pub mod topology;
pub mod update;
pub mod wire;

#[cfg(test)]
mod tests;
