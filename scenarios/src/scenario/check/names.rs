//! Names that scenarios give, and how many things they may name.

use std::ops::Range;

use super::Check;
use crate::catalog::{GROUPS, is_country};
use crate::diagnostics::Diagnostic;
use crate::yaml::Located;

/// Most sites, pools of a site, and workloads.
const MOST_PLACED: usize = 1000;

/// Most data sets, policies and links.
const MOST_LISTED: usize = 10_000;

const LONGEST: usize = 64;

/// Checks names and counts; whether everything else is worth checking.
pub(super) fn check(check: &mut Check<'_>) -> bool {
    let (scenario, root) = (check.scenario, check.root.clone());
    let counts = [
        ("sites", scenario.sites.len(), MOST_PLACED),
        ("links", scenario.links.len(), MOST_LISTED),
        ("datasets", scenario.datasets.len(), MOST_LISTED),
        ("policies", scenario.policies.len(), MOST_LISTED),
        ("workloads", scenario.workloads.len(), MOST_PLACED),
    ];
    let mut few = true;
    for (key, count, most) in counts {
        few &= expect_at_most(check, &root.key(key), key, count, most);
    }
    for (name, site) in &scenario.sites {
        let pools = root.key("sites").key(name).key("pools");
        few &= expect_at_most(check, &pools, "pools", site.pools.len(), MOST_PLACED);
        expect_names(check, "pool", &pools, site.pools.keys());
    }
    expect_names(check, "site", &root.key("sites"), scenario.sites.keys());
    expect_names(check, "dataset", &root.key("datasets"), scenario.datasets.keys());
    expect_names(check, "policy", &root.key("policies"), scenario.policies.keys());
    expect_names(check, "workload", &root.key("workloads"), scenario.workloads.keys());
    for name in scenario.sites.keys() {
        not_reserved(check, name, root.key("sites").key(name).key_span());
    }
    few
}

fn expect_at_most(check: &mut Check<'_>, at: &Located<'_>, what: &str, count: usize, most: usize) -> bool {
    if count > most {
        check.wrong(at, format!("{count} {what} are more than {most}"), "too many", "split the scenario");
    }
    count <= most
}

/// Names stand in file names, tables and messages.
fn expect_names<'n>(check: &mut Check<'_>, what: &str, at: &Located<'_>, names: impl Iterator<Item = &'n String>) {
    for name in names.filter(|name| !is_name(name)) {
        let message = format!("`{name}` is no name for a {what}");
        let problem = Diagnostic::new(at.key(name).key_span(), message, "not allowed as a name");
        check.tell(
            problem.help(format!(
                "use up to {LONGEST} letters, digits, `-`, `_` and `.`, the first one a letter or digit"
            )),
        );
    }
}

fn is_name(name: &str) -> bool {
    name.len() <= LONGEST
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
}

/// A site must not be called as a group of places, or a rule about one would be about the other.
fn not_reserved(check: &mut Check<'_>, name: &str, span: Range<usize>) {
    let is_group = matches!(name, "anywhere" | "private" | "public") || GROUPS.iter().any(|(group, _)| *group == name);
    if is_group || is_country(name) || check.catalog.providers().any(|provider| provider == name) {
        let problem = Diagnostic::new(span, format!("`{name}` already names a place"), "taken");
        check.tell(problem.help("call the site something else, since policies could mean either"));
    }
}
