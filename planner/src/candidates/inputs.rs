//! Ways to have a workload's data at a site.

use std::collections::HashMap;

use scenarios::scenario::{Dataset, Form, Workload};

use super::network::Errand;
use super::{Cargo, Movement, Network, Reason, World};

/// Positions of the ways to make a copy, or why there are none.
type Ways = Result<Vec<usize>, Reason>;

/// Copies of data sets, each listed once: by what moves, source, destination and route.
#[derive(Debug)]
pub(super) struct Copies {
    pub list: Vec<Movement>,
    /// Most ways of one copy: of more, those between the cheapest and the fastest are thinned out.
    most_ways: usize,
    known: HashMap<(String, Form, Errand, usize), Ways>,
    places: HashMap<(String, Form, usize, Vec<usize>, usize), usize>,
}

impl Copies {
    /// No copies yet; of each copy at most `most_ways` ways, two at least, will be listed.
    pub fn new(most_ways: usize) -> Self {
        Self { list: Vec::new(), most_ways: most_ways.max(2), known: HashMap::new(), places: HashMap::new() }
    }

    /// Positions of the ways to copy a cargo.
    fn find(&mut self, network: &Network<'_>, cargo: &Cargo, from: usize, to: usize) -> Result<Vec<usize>, Reason> {
        let key = (cargo.what.clone(), cargo.form, network.errand(cargo, from), to);
        if let Some(known) = self.known.get(&key) {
            return known.clone();
        }
        let found = network.movements(cargo, from, to).map(|ways| {
            let ways = thinned(ways, self.most_ways);
            ways.into_iter().map(|way| self.position(way)).collect()
        });
        self.known.insert(key, found.clone());
        found
    }

    /// Position of a way, which is added when it is new.
    fn position(&mut self, way: Movement) -> usize {
        let key = (way.what.clone(), way.form, way.from, way.via.clone(), way.to);
        if let Some(known) = self.places.get(&key).copied().filter(|at| self.list[*at] == way) {
            return known;
        }
        self.places.insert(key, self.list.len());
        self.list.push(way);
        self.list.len() - 1
    }
}

/// At most so many ways, evenly from the cheapest, which is first, to the fastest.
fn thinned(ways: Vec<Movement>, most: usize) -> Vec<Movement> {
    let count = ways.len();
    if count <= most {
        return ways;
    }
    let fastest = ways.iter().enumerate().min_by(|a, b| a.1.seconds.total_cmp(&b.1.seconds)).map_or(0, |(at, _)| at);
    let mut kept: Vec<usize> = (0..most - 1).map(|step| step * count / most).collect();
    kept.push(fastest);
    let is_kept = |at: &usize| kept.contains(at);
    ways.into_iter().enumerate().filter(|(at, _)| is_kept(at)).map(|(_, way)| way).collect()
}

/// Sets of copies that bring all data sets of a workload to a site; one empty set where all lie there.
///
/// # Errors
/// The reason why some data set cannot be there.
pub(super) fn sources(
    world: &World<'_>,
    network: &Network<'_>,
    copies: &mut Copies,
    name: &str,
    workload: &Workload,
    site: usize,
) -> Result<Vec<Vec<usize>>, Reason> {
    let datasets = &world.loaded.scenario.datasets;
    let read = [(workload.job.data(), Form::Raw), (workload.job.weights_of(), Form::Weights)];
    let mut sets: Vec<Vec<usize>> = vec![vec![]];
    for (dataset, form) in read {
        let Some((what, dataset)) = dataset.and_then(|dataset| datasets.get_key_value(dataset)) else { continue };
        let cargo = |bytes: u64| Cargo {
            what: what.clone(),
            used_by: name.to_owned(),
            form,
            labels: vec![what.clone()],
            bytes,
            kept: true,
        };
        for choices in needed(world, network, copies, &cargo, dataset, site)? {
            sets = sets.iter().flat_map(|set| choices.iter().map(|copy| joined(set, *copy))).collect();
        }
    }
    Ok(sets)
}

fn joined(set: &[usize], copy: usize) -> Vec<usize> {
    set.iter().copied().chain([copy]).collect()
}

/// For each copy that a data set needs to be at a site the ways to make it; empty where it lies there.
fn needed(
    world: &World<'_>,
    network: &Network<'_>,
    copies: &mut Copies,
    cargo: &dyn Fn(u64) -> Cargo,
    dataset: &Dataset,
    site: usize,
) -> Result<Vec<Vec<usize>>, Reason> {
    let sites = &world.loaded.scenario.sites;
    let name = world.site_name(site);
    if dataset.at.iter().any(|holder| holder == name) {
        return Ok(Vec::new());
    }
    let mut all = Vec::new();
    let away = dataset.parts.iter().filter(|part| part.at != name);
    for (holder, bytes) in away.map(|part| (&part.at, part_bytes(dataset, part.records))) {
        let Some(from) = sites.get_index_of(holder) else { continue };
        all.push(copies.find(network, &cargo(bytes), from, site)?);
    }
    if dataset.parts.is_empty() {
        let mut whole = Vec::new();
        let mut refused = None;
        for from in dataset.at.iter().filter_map(|holder| sites.get_index_of(holder)) {
            match copies.find(network, &cargo(dataset.size.0), from, site) {
                Ok(found) => whole.extend(found),
                Err(reason) => refused = refused.or(Some(reason)),
            }
        }
        if let (true, Some(reason)) = (whole.is_empty(), refused) {
            return Err(reason);
        }
        all.push(whole);
    }
    Ok(all)
}

/// Size of a part: its share of the records.
pub(super) fn part_bytes(dataset: &Dataset, records: u64) -> u64 {
    let bytes = u128::from(dataset.size.0) * u128::from(records) / u128::from(dataset.records.max(1));
    u64::try_from(bytes).unwrap_or(u64::MAX)
}
