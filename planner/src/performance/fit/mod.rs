//! Fitting of constants to measured runs.

pub mod least_squares;
