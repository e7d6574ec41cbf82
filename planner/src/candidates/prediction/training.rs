//! Training on machines that are known by their data sheet.

use scenarios::plan::Breakdown;
use scenarios::strategy::Strategy;

use super::work::Train;
use super::{Nodes, Outcome, Pace, Reason, Sheet, constants, memory, spread, too_little};
use crate::performance::training::search::Found;
use crate::performance::training::{
    Allowed, Cluster, Memory, Timing, Training as Run, fastest, lower, memory as needs, step,
};

/// The fastest allowed strategy on nodes of a kind.
pub(super) fn outcome(train: &Train, sheet: &Sheet, nodes: Nodes, sealed: bool) -> Outcome {
    let devices = nodes.all_devices();
    let nothing = |reason: Reason, weighed| Outcome { pace: Err(reason), weighed };
    let cluster = match sheet.cluster("", nodes.count, nodes.devices) {
        Ok(cluster) => cluster,
        Err(reason) => return nothing(reason, 0),
    };
    let run = run(train, cluster, Strategy::SINGLE);
    if let Err(error) = run.check_sizes() {
        return nothing(error.into(), 0);
    }
    let (_, constants) = constants(&run);
    if let Some(strategy) = train.held {
        let pace = one(&Run { strategy, ..run }, sheet).map(|(run, found)| pace(&run, sheet, nodes, &found));
        return Outcome { pace, weighed: 1 };
    }
    let allowed = Allowed { without_activations: sealed, ..train.allowed.clone() };
    let search = fastest(&run, &constants, &allowed);
    let pace = match (search.found, search.least) {
        (Some(found), _) => Ok(pace(&run, sheet, nodes, &found)),
        (None, Some(least)) => Err(lacking(&least, sheet)),
        (None, None) => Err(Reason::NoStrategy { devices }),
    };
    Outcome { pace, weighed: search.possible }
}

/// A training on a cluster.
pub(in crate::candidates) fn run(train: &Train, cluster: Cluster, strategy: Strategy) -> Run {
    Run {
        model: train.model.clone(),
        strategy,
        global_batch: train.global_batch,
        precision: train.precision,
        optimizer_bytes: train.optimizer_bytes,
        fused_attention: true,
        frozen: train.frozen,
        cluster,
    }
}

/// Time and memory of a training with its one strategy, where that fits.
pub(in crate::candidates) fn one(run: &Run, sheet: &Sheet) -> Result<(Run, Found), Reason> {
    run.check()?;
    let segments = lower(run)?;
    let memory = needs::of(run, &segments);
    if !memory.fits(run.cluster.memory_bytes) {
        return Err(lacking(&memory, sheet));
    }
    let (_, constants) = constants(run);
    let step = step::step(run, &segments, &constants, Timing::ClosedForm)?;
    Ok((run.clone(), Found { strategy: run.strategy, step, memory }))
}

fn lacking(needed: &Memory, sheet: &Sheet) -> Reason {
    too_little(memory(needed), (sheet.device.memory_bytes as f64 * (1.0 - needs::RESERVE)) as u64)
}

/// What a prediction says of a step.
pub(in crate::candidates) fn pace(run: &Run, sheet: &Sheet, nodes: Nodes, found: &Found) -> Pace {
    let run = Run { strategy: found.strategy, ..run.clone() };
    let (calibration, _) = constants(&run);
    let step = &found.step;
    let (step_seconds, basis) = spread(calibration, &run, sheet, step.total());
    // A pass without learning has the forward share of what ranks wait for each other.
    let busy = step.forward + step.backward;
    let share = if busy > 0.0 { step.forward / busy } else { 1.0 };
    let parts = step.parts().into_iter().filter(|(_, seconds)| *seconds > 0.0);
    Pace {
        layout: nodes.layout(),
        strategy: found.strategy,
        records: run.global_batch,
        step_seconds,
        forward_seconds: step.forward + share * (step.bubble + step.layers) + step.fixed,
        memory: memory(&found.memory),
        breakdown: parts.map(|(name, seconds)| (name.to_owned(), seconds)).collect::<Breakdown>(),
        basis,
    }
}
