//! Places by name, as users point at them.

use std::str::FromStr;

use scenarios::scenario::Scenario;

use crate::candidates::{Column, Place, World};

/// Machines of a site: all, or those of one pool or instance type. `*` stands for any letters; case does not count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlacePattern {
    /// Name of the site.
    pub site: String,
    /// Name of a pool, or an instance type.
    pub machine: Option<String>,
}

/// Why a text points at no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected SITE or SITE/MACHINE, such as `eu-dc/h100`")]
pub struct PatternError;

impl FromStr for PlacePattern {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (site, machine) = match text.split_once('/') {
            Some((site, machine)) => (site, Some(machine)),
            None => (text, None),
        };
        if site.is_empty() || machine.is_some_and(str::is_empty) {
            return Err(PatternError);
        }
        Ok(Self { site: site.to_owned(), machine: machine.map(str::to_owned) })
    }
}

impl std::fmt::Display for PlacePattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.machine {
            Some(machine) => write!(f, "{}/{machine}", self.site),
            None => f.write_str(&self.site),
        }
    }
}

impl PlacePattern {
    /// Whether it points at a pool.
    #[must_use]
    pub fn covers(&self, world: &World<'_>, place: Place) -> bool {
        let is_machine =
            |machine: &String| is_like(machine, world.pool_name(place)) || is_like(machine, &world.machine_name(place));
        is_like(&self.site, world.site_name(place.site)) && self.machine.as_ref().is_none_or(is_machine)
    }

    /// Whether all machines of a placement are there.
    #[must_use]
    pub fn covers_column(&self, world: &World<'_>, column: &Column) -> bool {
        column.groups.iter().all(|group| self.covers(world, group.place))
    }

    /// Every pool that it points at.
    #[must_use]
    pub fn places(&self, world: &World<'_>) -> Vec<Place> {
        all_places(&world.loaded.scenario).filter(|place| self.covers(world, *place)).collect()
    }
}

/// Every pool of a scenario.
fn all_places(scenario: &Scenario) -> impl Iterator<Item = Place> {
    scenario
        .sites
        .values()
        .enumerate()
        .flat_map(|(site, description)| (0..description.pools.len()).map(move |pool| Place { site, pool }))
}

/// Whether a name is like a pattern, in which `*` stands for any letters; case does not count.
#[must_use]
pub fn is_like(pattern: &str, name: &str) -> bool {
    let (pattern, name) = (pattern.to_lowercase(), name.to_lowercase());
    let parts: Vec<&str> = pattern.split('*').collect();
    let [first, middle @ .., last] = parts.as_slice() else { return pattern == name };
    let Some(mut rest) = name.strip_prefix(first) else { return false };
    for part in middle {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_read() {
        let check = |text: &str, expected: Option<(&str, Option<&str>)>| {
            let found = text.parse::<PlacePattern>().ok();
            let found = found.as_ref().map(|found| (found.site.as_str(), found.machine.as_deref()));
            assert_eq!(found, expected, "{text}");
        };
        check("eu-dc", Some(("eu-dc", None)));
        check("eu-dc/h100", Some(("eu-dc", Some("h100"))));
        check("eu-dc/", None);
        check("/h100", None);
        check("", None);
    }

    #[test]
    fn stars_stand_for_any_letters() {
        let check = |pattern: &str, name: &str, expected: bool| {
            assert_eq!(is_like(pattern, name), expected, "{pattern} {name}");
        };
        check("h100", "H100", true);
        check("h100", "h1000", false);
        check("h100*", "H100-SXM", true);
        check("*", "anything", true);
        check("p*.48xlarge", "p5.48xlarge", true);
        check("p*.48xlarge", "p5.24xlarge", false);
        check("a*b*a", "aba", true);
        check("a*a", "a", false);
        check("", "", true);
    }
}
