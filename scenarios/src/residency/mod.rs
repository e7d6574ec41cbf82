//! Whether data may be stored, processed or passed through somewhere.
//!
//! Classified data is denied wherever no rule allows it; a rule that denies beats all that allow;
//! `public` data is free. What is derived from data carries the labels of all of it, and follows
//! the rules for `raw` unless some rule about the label names the derived form. A permission may
//! require safeguards of the place, and holds until it expires. Access, that is the reach of the
//! law that a place's operator follows, is asked only of data that some rule names it for.

mod labels;
#[cfg(test)]
mod tests;

pub use labels::labels;

use indexmap::IndexMap;

use crate::plan::{PermittedBy, PlacedSite};
use crate::scenario::{Action, Effect, Form, Rule};
use crate::units::Date;

/// Class of data that no rule restricts.
pub const PUBLIC: &str = "public";

/// A data set whose rules follow data derived from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Label<'a> {
    /// Name of the data set.
    pub dataset: &'a str,
    /// Its class.
    pub class: &'a str,
}

/// A site as rules see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place<'a> {
    /// Name of the site.
    pub site: &'a str,
    /// Every name of a place that covers it.
    pub names: &'a [String],
    /// Every name of a place that covers its operator.
    pub operator: &'a [String],
    /// What it provides.
    pub safeguards: &'a [String],
}

impl<'a> Place<'a> {
    /// A site of a plan or a loaded scenario.
    #[must_use]
    pub fn of(site: &'a str, placed: &'a PlacedSite) -> Self {
        Self { site, names: &placed.places, operator: &placed.operator_places, safeguards: &placed.safeguards }
    }
}

/// Days in which something is done: a permission has to last as long, a prohibition holds if it touches them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    /// First day.
    pub from: Date,
    /// Last day.
    pub until: Date,
}

/// Why an action is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// A rule forbids it.
    #[error("rule `{rule}` denies {action} of {form} `{label}` at `{site}`{}", because(reason.as_ref()))]
    Rule {
        /// The rule.
        rule: String,
        /// The rule's reason.
        reason: Option<String>,
        /// Data set.
        label: String,
        /// Form.
        form: Form,
        /// Action.
        action: Action,
        /// Site.
        site: String,
    },
    /// Nothing allows it.
    #[error("no rule allows {action} of {form} `{label}` (class `{class}`) at `{site}`{}", but(nearly.as_ref()))]
    NotAllowed {
        /// Data set.
        label: String,
        /// Its class.
        class: String,
        /// Form.
        form: Form,
        /// Action.
        action: Action,
        /// Site.
        site: String,
        /// What keeps a rule from allowing it, in words.
        nearly: Option<String>,
    },
}

fn but(nearly: Option<&String>) -> String {
    nearly.map_or_else(String::new, |nearly| format!("; {nearly}"))
}

fn because(reason: Option<&String>) -> String {
    reason.map_or_else(String::new, |reason| format!(": {reason}"))
}

/// What is to be done with data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deed<'a> {
    /// Whose rules apply.
    pub label: Label<'a>,
    /// Form of the data.
    pub form: Form,
    /// What is done.
    pub action: Action,
    /// Where.
    pub place: Place<'a>,
    /// When.
    pub period: Period,
}

/// The rule that permits a deed; `None` for public data, and for access that no rule restricts.
///
/// # Errors
/// The rule that denies it, or that none allows it.
pub fn permit(rules: &IndexMap<String, Rule>, deed: &Deed<'_>) -> Result<Option<PermittedBy>, Denied> {
    let Deed { label, form, action, place, .. } = *deed;
    let about = || rules.iter().filter(|(_, rule)| deed.is_about(rule));
    let is_asked = action != Action::Access || about().any(|(_, rule)| rule.actions.contains(&Action::Access));
    if label.class == PUBLIC || !is_asked {
        return Ok(None);
    }
    let named = about().any(|(_, rule)| rule.effect != Effect::Prefer && rule.forms.contains(&form));
    let governing = if named { form } else { Form::Raw };
    let applying =
        |effect: Effect| about().filter(move |(_, rule)| rule.effect == effect && deed.is_covered(rule, governing));
    let site = place.site.to_owned();
    let (dataset, class) = (label.dataset.to_owned(), label.class.to_owned());
    if let Some((name, rule)) = applying(Effect::Deny).find(|(_, rule)| deed.is_touched(rule)) {
        let (rule, reason) = (name.clone(), rule.reason.clone());
        return Err(Denied::Rule { rule, reason, label: dataset, form, action, site });
    }
    if let Some((name, _)) = applying(Effect::Allow).find(|(_, rule)| deed.obstacle(rule).is_none()) {
        return Ok(Some(PermittedBy { rule: name.clone(), label: dataset, action, site }));
    }
    let obstacle = |(name, rule): (&String, &Rule)| Some(format!("rule `{name}` {}", deed.obstacle(rule)?));
    let nearly = applying(Effect::Allow).find_map(obstacle);
    Err(Denied::NotAllowed { label: dataset, class, form, action, site, nearly })
}

impl Deed<'_> {
    fn is_about(&self, rule: &Rule) -> bool {
        let label = self.label;
        rule.data.iter().any(|name| name == label.dataset) || rule.classes.iter().any(|class| class == label.class)
    }

    fn is_covered(&self, rule: &Rule, form: Form) -> bool {
        let names = if self.action == Action::Access { self.place.operator } else { self.place.names };
        rule.forms.contains(&form)
            && rule.actions.contains(&self.action)
            && rule.places.iter().any(|name| name == "anywhere" || names.contains(name))
    }

    /// Whether a rule holds on some day of the deed, and what it requires, if anything, is provided.
    fn is_touched(&self, rule: &Rule) -> bool {
        rule.expires.is_none_or(|last| last >= self.period.from) && self.missing(rule).is_empty()
    }

    fn missing(&self, rule: &Rule) -> Vec<String> {
        let provided = |needed: &&String| !self.place.safeguards.contains(needed);
        rule.requires.iter().filter(provided).cloned().collect()
    }

    /// What keeps a rule that covers the deed from permitting it.
    fn obstacle(&self, rule: &Rule) -> Option<String> {
        let missing = self.missing(rule);
        if !missing.is_empty() {
            return Some(format!("requires {}, which the place does not provide", missing.join(" and ")));
        }
        let last = rule.expires.filter(|last| *last < self.period.until)?;
        Some(format!("expires on {last}, and the data may be there until {}", self.period.until))
    }
}
