//! Prohibitions by what they are about.

use std::collections::HashMap;

use super::places::Places;
use super::rule_set::RuleSet;
use crate::scenario::{Effect, Rule, Scenario};
use crate::units::Date;

/// Prohibitions that hold when the period starts, and so for everything in it.
pub(super) struct Denials<'a> {
    scenario: &'a Scenario,
    places: &'a Places<'a>,
    rules: Vec<(&'a str, &'a Rule)>,
    by_data: HashMap<&'a str, RuleSet>,
    by_class: HashMap<&'a str, RuleSet>,
    by_place: HashMap<&'a str, RuleSet>,
    /// Those that cover a place whole, for places that were asked for.
    covering: HashMap<&'a str, RuleSet>,
    /// Those that are about all of a class, for classes that were asked for.
    of_class: HashMap<&'a str, RuleSet>,
}

impl<'a> Denials<'a> {
    pub(super) fn of(scenario: &'a Scenario, places: &'a Places<'a>, starts: Date) -> Self {
        let holds = |rule: &Rule| rule.effect == Effect::Deny && rule.expires.is_none_or(|last| last >= starts);
        let rules = scenario.policies.iter().filter(|(_, rule)| holds(rule));
        let rules: Vec<_> = rules.map(|(name, rule)| (name.as_str(), rule)).collect();
        let by = |list: fn(&Rule) -> &Vec<String>| {
            let mut by: HashMap<&str, RuleSet> = HashMap::new();
            for (index, (_, rule)) in rules.iter().enumerate() {
                for name in list(rule) {
                    by.entry(name).or_insert_with(|| RuleSet::none(rules.len())).insert(index);
                }
            }
            by
        };
        let (by_data, by_class, by_place) = (by(|rule| &rule.data), by(|rule| &rule.classes), by(|rule| &rule.places));
        let (covering, of_class) = (HashMap::new(), HashMap::new());
        Self { scenario, places, rules, by_data, by_class, by_place, covering, of_class }
    }

    /// The first prohibition that forbids all that a rule permits.
    pub(super) fn of_all(&mut self, rule: &'a Rule) -> Option<&'a str> {
        let mut found = RuleSet::all(self.rules.len());
        for name in &rule.data {
            found.intersect(&self.about(name));
        }
        for class in &rule.classes {
            found.intersect(self.about_class(class));
        }
        for place in &rule.places {
            found.intersect(self.covering(place));
        }
        let forbids = |index: &usize| {
            let denial = self.rules[*index].1;
            rule.forms.iter().all(|form| denial.forms.contains(form))
                && rule.actions.iter().all(|action| denial.actions.contains(action))
                && denial.requires.iter().all(|needed| rule.requires.contains(needed))
        };
        found.iter().find(forbids).map(|index| self.rules[index].0)
    }

    /// Prohibitions about a data set, by name or by class.
    fn about(&self, dataset: &str) -> RuleSet {
        let class = self.scenario.datasets.get(dataset).map(|dataset| dataset.class.as_str());
        let of_class = class.and_then(|class| self.by_class.get(class));
        self.union(self.by_data.get(dataset).into_iter().chain(of_class))
    }

    /// Prohibitions about a class, by name or by every data set of it.
    fn about_class(&mut self, class: &'a str) -> &RuleSet {
        let (scenario, count) = (self.scenario, self.rules.len());
        if !self.of_class.contains_key(class) {
            let mut each = RuleSet::all(count);
            let of_class = scenario.datasets.iter().filter(|(_, dataset)| dataset.class == class);
            let sets: Vec<_> = of_class.map(|(name, _)| self.by_data.get(name.as_str())).collect();
            for set in &sets {
                each.intersect(set.unwrap_or(&RuleSet::none(count)));
            }
            let each = (!sets.is_empty()).then_some(&each);
            let found = self.union(self.by_class.get(class).into_iter().chain(each));
            self.of_class.insert(class, found);
        }
        &self.of_class[class]
    }

    /// Prohibitions at a place; at a group of the scenario's own those at everything in it.
    fn covering(&mut self, place: &'a str) -> &RuleSet {
        if !self.covering.contains_key(place) {
            let found = if let Some(group) = self.scenario.groups.get(place) {
                let mut each = RuleSet::all(self.rules.len());
                for inner in group.places.iter().filter(|inner| !self.scenario.groups.contains_key(*inner)) {
                    each.intersect(self.covering(inner));
                }
                each
            } else {
                let names = self.places.covering(place);
                self.union(names.iter().filter_map(|name| self.by_place.get(name.as_str())))
            };
            self.covering.insert(place, found);
        }
        &self.covering[place]
    }

    fn union<'s>(&self, sets: impl Iterator<Item = &'s RuleSet>) -> RuleSet {
        let mut union = RuleSet::none(self.rules.len());
        sets.for_each(|set| union.unite(set));
        union
    }
}
