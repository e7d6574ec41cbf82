//! Networks as kernels.

pub mod transformer;
