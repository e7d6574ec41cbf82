//! The organisation's own groups of places.

use super::Check;
use super::places::Places;

pub(super) fn check(check: &mut Check<'_>) {
    let (scenario, groups) = (check.scenario, check.root.key("groups"));
    let places = Places::of_groups(scenario, check.catalog);
    for (name, group) in &scenario.groups {
        let at = groups.key(name).key("places");
        if group.places.is_empty() {
            check.wrong(
                &at,
                format!("the group `{name}` is empty"),
                "holds nothing",
                "name a place, or remove the group",
            );
        }
        for (index, place) in group.places.iter().enumerate() {
            if scenario.groups.contains_key(place) {
                let message = format!("`{place}` is a group of your own, and those do not hold each other");
                check.wrong(&at.item(index), message, "a group", format!("name the places of `{place}` here"));
            } else {
                places.expect(check, place, &at.item(index));
            }
        }
    }
}
