//! Scenario, catalogue, machine profiles, sites and rules are those that the plan was made from.

use scenarios::plan::FORMAT;

use super::subject::Subject;
use super::{Check, Verification};

pub(super) fn check(subject: &Subject<'_>, found: &mut Verification) {
    let (plan, loaded, scenario) = (subject.plan, subject.loaded, subject.scenario);
    let stated = &plan.scenario;
    let mut profiles: Vec<&str> = loaded.profiles.values().map(|loaded| loaded.profile.digest.as_str()).collect();
    let mut stated_profiles: Vec<&str> = stated.profiles.values().map(String::as_str).collect();
    profiles.sort_unstable();
    stated_profiles.sort_unstable();
    let checks = [
        (plan.format == FORMAT, "the document has another format than a plan"),
        (stated.digest == loaded.digest, "the plan was made from another scenario"),
        (stated.name == scenario.name && stated.purpose == scenario.purpose, "the plan names another scenario"),
        (stated.seed == scenario.seed, "the plan was made with another seed than the scenario's"),
        (stated.budget_usd == scenario.budget.map(|budget| budget.0), "the plan's budget is not the scenario's"),
        (stated_profiles == profiles, "the plan was made with other machine profiles"),
        (plan.catalog.digest == subject.catalog.digest(), "the plan was made with another catalogue"),
        (plan.catalog.as_of == subject.catalog.as_of(), "the plan's catalogue has another date"),
        (plan.sites == loaded.sites, "the plan's sites are not the scenario's"),
        (plan.residency.rules == scenario.policies, "the plan's rules are not the scenario's"),
        (plan.residency.starts == loaded.starts(subject.catalog), "the plan's rules are judged by another first day"),
    ];
    for (holds, message) in checks {
        found.expect(holds, Check::Provenance, || message.to_owned());
    }
}
