//! "Did you mean": the nearest name that exists.

/// Names that are less alike (Jaro-Winkler, 0..1) and differ in more than one slip of the pen are not suggested.
const ALIKE: f64 = 0.84;

/// Most names that a message lists.
const MOST_LISTED: usize = 12;

/// The help for an unknown name: the nearest known one, or what there is to choose from.
#[must_use]
pub fn did_you_mean<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.into_iter().collect();
    match nearest(name, &known) {
        Some(near) => format!("did you mean `{near}`?"),
        None if known.is_empty() => "there is none to choose from".to_owned(),
        None => format!("expected one of {}", listed(known)),
    }
}

/// Names in backticks with commas, the first dozen if there are many.
#[must_use]
pub fn listed<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let quoted: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    if quoted.len() <= MOST_LISTED + 1 {
        return quoted.join(", ");
    }
    format!("{} and {} more", quoted[..MOST_LISTED].join(", "), quoted.len() - MOST_LISTED)
}

/// The known name that is most like `name`, if one is like it at all. Case, `-` and `_` don't count.
fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let plain = |text: &str| text.to_lowercase().replace(['-', '_', ' '], "");
    let wanted = plain(name);
    let likeness = |other: &str| {
        let other = plain(other);
        let is_slip = wanted.len() > 2 && strsim::osa_distance(&wanted, &other) == 1;
        strsim::jaro_winkler(&wanted, &other).max(if is_slip { ALIKE } else { 0.0 })
    };
    let scored = known.iter().map(|other| (likeness(other), *other)).filter(|(score, _)| *score >= ALIKE);
    // Of equally near names the first one wins.
    scored.reduce(|best, next| if next.0 > best.0 { next } else { best }).map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_suggested() {
        let check = |name: &str, known: &[&str], expected: &str| {
            assert_eq!(did_you_mean(name, known.iter().copied()), expected, "{name}");
        };
        check("node", &["machine", "nodes"], "did you mean `nodes`?");
        check("FINISH-TIME", &["cost", "finish_time"], "did you mean `finish_time`?");
        check("zzz", &["cost", "finish_time"], "expected one of `cost`, `finish_time`");
        check("eae", &["cn-mainland", "eea"], "did you mean `eea`?");
        check("zzz", &[], "there is none to choose from");
    }

    #[test]
    fn long_lists_are_cut() {
        let names: Vec<String> = (0..20).map(|i| i.to_string()).collect();
        assert!(listed(names.iter().map(String::as_str)).ends_with("`11` and 8 more"));
        assert!(listed(names[..13].iter().map(String::as_str)).ends_with("`11`, `12`"));
    }
}
