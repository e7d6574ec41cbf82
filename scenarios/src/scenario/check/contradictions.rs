//! Rules that others leave without effect.

use std::collections::{BTreeSet, HashMap};

use super::Check;
use super::places::Places;
use crate::diagnostics::Diagnostic;
use crate::scenario::{Action, Effect, Form, Rule, Scenario};
use crate::units::Date;

/// Tells permissions that a prohibition takes back whole, and rules that are there twice.
pub(super) fn check(check: &mut Check<'_>, places: &Places<'_>, starts: Date) {
    let (scenario, policies) = (check.scenario, check.root.key("policies"));
    let denials = Denials::of(scenario, starts);
    let covering = if denials.rules.is_empty() { Covering::new() } else { covering(scenario, places) };
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
        let denied = (rule.effect == Effect::Allow).then(|| denials.of_all(rule, scenario, &covering)).flatten();
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

/// Prohibitions that hold when the period starts, and so for everything in it.
struct Denials<'a> {
    rules: Vec<(&'a str, Denial<'a>)>,
    /// Positions of the rules that name a place.
    by_place: HashMap<&'a str, Vec<usize>>,
}

struct Denial<'a> {
    rule: &'a Rule,
    data: Names<'a>,
    classes: Names<'a>,
    places: Names<'a>,
}

impl<'a> Denials<'a> {
    fn of(scenario: &'a Scenario, starts: Date) -> Self {
        let holds = |rule: &Rule| rule.effect == Effect::Deny && rule.expires.is_none_or(|last| last >= starts);
        let names = |list: &'a [String]| list.iter().map(String::as_str).collect();
        let denial = |(name, rule): (&'a String, &'a Rule)| {
            let [data, classes, places] = [&rule.data, &rule.classes, &rule.places].map(|list| names(list));
            (name.as_str(), Denial { rule, data, classes, places })
        };
        let rules: Vec<_> = scenario.policies.iter().filter(|(_, rule)| holds(rule)).map(denial).collect();
        let mut by_place: HashMap<&str, Vec<usize>> = HashMap::new();
        for (index, (_, denial)) in rules.iter().enumerate() {
            for place in &denial.places {
                by_place.entry(place).or_default().push(index);
            }
        }
        Self { rules, by_place }
    }

    /// The first prohibition that forbids all that a rule permits.
    fn of_all(&self, rule: &Rule, scenario: &Scenario, covering: &Covering<'_>) -> Option<&'a str> {
        let parts: Vec<&Vec<String>> =
            rule.places.iter().filter_map(|place| covering.get(place.as_str())).flatten().collect();
        // What forbids all of it forbids the first part of it.
        let near = parts.first()?.iter().filter_map(|name| self.by_place.get(name.as_str()));
        let near: BTreeSet<usize> = near.flatten().copied().collect();
        let shadows = |index: &usize| self.rules[*index].1.forbids_all(rule, scenario, &parts);
        near.into_iter().find(shadows).map(|index| self.rules[index].0)
    }
}

/// For each place that a permission names its parts (a group of the scenario's own has several), each with all names that
/// cover it.
type Covering<'a> = HashMap<&'a str, Vec<Vec<String>>>;

fn covering<'a>(scenario: &'a Scenario, places: &Places<'_>) -> Covering<'a> {
    let permissions = scenario.policies.values().filter(|rule| rule.effect == Effect::Allow);
    let named: BTreeSet<&str> = permissions.flat_map(|rule| &rule.places).map(String::as_str).collect();
    let parts = |place: &str| match scenario.groups.get(place) {
        Some(group) => group.places.iter().map(|inner| places.covering(inner)).collect(),
        None => vec![places.covering(place)],
    };
    named.into_iter().map(|place| (place, parts(place))).collect()
}

impl Denial<'_> {
    fn forbids_all(&self, rule: &Rule, scenario: &Scenario, parts: &[&Vec<String>]) -> bool {
        rule.forms.iter().all(|form| self.rule.forms.contains(form))
            && rule.actions.iter().all(|action| self.rule.actions.contains(action))
            && self.rule.requires.iter().all(|needed| rule.requires.contains(needed))
            && rule.data.iter().all(|name| self.is_about(name, scenario))
            && rule.classes.iter().all(|class| self.is_about_class(class, scenario))
            && parts.iter().all(|names| names.iter().any(|name| self.places.contains(name.as_str())))
    }

    fn is_about(&self, dataset: &str, scenario: &Scenario) -> bool {
        let class = scenario.datasets.get(dataset).map(|dataset| dataset.class.as_str());
        self.data.contains(dataset) || class.is_some_and(|class| self.classes.contains(class))
    }

    /// Whether it is about a class, by name or by every data set of it.
    fn is_about_class(&self, class: &str, scenario: &Scenario) -> bool {
        let mut of_class = scenario.datasets.iter().filter(|(_, dataset)| dataset.class == class).peekable();
        self.classes.contains(class)
            || (of_class.peek().is_some() && of_class.all(|(name, _)| self.data.contains(name.as_str())))
    }
}
