//! Whether data may be stored, processed or passed through somewhere.
//!
//! Classified data is denied wherever no rule allows it; a rule that denies beats all that allow;
//! `public` data is free. What is derived from data carries the labels of all of it, and follows
//! the rules for `raw` unless some rule about the label names the derived form.

use indexmap::IndexMap;

use crate::plan::PermittedBy;
use crate::scenario::{Action, Effect, Form, Rule};

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
    #[error("no rule allows {action} of {form} `{label}` (class `{class}`) at `{site}`")]
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
    },
}

fn because(reason: Option<&String>) -> String {
    reason.map_or_else(String::new, |reason| format!(": {reason}"))
}

/// The rule that permits `action` on `form` of data with `label` at `place`; `None` for public data.
///
/// # Errors
/// The rule that denies it, or that none allows it.
pub fn permit(
    rules: &IndexMap<String, Rule>,
    label: Label<'_>,
    form: Form,
    action: Action,
    place: Place<'_>,
) -> Result<Option<PermittedBy>, Denied> {
    if label.class == PUBLIC {
        return Ok(None);
    }
    let about = |rule: &Rule| {
        rule.data.iter().any(|name| name == label.dataset) || rule.classes.iter().any(|class| class == label.class)
    };
    let named = rules.values().any(|rule| about(rule) && rule.forms.contains(&form));
    let governing = if named { form } else { Form::Raw };
    let applies = |rule: &Rule, effect: Effect| {
        rule.effect == effect
            && about(rule)
            && rule.forms.contains(&governing)
            && rule.actions.contains(&action)
            && rule.places.iter().any(|name| name == "anywhere" || place.names.contains(name))
    };
    let site = place.site.to_owned();
    let (dataset, class) = (label.dataset.to_owned(), label.class.to_owned());
    if let Some((name, rule)) = rules.iter().find(|(_, rule)| applies(rule, Effect::Deny)) {
        let (rule, reason) = (name.clone(), rule.reason.clone());
        return Err(Denied::Rule { rule, reason, label: dataset, form, action, site });
    }
    match rules.iter().find(|(_, rule)| applies(rule, Effect::Allow)) {
        Some((name, _)) => Ok(Some(PermittedBy { rule: name.clone(), label: dataset, action, site })),
        None => Err(Denied::NotAllowed { label: dataset, class, form, action, site }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(effect: Effect, forms: &[Form], places: &[&str]) -> Rule {
        Rule {
            effect,
            data: vec!["scans".to_owned()],
            classes: vec![],
            forms: forms.to_vec(),
            actions: vec![Action::Store, Action::Process],
            places: places.iter().map(|&place| place.to_owned()).collect(),
            reason: Some("because".to_owned()),
        }
    }

    #[test]
    fn deny_beats_allow_and_silence_denies() {
        use Effect::{Allow, Deny};
        use Form::{Raw, Weights};
        let check =
            |rules: Vec<Rule>, class: &str, form: Form, action: Action, expected: Result<Option<&str>, &str>| {
                let rules: IndexMap<_, _> = rules.into_iter().enumerate().map(|(i, r)| (format!("r{i}"), r)).collect();
                let names: Vec<_> = ["aws-eu", "DE", "eea", "public"].map(str::to_owned).into();
                let label = Label { dataset: "scans", class };
                let found = permit(&rules, label, form, action, Place { site: "aws-eu", names: &names });
                let found = found.map(|by| by.map(|by| by.rule)).map_err(|denied| denied.to_string());
                assert_eq!(found, expected.map(|rule| rule.map(str::to_owned)).map_err(str::to_owned));
            };
        let silent = "no rule allows process of raw `scans` (class `health`) at `aws-eu`";
        check(vec![], "public", Raw, Action::Process, Ok(None));
        check(vec![], "health", Raw, Action::Process, Err(silent));
        check(vec![rule(Allow, &[Raw], &["CH"])], "health", Raw, Action::Process, Err(silent));
        check(vec![rule(Allow, &[Raw], &["eea"])], "health", Raw, Action::Process, Ok(Some("r0")));
        check(vec![rule(Allow, &[Raw], &["anywhere"])], "health", Raw, Action::Process, Ok(Some("r0")));
        check(
            vec![rule(Allow, &[Raw], &["eea"]), rule(Deny, &[Raw], &["public"])],
            "health",
            Raw,
            Action::Process,
            Err("rule `r1` denies process of raw `scans` at `aws-eu`: because"),
        );
        check(
            vec![rule(Allow, &[Raw], &["eea"])],
            "health",
            Raw,
            Action::Transit,
            Err("no rule allows transit of raw `scans` (class `health`) at `aws-eu`"),
        );
        check(vec![rule(Allow, &[Raw], &["eea"])], "health", Weights, Action::Store, Ok(Some("r0")));
        check(
            vec![rule(Allow, &[Raw], &["eea"]), rule(Allow, &[Weights], &["CH"])],
            "health",
            Weights,
            Action::Store,
            Err("no rule allows store of weights `scans` (class `health`) at `aws-eu`"),
        );
    }
}
