//! Rules that others leave without effect.

use std::collections::{BTreeSet, HashMap};

use super::Check;
use super::denials::Denials;
use super::places::Places;
use crate::diagnostics::Diagnostic;
use crate::scenario::{Action, Effect, Form, Rule};
use crate::units::Date;

/// Tells permissions that a prohibition takes back whole, and rules that are there twice.
pub(super) fn check(check: &mut Check<'_>, places: &Places<'_>, starts: Date) {
    // Names that nobody knows were told, and are too many to compare.
    if check.is_full() {
        return;
    }
    let (scenario, policies) = (check.scenario, check.root.key("policies"));
    let mut denials = Denials::of(scenario, places, starts);
    let mut seen: HashMap<Meaning<'_>, &str> = HashMap::new();
    for (name, rule) in scenario.policies.iter().filter(|(_, rule)| says_something(rule)) {
        let at = policies.key(name);
        if !check.is_sound(&at) {
            continue;
        }
        if let Some(first) = seen.insert(meaning(rule), name) {
            let problem =
                Diagnostic::new(at.key_span(), format!("`{name}` says the same as `{first}`"), "the second one");
            check.tell(problem.help("remove one of them"));
            continue;
        }
        let denied = (rule.effect == Effect::Allow).then(|| denials.of_all(rule)).flatten();
        if let Some(denial) = denied {
            let message =
                format!("`{name}` permits nothing: `{denial}` forbids all of it, and a denial beats permission");
            let problem = Diagnostic::new(at.key_span(), message, "contradicts another rule");
            check.tell(problem.help(format!("remove one of them, or make `{denial}` narrower")));
        }
    }
}

fn says_something(rule: &Rule) -> bool {
    let about = !rule.data.is_empty() || !rule.classes.is_empty();
    about && !rule.forms.is_empty() && !rule.actions.is_empty() && !rule.places.is_empty()
}

type Names<'a> = BTreeSet<&'a str>;

/// What a rule says, whatever the order of its lists; its reason is for readers only.
type Meaning<'a> = (u8, [Names<'a>; 4], BTreeSet<Form>, BTreeSet<Action>, String);

fn meaning(rule: &Rule) -> Meaning<'_> {
    let lists = [&rule.data, &rule.classes, &rule.places, &rule.requires];
    let rest = format!("{:?} {:?} {:?}", rule.expires, rule.per_gb, rule.per_hour);
    let (forms, actions) = (rule.forms.iter().copied().collect(), rule.actions.iter().copied().collect());
    (rule.effect as u8, lists.map(|list| list.iter().map(String::as_str).collect()), forms, actions, rest)
}
