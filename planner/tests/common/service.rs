//! Services of random scenarios. Their rates are measured, so that capacity rests on no model.

use std::num::NonZeroU32;

use indexmap::IndexMap;
use proptest::prelude::*;
use scenarios::precision::Precision;
use scenarios::scenario::{
    BucketRate, Demand, Job, MeasuredRate, RequestBucket, Service, ServiceTargets, Strategies, Workload,
};
use scenarios::units::{Frequency, Seconds};

use super::Draft;

/// Small numbers that a service is made from.
#[derive(Debug, Clone)]
pub struct Draw {
    pub classes: Vec<Class>,
    pub weights: Weights,
    pub start: u8,
    pub length: u8,
    /// Whether it lasts to the end of the planning period.
    pub lasts: bool,
    pub half: bool,
    pub after: Option<u8>,
}

/// Small numbers that a class of requests is made from.
#[derive(Debug, Clone)]
pub struct Class {
    pub rate: u8,
    pub from: Option<u8>,
    pub data: Option<u8>,
    pub skew: u8,
}

/// Whose weights a service reads.
#[derive(Debug, Clone)]
pub enum Weights {
    None,
    /// Public, holder, size, a second holder.
    DataSet((bool, u8, u8, bool)),
    /// The last training's.
    Trained,
}

impl Weights {
    pub const fn as_data_set(&self) -> Option<(bool, u8, u8, bool)> {
        match self {
            Self::DataSet(draw) => Some(*draw),
            _ => None,
        }
    }
}

/// No service in most scenarios, else one or two.
pub fn draws() -> impl Strategy<Value = Vec<Draw>> {
    prop_oneof![5 => prop::collection::vec(draw(), 0), 4 => prop::collection::vec(draw(), 1), 1 => prop::collection::vec(draw(), 2)]
}

fn draw() -> impl Strategy<Value = Draw> {
    let class = (1..7_u8, prop::option::weighted(0.5, 0..3_u8), prop::option::weighted(0.5, 0..2_u8), 0..4_u8);
    let class = class.prop_map(|(rate, from, data, skew)| Class { rate, from, data, skew });
    let weights = prop_oneof![
        Just(Weights::None),
        (any::<bool>(), 0..3_u8, 1..10_u8, any::<bool>()).prop_map(Weights::DataSet),
        Just(Weights::Trained),
    ];
    let times = (0..16_u8, 3..20_u8, prop::bool::weighted(0.1));
    let others = (any::<bool>(), prop::option::weighted(0.2, 0..2_u8));
    (prop::collection::vec(class, 1..3), weights, times, others).prop_map(
        |(classes, weights, (start, length, lasts), (half, after))| Draw {
            classes,
            weights,
            start,
            length,
            lasts,
            half,
            after,
        },
    )
}

impl Draw {
    /// The service with its place in time, after jobs that are there already.
    pub fn workload(&self, index: usize, draft: &Draft, jobs: &IndexMap<String, Workload>) -> Workload {
        let trained = jobs.iter().rev().find(|(_, job)| job.job.training().is_some()).map(|(name, _)| name.clone());
        let weights_of = match self.weights {
            Weights::None => None,
            Weights::DataSet(_) => Some(format!("m{index}")),
            Weights::Trained => trained,
        };
        let start = f64::from(self.start) * 4.0 + if self.lasts { 330.0 } else { 0.0 };
        let service = Service {
            model: None,
            weights_of,
            precision: Precision::default(),
            demand: self.classes.iter().enumerate().map(|(at, class)| demand(at, class, draft)).collect(),
            targets: ServiceTargets::default(),
            utilization: if self.half { 0.5 } else { 1.0 },
        };
        let after = self.after.filter(|after| usize::from(*after) < jobs.len()).map(|after| format!("w{after}"));
        Workload {
            job: Job::Serve(service),
            after: after.into_iter().collect(),
            earliest_start: Some(Seconds::new(start)),
            deadline: (!self.lasts).then(|| Seconds::new(start + f64::from(self.length))),
            sites: vec![],
            strategies: Strategies::default(),
            measured: self.rates(draft),
        }
    }

    /// What replicas of one and of two nodes answer, in every pool.
    fn rates(&self, draft: &Draft) -> Vec<MeasuredRate> {
        let pools = draft.sites.iter().enumerate().flat_map(|(site, (_, _, pools))| {
            pools.iter().enumerate().map(move |(pool, (_, speed, _, _))| (format!("s{site}p{pool}"), *speed))
        });
        let rate = |(machine, speed): (String, u8)| {
            (1..3_u32).map(move |nodes| {
                let classes = self.classes.iter().enumerate();
                MeasuredRate {
                    machine: machine.clone(),
                    nodes: NonZeroU32::new(nodes).expect("not zero"),
                    strategy: None,
                    throughput: None,
                    requests: classes.filter_map(|(at, class)| class.answered(at, speed, nodes)).collect(),
                }
            })
        };
        pools.flat_map(rate).collect()
    }
}

impl Class {
    /// Two nodes are better than twice one at some classes and worse at others; some answer one class only.
    fn answered(&self, at: usize, speed: u8, nodes: u32) -> Option<BucketRate> {
        let factor = match (nodes, self.skew) {
            (1, 3) => return None,
            (1, _) => 1.0,
            (_, 0) => 2.5,
            (_, 1) => 1.5,
            _ => 3.0,
        };
        let (input, output) = tokens(at);
        let rate = Frequency((f64::from(speed) + f64::from(self.skew)) * factor);
        Some(BucketRate { input, output, rate })
    }
}

const fn tokens(class: usize) -> (u32, u32) {
    (100 + class as u32, 10)
}

fn demand(at: usize, class: &Class, draft: &Draft) -> Demand {
    let (input, output) = tokens(at);
    Demand {
        from: class.from.map(|site| format!("s{}", usize::from(site) % draft.sites.len())),
        data: class.data.map(|data| format!("d{}", usize::from(data) % draft.datasets.len())),
        requests: vec![RequestBucket { rate: Frequency(f64::from(class.rate)), input, output }],
    }
}
