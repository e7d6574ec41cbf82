//! Constants of devices and software stacks, fitted to measured runs, and how far predictions with them miss.

mod accuracy;
mod fit;

pub use accuracy::{Accuracy, Predicted, Split, cross_validate};
pub use fit::{Fitted, fit, groups};
