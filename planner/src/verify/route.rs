//! The network between sites, hop by hop: links of the scenario, else paths of the catalogue.

use scenarios::plan::Flow;
use scenarios::scenario::Link;

use super::subject::{Subject, region};

/// A direct connection from one site to another.
#[derive(Clone, Copy)]
pub(super) struct Hop<'a> {
    pub from: &'a str,
    pub to: &'a str,
    pub bytes_per_second: f64,
    pub round_trip_seconds: f64,
    /// The scenario's link, if it is one.
    pub link: Option<&'a Link>,
}

/// The hops of a movement.
///
/// # Errors
/// The two sites that no network joins in this direction.
pub(super) fn hops<'a>(subject: &Subject<'a>, flow: &'a Flow) -> Result<Vec<Hop<'a>>, (&'a str, &'a str)> {
    let stops: Vec<&str> = stops(flow).collect();
    stops.windows(2).map(|pair| hop(subject, pair[0], pair[1]).ok_or((pair[0], pair[1]))).collect()
}

/// All sites of a movement in their order.
pub(super) fn stops(flow: &Flow) -> impl Iterator<Item = &str> {
    std::iter::once(flow.from.as_str()).chain(flow.via.iter().map(String::as_str)).chain([flow.to.as_str()])
}

fn hop<'a>(subject: &Subject<'a>, from: &'a str, to: &'a str) -> Option<Hop<'a>> {
    let link = subject.link(from, to);
    let (bytes_per_second, round_trip_seconds) = if let Some(link) = link {
        (link.bandwidth.bytes_per_second(), 2.0 * link.latency.get())
    } else {
        let site = |name: &str| subject.scenario.sites.get(name).and_then(region);
        let path = subject.catalog.path(site(from)?, site(to)?)?;
        (path.gbps * 1e9 / 8.0, path.round_trip_seconds)
    };
    (from != to && bytes_per_second > 0.0).then_some(Hop { from, to, bytes_per_second, round_trip_seconds, link })
}

/// Shortest time for an amount: the slowest hop's rate, and every hop's round trip.
pub(super) fn shortest_seconds(hops: &[Hop<'_>], bytes: u64) -> f64 {
    let slowest = hops.iter().map(|hop| hop.bytes_per_second).fold(f64::INFINITY, f64::min);
    bytes as f64 / slowest + hops.iter().map(|hop| hop.round_trip_seconds).sum::<f64>()
}
