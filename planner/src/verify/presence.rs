//! What a workload reads lies at each of its sites when it starts: it was there, was made there, or a movement brought it.

use scenarios::plan::Flow;
use scenarios::residency::PUBLIC;
use scenarios::scenario::{Dataset, Form};

use super::content::held_at;
use super::subject::{Run, Subject};
use super::{Check, Verification};

pub(super) fn check(subject: &Subject<'_>, found: &mut Verification) {
    for run in &subject.runs {
        let job = &run.workload.job;
        for (what, is_weights) in
            job.data().map(|what| (what, false)).into_iter().chain(job.weights_of().map(|w| (w, true)))
        {
            match subject.scenario.datasets.get(what) {
                Some(dataset) => {
                    let form = if is_weights { Form::Weights } else { Form::Raw };
                    read(subject, run, &Read { what, form, dataset }, found);
                }
                None => made(subject, run, what, if is_weights { Form::Weights } else { Form::Features }, found),
            }
        }
        exchanged(subject, run, found);
        requested(subject, run, found);
    }
}

/// A data set that a workload reads in a form.
struct Read<'a> {
    what: &'a str,
    form: Form,
    dataset: &'a Dataset,
}

impl Read<'_> {
    /// Whether a movement has brought what lies at a site, whole, before the workload starts.
    fn came(&self, subject: &Subject<'_>, run: &Run<'_>, from: &str, to: &str) -> bool {
        let bytes = held_at(self.dataset, from);
        subject.arrivals(self.what, to).iter().any(|flow| {
            flow.form == self.form
                && flow.from == from
                && Some(flow.bytes) == bytes
                && run.starts_after(flow.end_seconds)
        })
    }

    fn is_whole_at(&self, subject: &Subject<'_>, run: &Run<'_>, site: &str) -> bool {
        let holders = &self.dataset.at;
        holders.iter().any(|at| at == site) || holders.iter().any(|at| self.came(subject, run, at, site))
    }

    /// Whether one part lies at a site, or came there.
    fn is_part_at(&self, subject: &Subject<'_>, run: &Run<'_>, part: &str, site: &str) -> bool {
        part == site || self.came(subject, run, part, site)
    }
}

/// The data set lies at every site, whole or in all its parts. Of a job across sites every site has some of the parts,
/// and all sites together have all.
fn read(subject: &Subject<'_>, run: &Run<'_>, read: &Read<'_>, found: &mut Verification) {
    let sites = run.sites();
    let parts: Vec<&str> = read.dataset.parts.iter().map(|part| part.at.as_str()).collect();
    let shared = sites.len() > 1 && !run.is_service() && read.form == Form::Raw;
    for site in &sites {
        let has = |part: &&str| read.is_part_at(subject, run, part, site);
        let there = match parts.is_empty() {
            true => read.is_whole_at(subject, run, site),
            false if shared => parts.iter().any(has),
            false => parts.iter().all(has),
        };
        found.expect(there, Check::Presence, || absent(run, read.form, read.what, site));
    }
    for part in parts.iter().filter(|_| shared) {
        let somewhere = sites.iter().any(|site| read.is_part_at(subject, run, part, site));
        found.expect(somewhere, Check::Presence, || {
            format!("`{}` reads `{}` without the part at `{part}`", run.name, read.what)
        });
    }
}

fn absent(run: &Run<'_>, form: Form, what: &str, site: &str) -> String {
    format!("`{}` reads the {form} of `{what}` at `{site}`, where it is not when it starts", run.name)
}

/// What another workload made lies where it was made, or was moved from there for this workload.
fn made(subject: &Subject<'_>, run: &Run<'_>, what: &str, form: Form, found: &mut Verification) {
    let home = subject.run(what).and_then(|maker| maker.home());
    for site in run.sites() {
        let came = |flow: &&Flow| {
            flow.form == form
                && flow.used_by == run.name
                && Some(flow.from.as_str()) == home
                && run.starts_after(flow.end_seconds)
        };
        let there = home == Some(site) || subject.arrivals(what, site).iter().any(came);
        found.expect(there, Check::Presence, || absent(run, form, what, site));
    }
}

/// Of a job across sites every site hears from every other one, directly or through others, and is heard.
fn exchanged(subject: &Subject<'_>, run: &Run<'_>, found: &mut Verification) {
    let sites = run.sites();
    if sites.len() < 2 || run.is_service() {
        return;
    }
    let Some(home) = run.home() else { return };
    let sent = |from: &str, to: &str| subject.arrivals(run.name, to).iter().any(|flow| flow.from == from);
    for (heard, way) in [(true, "hears nothing of"), (false, "is not heard at")] {
        let mut reached = vec![home];
        let mut next = 0;
        while let Some(at) = reached.get(next).copied() {
            let joined = |site: &&str| if heard { sent(at, site) } else { sent(site, at) };
            let more: Vec<&str> =
                sites.iter().copied().filter(|site| !reached.contains(site)).filter(|site| joined(site)).collect();
            reached.extend(more);
            next += 1;
        }
        for site in &sites {
            found.expect(reached.contains(site), Check::Presence, || {
                format!("`{}` at `{site}` {way} the training at `{home}`", run.name)
            });
        }
    }
}

/// Requests of users at another site than the replicas that answer them travel there.
fn requested(subject: &Subject<'_>, run: &Run<'_>, found: &mut Verification) {
    for routing in &run.assignment.routing {
        let Some(group) = run.assignment.groups.get(routing.group) else { continue };
        let Some(from) = routing.from.as_deref().filter(|from| *from != group.site) else { continue };
        let what = routing.data.as_deref().unwrap_or(PUBLIC);
        let travels = |flow: &&Flow| flow.used_by == run.name && flow.form == Form::Raw && flow.from == from;
        found.expect(subject.arrivals(what, &group.site).iter().any(travels), Check::Presence, || {
            format!("requests on `{what}` of `{}` from `{from}` do not come to `{}`", run.name, group.site)
        });
    }
}

#[cfg(test)]
mod tests {
    use super::super::Check::Presence;
    use super::super::fixtures::{check_with, cover};

    #[test]
    fn what_is_read_is_there() {
        let without =
            |what: &'static str| move |plan: &mut scenarios::plan::Plan| plan.flows.retain(|flow| flow.what != what);
        for what in ["prepare", "train", "llm", "federate", "questions"] {
            cover(what, without(what), &[Presence]);
        }
        cover(
            "one direction only",
            |plan| {
                plan.flows.retain(|flow| flow.what != "federate" || flow.from != "lab");
            },
            &[Presence],
        );
        check_with(
            "data that lies elsewhere",
            |scenario| {
                scenario.datasets["notes"].at = vec!["lab".to_owned()];
            },
            |_| (),
            &[Presence],
        );
        check_with(
            "a part elsewhere",
            |scenario| {
                scenario.datasets["images"].parts[1].at = "cloud".to_owned();
            },
            |_| (),
            &[Presence],
        );
    }
}
