//! Every request is answered, and no replica has more of them than it can answer.

use std::collections::{BTreeMap, BTreeSet};

use scenarios::plan::Routing;
use scenarios::scenario::{Job, Service};

use super::subject::{Run, Subject};
use super::{Check, Verification};

/// Share of a rate that the solver's arithmetic may be off by, and requests in a second that are as good as none.
const RELATIVE: f64 = 1e-6;
const NONE: f64 = 1e-6;

/// Requests of one kind: users' site, data, tokens of request and answer.
type Class<'a> = (Option<&'a str>, Option<&'a str>, u32, u32);

pub(super) fn check(subject: &Subject<'_>, found: &mut Verification) {
    for run in &subject.runs {
        let routing = &run.assignment.routing;
        let Job::Serve(service) = &run.workload.job else {
            found.expect(routing.is_empty(), Check::Services, || {
                format!("`{}` answers requests, and it is no service", run.name)
            });
            continue;
        };
        let mut seen = BTreeSet::new();
        for routed in routing {
            sound(run, routed, found);
            found.expect(seen.insert((class(routed), routed.group)), Check::Services, || {
                format!("`{}` sends the same requests to its group {} twice", run.name, routed.group)
            });
        }
        answered(run, service, found);
        loads(run, service, found);
    }
}

fn class(routing: &Routing) -> Class<'_> {
    (routing.from.as_deref(), routing.data.as_deref(), routing.input, routing.output)
}

fn sound(run: &Run<'_>, routing: &Routing, found: &mut Verification) {
    let (rate, most) = (routing.requests_per_second, routing.most_per_replica);
    let exists = routing.group < run.assignment.groups.len();
    found.expect(exists, Check::Services, || {
        format!("`{}` sends requests to its group {}, which does not exist", run.name, routing.group)
    });
    let positive = rate.is_finite() && rate >= 0.0 && most.is_finite() && most > 0.0;
    found.expect(positive, Check::Services, || {
        format!("`{}` sends {rate} requests/s to replicas that answer at most {most}", run.name)
    });
}

/// What is routed of every kind of requests is what is asked.
fn answered(run: &Run<'_>, service: &Service, found: &mut Verification) {
    let mut asked: BTreeMap<Class<'_>, (f64, f64)> = BTreeMap::new();
    for demand in &service.demand {
        for bucket in &demand.requests {
            let class = (demand.from.as_deref(), demand.data.as_deref(), bucket.input, bucket.output);
            asked.entry(class).or_default().0 += bucket.rate.0;
        }
    }
    for routing in &run.assignment.routing {
        asked.entry(class(routing)).or_default().1 += routing.requests_per_second;
    }
    for ((from, data, input, output), (rate, routed)) in asked {
        found.expect((rate - routed).abs() <= NONE + RELATIVE * rate, Check::Services, || {
            let users = from.map_or_else(|| "users everywhere".to_owned(), |site| format!("users at `{site}`"));
            let about = data.map_or_else(String::new, |data| format!(" on `{data}`"));
            format!(
                "`{}` answers {routed} requests/s of {input} and {output} tokens{about} for {users}, of {rate}",
                run.name
            )
        });
    }
}

/// The share of time that replicas of a group spend on their requests is at most what is planned with.
fn loads(run: &Run<'_>, service: &Service, found: &mut Verification) {
    for (index, group) in run.assignment.groups.iter().enumerate() {
        let own =
            run.assignment.routing.iter().filter(|routing| routing.group == index && routing.most_per_replica > 0.0);
        let load: f64 = own.map(|routing| routing.requests_per_second / routing.most_per_replica).sum();
        let most = f64::from(group.replicas.unwrap_or(0)) * service.utilization;
        found.expect(load <= most * (1.0 + RELATIVE) + NONE, Check::Services, || {
            format!(
                "replicas of `{}` in pool `{}` of `{}` have {load} replicas' work, and {most} is planned with",
                run.name, group.pool, group.site
            )
        });
    }
}

#[cfg(test)]
mod tests {
    use super::super::Check::Services;
    use super::super::fixtures::{assignment, check, check_with};

    #[test]
    fn all_requests_are_answered_by_replicas_that_can() {
        check("fewer answers", |plan| assignment(plan, "chat").routing[1].requests_per_second -= 0.1, &[Services]);
        check("slower replicas", |plan| assignment(plan, "chat").routing[1].most_per_replica = 0.1, &[Services]);
        check("no capacity", |plan| assignment(plan, "chat").routing[1].most_per_replica = 0.0, &[Services]);
        check("other requests", |plan| assignment(plan, "chat").routing[1].input = 7, &[Services]);
        check("twice to one place", |plan| assignment(plan, "chat").routing[2].group = 1, &[Services]);
        check("another place", |plan| assignment(plan, "chat").routing[1].group = 9, &[Services]);
        check("fewer replicas", |plan| assignment(plan, "chat").groups[0].replicas = Some(1), &[Services]);
        check(
            "requests of a job",
            |plan| {
                let routing = assignment(plan, "chat").routing[1].clone();
                assignment(plan, "train").routing.push(routing);
            },
            &[Services],
        );
        check_with(
            "more asked",
            |scenario| {
                if let scenarios::scenario::Job::Serve(service) = &mut scenario.workloads["chat"].job {
                    service.demand[0].requests[0].rate.0 *= 2.0;
                }
            },
            |_| (),
            &[Services],
        );
        check_with(
            "less of a replica",
            |scenario| {
                if let scenarios::scenario::Job::Serve(service) = &mut scenario.workloads["chat"].job {
                    service.utilization = 0.5;
                }
            },
            |_| (),
            &[Services],
        );
    }
}
