//! Networks in burn, built from the descriptions that the planner reads too.
//!
//! A network is a chain of pieces. A piece meets its neighbours only in the values that flow between them, so the chain can
//! be cut anywhere: into the stages of a pipeline, and where a value or its gradient must be summed over ranks
//! ([`Seam`]).

pub mod affine;
pub mod build;
mod checkpoint;
pub mod detector;
pub mod dlrm;
pub mod factors;
pub mod flat;
mod flow;
pub mod generate;
#[cfg(test)]
pub(crate) mod harness;
pub mod layer;
pub mod loss;
mod network;
mod pass;
mod plain;
pub mod recurrent;
pub mod residual;
mod running;
mod tensors;
pub mod transformer;
pub mod vocabulary;

pub use checkpoint::{Checkpoint, CheckpointError, Recipe};
pub use flow::{Flow, Value};
pub use network::{Description, Network, Part, Piece, Seam};
pub use pass::{Alone, Group, Pass};
pub use plain::Plain;
pub use running::Running;
pub use tensors::Mismatch;

use burn::tensor::Tensor;

/// The values of a tensor on the host.
///
/// # Panics
/// If the device cannot be read.
#[must_use]
pub fn host<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().convert::<f32>().try_into_vec().expect("they were converted")
}
