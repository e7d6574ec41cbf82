//! Constants of devices and software stacks, fitted to measured runs, and how far predictions with them miss.

mod accuracy;
mod file;
mod fit;
mod interval;

pub use accuracy::{Prediction, Split, cross_validate, fold};
pub use file::{Basis, Calibration, bundled};
pub use fit::{Fitted, fit, groups};
pub use interval::Spread;
