//! Names that scenarios give, and how many things they may name.

use std::ops::Range;

use super::Check;
use crate::catalog::{Catalog, GROUPS, is_country};
use crate::diagnostics::Diagnostic;
use crate::yaml::Located;

/// Most sites, pools of a site, and workloads.
const MOST_PLACED: usize = 1000;

/// Most data sets, policies, links and groups of places.
const MOST_LISTED: usize = 10_000;

const LONGEST: usize = 64;

/// Checks names and counts; whether everything else is worth checking.
pub(super) fn check(check: &mut Check<'_>) -> bool {
    let (scenario, root) = (check.scenario, check.root.clone());
    let counts = [
        ("sites", scenario.sites.len(), MOST_PLACED),
        ("groups", scenario.groups.len(), MOST_LISTED),
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
    expect_names(check, "group", &root.key("groups"), scenario.groups.keys());
    expect_names(check, "dataset", &root.key("datasets"), scenario.datasets.keys());
    expect_names(check, "policy", &root.key("policies"), scenario.policies.keys());
    expect_names(check, "workload", &root.key("workloads"), scenario.workloads.keys());
    distinct(check);
    few
}

/// A name means one thing wherever it stands.
fn distinct(check: &mut Check<'_>) {
    let (scenario, root) = (check.scenario, check.root.clone());
    let site = |name: &String| scenario.sites.contains_key(name);
    let dataset = |name: &String| scenario.datasets.contains_key(name);
    for name in scenario.sites.keys().filter(|name| is_reserved(check.catalog, name)).collect::<Vec<_>>() {
        taken(check, "site", name, root.key("sites").key(name).key_span());
    }
    let groups = scenario.groups.keys().filter(|name| site(name) || is_reserved(check.catalog, name));
    for name in groups.collect::<Vec<_>>() {
        taken(check, "group", name, root.key("groups").key(name).key_span());
    }
    for name in scenario.workloads.keys().filter(|name| dataset(name)) {
        let span = root.key("workloads").key(name).key_span();
        let problem = Diagnostic::new(span, format!("`{name}` is also a data set"), "taken");
        check
            .tell(problem.help("call the workload something else, since jobs that read its product could mean either"));
    }
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

/// Whether a text can be a name.
pub(super) fn is_name(name: &str) -> bool {
    name.len() <= LONGEST
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
}

/// Whether rules know a name as that of a place already: a country, a group of the catalogue, a provider or a kind.
pub(super) fn is_reserved(catalog: &Catalog, name: &str) -> bool {
    matches!(name, "anywhere" | "private" | "public")
        || GROUPS.iter().any(|(group, _)| *group == name)
        || is_country(name)
        || catalog.providers().any(|provider| provider == name)
}

/// A site or group must not be called as another place, or a rule about one would be about the other.
fn taken(check: &mut Check<'_>, what: &str, name: &str, span: Range<usize>) {
    let problem = Diagnostic::new(span, format!("`{name}` already names a place"), "taken");
    check.tell(problem.help(format!("call the {what} something else, since policies could mean either")));
}
