//! The vocabulary of Causeway and its documents.
//!
//! Everything the other crates say to each other is said in types of this crate: units, the
//! catalogue of what providers sell, descriptions of models and strategies, and the five
//! documents (scenario, machine profile, plan, simulation, run). It knows no solver, no tensor
//! library and no plotting.

pub mod carried_out;
pub mod catalog;
pub mod diagnostics;
pub mod document;
pub mod machine;
pub mod model;
pub mod plan;
pub mod precision;
pub mod residency;
pub mod run;
pub mod scenario;
pub mod schema;
pub mod strategy;
pub mod terminal;
pub mod units;
pub mod yaml;
