//! Deny beats allow, silence denies, permissions have conditions.

use super::*;
use crate::scenario::Rule;

fn rule(effect: Effect, forms: &[Form], places: &[&str]) -> Rule {
    Rule {
        effect,
        data: vec!["scans".to_owned()],
        classes: vec![],
        forms: forms.to_vec(),
        actions: vec![Action::Store, Action::Process],
        places: places.iter().map(|&place| place.to_owned()).collect(),
        requires: vec![],
        expires: None,
        per_gb: None,
        per_hour: None,
        reason: Some("because".to_owned()),
    }
}

fn year() -> Period {
    let day = |text: &str| text.parse().expect("a day");
    Period { from: day("2026-12-01"), until: day("2027-11-30") }
}

#[test]
fn deny_beats_allow_and_silence_denies() {
    use Effect::{Allow, Deny};
    use Form::{Raw, Weights};
    let check = |rules: Vec<Rule>, class: &str, form: Form, action: Action, expected: Result<Option<&str>, &str>| {
        let rules: IndexMap<_, _> = rules.into_iter().enumerate().map(|(i, r)| (format!("r{i}"), r)).collect();
        let names: Vec<_> = ["aws-eu", "DE", "eea", "public"].map(str::to_owned).into();
        let label = Label { dataset: "scans", class };
        let place = Place { site: "aws-eu", names: &names, operator: &[], safeguards: &[] };
        let found = permit(&rules, &Deed { label, form, action, place, period: year() });
        let found = found.map(|by| by.map(|by| by.rule)).map_err(|denied| denied.to_string());
        assert_eq!(found, expected.map(|rule| rule.map(str::to_owned)).map_err(str::to_owned));
    };
    let silent = "no rule allows process of raw `scans` (class `health`) at `aws-eu`";
    check(vec![], "public", Raw, Action::Process, Ok(None));
    check(vec![], "health", Raw, Action::Process, Err(silent));
    check(vec![rule(Allow, &[Raw], &["CH"])], "health", Raw, Action::Process, Err(silent));
    check(vec![rule(Allow, &[Raw], &["eea"])], "health", Raw, Action::Process, Ok(Some("r0")));
    check(vec![rule(Allow, &[Raw], &["anywhere"])], "health", Raw, Action::Process, Ok(Some("r0")));
    check(
        vec![rule(Allow, &[Raw], &["eea"]), rule(Deny, &[Raw], &["public"])],
        "health",
        Raw,
        Action::Process,
        Err("rule `r1` denies process of raw `scans` at `aws-eu`: because"),
    );
    check(
        vec![rule(Allow, &[Raw], &["eea"])],
        "health",
        Raw,
        Action::Transit,
        Err("no rule allows transit of raw `scans` (class `health`) at `aws-eu`"),
    );
    check(vec![rule(Allow, &[Raw], &["eea"])], "health", Weights, Action::Store, Ok(Some("r0")));
    check(
        vec![rule(Allow, &[Raw], &["eea"]), rule(Allow, &[Weights], &["CH"])],
        "health",
        Weights,
        Action::Store,
        Err("no rule allows store of weights `scans` (class `health`) at `aws-eu`"),
    );
}

#[test]
fn permissions_have_conditions() {
    use Action::{Access, Process};
    let day = |text: &str| text.parse().ok();
    let check = |change: &dyn Fn(&mut Rule), effect: Effect, action: Action, expected: Result<bool, &str>| {
        let mut rule = Rule { actions: vec![Process], ..rule(effect, &[Form::Raw], &["eea", "US"]) };
        change(&mut rule);
        let rules: IndexMap<String, Rule> = [("r".to_owned(), rule)].into();
        let names = ["DE", "eea"].map(str::to_owned);
        let (operator, safeguards) = (["US".to_owned()], ["BAA".to_owned()]);
        let place = Place { site: "aws-eu", names: &names, operator: &operator, safeguards: &safeguards };
        let label = Label { dataset: "scans", class: "health" };
        let found = permit(&rules, &Deed { label, form: Form::Raw, action, place, period: year() });
        assert_eq!(found.map(|by| by.is_some()).map_err(|denied| denied.to_string()), expected.map_err(str::to_owned));
    };
    let allow = Effect::Allow;
    check(&|_| {}, allow, Process, Ok(true));
    check(&|_| {}, allow, Access, Ok(false));
    check(&|rule| rule.actions = vec![Process, Access], allow, Access, Ok(true));
    let far = "no rule allows access of raw `scans` (class `health`) at `aws-eu`";
    check(
        &|rule| {
            rule.actions = vec![Access];
            rule.places = vec!["eea".to_owned()];
        },
        allow,
        Access,
        Err(far),
    );
    check(&|rule| rule.requires = vec!["BAA".to_owned()], allow, Process, Ok(true));
    let silent = "no rule allows process of raw `scans` (class `health`) at `aws-eu`";
    let unmet = format!("{silent}; rule `r` requires C5, which the place does not provide");
    check(&|rule| rule.requires = vec!["C5".to_owned()], allow, Process, Err(&unmet));
    check(&|rule| rule.expires = day("2027-11-30"), allow, Process, Ok(true));
    let expired = format!("{silent}; rule `r` expires on 2027-11-29, and the data may be there until 2027-11-30");
    check(&|rule| rule.expires = day("2027-11-29"), allow, Process, Err(&expired));
    let denied = "rule `r` denies process of raw `scans` at `aws-eu`: because";
    check(&|rule| rule.expires = day("2026-12-01"), Effect::Deny, Process, Err(denied));
    check(&|rule| rule.expires = day("2026-11-30"), Effect::Deny, Process, Err(silent));
}
