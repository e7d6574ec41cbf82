//! Strategies are among those that the workload allows, and machines that share a job may do so.

use std::collections::BTreeSet;
use std::num::NonZeroU32;

use scenarios::scenario::{Job, Mixed, Training};
use scenarios::strategy::Sync;

use super::subject::{Run, Subject};
use super::{Check, Verification};

pub(super) fn check(subject: &Subject<'_>, found: &mut Verification) {
    for run in &subject.runs {
        match &run.workload.job {
            Job::Train(training) | Job::FineTune(training) => {
                trained(run, training, found);
                inferred(run, found);
                shared(run, found);
            }
            Job::BatchInference(_) | Job::Serve(_) => inferred(run, found),
            Job::Preprocess(_) | Job::Evaluate(_) => {}
        }
    }
}

/// Lists that are about training alone.
fn trained(run: &Run<'_>, training: &Training, found: &mut Verification) {
    let (strategy, allowed) = (&run.assignment.strategy, &run.workload.strategies);
    let batch = training.global_batch.get() as u64;
    let uneven = run.assignment.groups.iter().any(|group| group.batch.is_some());
    let divides = uneven || batch.is_multiple_of(u64::from(strategy.data.get()));
    found.expect(divides, Check::Strategies, || {
        format!("the global batch {batch} of `{}` is not divisible by {} replicas", run.name, strategy.data)
    });
    let share = batch / u64::from(strategy.data.get());
    let whole = strategy.micro_batch.is_none_or(|records| uneven || share.is_multiple_of(u64::from(records.get())));
    found.expect(whole, Check::Strategies, || {
        format!("the micro-batch of `{}` does not divide the {share} records of a replica", run.name)
    });
    listed(run, "data-parallel replicas", allowed.data.as_deref(), strategy.data, found);
    let zero = allowed.zero.as_ref().is_none_or(|list| list.contains(&strategy.zero));
    found.expect(zero, Check::Strategies, || {
        format!("`{}` uses ZeRO {}, which it does not allow", run.name, u8::from(strategy.zero))
    });
    let recompute = allowed.recompute.as_ref().is_none_or(|list| list.contains(&strategy.recompute));
    found.expect(recompute, Check::Strategies, || {
        format!("`{}` computes activations again in a way that it does not allow", run.name)
    });
}

/// Lists that are about every pass through a network.
fn inferred(run: &Run<'_>, found: &mut Verification) {
    let (strategy, allowed) = (&run.assignment.strategy, &run.workload.strategies);
    listed(run, "tensor-parallel ranks", allowed.tensor.as_deref(), strategy.tensor, found);
    listed(run, "pipeline stages", allowed.pipeline.as_deref(), strategy.pipeline, found);
}

fn listed(run: &Run<'_>, what: &str, list: Option<&[NonZeroU32]>, count: NonZeroU32, found: &mut Verification) {
    found.expect(list.is_none_or(|list| list.contains(&count)), Check::Strategies, || {
        format!("`{}` has {count} {what}, which it does not allow", run.name)
    });
}

/// Machines of several pools or sites share a job only if the workload says so, between sites by averaging.
fn shared(run: &Run<'_>, found: &mut Verification) {
    let pools: BTreeSet<(&str, &str)> =
        run.assignment.groups.iter().map(|group| (group.site.as_str(), group.pool.as_str())).collect();
    let (name, mixed) = (run.name, &run.workload.strategies.mixed);
    if pools.len() > 1 {
        found.expect(*mixed != Mixed::OnePool, Check::Strategies, || {
            format!("`{name}` runs in {} pools, and it may run in one", pools.len())
        });
    }
    if run.sites().len() < 2 {
        return;
    }
    let agreed = match mixed {
        Mixed::Sites { average_every } => {
            run.assignment.strategy.sync == Sync::Averaging { every_steps: *average_every }
        }
        Mixed::OnePool | Mixed::OneSite => false,
    };
    found.expect(agreed, Check::Strategies, || {
        format!("`{name}` runs at {} sites without the averaging that it allows", run.sites().len())
    });
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use scenarios::scenario::Mixed;
    use scenarios::strategy::{Recompute, Sync, Zero};

    use super::super::Check::{Groups, Movements, Strategies};
    use super::super::fixtures::{assignment, check, check_with, cover};

    #[test]
    fn strategies_are_allowed_ones() {
        let two = NonZeroU32::new(2).expect("not zero");
        check("micro-batch", |plan| assignment(plan, "train").strategy.micro_batch = NonZeroU32::new(7), &[Strategies]);
        check("ZeRO", |plan| assignment(plan, "train").strategy.zero = Zero::Optimizer, &[Strategies]);
        check("recompute", |plan| assignment(plan, "train").strategy.recompute = Recompute::Full, &[Strategies]);
        check(
            "never averaged",
            |plan| assignment(plan, "federate").strategy.sync = Sync::AllReduce,
            &[Movements, Strategies],
        );
        cover("tensor", |plan| assignment(plan, "train").strategy.tensor = two, &[Strategies, Groups]);
        check_with(
            "one pool",
            |scenario| scenario.workloads["federate"].strategies.mixed = Mixed::OnePool,
            |_| (),
            &[Strategies],
        );
    }
}
