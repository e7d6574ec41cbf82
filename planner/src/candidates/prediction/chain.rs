//! Networks that are a chain of layers (`mlp`, `cnn`), which the executor carries out, and all jobs on measured machines.

use std::num::NonZeroU32;
use std::sync::Arc;

use scenarios::model::Model;
use scenarios::scenario::Evaluation;
use scenarios::strategy::Strategy;

use super::menu::{Choice, Trial};
use super::work::{Amount, Work};
use super::{Reason, too_little};
use crate::candidates::hardware::{Hardware, Kind};
use crate::performance::training::Allowed;
use crate::performance::{Layout, Rates, Task, TaskKind, Unpredictable, predict};

/// Rates of a machine on which this back end predicts a job; `None` where it does not.
pub(super) fn rates<'b>(hardware: &'b Hardware<'_>, work: &Work) -> Option<&'b Rates<'b>> {
    let model = match work {
        Work::Train(train) => &train.model,
        Work::Apply(apply) if apply.output_tokens == 0 => &apply.model,
        _ => return None,
    };
    let is_chain = matches!(model, Model::Mlp(_) | Model::Cnn(_));
    match &hardware.kind {
        Kind::Profile(rates) => Some(rates),
        Kind::Processors { rates, .. } if is_chain => Some(rates),
        Kind::Accelerators { rates, .. } if is_chain => rates.as_ref(),
        _ => None,
    }
}

/// Every allowed number of ranks on a machine: as they were measured, or one on each node.
pub(super) fn trials(hardware: &Hardware<'_>, work: &Work, amount: &Amount<'_>, counts: &[u32]) -> Vec<Trial> {
    let Some(rates) = rates(hardware, work) else { return Vec::new() };
    let tried = |strategy: Strategy| {
        let layout = layout(hardware, rates, strategy.ranks());
        let nodes = layout.as_ref().map_or(1, |layout| layout.nodes);
        let result = layout.and_then(|layout| choice(hardware, rates, work, amount, strategy, layout));
        Trial { nodes, strategy, result, weighed: 1 }
    };
    strategies(hardware, work, rates, counts).into_iter().map(tried).collect()
}

/// Strategies: the user's, else 1, 2, 4 and 8 ranks on a measured machine, or a rank on each device of some or all nodes.
fn strategies(hardware: &Hardware<'_>, work: &Work, rates: &Rates<'_>, counts: &[u32]) -> Vec<Strategy> {
    let (held, stated) = match work {
        Work::Train(train) => (train.held, train.allowed.data.clone()),
        Work::Apply(apply) if apply.held.is_none() => return vec![Strategy::SINGLE],
        Work::Apply(apply) => (apply.held, None),
        Work::Prepare(_) => return Vec::new(),
    };
    if let Some(held) = held {
        return vec![held];
    }
    let usual = || match rates {
        Rates::Measured(_) => [1, 2, 4, 8].into_iter().filter_map(NonZeroU32::new).collect(),
        Rates::DataSheet(_) => {
            let fewer = (0..32).map(|power| 1_u32 << power).take_while(|devices| *devices < hardware.devices);
            let all = counts.iter().map(|nodes| nodes.saturating_mul(hardware.devices));
            fewer.chain(all).filter_map(NonZeroU32::new).collect()
        }
    };
    let mut data: Vec<NonZeroU32> = stated.unwrap_or_else(usual);
    data.sort_unstable();
    data.dedup();
    let mut list: Vec<Strategy> = data.into_iter().map(|data| Strategy { data, ..Strategy::SINGLE }).collect();
    if let (Rates::Measured(_), Work::Train(train)) = (rates, work) {
        cut(&mut list, &train.allowed);
    }
    list
}

/// Adds to each strategy its forms with matrices and layers shared as the user says.
fn cut(list: &mut Vec<Strategy>, allowed: &Allowed) {
    let stated = |list: &Option<Vec<NonZeroU32>>| list.clone().unwrap_or_else(|| vec![NonZeroU32::MIN]);
    let (tensors, pipelines) = (stated(&allowed.tensor), stated(&allowed.pipeline));
    let of = |strategy: Strategy| {
        let cuts = tensors.iter().flat_map(|tensor| pipelines.iter().map(move |pipeline| (*tensor, *pipeline)));
        cuts.map(move |(tensor, pipeline)| Strategy { tensor, pipeline, ..strategy }).collect::<Vec<_>>()
    };
    *list = list.iter().flat_map(|strategy| of(*strategy)).collect();
}

/// How ranks lie on nodes: on a measured machine they share it, as far as that was measured; else one on each device, over
/// as few nodes as share them evenly.
fn layout(hardware: &Hardware<'_>, rates: &Rates<'_>, ranks: u32) -> Result<Layout, Reason> {
    let Rates::Measured(machine) = rates else {
        let least = ranks.div_ceil(hardware.devices.max(1));
        let nodes = (least..=ranks).find(|nodes| ranks.is_multiple_of(*nodes)).unwrap_or(ranks);
        let ranks_per_node = ranks / nodes.max(1);
        return Ok(Layout { nodes, devices_per_node: ranks_per_node, ranks_per_node });
    };
    let layout = Layout { nodes: 1, devices_per_node: hardware.devices.min(ranks), ranks_per_node: ranks };
    let measured = machine.most_ranks();
    let most = measured.saturating_mul(hardware.devices);
    let fits = layout.ranks_per_device() <= measured;
    if fits { Ok(layout) } else { Err(Reason::NotMeasuredTogether { ranks, measured: most }) }
}

fn choice(
    hardware: &Hardware<'_>,
    rates: &Rates<'_>,
    work: &Work,
    amount: &Amount<'_>,
    strategy: Strategy,
    layout: Layout,
) -> Result<Choice, Reason> {
    let prediction = match (amount, work) {
        (Amount::Task(task), _) => predict(task, rates, strategy, layout),
        (Amount::Records(records), Work::Apply(apply)) => {
            let batch = usize::try_from(apply.batch).ok().and_then(std::num::NonZeroUsize::new);
            let batch = batch.unwrap_or(std::num::NonZeroUsize::MIN);
            let passes = Evaluation { weights_of: String::new(), data: String::new(), records: *records, batch };
            let task = Task { model: &apply.model, kind: TaskKind::Evaluate(&passes), records: *records };
            predict(&task, rates, strategy, layout)
        }
        _ => Err(Unpredictable::NoTask),
    };
    let prediction = prediction?;
    if prediction.memory.total() > hardware.memory_bytes_per_device {
        return Err(too_little(prediction.memory, hardware.memory_bytes_per_device));
    }
    Ok(Choice { layout, strategy, prediction: Arc::new(prediction) })
}
