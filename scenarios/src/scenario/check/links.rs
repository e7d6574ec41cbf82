//! Network between sites.

use std::collections::HashSet;

use super::Check;

pub(super) fn check(check: &mut Check<'_>) {
    let (scenario, links) = (check.scenario, check.root.key("links"));
    let mut seen = HashSet::new();
    for (index, link) in scenario.links.iter().enumerate() {
        let at = links.item(index);
        let between = at.key("between");
        for (end, site) in link.between.iter().enumerate() {
            check.expect_known("site", site, &between.item(end), scenario.sites.keys().map(String::as_str));
        }
        let [mut a, mut b] = link.between.each_ref();
        if a > b {
            (a, b) = (b, a);
        }
        if a == b {
            check.wrong(&between, "a link joins two different sites", "the same one twice", "name the other site");
        } else if !seen.insert((a, b)) {
            let message = format!("the link between `{a}` and `{b}` is there twice");
            check.wrong(&between, message, "the second one", "remove one; a link goes both ways");
        }
        if link.bandwidth.0 == 0.0 {
            check.wrong(&at.key("bandwidth"), "the bandwidth is zero", "no link", "give its rate, or remove the link");
        }
    }
}
