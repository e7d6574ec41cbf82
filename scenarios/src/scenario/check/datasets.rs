//! Data and where it lies.

use std::collections::HashSet;

use super::{Check, files, sites};
use crate::diagnostics::Diagnostic;
use crate::scenario::Dataset;
use crate::yaml::Located;

pub(super) fn check(check: &mut Check<'_>) {
    let (scenario, datasets) = (check.scenario, check.root.key("datasets"));
    for (name, dataset) in &scenario.datasets {
        let at = datasets.key(name);
        holders(check, name, dataset, &at);
        parts(check, dataset, &at);
        if let Some(origin) = &dataset.origin {
            sites::expect_country(check, origin, &at.key("origin"));
        }
        figures(check, dataset, &at);
    }
}

/// The data lies somewhere: whole copies at some sites, or in parts.
fn holders(check: &mut Check<'_>, name: &str, dataset: &Dataset, at: &Located<'_>) {
    let copies = dataset.at.iter().enumerate().map(|(index, site)| (site, at.key("at").item(index)));
    each_once(check, copies);
    match (dataset.at.is_empty(), dataset.parts.is_empty()) {
        (true, true) if check.is_sound(&at.key("parts")) => {
            check.wrong(&at.key("at"), format!("`{name}` lies nowhere"), "no site", "name a site that holds a copy");
        }
        (false, false) => {
            let message = format!("`{name}` lies whole at some sites and in parts at others");
            let problem = Diagnostic::new(at.key("parts").key_span(), message, "beside `at`");
            check.tell(problem.help("keep `at` for data that some site holds whole, else `parts`"));
        }
        _ => {}
    }
}

/// Sites are known, and none holds the same twice.
fn each_once<'a>(check: &mut Check<'_>, sites: impl Iterator<Item = (&'a String, Located<'a>)>) {
    let mut seen = HashSet::new();
    let scenario = check.scenario;
    for (site, place) in sites {
        check.expect_key("site", site, &place, &scenario.sites);
        if !seen.insert(site) {
            check.wrong(&place, format!("`{site}` is there twice"), "the second one", "remove one of them");
        }
    }
}

fn parts(check: &mut Check<'_>, dataset: &Dataset, at: &Located<'_>) {
    let parts = at.key("parts");
    let places = dataset.parts.iter().enumerate().map(|(index, part)| (&part.at, parts.item(index).key("at")));
    each_once(check, places);
    for (index, _) in dataset.parts.iter().enumerate().filter(|(_, part)| part.records == 0) {
        let help = "give the number of records there, or remove the part";
        check.wrong(&parts.item(index).key("records"), "this part has no records", "no data", help);
    }
    let sum: u128 = dataset.parts.iter().map(|part| u128::from(part.records)).sum();
    if !dataset.parts.is_empty() && sum != u128::from(dataset.records) && check.is_sound(&parts) {
        let message = format!("the parts have {sum} records together, the data set has {}", dataset.records);
        check.wrong(&at.key("records"), message, "not their sum", format!("write {sum}, or mend the parts"));
    }
}

fn figures(check: &mut Check<'_>, dataset: &Dataset, at: &Located<'_>) {
    if dataset.class.trim().is_empty() {
        let help = "write `public` for data that may go anywhere";
        check.wrong(&at.key("class"), "the class is empty", "says nothing", help);
    }
    if dataset.size.0 == 0 {
        check.wrong(&at.key("size"), "the size is zero", "no data", "give the size of one copy");
    }
    if dataset.records == 0 {
        check.wrong(&at.key("records"), "there are no records", "no data", "give the number of training records");
    }
    if let Some(files) = &dataset.files {
        files::check(check, files, &at.key("files"));
    }
}
