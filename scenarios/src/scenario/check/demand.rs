//! Services: who asks how much, and what answers have to keep.

use super::{Check, model, weights};
use crate::diagnostics::Diagnostic;
use crate::scenario::{Demand, Service};
use crate::yaml::Located;

pub(super) fn check<'a>(check: &mut Check<'a>, service: &'a Service, job: &Located<'_>) {
    let found = weights::network(check, service.model.as_ref(), service.weights_of.as_deref(), job);
    if let Some((network, at)) = found {
        model::expect_decoder(check, network, "a service", &at);
    }
    let at = job.key("demand");
    for (index, demand) in service.demand.iter().enumerate() {
        users(check, demand, &at.item(index));
    }
    somebody_asks(check, service, &at);
    targets(check, service, &job.key("targets"));
    if service.utilization <= 0.0 || service.utilization > 1.0 {
        let help = "write 0.7 to plan with seven tenths of what a replica can do";
        check.wrong(&job.key("utilization"), "the utilization is a share above 0 up to 1", "outside", help);
    }
}

fn users(check: &mut Check<'_>, demand: &Demand, at: &Located<'_>) {
    let scenario = check.scenario;
    if let Some(site) = &demand.from {
        check.expect_key("site", site, &at.key("from"), &scenario.sites);
    }
    if let Some(data) = &demand.data {
        check.expect_key("dataset", data, &at.key("data"), &scenario.datasets);
    }
    let requests = at.key("requests");
    for (index, bucket) in demand.requests.iter().enumerate() {
        for (key, tokens) in [("input", bucket.input), ("output", bucket.output)] {
            if tokens == 0 {
                let message = format!("the {key} of a request has at least one token");
                check.wrong(&requests.item(index).key(key), message, "no token", "give the average number of tokens");
            }
        }
    }
}

/// A rate of zero is fine for some sizes of requests, but not for all of a service.
fn somebody_asks(check: &mut Check<'_>, service: &Service, at: &Located<'_>) {
    let mut buckets = service.demand.iter().flat_map(|demand| &demand.requests);
    if buckets.all(|bucket| bucket.rate.0 == 0.0) && check.is_sound(at) {
        let problem = Diagnostic::new(at.key_span(), "nobody asks this service anything", "no requests");
        check.tell(problem.help("add `{requests: [{rate: 3 /s, input: 500, output: 200}]}`, or remove the workload"));
    }
}

fn targets(check: &mut Check<'_>, service: &Service, at: &Located<'_>) {
    let targets = &service.targets;
    let limits = [("first_token", targets.first_token), ("per_token", targets.per_token), ("latency", targets.latency)];
    for (key, _) in limits.into_iter().filter(|(_, limit)| limit.is_some_and(|limit| limit.get() == 0.0)) {
        check.wrong(&at.key(key), format!("`{key}` is zero"), "cannot be kept", "give a time, or remove the line");
    }
}
