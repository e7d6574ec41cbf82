use proptest::prelude::*;

use super::flow::{Edge, maximum};
use super::*;

fn class(count: usize, rates: &[f64]) -> Class {
    Class { count, tokens_per_second: rates.to_vec() }
}

#[test]
fn published_classes_reach_the_best_known_value() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data/placement/cases.json");
    let Ok(text) = std::fs::read_to_string(path) else {
        eprintln!("not checked: the published cases are not in ../shared/data/placement");
        return;
    };
    let cases: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let entries = parse(cases["helix"].to_string().as_bytes()).expect("entries");
    assert_eq!(entries.len(), 5);
    for entry in entries {
        let placement = place(&entry.fleet).expect("a placement");
        let known = entry.best_known.expect("a value");
        assert!(placement.tokens_per_second >= known * (1.0 - 1e-9), "{}: {}", entry.name, placement.tokens_per_second);
        assert!(placement.is_optimal(), "{}: bound {}", entry.name, placement.bound);
    }
}

#[test]
fn placements_are_as_general_as_they_need_to_be() {
    let check = |layers: usize, classes: Vec<Class>, rate: f64, bound: f64| {
        let placement = place(&Fleet::new(layers, classes.clone()).expect("a fleet")).expect("a placement");
        let found = (placement.tokens_per_second, placement.bound);
        let near = |found: f64, expected: f64, share: f64| (found - expected).abs() <= share * expected.max(1.0);
        assert!(near(found.0, rate, 1e-9) && near(found.1, bound, 1e-4), "{layers} {classes:?}: {found:?}");
    };
    // One pipeline; two machines beside each other; a pipeline beside a machine; three of which two share a stage.
    check(4, vec![class(2, &[9.0, 5.0])], 5.0, 5.0);
    check(2, vec![class(2, &[9.0, 5.0])], 10.0, 10.0);
    check(3, vec![class(1, &[0.0, 0.0, 4.0]), class(3, &[6.0])], 10.0, 10.0);
    check(3, vec![class(1, &[9.0, 8.0]), class(2, &[4.0])], 8.0, 8.0);
    // Nothing holds all layers.
    check(9, vec![class(2, &[9.0, 5.0])], 0.0, 0.0);
    check(1, vec![], 0.0, 0.0);
    // Rates of all sizes.
    check(2, vec![class(2, &[1e-300, 1e-300]), class(1, &[1e12, 1e12])], 1e12, 1e12);
    // Rates need not fall with the layers, and layers are held exactly.
    check(5, vec![class(2, &[9.0, 1.0, 7.0])], 1.0, 7.0);
    check(6, vec![class(2, &[9.0, 1.0, 7.0])], 7.0, 7.0);
}

#[test]
fn large_fleets_are_placed_by_replicas_or_stages() {
    let check = |layers: usize, rates: &[f64], counts: &[usize], most_gap: f64| {
        let classes = counts
            .iter()
            .zip(1_u32..)
            .map(|(count, speed)| class(*count, &rates.iter().map(|rate| rate * f64::from(speed)).collect::<Vec<_>>()));
        let placement = place(&Fleet::new(layers, classes.collect()).expect("a fleet")).expect("a placement");
        let found = (placement.tokens_per_second, placement.bound);
        assert!(placement.gap() <= most_gap, "{layers} {rates:?} {counts:?}: {found:?}");
    };
    check(40, &[9.0, 4.0, 2.0], &[60; 6], 0.02);
    check(40, &[9.0, 4.6, 3.1], &[60; 6], 0.02);
    check(60, &[9.0, 7.0, 5.0, 3.0], &[7, 10, 12, 9, 3], 0.05);
    check(80, &[9.0, 4.4, 2.8], &[16, 24, 8], 0.05);
}

#[test]
fn machines_that_are_no_fleet_are_refused() {
    let check = |text: &str, message: &str| {
        let error = parse(text.as_bytes()).expect_err(message).to_string();
        assert!(error.starts_with(message), "{error}");
    };
    let entry = |layers: &str, count: &str, rates: &str| {
        format!(
            r#"{{"name":"n","layers":{layers},"classes":[{{"count":{count},"tokens_per_s_by_layers_held":{rates}}}]}}"#
        )
    };
    check("", "neither a fleet nor a list of fleets: EOF");
    check(r#"{"nodes": 1}"#, "neither a fleet nor a list of fleets: unknown field `nodes`");
    check(&entry("0", "1", "{}"), "`n`: the network has 0 layers: expected 1 to 1000");
    check(&entry("1", "10001", "{}"), "`n`: 10001 machines are too many");
    check(&entry("1", "1", r#"{"0": 1}"#), "`n`: class 1 gives a rate for `0` layers");
    check(&entry("1", "1", r#"{"2": -1}"#), "`n`: class 1 answers -1 tokens/s with 2 layers");
    assert!(parse(format!("[{}]", entry("1", "1", "{}")).as_bytes()).is_ok());
}

/// The best over every placement of every machine.
fn best_of_all(fleet: &Fleet) -> f64 {
    let machines: Vec<usize> =
        fleet.classes().iter().enumerate().flat_map(|(at, class)| vec![at; class.count]).collect();
    let mut best = 0.0_f64;
    let mut edges = Vec::new();
    visit(fleet, &machines, &mut edges, &mut best);
    best
}

fn visit(fleet: &Fleet, machines: &[usize], edges: &mut Vec<Edge>, best: &mut f64) {
    let Some((machine, rest)) = machines.split_first() else {
        *best = best.max(maximum(edges, fleet.layers()).0);
        return;
    };
    visit(fleet, rest, edges, best);
    for from in 0..fleet.layers() {
        for to in from + 1..=fleet.layers() {
            edges.push(Edge { from, to, rate: fleet.classes()[*machine].rate(to - from) });
            visit(fleet, rest, edges, best);
            edges.pop();
        }
    }
}

fn any_fleet() -> impl Strategy<Value = Fleet> {
    let any_class = (1..3_usize, prop::collection::vec(0..30_u32, 1..5));
    (1..5_usize, prop::collection::vec(any_class, 1..3)).prop_map(|(layers, classes)| {
        let classes = classes
            .into_iter()
            .map(|(count, rates)| Class { count, tokens_per_second: rates.into_iter().map(f64::from).collect() });
        Fleet::new(layers, classes.collect()).expect("a fleet")
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn no_placement_is_better_and_none_beats_the_bound(fleet in any_fleet()) {
        let (placement, best) = (place(&fleet).expect("a placement"), best_of_all(&fleet));
        prop_assert!((placement.tokens_per_second - best).abs() < 1e-6, "{} is not {}", placement.tokens_per_second, best);
        prop_assert!(placement.bound > best - 1e-6);
        for class in 0..fleet.classes().len() {
            let used = placement.held.iter().filter(|held| held.class == class).count();
            prop_assert!(used <= fleet.classes()[class].count);
        }
    }
}
