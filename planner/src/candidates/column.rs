//! A possible placement of one workload, and a movement of data.

use std::rc::Rc;

use rust_decimal::Decimal;
use scenarios::plan::PermittedBy;
use scenarios::scenario::{Form, PurchaseKind};
use scenarios::strategy::Strategy;

use crate::performance::{Layout, Prediction};

/// A pool by the positions of its site in the scenario and of itself in the site.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// Position of the site.
    pub site: usize,
    /// Position of the pool.
    pub pool: usize,
}

/// One placement: where, how paid for, how spread, with data from where.
#[derive(Debug, Clone)]
pub struct Column {
    /// Where.
    pub place: Place,
    /// How it is paid for.
    pub purchase: PurchaseKind,
    /// How it is spread.
    pub strategy: Strategy,
    /// Ranks on nodes.
    pub layout: Layout,
    /// Price of one node for an hour.
    pub usd_per_node_hour: Decimal,
    /// What the performance model says.
    pub prediction: Rc<Prediction>,
    /// Run time, whole milliseconds.
    pub seconds: f64,
    /// Earliest start: the workload's own, and the end of the copy of its data.
    pub release_seconds: f64,
    /// Price of the nodes for the run time.
    pub compute_usd: Decimal,
    /// Copy of the data set that it reads, by position in the list of copies; none where the data lies.
    pub copy: Option<usize>,
}

/// A movement of data between two sites.
#[derive(Debug, Clone, PartialEq)]
pub struct Movement {
    /// Data set, or workload whose product it is.
    pub what: String,
    /// Form of the data.
    pub form: Form,
    /// Data sets whose rules apply.
    pub labels: Vec<String>,
    /// Site that it leaves.
    pub from: usize,
    /// Site that it reaches.
    pub to: usize,
    /// Sites that it passes through.
    pub via: Vec<usize>,
    /// Amount.
    pub bytes: u64,
    /// Time from first to last byte, whole milliseconds.
    pub seconds: f64,
    /// Egress of every hop.
    pub usd: Decimal,
    /// Rules that permit it.
    pub permitted_by: Vec<PermittedBy>,
}
