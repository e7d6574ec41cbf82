//! Every movement is possible in its time and permitted by exactly the rules that it names.

use std::collections::BTreeSet;

use scenarios::model::Model;
use scenarios::plan::{Flow, PermittedBy};
use scenarios::residency::{Deed, Label, Period, Place, permit};
use scenarios::scenario::{Action, Form, Job, Site};

use super::{Check, Report, Subject};

pub(super) fn check(subject: &Subject<'_>, report: &mut Report) {
    for flow in &subject.plan.flows {
        let about = format!("the {} of `{}` from `{}` to `{}`", flow.form, flow.what, flow.from, flow.to);
        report.expect(content(subject, flow), Check::Movements, || {
            format!("{about}: labels, amount or origin are not those of the scenario")
        });
        rules(subject, flow, &about, report);
        match fastest(subject, flow) {
            None => report.expect(false, Check::Movements, || format!("{about}: no network is known there")),
            Some(seconds) => {
                let taken = flow.end_seconds - flow.start_seconds;
                report.expect(taken + 2e-3 >= seconds, Check::Movements, || {
                    format!("{about}: takes {taken} s, and the network needs {seconds} s")
                });
            }
        }
    }
}

/// What moves is what the scenario says: labels, bytes, and a source that has it.
fn content(subject: &Subject<'_>, flow: &Flow) -> bool {
    let scenario = &subject.loaded.scenario;
    match flow.form {
        Form::Raw => scenario.datasets.get(&flow.what).is_some_and(|data| {
            flow.labels == [flow.what.clone()] && flow.bytes == data.size.0 && data.at.contains(&flow.from)
        }),
        Form::Weights => scenario.workloads.get(&flow.what).is_some_and(|workload| match &workload.job {
            Job::Train(training) => {
                flow.labels == [training.data.clone()] && Some(flow.bytes) == weight_bytes(&training.model)
            }
            _ => false,
        }),
        _ => true,
    }
}

/// Four bytes a parameter.
fn weight_bytes(model: &Model) -> Option<u64> {
    model.parameters().ok().map(|parameters| parameters * 4)
}

fn rules(subject: &Subject<'_>, flow: &Flow, about: &str, report: &mut Report) {
    let mut expected: Vec<PermittedBy> = Vec::new();
    let stops = flow.via.iter().map(|via| (via, Action::Transit));
    let arrival = [Action::Store, Action::Process].map(|action| (&flow.to, action));
    for (site, action) in stops.chain(arrival) {
        let Some((site, placed)) = subject.loaded.sites.get_key_value(site) else { continue };
        let from = subject.loaded.starts(subject.catalog);
        let period = Period { from, until: from };
        for dataset in &flow.labels {
            let class = subject.loaded.scenario.datasets.get(dataset).map_or("", |data| &data.class);
            let label = Label { dataset, class };
            match permit(
                &subject.loaded.scenario.policies,
                &Deed { label, form: flow.form, action, place: Place::of(site, placed), period },
            ) {
                Ok(by) => expected.extend(by),
                Err(denied) => report.expect(false, Check::Movements, || format!("{about}: {denied}")),
            }
        }
    }
    let named = |list: &[PermittedBy]| -> BTreeSet<String> { list.iter().map(|by| format!("{by:?}")).collect() };
    report.expect(named(&expected) == named(&flow.rule), Check::Movements, || {
        format!("{about}: the rules that permit it are not those that it names")
    });
}

/// Shortest time over the hops of a movement.
fn fastest(subject: &Subject<'_>, flow: &Flow) -> Option<f64> {
    let stops: Vec<&str> = std::iter::once(flow.from.as_str())
        .chain(flow.via.iter().map(String::as_str))
        .chain([flow.to.as_str()])
        .collect();
    let mut slowest = f64::INFINITY;
    let mut round_trips = 0.0;
    for pair in stops.windows(2) {
        let (rate, round_trip) = hop(subject, pair[0], pair[1])?;
        slowest = slowest.min(rate);
        round_trips += round_trip;
    }
    Some(flow.bytes as f64 / slowest + round_trips)
}

fn hop(subject: &Subject<'_>, from: &str, to: &str) -> Option<(f64, f64)> {
    let scenario = &subject.loaded.scenario;
    let joins = |pair: &[String; 2]| pair == &[from, to] || pair == &[to, from];
    if let Some(link) = scenario.links.iter().rev().find(|link| joins(&link.between)) {
        return Some((link.bandwidth.0 / 8.0, 2.0 * link.latency.get()));
    }
    let region = |site: &str| {
        let site: &Site = scenario.sites.get(site)?;
        Some((site.provider.as_deref()?.to_owned(), site.region.as_deref()?.to_owned()))
    };
    let (from, to) = (region(from)?, region(to)?);
    let path = subject.catalog.path((&from.0, &from.1), (&to.0, &to.1))?;
    Some((path.gbps * 1e9 / 8.0, path.round_trip_seconds))
}
