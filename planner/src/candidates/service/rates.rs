//! Most requests that a replica answers within the targets.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::Arc;

use scenarios::model::Transformer;
use scenarios::plan::{Breakdown, Predicted};
use scenarios::precision::Precision;
use scenarios::scenario::{MeasuredRate, Service, ServiceTargets};
use scenarios::strategy::Strategy;
use scenarios::units::Interval;

use super::demand::Reach;
use super::{Kind, Reason, RequestClass, cache_format, packed};
use crate::candidates::hardware::Hardware;
use crate::candidates::prediction::{MEASURED_RATE, serving_basis};
use crate::performance::memory::Memory;
use crate::performance::serving::calibration::Batching;
use crate::performance::serving::{
    Bucket, Constants, Load, Operation, Server, Serving, ServingCalibration, operate, predict,
};
use crate::performance::{Layout, Prediction};

/// Halvings when the highest rate is sought: to a part in a hundred million.
const HALVINGS: u32 = 27;

/// How one replica is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Configuration {
    pub nodes: u32,
    pub tensor: u32,
    pub pipeline: u32,
}

impl Configuration {
    /// Devices of one replica.
    pub const fn devices(&self) -> u32 {
        self.tensor.saturating_mul(self.pipeline)
    }
}

/// Every way to cut a replica on a part of a node, or over nodes with a stage each, by powers of two.
pub(super) fn configurations(hardware: &Hardware<'_>, most_nodes: u32) -> Vec<Configuration> {
    let devices = hardware.devices;
    let mut list = Vec::new();
    for tensor in (1..=devices).filter(|tensor| devices.is_multiple_of(*tensor)) {
        for pipeline in (1..=devices / tensor).filter(|pipeline| (devices / tensor).is_multiple_of(*pipeline)) {
            list.push(Configuration { nodes: 1, tensor, pipeline });
        }
    }
    let is_connected = hardware.sheet().is_some_and(|sheet| sheet.network.is_some());
    let several = (1..16).map(|power| 1_u32 << power).take_while(|nodes| is_connected && *nodes <= most_nodes.min(16));
    list.extend(several.map(|nodes| Configuration { nodes, tensor: devices, pipeline: nodes }));
    list
}

type Key = (usize, Configuration, (u32, u32), u64);

/// Rates that were found, each once for equal machines.
pub(super) struct Rates {
    weights: Precision,
    targets: ServiceTargets,
    calibration: ServingCalibration,
    known: HashMap<Key, Option<f64>>,
}

impl Rates {
    pub fn new(service: &Service) -> Self {
        Self {
            weights: service.precision,
            targets: service.targets,
            calibration: ServingCalibration::bundled(),
            known: HashMap::new(),
        }
    }

    /// A kind of replica with its rates by class.
    ///
    /// # Errors
    /// The network does not fit, the targets of no class can be kept, or its ranks may not exchange activations.
    pub fn kind(
        &mut self,
        hardware: &Hardware<'_>,
        model: &Transformer,
        configuration: &Configuration,
        classes: &[RequestClass],
        reach: &Reach,
    ) -> Result<Kind, Reason> {
        let is_shared = configuration.devices() > 1;
        if let Some(reason) = reach.refused(is_shared) {
            return Err(reason.clone());
        }
        let sheet = hardware.sheet().ok_or_else(|| Reason::UnknownSpeed { machine: hardware.name.clone() })?;
        let n = |count: u32| NonZeroU32::new(count).unwrap_or(NonZeroU32::MIN);
        let server = Server {
            whole_attention: model.experts.is_some(),
            model: model.clone(),
            device: sheet.device.clone(),
            tensor: n(configuration.tensor),
            pipeline: n(configuration.pipeline),
            weights: self.weights,
            cache: cache_format(self.weights),
        };
        let constants = self.calibration.fitted(Batching::InFlight).constants(&server);
        crate::performance::serving::Memory::of(&server, &constants)?;
        server.check()?;
        let count = packed(configuration, hardware.devices);
        let most: Vec<Option<f64>> = classes
            .iter()
            .enumerate()
            .map(|(at, class)| {
                let round_trip = reach.round_trip(at, is_shared)?;
                let rate = self.most(hardware.alone, configuration, &server, &constants, class, round_trip)?;
                Some(rate * f64::from(count))
            })
            .collect();
        let prediction = self.prediction(&server, classes, &most, count).ok_or(Reason::Targets)?;
        let devices_per_node = if configuration.nodes > 1 { hardware.devices } else { count * configuration.devices() };
        Ok(Kind {
            layout: Layout { nodes: configuration.nodes, devices_per_node, ranks_per_node: devices_per_node },
            strategy: Strategy { data: n(count), tensor: server.tensor, pipeline: server.pipeline, ..Strategy::SINGLE },
            prediction: Arc::new(prediction),
            most,
        })
    }

    /// Highest rate of requests of one class alone that keeps the targets.
    fn most(
        &mut self,
        machine: usize,
        configuration: &Configuration,
        server: &Server,
        constants: &Constants,
        class: &RequestClass,
        round_trip: f64,
    ) -> Option<f64> {
        let key = (machine, *configuration, (class.input, class.output), round_trip.to_bits());
        if let Some(known) = self.known.get(&key) {
            return *known;
        }
        let found = bucket(class).and_then(|bucket| highest(server, bucket, constants, &self.targets, round_trip));
        self.known.insert(key, found);
        found
    }

    /// One replica at the full load of the class that asks most.
    fn prediction(
        &self,
        server: &Server,
        classes: &[RequestClass],
        most: &[Option<f64>],
        count: u32,
    ) -> Option<Prediction> {
        let answered = classes.iter().zip(most).filter_map(|(class, most)| Some((class, (*most)?)));
        let (class, rate) = answered.max_by(|a, b| a.0.rate.total_cmp(&b.0.rate))?;
        let load = Load::Rate(rate / f64::from(count));
        let bucket = bucket(class)?;
        let saturated = || predict(server, &[bucket], Load::Saturated, &self.calibration);
        let serving = predict(server, &[bucket], load, &self.calibration).or_else(|_| saturated()).ok()?;
        Some(prediction(&serving, rate))
    }
}

fn bucket(class: &RequestClass) -> Option<Bucket> {
    Some(Bucket::only(NonZeroU32::new(class.input.max(1))?, NonZeroU32::new(class.output.max(1))?))
}

fn prediction(serving: &Serving, rate: f64) -> Prediction {
    let held = &serving.operation.memory;
    let whole = |bytes: f64| bytes.ceil() as u64;
    let memory = Memory { parameters: whole(held.weights), activations: whole(held.cache), ..Memory::default() };
    let round = &serving.operation.round;
    let parts = [
        ("matrices", round.matrices),
        ("cache", round.cache),
        ("attention", round.attention),
        ("elementwise", round.elementwise),
        ("exchange", round.exchange),
        ("layers", round.layers),
        ("output", round.output),
        ("host", round.host),
    ];
    let predicted = Predicted {
        step_seconds: serving.token_seconds,
        throughput: rate,
        throughput_unit: "requests/s".to_owned(),
        memory_bytes_per_device: memory.total(),
        breakdown: parts.map(|(name, seconds)| (name.to_owned(), seconds)).into_iter().collect(),
        basis: serving_basis(serving.is_calibrated).to_owned(),
    };
    Prediction { steps: 0, seconds: 0.0, predicted, memory }
}

/// Highest rate that keeps the targets on average; without targets what a replica answers that is never idle.
fn highest(
    server: &Server,
    bucket: Bucket,
    constants: &Constants,
    targets: &ServiceTargets,
    round_trip: f64,
) -> Option<f64> {
    let saturated = operate(server, &[bucket], Load::Saturated, constants).ok()?.requests_per_second;
    if *targets == ServiceTargets::default() {
        return Some(saturated).filter(|rate| rate.is_finite() && *rate > 0.0);
    }
    let keeps = |rate: f64| {
        let operation = operate(server, &[bucket], Load::Rate(rate), constants);
        operation.is_ok_and(|operation| keeps_targets(&operation, bucket, targets, round_trip))
    };
    let (mut low, mut high) = (saturated * 1e-6, saturated * 1.1);
    if !keeps(low) {
        return None;
    }
    for _ in 0..HALVINGS {
        let middle = f64::midpoint(low, high);
        if keeps(middle) { low = middle } else { high = middle }
    }
    Some(low)
}

fn keeps_targets(operation: &Operation, bucket: Bucket, targets: &ServiceTargets, round_trip: f64) -> bool {
    let first = operation.first_token_seconds + round_trip;
    let last = first + f64::from(bucket.output.get() - 1) * operation.token_seconds;
    let within =
        |seconds: f64, target: Option<scenarios::units::Seconds>| target.is_none_or(|target| seconds <= target.get());
    within(first, targets.first_token)
        && within(operation.token_seconds, targets.per_token)
        && within(last, targets.latency)
}

/// How a measured replica was spread: by the user's word, or one rank on each device.
fn spread(rate: &MeasuredRate, devices: u32) -> Strategy {
    let all = NonZeroU32::new(rate.nodes.get().saturating_mul(devices)).unwrap_or(NonZeroU32::MIN);
    rate.strategy.unwrap_or(Strategy { data: all, ..Strategy::SINGLE })
}

/// Whether the ranks of a measured replica share the layers of the network, and so exchange activations.
pub(super) fn is_shared(rate: &MeasuredRate, devices: u32) -> bool {
    let strategy = spread(rate, devices);
    [strategy.tensor, strategy.pipeline, strategy.context, strategy.expert].iter().any(|ranks| ranks.get() > 1)
}

/// A kind of replica whose rates were measured.
pub(super) fn measured(rate: &MeasuredRate, devices: u32, most: Vec<Option<f64>>) -> Kind {
    let nodes = rate.nodes.get();
    let strategy = spread(rate, devices);
    let ranks_per_node = strategy.ranks().div_ceil(nodes).max(1);
    let predicted = Predicted {
        step_seconds: Interval { p10: 0.0, p50: 0.0, p90: 0.0 },
        throughput: most.iter().flatten().copied().fold(0.0, f64::max),
        throughput_unit: "requests/s".to_owned(),
        memory_bytes_per_device: 0,
        breakdown: Breakdown::new(),
        basis: MEASURED_RATE.to_owned(),
    };
    Kind {
        layout: Layout { nodes, devices_per_node: devices.min(ranks_per_node), ranks_per_node },
        strategy,
        prediction: Arc::new(Prediction { steps: 0, seconds: 0.0, predicted, memory: Memory::default() }),
        most,
    }
}
