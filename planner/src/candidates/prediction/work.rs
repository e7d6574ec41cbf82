//! Jobs apart from their amount, and the amount.

use scenarios::model::Model;
use scenarios::precision::Precision;
use scenarios::scenario::{Job, Optimizer, Scenario, Training, Workload};
use scenarios::strategy::Strategy;

use crate::performance::training::Allowed;
use crate::performance::{Task, records};

/// What predictions of a job depend on.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::candidates) enum Work {
    Train(Train),
    Apply(Apply),
    Prepare(Prepare),
}

/// Learning.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::candidates) struct Train {
    /// The network, presets resolved.
    pub model: Model,
    pub global_batch: u64,
    pub precision: Precision,
    /// Bytes that the optimiser keeps for each parameter.
    pub optimizer_bytes: f64,
    /// Whether only adapters learn.
    pub frozen: bool,
    pub allowed: Allowed,
    /// The one strategy that the user wants.
    pub held: Option<Strategy>,
}

/// Application of a network to records.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::candidates) struct Apply {
    /// The network, presets resolved.
    pub model: Model,
    /// Records of a forward pass on one replica.
    pub batch: u64,
    /// Tokens that are generated for each record; 0 for one forward pass.
    pub output_tokens: u32,
    pub precision: Precision,
    pub allowed: Allowed,
    pub held: Option<Strategy>,
    /// Whether one device does it: the executor evaluates its own networks on one.
    pub single: bool,
}

/// Preparation on processors.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::candidates) struct Prepare {
    /// Records that a core prepares in a second.
    pub per_core: f64,
}

/// How much there is to do.
#[derive(Debug, Clone, Copy)]
pub(in crate::candidates) enum Amount<'a> {
    /// As the training or evaluation says.
    Task(Task<'a>),
    /// All records once.
    Records(u64),
}

impl Amount<'_> {
    /// Steps of `records` each.
    pub fn steps(&self, strategy: Strategy, records: u64) -> u64 {
        match self {
            Self::Task(task) if task.is_training() => task.steps(strategy),
            Self::Task(task) => task.records.div_ceil(records.max(1)),
            Self::Records(all) => all.div_ceil(records.max(1)),
        }
    }

    /// Passes without learning over as many records as a step has.
    pub fn passes(&self, records: u64) -> u64 {
        match self {
            Self::Task(task) => task.validation_records().div_ceil(records.max(1)) * task.validations(),
            Self::Records(_) => 0,
        }
    }
}

/// The job of a workload but for its amount, and the amount; `None` of a service, or where the scenario lacks what it
/// names.
pub(in crate::candidates) fn of<'a>(
    scenario: &'a Scenario,
    name: &str,
    workload: &'a Workload,
    held: Option<Strategy>,
) -> Option<(Work, Amount<'a>)> {
    let allowed = Allowed::from(&workload.strategies);
    match &workload.job {
        Job::Train(training) | Job::FineTune(training) => {
            Some((Work::Train(train(training, allowed, held)?), Amount::Task(Task::of(scenario, name)?)))
        }
        Job::Evaluate(evaluation) => {
            let task = Task::of(scenario, name)?;
            let model = task.model.resolved().ok()?;
            let trained = scenario.workloads.get(&evaluation.weights_of)?.job.training()?;
            let single = matches!(model, Model::Mlp(_) | Model::Cnn(_));
            let (batch, precision) = (evaluation.batch.get() as u64, trained.precision);
            let apply = Apply { model, batch, output_tokens: 0, precision, allowed, held, single };
            Some((Work::Apply(apply), Amount::Task(task)))
        }
        Job::BatchInference(inference) => {
            let model = network(scenario, inference.model.as_ref(), inference.weights_of.as_deref())?;
            let all = inference.records.or_else(|| records(scenario, &inference.data))?;
            let apply = Apply {
                model,
                batch: inference.batch.get() as u64,
                output_tokens: inference.output_tokens,
                precision: inference.precision,
                allowed,
                held,
                single: false,
            };
            Some((Work::Apply(apply), Amount::Records(all)))
        }
        Job::Preprocess(preparation) => {
            let all = preparation.records.or_else(|| records(scenario, &preparation.data))?;
            Some((Work::Prepare(Prepare { per_core: preparation.per_core.0 }), Amount::Records(all)))
        }
        Job::Serve(_) => None,
    }
}

/// The network of a job that applies one: its own, or that of the workload whose weights it uses.
pub(in crate::candidates) fn network(
    scenario: &Scenario,
    own: Option<&Model>,
    weights_of: Option<&str>,
) -> Option<Model> {
    let made = || Some(&scenario.workloads.get(weights_of?)?.job.training()?.model);
    own.or_else(made)?.resolved().ok()
}

fn train(training: &Training, allowed: Allowed, held: Option<Strategy>) -> Option<Train> {
    Some(Train {
        model: training.model.resolved().ok()?,
        global_batch: training.global_batch.get() as u64,
        precision: training.precision,
        optimizer_bytes: optimizer_bytes(training.optimizer),
        frozen: training.adapters,
        allowed,
        held,
    })
}

/// Moments in 32 bits.
pub(in crate::candidates) const fn optimizer_bytes(optimizer: Optimizer) -> f64 {
    match optimizer {
        Optimizer::Sgd(_) => 0.0,
        Optimizer::Momentum(_) => 4.0,
        Optimizer::Adam(_) => 8.0,
    }
}

impl Work {
    /// Whether ranks tell each other what they computed, so that a network between nodes matters.
    pub const fn exchanges(&self) -> bool {
        matches!(self, Self::Train(_))
    }

    /// Whether ranks can share matrices or layers.
    pub const fn can_be_cut(&self) -> bool {
        match self {
            Self::Train(train) => matches!(train.model, Model::Transformer(_)),
            Self::Apply(apply) => matches!(apply.model, Model::Transformer(_)),
            Self::Prepare(_) => false,
        }
    }

    /// Numbers of ranks that the user asks for, if any.
    pub fn stated_ranks(&self) -> Vec<u32> {
        let (allowed, held) = match self {
            Self::Train(train) => (&train.allowed, train.held),
            Self::Apply(apply) => (&apply.allowed, apply.held),
            Self::Prepare(_) => return Vec::new(),
        };
        if let Some(held) = held {
            return vec![held.ranks()];
        }
        let lists = [&allowed.data, &allowed.tensor, &allowed.pipeline];
        if lists.iter().all(|list| list.is_none()) {
            return Vec::new();
        }
        let mut ranks: Vec<u32> = vec![1];
        for list in lists.into_iter().flatten() {
            ranks = ranks.iter().flat_map(|had| list.iter().map(|n| had.saturating_mul(n.get()))).collect();
        }
        ranks.sort_unstable();
        ranks.dedup();
        ranks
    }
}
