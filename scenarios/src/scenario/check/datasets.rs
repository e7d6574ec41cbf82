//! Data and where it lies.

use std::path::{Component, Path};

use super::{Check, sites};
use crate::scenario::Dataset;
use crate::yaml::Located;

pub(super) fn check(check: &mut Check<'_>) {
    let (scenario, datasets) = (check.scenario, check.root.key("datasets"));
    for (name, dataset) in &scenario.datasets {
        let at = datasets.key(name);
        for (index, site) in dataset.at.iter().enumerate() {
            check.expect_known("site", site, &at.key("at").item(index), scenario.sites.keys().map(String::as_str));
        }
        if dataset.at.is_empty() {
            check.wrong(&at.key("at"), format!("`{name}` lies nowhere"), "no site", "name a site that holds a copy");
        }
        if let Some(origin) = &dataset.origin {
            sites::expect_country(check, origin, &at.key("origin"));
        }
        figures(check, dataset, &at);
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
    if let Some(files) = &dataset.files
        && !stays_inside(&files.path)
    {
        let help = "give a folder inside of the data folder, such as `mnist`";
        check.wrong(&at.key("files").key("path"), "the path leaves the data folder", "leads elsewhere", help);
    }
}

fn stays_inside(path: &str) -> bool {
    !path.is_empty()
        && Path::new(path).components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir))
}
