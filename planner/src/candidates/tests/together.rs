//! Trainings on machines of several pools and sites.

use super::{candidates, loaded, words};
use crate::candidates::Column;

fn mixed(datasets: &str, mixed: &str, policies: &str) -> Vec<(String, Column)> {
    let text = format!(
        "
horizon: 60 d
sites:
  a: {{ kind: public, provider: aws, region: eu-central-1, egress: 0.05 USD/GB, pools: {{ v: {{ machine: {{ instance: p3.16xlarge }}, nodes: 2 }}, t: {{ machine: {{ instance: g4dn.12xlarge }}, nodes: 2 }} }} }}
  b: {{ kind: public, provider: aws, region: us-east-1, egress: 0.02 USD/GB, pools: {{ v: {{ machine: {{ instance: p3.16xlarge }}, nodes: 2 }} }} }}
datasets:
  d: {datasets}
policies: {policies}
workloads:
  w:
    job: {{ train: {{ model: {{ preset: bert-large }}, data: d, epochs: 2, global_batch: 256, precision: fp16, optimizer: {{ adam: {{ learning_rate: 0.001 }} }} }} }}
    strategies: {{ tensor: [1], pipeline: [1], mixed: {mixed} }}
"
    );
    let loaded = loaded(&text);
    let columns = candidates(&loaded).workloads.remove(0).columns;
    let several = columns.into_iter().filter(|column| column.groups.len() > 1);
    several.map(|column| (words(&loaded, &column), column)).collect()
}

#[test]
fn two_pools_share_a_batch_by_their_speed() {
    let found = mixed("{ class: public, at: [a], size: 10 GB, records: 1000000 }", "one_site", "{}");
    assert!(!found.is_empty());
    for (words, column) in &found {
        let shares: Vec<u64> = column.groups.iter().filter_map(|group| group.batch).collect();
        assert_eq!(shares.iter().sum::<u64>(), 256, "{words}");
        let of = |name: &str| column.groups.iter().zip(&shares).find(|_| words.contains(name));
        assert!(of("p3.16xlarge").is_some(), "{words}");
    }
    let none = mixed("{ class: public, at: [a], size: 10 GB, records: 1000000 }", "one_pool", "{}");
    assert!(none.is_empty(), "{none:?}");
}

#[test]
fn parts_stay_where_they_are_and_parameters_travel() {
    let parts = "{ class: health, parts: [{ at: a, records: 600000 }, { at: b, records: 400000 }], size: 10 GB, records: 1000000 }";
    let allow = "{ p: { effect: allow, classes: [health], forms: [raw, weights], places: [a, b] } }";
    let found = mixed(parts, "{ sites: { average_every: 100 } }", allow);
    assert!(!found.is_empty());
    for (words, column) in &found {
        assert!(column.copies.is_empty() && column.exchanges.len() == 2, "{words}");
        // 7,812 steps, averaged 79 times; 4 bytes a parameter.
        let parameters = column.exchanges[0].bytes / 79 / 4;
        assert!((330_000_000..340_000_000).contains(&parameters), "{words}: {parameters}");
        assert!(words.contains("averaged every 100 steps"), "{words}");
        let shares: u64 = column.groups.iter().filter_map(|group| group.batch).sum();
        assert_eq!(shares, 256, "{words}");
    }
    let deny = "{ p: { effect: allow, classes: [health], forms: [raw], places: [a, b] }, q: { effect: deny, classes: [health], forms: [weights], places: [b] } }";
    assert!(mixed(parts, "{ sites: { average_every: 100 } }", deny).is_empty());
}

#[test]
fn all_sites_together_have_an_allowed_number_of_replicas() {
    let parts = "{ class: public, parts: [{ at: a, records: 600000 }, { at: b, records: 400000 }], size: 10 GB, records: 1000000 }";
    let check = |counts: &str, expected: &[u32]| {
        // `data` stands beside `mixed` in the same list of strategies.
        let found = mixed(parts, &format!("{{ sites: {{ average_every: 100 }} }}, data: {counts}"), "{}");
        let mut replicas: Vec<u32> = found.iter().map(|(_, column)| column.strategy.data.get()).collect();
        replicas.sort_unstable();
        replicas.dedup();
        assert_eq!(replicas, expected, "{counts}");
    };
    check("[8]", &[]);
    check("[8, 16]", &[16]);
}
