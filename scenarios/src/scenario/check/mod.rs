//! What a scenario must satisfy beyond its schema: names exist, figures make sense, nothing waits for itself.

mod datasets;
mod dependencies;
mod links;
mod names;
mod policies;
mod pools;
mod settings;
mod sites;
mod workloads;

use std::ops::Range;

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
    replaced: Vec<Range<usize>>,
    problems: Vec<Diagnostic>,
}

/// Finds all problems of a scenario. `root` is its document, `known` what is wrong with that already.
pub(super) fn check(
    scenario: &Scenario,
    root: Located<'_>,
    catalog: &Catalog,
    known: &[Diagnostic],
) -> Vec<Diagnostic> {
    let replaced = known.iter().map(|problem| problem.span.clone()).collect();
    let mut check = Check { scenario, root, catalog, replaced, problems: Vec::new() };
    settings::check(&mut check);
    if names::check(&mut check) {
        sites::check(&mut check);
        pools::check(&mut check);
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
        let (start, end) = (problem.span.start, problem.span.end);
        let touches = |other: &Range<usize>| other.start <= end && start <= other.end;
        if self.problems.len() < MOST_PROBLEMS && !self.replaced.iter().any(touches) {
            self.problems.push(problem);
        }
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
        if !is_known && self.problems.len() < MOST_PROBLEMS {
            self.wrong(at, format!("unknown {what} `{name}`"), "not known", did_you_mean(name, known));
        }
    }

    /// Whether nothing inside of a place was replaced.
    fn is_sound(&self, at: &Located<'_>) -> bool {
        let extent = at.extent();
        !self.replaced.iter().any(|span| extent.contains(&span.start))
    }
}
