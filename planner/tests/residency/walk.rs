//! A walk over everything that a plan does with data, from plan and scenario alone.

use std::collections::BTreeSet;

use scenarios::catalog::Catalog;
use scenarios::plan::{Assignment, Flow, PermittedBy, Plan};
use scenarios::residency::{Denied, Label, PUBLIC, Place, permit};
use scenarios::scenario::{Action, Effect, Form, Job, Loaded, Rule, Scenario};

/// Something that is done with data at a site, for a workload.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deed {
    pub workload: String,
    pub label: String,
    pub form: Form,
    pub action: Action,
    pub site: String,
    /// The site that it came from over the network.
    pub over: Option<String>,
}

/// A plan beside its scenario.
#[derive(Clone, Copy)]
pub struct Walk<'a> {
    pub plan: &'a Plan,
    pub loaded: &'a Loaded,
}

impl<'a> Walk<'a> {
    fn scenario(&self) -> &'a Scenario {
        &self.loaded.scenario
    }

    /// Data sets from which something derives, however far back.
    fn origins(&self, what: &str) -> BTreeSet<String> {
        let scenario = self.scenario();
        if scenario.datasets.contains_key(what) {
            return BTreeSet::from([what.to_owned()]);
        }
        let Some(workload) = scenario.workloads.get(what) else { return BTreeSet::new() };
        let job = &workload.job;
        let read = job.data().into_iter().chain(job.weights_of()).chain(job.requested());
        read.flat_map(|read| self.origins(read)).collect()
    }

    fn assignment(&self, workload: &str) -> Option<&'a Assignment> {
        self.plan.assignments.iter().find(|assignment| assignment.workload == workload)
    }

    /// All that is done with data.
    pub fn deeds(&self) -> BTreeSet<Deed> {
        let resting = self
            .plan
            .assignments
            .iter()
            .flat_map(|assignment| sites(assignment).into_iter().flat_map(move |site| self.at(assignment, site)));
        resting.chain(self.plan.flows.iter().flat_map(|flow| self.on_the_way(flow))).collect()
    }

    /// What a workload does at one of its sites: it reads, computes, exchanges and keeps.
    fn at(&self, assignment: &'a Assignment, site: &'a str) -> Vec<Deed> {
        use Action::{Access, Process, Store};
        let name = &assignment.workload;
        let job = &self.scenario().workloads[name].job;
        let mut deeds = Vec::new();
        let mut done = |form: Form, labels: BTreeSet<String>, actions: &[Action]| {
            let one = |label: &String, action: &Action| Deed {
                workload: name.clone(),
                label: label.clone(),
                form,
                action: *action,
                site: site.to_owned(),
                over: None,
            };
            deeds.extend(labels.iter().flat_map(|label| actions.iter().map(move |action| one(label, action))));
        };
        if let Some(data) = job.data() {
            let is_raw = self.scenario().datasets.contains_key(data);
            let form = if is_raw { Form::Raw } else { Form::Features };
            done(form, self.origins(data), &[Process, Access]);
        }
        if let Some(weights) = job.weights_of() {
            done(Form::Weights, self.origins(weights), &[Store, Process, Access]);
        }
        let made: &[Form] = match job {
            Job::Train(_) | Job::FineTune(_) => &[Form::Weights, Form::Checkpoints, Form::Metrics],
            Job::Preprocess(_) | Job::BatchInference(_) => &[Form::Features],
            Job::Evaluate(_) => &[Form::Metrics],
            Job::Serve(_) => &[],
        };
        for form in made {
            done(*form, self.origins(name), &[Store, Access]);
        }
        let asked: BTreeSet<String> = asked_at(assignment, site).map(str::to_owned).collect();
        done(Form::Raw, asked.clone(), &[Process, Access]);
        let ranks = assignment.groups.iter().filter(|group| group.site == site);
        if ranks.map(|group| group.nodes * group.ranks_per_node).sum::<u32>() > 1 {
            let strategy = &assignment.strategy;
            if job.training().is_some() {
                done(Form::Gradients, self.origins(name), &[Process, Access]);
            }
            let cut = [strategy.tensor, strategy.pipeline, strategy.context, strategy.expert];
            if cut.iter().any(|ranks| ranks.get() > 1) {
                let own = if matches!(job, Job::Serve(_)) {
                    job.weights_of().map(|weights| self.origins(weights)).unwrap_or_default()
                } else {
                    self.origins(name)
                };
                done(Form::Activations, own.union(&asked).cloned().collect(), &[Process, Access]);
            }
        }
        deeds
    }

    /// A movement passes through every relay, and is kept, read and within reach where it ends.
    fn on_the_way(&self, flow: &Flow) -> Vec<Deed> {
        let mut deeds = Vec::new();
        let mut before = &flow.from;
        for site in flow.via.iter().chain([&flow.to]) {
            let end = [Action::Store, Action::Process, Action::Access];
            let actions: &[Action] = if *site == flow.to { &end } else { &[Action::Transit] };
            for label in self.origins(&flow.what) {
                deeds.extend(actions.iter().map(|action| Deed {
                    workload: flow.used_by.clone(),
                    label: label.clone(),
                    form: flow.form,
                    action: *action,
                    site: site.clone(),
                    over: Some(before.clone()),
                }));
            }
            before = site;
        }
        deeds
    }

    /// What a site provides, with the link over which data comes.
    fn safeguards(&self, deed: &Deed) -> Vec<String> {
        let mut all = self.loaded.sites[&deed.site].safeguards.clone();
        let joins = |link: &&scenarios::scenario::Link| {
            let [a, b] = &link.between;
            let leads = |from: &String, to: &String| deed.over.as_ref() == Some(from) && deed.site == *to;
            leads(a, b) || !link.one_way && leads(b, a)
        };
        all.extend(self.scenario().links.iter().rev().find(joins).into_iter().flat_map(|link| link.safeguards.clone()));
        all
    }

    /// The rule that permits a deed; none for public data.
    fn permission(&self, deed: &Deed) -> Result<Option<PermittedBy>, Denied> {
        let class = self.scenario().datasets.get(&deed.label).map_or(PUBLIC, |data| &data.class);
        let safeguards = self.safeguards(deed);
        let place = Place { safeguards: &safeguards, ..Place::of(&deed.site, &self.loaded.sites[&deed.site]) };
        let period = self.loaded.period(&self.scenario().workloads[&deed.workload], Catalog::bundled());
        let label = Label { dataset: &deed.label, class };
        let asked = scenarios::residency::Deed { label, form: deed.form, action: deed.action, place, period };
        permit(&self.scenario().policies, &asked)
    }

    /// Names of the rules on which the plan rests.
    pub fn used(&self) -> BTreeSet<String> {
        let found = self.deeds().into_iter().filter_map(|deed| self.permission(&deed).ok().flatten());
        found.map(|by| by.rule).collect()
    }

    /// Everything that is wrong, in words.
    pub fn illegal(&self) -> Vec<String> {
        let unfounded = self.plan.flows.iter().flat_map(|flow| self.unfounded(flow));
        self.refused().into_iter().chain(unfounded).chain(self.absent()).collect()
    }

    /// What rules do not permit, in words.
    pub fn refused(&self) -> Vec<String> {
        let refused = self.deeds().into_iter().filter_map(|deed| {
            let denied = self.permission(&deed).err()?;
            Some(format!("{deed:?}: {denied}"))
        });
        refused.collect()
    }

    /// Rules that a movement names and that do not permit it, and what it does without naming a rule.
    fn unfounded(&self, flow: &Flow) -> Vec<String> {
        let deeds = self.on_the_way(flow);
        let mut wrong = Vec::new();
        for by in &flow.rule {
            let is_named = |deed: &&Deed| {
                deed.label == by.label && deed.action == by.action && deed.site == by.site && self.is_ruled(deed)
            };
            let rule = self.scenario().policies.get(&by.rule);
            let listed = self.plan.residency.rules.get(&by.rule);
            let covers = rule
                .zip(deeds.iter().find(is_named))
                .is_some_and(|(rule, deed)| Some(rule) == listed && self.is_covered(rule, deed));
            if !covers {
                wrong.push(format!("{by:?} does not permit {flow:?}"));
            }
        }
        for deed in deeds.iter().filter(|deed| self.is_ruled(deed)) {
            let names = |by: &PermittedBy| by.label == deed.label && by.action == deed.action && by.site == deed.site;
            if !flow.rule.iter().any(names) {
                wrong.push(format!("no rule is named for {deed:?}"));
            }
        }
        wrong
    }

    fn about<'b>(&'b self, deed: &'b Deed) -> impl Iterator<Item = &'a Rule> + 'b {
        let class = self.scenario().datasets.get(&deed.label).map_or(PUBLIC, |data| &data.class);
        self.scenario()
            .policies
            .values()
            .filter(move |rule| rule.data.contains(&deed.label) || rule.classes.iter().any(|named| named == class))
    }

    /// Whether rules are asked at all: not about public data, nor about access that no rule names.
    fn is_ruled(&self, deed: &Deed) -> bool {
        let is_public = self.scenario().datasets.get(&deed.label).is_none_or(|data| data.class == PUBLIC);
        let is_asked = deed.action != Action::Access || self.about(deed).any(|r| r.actions.contains(&Action::Access));
        !is_public && is_asked
    }

    /// Whether a rule permits a deed, apart from prohibitions.
    fn is_covered(&self, rule: &Rule, deed: &Deed) -> bool {
        let is_named = self.about(deed).any(|rule| rule.effect != Effect::Prefer && rule.forms.contains(&deed.form));
        let form = if is_named { deed.form } else { Form::Raw };
        let site = &self.loaded.sites[&deed.site];
        let names = if deed.action == Action::Access { &site.operator_places } else { &site.places };
        let safeguards = self.safeguards(deed);
        let last = self.loaded.period(&self.scenario().workloads[&deed.workload], Catalog::bundled()).until;
        rule.effect == Effect::Allow
            && self.about(deed).any(|about| about == rule)
            && rule.forms.contains(&form)
            && rule.actions.contains(&deed.action)
            && rule.places.iter().any(|place| place == "anywhere" || names.contains(place))
            && rule.requires.iter().all(|needed| safeguards.contains(needed))
            && rule.expires.is_none_or(|expires| expires >= last)
    }

    /// What is read at a site where it neither lies nor was made, and that no movement brought.
    fn absent(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        for assignment in &self.plan.assignments {
            let job = &self.scenario().workloads[&assignment.workload].job;
            for site in sites(assignment) {
                let read = job.data().into_iter().chain(job.weights_of());
                for what in read.filter(|what| !self.lies(what, site)) {
                    let comes = |flow: &Flow| flow.what == *what && flow.to == site;
                    if !self.plan.flows.iter().any(comes) {
                        wrong.push(format!("{what} is not at {site} for {}", assignment.workload));
                    }
                }
                for routing in assignment.routing.iter().filter(|r| assignment.groups[r.group].site == site) {
                    let Some(from) = routing.from.as_deref().filter(|from| *from != site) else { continue };
                    let what = routing.data.as_deref().unwrap_or(PUBLIC);
                    let comes = |flow: &Flow| flow.what == what && flow.from == from && flow.to == site;
                    if !self.plan.flows.iter().any(comes) {
                        wrong.push(format!("requests on {what} from {from} do not come to {site}"));
                    }
                }
            }
        }
        wrong
    }

    /// Whether something, or a part of it, is at a site without having been moved.
    fn lies(&self, what: &str, site: &str) -> bool {
        match self.scenario().datasets.get(what) {
            Some(data) => data.at.iter().any(|at| at == site) || data.parts.iter().any(|part| part.at == site),
            None => self.assignment(what).is_some_and(|maker| maker.groups[0].site == site),
        }
    }
}

fn sites(assignment: &Assignment) -> BTreeSet<&str> {
    assignment.groups.iter().map(|group| group.site.as_str()).collect()
}

/// Data sets whose rules hold for the requests that are answered at a site.
fn asked_at<'a>(assignment: &'a Assignment, site: &'a str) -> impl Iterator<Item = &'a str> {
    let here = assignment.routing.iter().filter(move |routing| assignment.groups[routing.group].site == site);
    here.filter_map(|routing| routing.data.as_deref())
}
