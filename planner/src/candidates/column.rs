//! A possible placement of one workload, and a movement of data.

use std::sync::Arc;

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

/// Identical machines of one pool that a job occupies.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// Where.
    pub place: Place,
    /// How they are paid for.
    pub purchase: PurchaseKind,
    /// Ranks on nodes.
    pub layout: Layout,
    /// Price of one node for an hour; 0 for reserved nodes, which their commitment pays.
    pub usd_per_node_hour: Decimal,
    /// Records of each step that the group takes, where several share them unevenly.
    pub batch: Option<u64>,
}

/// One placement: on which machines, how spread, with data from where.
#[derive(Debug, Clone)]
pub struct Column {
    /// Machines; never empty. What the job makes lies at the first group's site.
    pub groups: Vec<Group>,
    /// How it is spread.
    pub strategy: Strategy,
    /// What the performance model says.
    pub prediction: Arc<Prediction>,
    /// Run time, interruptions included, in whole milliseconds.
    pub seconds: f64,
    /// Earliest start: the workload's own, and the end of the copies of its data.
    pub release_seconds: f64,
    /// Price of the nodes for the run time.
    pub compute_usd: Decimal,
    /// What `prefer` rules count against it.
    pub preference_usd: Decimal,
    /// Electric energy of the nodes, where their power is known.
    pub energy_kwh: Option<f64>,
    /// Greenhouse gas of that energy, where the grid's factor is known.
    pub carbon_kg: Option<f64>,
    /// Copies of data that it reads, by position in the list of copies; none where the data lies.
    pub copies: Vec<usize>,
    /// What its groups exchange between sites while it runs.
    pub exchanges: Vec<Movement>,
}

impl Column {
    /// The first group.
    ///
    /// # Panics
    /// Never: a column has a group.
    #[must_use]
    pub fn first(&self) -> &Group {
        &self.groups[0]
    }

    /// Site where what the job makes lies.
    #[must_use]
    pub fn site(&self) -> usize {
        self.first().place.site
    }

    /// Nodes of all groups.
    #[must_use]
    pub fn nodes(&self) -> u32 {
        self.groups.iter().map(|group| group.layout.nodes).sum()
    }
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
    /// Egress of the hops whose price does not depend on the amount.
    pub usd: Decimal,
    /// Amounts on meters whose price does.
    pub charges: Vec<Charge>,
    /// Keeping what arrives to the end of the period.
    pub storage_usd: Decimal,
    /// What `prefer` rules count against it.
    pub preference_usd: Decimal,
    /// Rules that permit it.
    pub permitted_by: Vec<PermittedBy>,
}

/// An amount of data on a meter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Charge {
    /// Position of the meter in [`super::Network::meters`].
    pub meter: usize,
    /// Amount.
    pub bytes: u64,
}

/// Requests of one size from one place.
#[derive(Debug, Clone, PartialEq)]
pub struct RequestClass {
    /// Site of the users; none if they are near every site.
    pub from: Option<usize>,
    /// Data set whose rules hold for the requests; none if they are public.
    pub data: Option<String>,
    /// Tokens of a request.
    pub input: u32,
    /// Tokens of the answer.
    pub output: u32,
    /// Requests in a second.
    pub rate: f64,
}

/// What a service may be made of.
#[derive(Debug, Clone)]
pub struct ServiceCandidates {
    /// Start and end in seconds.
    pub window: (f64, f64),
    /// What is asked.
    pub classes: Vec<RequestClass>,
    /// Kinds of replicas.
    pub replicas: Vec<Replica>,
}

/// A kind of replica of a service.
#[derive(Debug, Clone)]
pub struct Replica {
    /// Machines of one replica.
    pub group: Group,
    /// How one replica is spread over them.
    pub strategy: Strategy,
    /// What the performance model says of one replica at its full load.
    pub prediction: Arc<Prediction>,
    /// Price of one replica for the whole window.
    pub usd: Decimal,
    /// What `prefer` rules count against one replica.
    pub preference_usd: Decimal,
    /// Electric energy of one replica, where its power is known.
    pub energy_kwh: Option<f64>,
    /// Greenhouse gas of that energy, where the grid's factor is known.
    pub carbon_kg: Option<f64>,
    /// For each class the most requests in a second that one replica answers if all are of that class; none where a
    /// rule, the network or the targets are in the way.
    pub most: Vec<Option<f64>>,
    /// Copies of data (weights) that it needs at its site.
    pub copies: Vec<usize>,
}
