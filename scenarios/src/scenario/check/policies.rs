//! Residency rules.

use std::collections::BTreeSet;

use super::Check;
use crate::catalog::{GROUPS, is_country};
use crate::diagnostics::{Diagnostic, did_you_mean};
use crate::residency::PUBLIC;
use crate::scenario::Rule;
use crate::yaml::Located;

pub(super) fn check(check: &mut Check<'_>) {
    let (scenario, policies) = (check.scenario, check.root.key("policies"));
    let classes: BTreeSet<&str> = scenario.datasets.values().map(|dataset| dataset.class.as_str()).collect();
    for (name, rule) in &scenario.policies {
        let at = policies.key(name);
        for (index, dataset) in rule.data.iter().enumerate() {
            let place = at.key("data").item(index);
            check.expect_known("dataset", dataset, &place, scenario.datasets.keys().map(String::as_str));
            if scenario.datasets.get(dataset).is_some_and(|dataset| dataset.class == PUBLIC) {
                unrestricted(check, &format!("the data of `{dataset}` is public"), &place);
            }
        }
        for (index, class) in rule.classes.iter().enumerate() {
            let place = at.key("classes").item(index);
            if class == PUBLIC {
                unrestricted(check, "the class is `public`", &place);
            } else {
                check.expect_known("class of data", class, &place, classes.iter().copied());
            }
        }
        for (index, place) in rule.places.iter().enumerate() {
            expect_place(check, place, &at.key("places").item(index));
        }
        complete(check, rule, &at);
    }
}

fn unrestricted(check: &mut Check<'_>, message: &str, at: &Located<'_>) {
    let help = "remove it here, or give the data a class that needs permission";
    check.wrong(at, format!("{message}, and rules do not restrict public data"), "without effect", help);
}

/// A rule says about what, in which forms, and where.
fn complete(check: &mut Check<'_>, rule: &Rule, at: &Located<'_>) {
    if rule.data.is_empty() && rule.classes.is_empty() {
        let problem = Diagnostic::new(at.key_span(), "the rule is about no data", "without effect");
        check.tell(problem.help("add `classes` of data, or `data` sets by name"));
    }
    let lists =
        [("forms", rule.forms.is_empty()), ("actions", rule.actions.is_empty()), ("places", rule.places.is_empty())];
    for (key, _) in lists.into_iter().filter(|(_, is_empty)| *is_empty) {
        let message = format!("the rule names no {key}");
        check.wrong(&at.key(key), message, "without effect", format!("name at least one of the {key}"));
    }
}

fn expect_place(check: &mut Check<'_>, place: &str, at: &Located<'_>) {
    let fixed = ["anywhere", "private", "public"].into_iter().chain(GROUPS.iter().map(|(group, _)| *group));
    let sites = check.scenario.sites.keys().map(String::as_str);
    let known: Vec<&str> = sites.chain(fixed).chain(check.catalog.providers()).collect();
    if is_country(place) || known.contains(&place) {
        return;
    }
    let upper = place.to_uppercase();
    let help = if is_country(&upper) { format!("write `{upper}`") } else { did_you_mean(place, known) };
    check.wrong(at, format!("unknown place `{place}`"), "no site, country, group, provider or kind", help);
}
