//! Where one workload runs.

use indexmap::IndexMap;
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::scenario::{Files, Job, Part, PurchaseKind};
use crate::strategy::Strategy;
use crate::units::Interval;

/// One workload on its machines.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Assignment {
    /// Name of the workload.
    pub workload: String,
    /// The whole job, for the executor.
    pub job: Job,
    /// The data that it reads; none of a service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<SourceData>,
    /// Workloads that must have ended before.
    pub after: Vec<String>,
    /// Machines that it occupies.
    pub groups: Vec<Group>,
    /// How it is spread over them; over one replica of a service.
    pub strategy: Strategy,
    /// Start, from the start of the period.
    pub start_seconds: f64,
    /// End.
    pub end_seconds: f64,
    /// Latest end, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline_seconds: Option<f64>,
    /// Which requests a service answers where.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub routing: Vec<Routing>,
    /// Optimiser steps, forward passes of an evaluation or inference, records of a preparation, 0 of a service.
    pub steps: u64,
    /// What the performance model says.
    pub predicted: Predicted,
    /// Price of its machines and of the flows that it causes, in US dollars; commitments are not part of it.
    pub cost_usd: Decimal,
    /// Electric energy of its machines in kWh, where their power is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub energy_kwh: Option<f64>,
    /// Greenhouse gas of that energy in kg of CO₂ equivalent, where the grid's factor is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carbon_kg: Option<f64>,
    /// The best other placement, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runner_up: Option<RunnerUp>,
}

/// Requests of one size from one place that one group answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Routing {
    /// Site of the users; absent if they are near every site.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Data set whose rules hold for the requests; absent if they are public.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<String>,
    /// Tokens of a request.
    pub input: u32,
    /// Tokens of the answer.
    pub output: u32,
    /// Position of the group in `groups`.
    pub group: usize,
    /// Requests in a second.
    pub requests_per_second: f64,
    /// Most requests of this size in a second that one replica answers, if all are of this size.
    pub most_per_replica: f64,
}

/// The data set of a job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SourceData {
    /// Name in the scenario.
    pub dataset: String,
    /// Class, as policies name it.
    pub class: String,
    /// Records for training and validation.
    pub records: u64,
    /// Parts of it that lie at different sites, where no site holds it whole. Ranks at several sites read what lies at
    /// their own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<Part>,
    /// Files, if the executor is to read them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub files: Option<Files>,
}

/// Identical machines of one pool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// Site.
    pub site: String,
    /// Pool of the site.
    pub pool: String,
    /// Instance type, or name of the measured or described machine.
    pub machine: String,
    /// Nodes that are occupied.
    pub nodes: u32,
    /// Devices that are used in each node; a device may serve several ranks.
    pub devices_per_node: u32,
    /// Ranks in each node.
    pub ranks_per_node: u32,
    /// Records of each step that this group takes, where several share them unevenly.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch: Option<u64>,
    /// Replicas of a service; its nodes are those of all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replicas: Option<u32>,
    /// How the nodes are paid for.
    pub purchase: PurchaseKind,
    /// Price of one node.
    pub usd_per_node_hour: Decimal,
}

/// Prediction for one workload.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Predicted {
    /// Time of one step.
    pub step_seconds: Interval,
    /// Records in a second over all ranks, from the median step time.
    pub throughput: f64,
    /// Unit of the throughput: `samples/s`, or `requests/s` of a service.
    pub throughput_unit: String,
    /// Memory that the fullest device needs.
    pub memory_bytes_per_device: u64,
    /// Where the median step time goes, in seconds.
    pub breakdown: Breakdown,
    /// What the figures rest on: a measured rate or machine profile, the calibrated model, or a data sheet alone.
    pub basis: String,
}

/// Parts of the median step time in seconds by name (`forward`, `backward`, `communication`, …).
pub type Breakdown = IndexMap<String, f64>;

/// The best placement that was not chosen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RunnerUp {
    /// Placement in words.
    pub placement: String,
    /// Its cost in US dollars.
    pub cost_usd: Decimal,
    /// Its run time.
    pub seconds: f64,
    /// Why it lost.
    pub reason: String,
}
