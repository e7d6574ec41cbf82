//! Placements of small scenarios.

mod cached;
mod purchases;
mod services;
mod together;
mod whole_catalog;
mod work;

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use scenarios::catalog::Catalog;
use scenarios::scenario::{Form, Loaded, PurchaseKind, load};

use super::residency::may_exchange;
use super::{Candidates, Column, Held, Network, Refused, World, compute_usd, enumerate};
use crate::clock::Clock;

/// Reads a scenario that is written here.
fn loaded(text: &str) -> Loaded {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("scenario.yaml");
    std::fs::write(&path, format!("format: causeway.scenario/1\nname: test\n{text}")).expect("it can be written");
    match load(&path, None, Catalog::bundled()) {
        Ok(loaded) => loaded,
        Err(scenarios::scenario::LoadError::Invalid { name, text, problems }) => {
            panic!("{}", scenarios::diagnostics::render(&name, &text, &problems))
        }
        Err(error) => panic!("{error}"),
    }
}

fn world(loaded: &Loaded) -> World<'_> {
    World { loaded, catalog: Catalog::bundled() }
}

/// All placements of a scenario, which are sound.
fn candidates(loaded: &Loaded) -> Candidates {
    let network = Network::new(world(loaded));
    let found = enumerate(&world(loaded), &network, &Held::new(), Clock::new(60.0)).expect("in time");
    sound(loaded, &found);
    found
}

/// Columns of the first workload in words: purchase, nodes × machine for each group, strategy.
fn columns(loaded: &Loaded) -> Vec<String> {
    candidates(loaded).workloads[0].columns.iter().map(|column| words(loaded, column)).collect()
}

fn words(loaded: &Loaded, column: &Column) -> String {
    let group = |group: &super::Group| {
        format!("{} × {} {}", group.layout.nodes, world(loaded).machine_name(group.place), group.purchase)
    };
    let groups: Vec<String> = column.groups.iter().map(group).collect();
    format!("{}: {}", groups.join(" + "), column.strategy)
}

/// Refusals of the first workload in words.
fn refusals(loaded: &Loaded) -> Vec<String> {
    let words = |refused: &Refused| format!("{} {}: {}", refused.nodes, refused.purchase, refused.reason);
    candidates(loaded).workloads[0].refused.iter().map(words).collect()
}

/// No column breaks what all columns keep: memory, lists of strategies, quotas, residency; costs are hours × price.
fn sound(loaded: &Loaded, found: &Candidates) {
    let world = world(loaded);
    for workload in &found.workloads {
        let description = &loaded.scenario.workloads[&workload.workload];
        for column in &workload.columns {
            let mut nodes = BTreeMap::new();
            let mut usd = Decimal::ZERO;
            for group in &column.groups {
                *nodes.entry(group.place).or_insert(0) += group.layout.nodes;
                usd += compute_usd(group.usd_per_node_hour, group.layout.nodes, column.seconds);
                assert!(group.purchase != PurchaseKind::Reserved || group.usd_per_node_hour.is_zero());
                let ranks = column.strategy.ranks();
                let gradients = may_exchange(&world, &workload.workload, Form::Gradients, group.place.site);
                let learns = description.job.training().is_some();
                assert!(!learns || ranks == 1 || gradients.is_ok(), "{}", words(loaded, column));
                let cut = column.strategy.tensor.get() > 1 || column.strategy.pipeline.get() > 1;
                let activations = may_exchange(&world, &workload.workload, Form::Activations, group.place.site);
                assert!(!cut || activations.is_ok(), "{}", words(loaded, column));
            }
            assert!(nodes.iter().all(|(place, nodes)| *nodes <= world.most_nodes(*place)), "{}", words(loaded, column));
            assert_eq!(usd, column.compute_usd, "{}", words(loaded, column));
            let lists = &description.strategies;
            let tensor = lists.tensor.as_ref().is_none_or(|list| list.contains(&column.strategy.tensor));
            let zero = lists.zero.as_ref().is_none_or(|list| list.contains(&column.strategy.zero));
            assert!(tensor && zero, "{}", words(loaded, column));
            let (seconds, steps) = (column.prediction.seconds, column.prediction.predicted.step_seconds);
            assert!(seconds.is_finite() && steps.p10 <= steps.p50 && steps.p50 <= steps.p90, "{steps:?}");
            assert!(column.seconds * 1000.0 % 1.0 < 1e-3 || column.seconds * 1000.0 % 1.0 > 0.999);
        }
        for replica in workload.service.iter().flat_map(|service| &service.replicas) {
            assert!(replica.group.layout.nodes <= world.most_nodes(replica.group.place));
            assert!(replica.most.iter().flatten().all(|rate| rate.is_finite() && *rate > 0.0), "{:?}", replica.most);
        }
    }
}

#[test]
fn bundled_scenarios_have_sound_placements() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios/library");
    for entry in std::fs::read_dir(folder).expect("the library") {
        let path = entry.expect("an entry").path();
        // A scenario that names a machine profile needs one.
        let needs_profile = |text: &str| text.contains("profile:");
        let text = std::fs::read_to_string(&path).expect("a text");
        if path.extension().is_some_and(|kind| kind == "yaml") && !needs_profile(&text) {
            let loaded = load(&path, None, Catalog::bundled()).expect("bundled scenarios are valid");
            candidates(&loaded);
        }
    }
}
