//! Placements of a workload in a pool, without their price.

use std::sync::Arc;

use scenarios::plan::Predicted;
use scenarios::scenario::MeasuredRate;
use scenarios::strategy::Strategy;

use super::work::{Amount, Work};
use super::{Nodes, Outcome, Pace, Predictor, Reason, chain, measured, preparation};
use crate::candidates::hardware::Hardware;
use crate::performance::{Layout, Prediction};

/// A placement without its price.
#[derive(Debug, Clone)]
pub(in crate::candidates) struct Choice {
    pub layout: Layout,
    pub strategy: Strategy,
    pub prediction: Arc<Prediction>,
}

/// What may be chosen from, and what may not.
#[derive(Debug, Clone, Default)]
pub(in crate::candidates) struct Menu {
    pub choices: Vec<Choice>,
    /// Nodes, strategy and reason.
    pub refused: Vec<(u32, Strategy, Reason)>,
    /// Strategies that others on as many nodes, or on fewer, are as fast as.
    pub passed_over: u64,
}

/// A job to be placed.
#[derive(Debug, Clone, Copy)]
pub(in crate::candidates) struct Job<'a> {
    pub work: &'a Work,
    /// The work's number with the predictor.
    pub number: usize,
    pub amount: Amount<'a>,
}

/// Nodes that a pool has, and what its site forbids ranks to tell each other.
#[derive(Debug, Clone, Default)]
pub(in crate::candidates) struct Room<'a> {
    pub most_nodes: u32,
    /// Whether more nodes than that are looked at, for a way out.
    pub beyond: bool,
    pub gradients: Option<Reason>,
    pub activations: Option<Reason>,
    /// Rates that were measured on these machines.
    pub measured: Vec<&'a MeasuredRate>,
}

/// One attempt.
#[derive(Debug)]
pub(super) struct Trial {
    pub nodes: u32,
    pub strategy: Strategy,
    pub result: Result<Choice, Reason>,
    pub weighed: u64,
}

impl Menu {
    /// Everything that may be chosen from in a pool.
    pub fn of(predictor: &mut Predictor, hardware: &Hardware<'_>, job: &Job<'_>, room: &Room<'_>) -> Self {
        let counts = counts(hardware, job.work, room);
        let is_chain = chain::rates(hardware, job.work).is_some();
        let mut trials = if is_chain {
            chain::trials(hardware, job.work, &job.amount, &counts)
        } else {
            clusters(predictor, hardware, job, room, &counts)
        };
        override_with_measured(&mut trials, hardware, job, room);
        let mut menu = Self::default();
        forbid(&mut trials, job.work, room, &mut menu);
        menu.take(trials, is_chain);
        menu
    }

    /// Keeps what is fastest on its number of nodes and faster than all on fewer; of few (`all`) everything.
    fn take(&mut self, mut trials: Vec<Trial>, all: bool) {
        trials.sort_by_key(|trial| trial.nodes);
        let mut fastest = f64::INFINITY;
        for group in trials.chunk_by_mut(|a, b| a.nodes == b.nodes) {
            let any = group.iter().any(|trial| trial.result.is_ok());
            let seconds = |trial: &Trial| trial.result.as_ref().map_or(f64::INFINITY, |c| c.prediction.seconds);
            if !all {
                group.sort_by(|a, b| seconds(a).total_cmp(&seconds(b)));
            }
            for (index, trial) in group.iter().enumerate() {
                self.passed_over += trial.weighed.saturating_sub(1);
                match &trial.result {
                    Ok(choice) if all || (index == 0 && choice.prediction.seconds < fastest) => {
                        self.choices.push(choice.clone());
                    }
                    Ok(_) => self.passed_over += 1,
                    // What fits on fewer nodes needs no word about more.
                    Err(reason) if all || (!any && index + 1 == group.len() && fastest.is_infinite()) => {
                        self.refused.push((trial.nodes, trial.strategy, reason.clone()));
                    }
                    Err(_) => {}
                }
            }
            fastest = group.iter().map(seconds).fold(fastest, f64::min);
        }
        if self.choices.is_empty() && self.refused.is_empty() {
            self.refused.push((1, Strategy::SINGLE, Reason::NoStrategy { devices: 1 }));
        }
    }
}

/// Numbers of nodes that are looked at: powers of two, all, and what the user's numbers of ranks need.
fn counts(hardware: &Hardware<'_>, work: &Work, room: &Room<'_>) -> Vec<u32> {
    let most = room.most_nodes;
    let powers = (0..32).map(|power| 1_u32 << power);
    // A pool without nodes is told to lack one.
    let limit = if room.beyond { most.saturating_mul(2) } else { most }.max(1);
    let mut counts: Vec<u32> = powers.take_while(|count| *count <= limit).collect();
    counts.push(most);
    let stated = work.stated_ranks();
    counts.extend(stated.iter().map(|ranks| ranks.div_ceil(hardware.devices)).filter(|count| *count <= limit));
    let single = matches!(work, Work::Apply(apply) if apply.single && apply.held.is_none());
    counts.retain(|count| *count >= 1 && (!single || *count == 1));
    counts.sort_unstable();
    counts.dedup();
    counts
}

/// Attempts on nodes with all their devices, and on one node with fewer.
fn clusters(
    predictor: &mut Predictor,
    hardware: &Hardware<'_>,
    job: &Job<'_>,
    room: &Room<'_>,
    counts: &[u32],
) -> Vec<Trial> {
    let sealed = room.activations.is_some();
    let fewer = (0..32).map(|power| 1_u32 << power).take_while(|devices| *devices < hardware.devices);
    let single = matches!(job.work, Work::Apply(apply) if apply.single && apply.held.is_none());
    let mut nodes: Vec<Nodes> = fewer.map(|devices| Nodes { count: 1, devices }).collect();
    nodes.extend(counts.iter().map(|count| Nodes { count: *count, devices: hardware.devices }));
    if single {
        nodes.truncate(1);
    }
    let tried = |nodes: Nodes| {
        let outcome = attempt(predictor, hardware, job, nodes, sealed);
        let strategy = outcome.pace.as_ref().map_or(Strategy::SINGLE, |pace| pace.strategy);
        let result = outcome.pace.as_ref().map_err(Clone::clone).map(|pace| choice(pace, &job.amount));
        Trial { nodes: nodes.count, strategy, result, weighed: outcome.weighed }
    };
    nodes.into_iter().map(tried).collect()
}

fn attempt(
    predictor: &mut Predictor,
    hardware: &Hardware<'_>,
    job: &Job<'_>,
    nodes: Nodes,
    sealed: bool,
) -> std::rc::Rc<Outcome> {
    if let Work::Prepare(prepare) = job.work {
        return preparation::outcome(*prepare, hardware, nodes.count).into();
    }
    let unknown = hardware.sheet().is_none_or(|sheet| sheet.network.is_none());
    if nodes.count > 1 && unknown && job.work.exchanges() {
        let machine = hardware.name.clone();
        return Outcome { pace: Err(Reason::UnknownNetwork { machine }), weighed: 0 }.into();
    }
    predictor.pace(hardware, nodes, job.number, sealed)
}

/// A job with its amount at some pace.
fn choice(pace: &Pace, amount: &Amount<'_>) -> Choice {
    let steps = amount.steps(pace.strategy, pace.records);
    let median = pace.step_seconds.p50;
    let seconds = steps as f64 * median + amount.passes(pace.records) as f64 * pace.forward_seconds;
    let predicted = Predicted {
        step_seconds: pace.step_seconds,
        throughput: if median > 0.0 { pace.records as f64 / median } else { 0.0 },
        throughput_unit: "samples/s".to_owned(),
        memory_bytes_per_device: pace.memory.total(),
        breakdown: pace.breakdown.clone(),
        basis: pace.basis.clone(),
    };
    let prediction = Prediction { steps, seconds, predicted, memory: pace.memory };
    Choice { layout: pace.layout, strategy: pace.strategy, prediction: Arc::new(prediction) }
}

/// Puts measured rates in the place of all predictions on as many nodes.
fn override_with_measured(trials: &mut Vec<Trial>, hardware: &Hardware<'_>, job: &Job<'_>, room: &Room<'_>) {
    let paces = room.measured.iter().filter_map(|rate| measured::pace(rate, job.work, hardware));
    let paces: Vec<Pace> = paces.filter(|pace| pace.layout.nodes <= room.most_nodes).collect();
    trials.retain(|trial| !paces.iter().any(|pace| pace.layout.nodes == trial.nodes));
    trials.extend(paces.iter().map(|pace| Trial {
        nodes: pace.layout.nodes,
        strategy: pace.strategy,
        result: Ok(choice(pace, &job.amount)),
        weighed: 1,
    }));
}

/// Takes out what would exchange a form of data that may not be exchanged there.
fn forbid(trials: &mut Vec<Trial>, work: &Work, room: &Room<'_>, menu: &mut Menu) {
    let shares = |strategy: &Strategy| strategy.tensor.get() > 1 || strategy.pipeline.get() > 1;
    let learns = work.exchanges();
    let reason = |strategy: &Strategy| {
        let gradients = room.gradients.as_ref().filter(|_| learns && strategy.ranks() > 1);
        gradients.or_else(|| room.activations.as_ref().filter(|_| shares(strategy)))
    };
    if let (Some(reason), true) = (&room.activations, work.can_be_cut()) {
        let cut = Strategy { tensor: std::num::NonZeroU32::MIN.saturating_add(1), ..Strategy::SINGLE };
        menu.refused.push((1, cut, reason.clone()));
    }
    let mut told = false;
    trials.retain(|trial| {
        let Some(reason) = reason(&trial.strategy) else { return true };
        if !told {
            menu.refused.push((trial.nodes, trial.strategy, reason.clone()));
        }
        told = true;
        false
    });
}
