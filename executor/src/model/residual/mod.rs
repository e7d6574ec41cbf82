//! Networks on images: blocks with shortcuts (ResNet, ResNeXt, EfficientNet), and the trunks of detectors.
//!
//! The pieces are a small stack machine: each takes the last value of what flows, and gives its result in that place. A
//! block keeps its input below (`Copy`), computes, and adds (`Add`). Sums of batch normalisation, where a batch is
//! spread over replicas, stand before all other values.

mod block;
mod convolution;
mod excite;
mod norm;
mod piece;
mod plan;
mod step;
#[cfg(test)]
mod tests;

pub use piece::ImagePiece;
pub use plan::Plan;
pub use step::{Activation, Plain, Step, Window};

pub(super) use convolution::{convolution, drawn};
pub(super) use plan::Unfolding;
