//! Forward passes and generation, on machines that are known by their data sheet: replicas that share the records.

use std::num::NonZeroU32;

use scenarios::model::Model;
use scenarios::plan::Breakdown;
use scenarios::strategy::Strategy;
use scenarios::units::Interval;

use super::work::Apply;
use super::{Nodes, Outcome, Pace, Reason, Sheet, constants, memory, spread, too_little};
use crate::performance::memory::Memory;
use crate::performance::serving::{Bucket, Load, Server, ServingCalibration, predict};
use crate::performance::training::memory::RESERVE;
use crate::performance::training::{Training as Run, forward};

/// The fastest way to divide the devices among replicas.
pub(super) fn outcome(apply: &Apply, sheet: &Sheet, nodes: Nodes, sealed: bool) -> Outcome {
    let mut outcome = Outcome { pace: Err(Reason::NoStrategy { devices: nodes.all_devices() }), weighed: 0 };
    for tensor in tensors(apply, nodes, sealed) {
        let strategy = Strategy { data: replicas(nodes, tensor), tensor, ..Strategy::SINGLE };
        if !is_allowed(apply, &strategy) {
            continue;
        }
        outcome.weighed += 1;
        let pace = if apply.output_tokens > 0 {
            generation(apply, sheet, nodes, strategy)
        } else {
            passes(apply, sheet, nodes, strategy)
        };
        let per_record = |pace: &Pace| pace.step_seconds.p50 / pace.records as f64;
        match (&outcome.pace, pace) {
            (Ok(best), Ok(pace)) if per_record(best) <= per_record(&pace) => {}
            (Ok(_), Err(_)) => {}
            (_, pace) => outcome.pace = pace,
        }
    }
    outcome
}

fn is_allowed(apply: &Apply, strategy: &Strategy) -> bool {
    if let Some(held) = apply.held {
        return held.data == strategy.data && held.tensor == strategy.tensor;
    }
    let within = |list: &Option<Vec<NonZeroU32>>, n: &NonZeroU32| list.as_ref().is_none_or(|list| list.contains(n));
    within(&apply.allowed.data, &strategy.data) && within(&apply.allowed.tensor, &strategy.tensor)
}

fn replicas(nodes: Nodes, tensor: NonZeroU32) -> NonZeroU32 {
    NonZeroU32::new(nodes.all_devices() / tensor.get()).unwrap_or(NonZeroU32::MIN)
}

/// Devices of a replica: of a transformer any part of a node that divides it, else one.
fn tensors(apply: &Apply, nodes: Nodes, sealed: bool) -> Vec<NonZeroU32> {
    let most = if matches!(apply.model, Model::Transformer(_)) && !sealed { nodes.devices } else { 1 };
    (1..=most).filter(|tensor| nodes.devices.is_multiple_of(*tensor)).filter_map(NonZeroU32::new).collect()
}

/// Forward passes of a batch on every replica.
fn passes(apply: &Apply, sheet: &Sheet, nodes: Nodes, strategy: Strategy) -> Result<Pace, Reason> {
    let records = apply.batch.saturating_mul(u64::from(strategy.data.get()));
    // Replicas don't exchange anything, so that any network will do.
    let alone = Nodes { count: 1, devices: strategy.tensor.get() };
    let run = Run {
        model: apply.model.clone(),
        strategy: Strategy { data: NonZeroU32::MIN, ..strategy },
        global_batch: apply.batch,
        precision: apply.precision,
        optimizer_bytes: 0.0,
        fused_attention: true,
        frozen: false,
        cluster: sheet.cluster("", alone.count, alone.devices)?,
    };
    let (calibration, constants) = constants(&run);
    let pass = forward(&run, &constants)?;
    if !pass.memory.fits(run.cluster.memory_bytes) {
        let available = (run.cluster.memory_bytes * (1.0 - RESERVE)) as u64;
        return Err(too_little(memory(&pass.memory), available));
    }
    let (step_seconds, basis) = spread(calibration, &run, sheet, pass.seconds);
    Ok(Pace {
        layout: nodes.layout(),
        strategy,
        records,
        step_seconds,
        forward_seconds: pass.seconds,
        memory: memory(&pass.memory),
        breakdown: Breakdown::from([("forward".to_owned(), pass.seconds)]),
        basis,
    })
}

/// Answers of a decoder to every record, as many at once as its cache holds. A step is a batch for each replica.
fn generation(apply: &Apply, sheet: &Sheet, nodes: Nodes, strategy: Strategy) -> Result<Pace, Reason> {
    let none = || Reason::Impossible(format!("a {} generates no tokens", apply.model.family()));
    let Model::Transformer(model) = &apply.model else { return Err(none()) };
    let server = Server {
        whole_attention: model.experts.is_some(),
        model: model.clone(),
        device: sheet.device.clone(),
        tensor: strategy.tensor,
        pipeline: NonZeroU32::MIN,
        weights: apply.precision,
        cache: apply.precision,
    };
    let tokens = |count: usize| NonZeroU32::new(u32::try_from(count).unwrap_or(u32::MAX)).unwrap_or(NonZeroU32::MIN);
    let (input, output) = (tokens(model.sequence.get()), tokens(apply.output_tokens as usize));
    let serving = predict(&server, &[Bucket::only(input, output)], Load::Saturated, &ServingCalibration::bundled())?;
    let each = |rate: f64| apply.batch as f64 / rate;
    let rate = serving.requests_per_second;
    let whole = |bytes: f64| bytes.ceil() as u64;
    let held = &serving.operation.memory;
    Ok(Pace {
        layout: nodes.layout(),
        strategy,
        records: apply.batch.saturating_mul(u64::from(strategy.data.get())),
        step_seconds: Interval { p10: each(rate.p90), p50: each(rate.p50), p90: each(rate.p10) },
        forward_seconds: 0.0,
        memory: Memory { parameters: whole(held.weights), activations: whole(held.cache), ..Memory::default() },
        breakdown: Breakdown::from([("generation".to_owned(), each(rate.p50))]),
        basis: serving_basis(serving.is_calibrated).to_owned(),
    })
}

/// What a prediction of serving rests on.
pub(in crate::candidates) const fn serving_basis(is_calibrated: bool) -> &'static str {
    if is_calibrated {
        "calibrated on serving runs of this device"
    } else {
        "no serving runs of this device: data sheet and other devices' efficiency, wide"
    }
}
