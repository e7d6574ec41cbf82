//! Parallel strategies that a workload is held to.

use std::num::NonZeroU32;

use super::{Check, model};
use crate::scenario::{Job, Workload};
use crate::yaml::Located;

pub(super) fn check(check: &mut Check<'_>, workload: &Workload, at: &Located<'_>) {
    let lists = &workload.strategies;
    let empty = |list: Option<usize>| list == Some(0);
    let lengths = [
        ("data", empty(lists.data.as_ref().map(Vec::len)), "[1]"),
        ("tensor", empty(lists.tensor.as_ref().map(Vec::len)), "[1]"),
        ("pipeline", empty(lists.pipeline.as_ref().map(Vec::len)), "[1]"),
        ("zero", empty(lists.zero.as_ref().map(Vec::len)), "[0]"),
        ("recompute", empty(lists.recompute.as_ref().map(Vec::len)), "[none]"),
    ];
    for (key, _, simplest) in lengths.into_iter().filter(|(_, is_empty, _)| *is_empty) {
        let help = format!("write `{key}: {simplest}` for the simplest one, or remove the line for all");
        check.wrong(&at.key(key), "there is no strategy", "nothing to choose from", help);
    }
    replicas(check, workload, &at.key("data"));
    slices(check, workload, at);
}

/// Replicas share the global batch evenly.
fn replicas(check: &mut Check<'_>, workload: &Workload, at: &Located<'_>) {
    let Some(training) = workload.job.training() else { return };
    let batch = training.global_batch.get() as u64;
    for (index, ranks) in listed(workload.strategies.data.as_ref()) {
        if !batch.is_multiple_of(ranks) {
            let message = format!("a global batch of {batch} is not divisible by {ranks} replicas");
            let help = format!("remove {ranks}, or take a batch of {}", batch.next_multiple_of(ranks));
            check.wrong(&at.item(index), message, "leaves a remainder", help);
        }
    }
}

/// Only transformers are cut, tensors by attention heads and pipelines by layers.
fn slices(check: &mut Check<'_>, workload: &Workload, at: &Located<'_>) {
    let network = match &workload.job {
        Job::Train(training) | Job::FineTune(training) => Some(&training.model),
        Job::BatchInference(inference) => inference.model.as_ref(),
        Job::Serve(service) => service.model.as_ref(),
        Job::Preprocess(_) | Job::Evaluate(_) => None,
    };
    let Some(network) = network.filter(|network| network.parameters().is_ok()) else { return };
    let transformer = model::transformer(network);
    let family = network.resolved().map_or(network.family(), |network| network.family());
    for (key, list) in [("tensor", &workload.strategies.tensor), ("pipeline", &workload.strategies.pipeline)] {
        for (index, parts) in listed(list.as_ref()).filter(|(_, parts)| *parts > 1) {
            let Some(transformer) = &transformer else {
                let message = format!("a network of the family `{family}` cannot be cut into {parts} parts");
                check.wrong(&at.key(key).item(index), message, "not a transformer", format!("write `{key}: [1]`"));
                continue;
            };
            let (heads, layers) = (transformer.heads.get() as u64, transformer.layers.get() as u64);
            let (fits, message) = match key {
                "tensor" => {
                    (heads.is_multiple_of(parts), format!("{heads} attention heads are not divisible by {parts}"))
                }
                _ => (parts <= layers, format!("{layers} layers are fewer than {parts} stages")),
            };
            if !fits {
                check.wrong(&at.key(key).item(index), message, "not possible", format!("remove {parts}"));
            }
        }
    }
}

fn listed(list: Option<&Vec<NonZeroU32>>) -> impl Iterator<Item = (usize, u64)> {
    list.into_iter().flatten().map(|count| u64::from(count.get())).enumerate()
}
