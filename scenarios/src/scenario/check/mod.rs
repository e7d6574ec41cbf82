//! What a scenario must satisfy beyond its schema: names exist, figures make sense, nothing waits for itself.

mod contradictions;
mod datasets;
mod demand;
mod denials;
mod dependencies;
mod files;
mod groups;
mod inference;
mod links;
mod machines;
mod measured;
mod model;
mod names;
mod optimizer;
mod places;
mod policies;
mod pools;
mod purchases;
mod replaced;
mod rule_set;
mod safeguards;
mod settings;
mod sites;
mod strategies;
mod tiers;
mod training;
mod weights;
mod workloads;

use indexmap::IndexMap;

use replaced::Replaced;

use super::Scenario;
use crate::catalog::Catalog;
use crate::diagnostics::{Diagnostic, did_you_mean};
use crate::yaml::Located;

/// Most problems that are collected; a file with more is of another kind.
const MOST_PROBLEMS: usize = 1000;

/// A check of a scenario under way.
pub(super) struct Check<'a> {
    scenario: &'a Scenario,
    root: Located<'a>,
    catalog: &'a Catalog,
    /// What the schema found. What is wrong there was replaced, and must not be complained about again.
    replaced: Replaced,
    problems: Vec<Diagnostic>,
}

/// Finds all problems of a scenario. `root` is its document, `known` what is wrong with that already.
pub(super) fn check(
    scenario: &Scenario,
    root: Located<'_>,
    catalog: &Catalog,
    known: &[Diagnostic],
) -> Vec<Diagnostic> {
    let replaced = Replaced::new(known.iter().map(|problem| problem.span.clone()));
    let mut check = Check { scenario, root, catalog, replaced, problems: Vec::new() };
    settings::check(&mut check);
    if names::check(&mut check) {
        sites::check(&mut check);
        pools::check(&mut check);
        groups::check(&mut check);
        links::check(&mut check);
        datasets::check(&mut check);
        policies::check(&mut check);
        workloads::check(&mut check);
        dependencies::check(&mut check);
    }
    check.problems
}

impl Check<'_> {
    /// Adds a problem, unless its place was replaced.
    fn tell(&mut self, problem: Diagnostic) {
        if !self.is_full() && !self.replaced.touches(&problem.span) {
            self.problems.push(problem);
        }
    }

    /// Whether no more problems are collected.
    fn is_full(&self) -> bool {
        self.problems.len() >= MOST_PROBLEMS
    }

    /// Adds a problem with a value, and what to do.
    fn wrong(&mut self, at: &Located<'_>, message: impl Into<String>, label: &str, help: impl Into<String>) {
        self.tell(Diagnostic::new(at.span(), message, label).help(help));
    }

    /// Checks that a name is known, and tells if not.
    fn expect_known<'n>(
        &mut self,
        what: &str,
        name: &str,
        at: &Located<'_>,
        known: impl Iterator<Item = &'n str> + Clone,
    ) {
        let is_known = known.clone().any(|other| other == name);
        if !is_known && !self.is_full() {
            self.wrong(at, format!("unknown {what} `{name}`"), "not known", did_you_mean(name, known));
        }
    }

    /// Checks that a name is one of a map's, and tells if not.
    fn expect_key<V>(&mut self, what: &str, name: &str, at: &Located<'_>, map: &IndexMap<String, V>) {
        if !map.contains_key(name) {
            self.expect_known(what, name, at, map.keys().map(String::as_str));
        }
    }

    /// Checks that exactly one of several keys is given. What is missing is told only where nothing else is wrong,
    /// since a misspelt key or a value of another kind is why.
    fn expect_one_of(&mut self, what: &str, keys: &[&str], at: &Located<'_>, example: &str) {
        let stated: Vec<&str> = keys.iter().copied().filter(|key| at.key(key).is_stated()).collect();
        let names = || stated.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(" and ");
        match stated.get(1) {
            Some(second) => {
                let message = format!("{what} is given by {}", names());
                let problem = Diagnostic::new(at.key(second).key_span(), message, "one too many");
                self.tell(problem.help("keep one of them"));
            }
            None if stated.is_empty() && self.is_sound(at) => {
                let problem = Diagnostic::new(at.key_span(), format!("{what} is not given"), "does not say");
                self.tell(problem.help(format!("add `{example}`")));
            }
            None => {}
        }
    }

    /// Whether nothing inside of a place was replaced.
    fn is_sound(&self, at: &Located<'_>) -> bool {
        !self.replaced.starts_in(&at.extent())
    }
}
