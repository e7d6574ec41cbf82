//! Network between sites.

use std::collections::HashSet;

use super::{Check, safeguards, tiers};
use crate::scenario::Link;

pub(super) fn check(check: &mut Check<'_>) {
    let (scenario, links) = (check.scenario, check.root.key("links"));
    let mut seen = HashSet::new();
    for (index, link) in scenario.links.iter().enumerate() {
        let at = links.item(index);
        let between = at.key("between");
        for (end, site) in link.between.iter().enumerate() {
            check.expect_key("site", site, &between.item(end), &scenario.sites);
        }
        let [a, b] = link.between.each_ref().map(String::as_str);
        if a == b {
            check.wrong(&between, "a link joins two different sites", "the same one twice", "name the other site");
        } else if let Some((from, to)) = repeated(&mut seen, link) {
            let message = format!("the way from `{from}` to `{to}` is there twice");
            let help = "remove one; a link goes both ways unless it is `one_way`";
            check.wrong(&between, message, "the second one", help);
        }
        if link.bandwidth.0 == 0.0 {
            check.wrong(&at.key("bandwidth"), "the bandwidth is zero", "no link", "give its rate, or remove the link");
        }
        tiers::expect(check, &link.price, &at.key("price"));
        safeguards::expect(check, &link.safeguards, &at.key("safeguards"));
    }
}

/// Remembers the directions of a link; the first of them that an earlier link has.
fn repeated<'a>(seen: &mut HashSet<(&'a str, &'a str)>, link: &'a Link) -> Option<(&'a str, &'a str)> {
    let [a, b] = link.between.each_ref().map(String::as_str);
    let there = [(a, b)].into_iter();
    let back = (!link.one_way).then_some((b, a));
    let new = |way: &(&'a str, &'a str)| !seen.insert(*way);
    there.chain(back).filter(new).collect::<Vec<_>>().first().copied()
}
