//! Throughputs that were measured for a workload.

use std::collections::{BTreeSet, HashSet};

use super::Check;
use crate::diagnostics::{Diagnostic, did_you_mean};
use crate::scenario::{Job, Machine, MeasuredRate, Scenario, Service, Workload};
use crate::yaml::Located;

/// Names by which a measurement may mean the machines of a pool: instance types, profiles, and pools.
pub(super) fn machines(scenario: &Scenario) -> BTreeSet<&str> {
    let pools = scenario.sites.values().flat_map(|site| &site.pools);
    let names = pools.flat_map(|(name, pool)| {
        let of_machine = match &pool.machine {
            Machine::Instance(name) | Machine::Profile(name) => Some(name.as_str()),
            Machine::Inline(_) => None,
        };
        of_machine.into_iter().chain([name.as_str()])
    });
    names.collect()
}

pub(super) fn check(check: &mut Check<'_>, workload: &Workload, machines: &BTreeSet<&str>, at: &Located<'_>) {
    let mut seen = HashSet::new();
    for (index, rate) in workload.measured.iter().enumerate() {
        let place = at.item(index);
        if !machines.contains(rate.machine.as_str()) {
            let help = did_you_mean(&rate.machine, machines.iter().copied());
            check.wrong(&place.key("machine"), format!("no pool has `{}`", rate.machine), "not known", help);
        }
        if !seen.insert((&rate.machine, rate.nodes, rate.strategy)) {
            let message = "this machine was measured twice with as many nodes and the same strategy";
            check.wrong(&place, message, "the second one", "keep the figure that you trust");
        }
        match &workload.job {
            Job::Serve(service) => requests(check, service, rate, &place),
            _ => throughput(check, rate, &place),
        }
    }
}

fn throughput(check: &mut Check<'_>, rate: &MeasuredRate, at: &Located<'_>) {
    if !rate.requests.is_empty() {
        let problem = Diagnostic::new(at.key("requests").key_span(), "only services answer requests", "not used");
        check.tell(problem.help("give the records in a second, such as `throughput: 1200 /s`"));
    } else if rate.throughput.is_none() && check.is_sound(at) {
        let problem = Diagnostic::new(at.key_span(), "the measured throughput is not given", "does not say");
        check.tell(problem.help("add the records in a second, such as `throughput: 1200 /s`"));
    }
    if rate.throughput.is_some_and(|throughput| throughput.0 == 0.0) {
        let help = "give the rate, or remove the measurement";
        check.wrong(&at.key("throughput"), "the throughput is zero", "never ends", help);
    }
}

fn requests(check: &mut Check<'_>, service: &Service, rate: &MeasuredRate, at: &Located<'_>) {
    if rate.throughput.is_some() {
        let problem = Diagnostic::new(at.key("throughput").key_span(), "a service is measured by requests", "not used");
        check.tell(problem.help("give `requests: [{input: 500, output: 200, rate: 3 /s}]`"));
    } else if rate.requests.is_empty() && check.is_sound(at) {
        let problem = Diagnostic::new(at.key_span(), "the measured requests are not given", "does not say");
        check.tell(problem.help("add `requests: [{input: 500, output: 200, rate: 3 /s}]`"));
    }
    let asked = service.demand.iter().flat_map(|demand| &demand.requests);
    let sizes: BTreeSet<(u32, u32)> = asked.map(|bucket| (bucket.input, bucket.output)).collect();
    for (index, bucket) in rate.requests.iter().enumerate() {
        let place = at.key("requests").item(index);
        if !sizes.contains(&(bucket.input, bucket.output)) && check.is_sound(at) {
            let message = format!("nobody asks with {} tokens for {}", bucket.input, bucket.output);
            check.wrong(&place, message, "not in the demand", "take the `input` and `output` of a size in `demand`");
        }
    }
}
