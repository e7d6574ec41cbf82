//! Figures of merit, as pure functions of numbers on the host.

mod boxes;
mod classes;
mod numbers;
mod ranking;

pub use boxes::mean_average_precision;
pub use classes::{accuracy, f1, macro_f1, perplexity};
pub use numbers::root_mean_square_error;
pub use ranking::{area_under_curve, ndcg};
