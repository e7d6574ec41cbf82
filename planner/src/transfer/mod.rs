//! Bulk copies between regions, over relays where that is cheaper or the only way.
//!
//! Rented machines (gateways) forward the data. Between two places a gateway's connections carry what was measured for
//! a full set of them, and less in proportion; [`program`](self) chooses rates and gateways at least cost:
//!
//! min Σ F(e)·price(e)·T + Σ N(r)·price(r)·T, T = amount / rate, with
//! Σ F = rate from source to destination, conserved at relays;
//! Σ F(e)/grid(e) ≤ N(r) over the links that leave r, and over those that enter it (a full set of connections each);
//! Σ F(e) ≤ N(r)·limit(r) for egress and for ingress; N(r) ≤ most(r), whole.
//!
//! This is the program of Skyplane (Jain et al., NSDI 2023; `solver_ilp.py`) with its connections K(e) = 64·F(e)/grid(e)
//! put in. Beyond it: places that a residency rule forbids to pass, and what would help where nothing is possible.

mod document;
mod error;
mod network;
mod plan;
mod program;
mod shortfall;
mod solve;
#[cfg(test)]
mod tests;

pub use document::{DocumentProblem, FORMAT, TransferDocument};
pub use error::TransferError;
pub use network::{Link, Network, NetworkError, Place};
pub use plan::{GatewayUse, LinkUse, PathUse, TransferPlan};
pub use shortfall::{Bottleneck, Forbidden, Remedy, Shortfall, WayOut};
pub use solve::{Request, cheapest};
