//! Random scenarios in which rules are about every form and action, with preparation, training at several sites, cut
//! networks, operators, safeguards and expiry.

use std::num::NonZeroU32;

use proptest::prelude::*;
use scenarios::scenario::{Action, Effect, Form, Job, Mixed, Part, Preparation, Rule, Scenario, Strategies, Workload};
use scenarios::strategy::Strategy as Spread;
use scenarios::units::{Bytes, Frequency};

use crate::common;

const FORMS: [Form; 7] =
    [Form::Raw, Form::Features, Form::Activations, Form::Gradients, Form::Weights, Form::Checkpoints, Form::Metrics];
const ACTIONS: [&[Action]; 4] =
    [&[Action::Store, Action::Process, Action::Transit], &[Action::Process], &[Action::Transit], &[Action::Access]];
const PLACES: [&str; 7] = ["DE", "FR", "CN", "s0", "s1", "C5", "anywhere"];

/// Deny, form, a second form, actions, place, whether a safeguard is required, whether it expires.
type RuleDraw = (bool, usize, usize, usize, usize, bool, bool);

/// A scenario of small numbers, and what is added to it.
#[derive(Debug, Clone)]
pub struct Draft {
    base: common::Draft,
    /// Whether a site provides a safeguard, and whether its operator is elsewhere.
    sites: Vec<(bool, bool)>,
    rules: Vec<RuleDraw>,
    /// Whether all data is classified, allowed everywhere at first, and out of the reach of some operators.
    classified: (bool, bool, bool),
    prepares: bool,
    in_parts: bool,
    is_cut: bool,
}

pub fn draft() -> impl Strategy<Value = Draft> {
    let deny = prop::bool::weighted(0.2);
    let place = prop_oneof![3 => Just(6_usize), 4 => 0..7_usize];
    let actions = prop_oneof![4 => Just(0_usize), 1 => 1..4_usize];
    let rule = (deny, 0..7_usize, 0..7_usize, actions, place, prop::bool::weighted(0.2), prop::bool::weighted(0.1));
    (
        common::draft(),
        prop::collection::vec((any::<bool>(), prop::bool::weighted(0.3)), 3),
        prop::collection::vec(rule, 1..6),
        (prop::bool::weighted(0.7), prop::bool::weighted(0.7), prop::bool::weighted(0.3)),
        prop::bool::weighted(0.4),
        prop::bool::weighted(0.3),
        any::<bool>(),
    )
        .prop_map(|(base, sites, rules, classified, prepares, in_parts, is_cut)| Draft {
            base,
            sites,
            rules,
            classified,
            prepares,
            in_parts,
            is_cut,
        })
}

impl Draft {
    pub fn scenario(&self) -> Scenario {
        let mut scenario = self.base.scenario();
        // Rules shall be what is in the way.
        scenario.budget = None;
        scenario.policies.truncate(1);
        let jobs = scenario.workloads.values_mut().filter(|workload| !matches!(workload.job, Job::Serve(_)));
        jobs.for_each(|job| job.deadline = None);
        for (site, (certified, foreign)) in scenario.sites.values_mut().zip(&self.sites) {
            site.safeguards = if *certified { vec!["C5".to_owned()] } else { vec![] };
            site.operator = foreign.then(|| "US".to_owned());
        }
        let (all, everywhere, reach) = self.classified;
        if all {
            scenario.datasets.values_mut().for_each(|data| "health".clone_into(&mut data.class));
        }
        if everywhere {
            scenario.policies[0].places = vec!["anywhere".to_owned()];
        }
        if reach {
            let actions = vec![Action::Access];
            let places = ["DE", "FR", "US"].map(str::to_owned).to_vec();
            let rule = Rule { actions, places, ..scenario.policies[0].clone() };
            scenario.policies.insert("reach".to_owned(), rule);
        }
        let drawn = self.rules.iter().enumerate().map(|(index, draw)| (format!("more{index}"), rule(*draw)));
        scenario.policies.extend(drawn);
        if self.in_parts {
            part(&mut scenario);
        }
        if self.prepares {
            prepare(&mut scenario);
        }
        if self.is_cut {
            cut(&mut scenario);
        }
        scenario
    }
}

/// The first data set lies in parts at two sites, and trainings may take place at both.
fn part(scenario: &mut Scenario) {
    let data = &mut scenario.datasets[0];
    let part = |at: &str| Part { at: at.to_owned(), records: data.records / 2 };
    data.parts = vec![part("s0"), part("s1")];
    data.at.clear();
    let average_every = NonZeroU32::new(10).expect("not zero");
    for workload in scenario.workloads.values_mut().filter(|workload| workload.job.training().is_some()) {
        workload.strategies.mixed = Mixed::Sites { average_every };
    }
}

fn rule((deny, form, second, actions, place, requires, expires): RuleDraw) -> Rule {
    Rule {
        effect: if deny { Effect::Deny } else { Effect::Allow },
        data: vec![],
        classes: vec!["health".to_owned()],
        forms: vec![FORMS[form], FORMS[second]],
        actions: ACTIONS[actions].to_vec(),
        // Access is asked of the operator.
        places: vec![PLACES[place].to_owned(), if actions == 3 { "US" } else { "FR" }.to_owned()],
        requires: if requires { vec!["C5".to_owned()] } else { vec![] },
        expires: if expires { "2020-01-01".parse().ok() } else { None },
        per_gb: None,
        per_hour: None,
        reason: None,
    }
}

/// The first training reads what a preparation makes of its data.
fn prepare(scenario: &mut Scenario) {
    let training = scenario.workloads.values_mut().find_map(|workload| match &mut workload.job {
        Job::Train(training) => Some(training),
        _ => None,
    });
    let Some(training) = training else { return };
    let preparation = Preparation {
        data: std::mem::replace(&mut training.data, "p0".to_owned()),
        records: None,
        per_core: Frequency(10.0),
        output: Bytes(50_000_000),
    };
    let job = Job::Preprocess(preparation);
    let workload = Workload {
        job,
        after: vec![],
        earliest_start: None,
        deadline: None,
        sites: vec![],
        strategies: Strategies::default(),
        measured: vec![],
    };
    scenario.workloads.insert("p0".to_owned(), workload);
}

/// Replicas of two nodes share the layers of their network.
fn cut(scenario: &mut Scenario) {
    let services = scenario.workloads.values_mut().filter(|workload| matches!(workload.job, Job::Serve(_)));
    let tensor = NonZeroU32::new(2).expect("not zero");
    for rate in services.flat_map(|service| &mut service.measured).filter(|rate| rate.nodes.get() == 2) {
        rate.strategy = Some(Spread { tensor, ..Spread::SINGLE });
    }
}
