//! Where rules let data be, and the routes to there.

use scenarios::residency::{Deed, Label, Period, Place, permit};
use scenarios::scenario::{Action, Form, Loaded};

use super::Route;

/// Whether an action on a form of a data set's data is permitted at a site.
pub(super) fn may(loaded: &Loaded, dataset: &str, form: Form, action: Action, site: &str) -> bool {
    let label = Label { dataset, class: &loaded.scenario.datasets[dataset].class };
    let place = Place::of(site, &loaded.sites[site]);
    let today = "2026-11-24".parse().expect("a day");
    let period = Period { from: today, until: today };
    permit(&loaded.scenario.policies, &Deed { label, form, action, place, period }).is_ok()
}

/// Every path without a circle whose relays may pass the data on.
pub(super) fn routes(loaded: &Loaded, label: &str, form: Form, bytes: u64, from: &str, to: &str) -> Vec<Route> {
    let mut found = Vec::new();
    if [Action::Store, Action::Process].into_iter().all(|action| may(loaded, label, form, action, to)) {
        let start = Route { sites: vec![from.to_owned()], gigabytes: bytes as f64 / 1e9, seconds: 0.0 };
        extend(loaded, (label, form, bytes), start, (f64::INFINITY, 0.0), to, &mut found);
    }
    found
}

fn extend(
    loaded: &Loaded,
    (label, form, bytes): (&str, Form, u64),
    route: Route,
    (rate, delay): (f64, f64),
    to: &str,
    found: &mut Vec<Route>,
) {
    let last = route.sites.last().expect("a start").clone();
    if last == to {
        let seconds = ((bytes as f64 * 8.0 / rate + delay) * 1000.0 - 1e-6).ceil() / 1000.0;
        found.push(Route { seconds, ..route });
        return;
    }
    if route.sites.len() > 1 && !may(loaded, label, form, Action::Transit, &last) {
        return;
    }
    for link in &loaded.scenario.links {
        let [a, b] = &link.between;
        let Some(next) = [(a, b), (b, a)].into_iter().find(|(here, _)| **here == last).map(|(_, next)| next) else {
            continue;
        };
        if !route.sites.contains(next) {
            let mut longer = route.clone();
            longer.sites.push(next.clone());
            let pace = (rate.min(link.bandwidth.0), delay + 2.0 * link.latency.get());
            extend(loaded, (label, form, bytes), longer, pace, to, found);
        }
    }
}
