//! Prices of nodes.

use super::{columns, loaded, refusals};

fn scenario(pool: &str, more: &str) -> String {
    format!(
        "
{more}
sites:
  cloud:
    kind: public
    provider: aws
    region: eu-central-1
    pools:
      p: {pool}
datasets:
  d: {{ class: public, at: [cloud], size: 10 GB, records: 100000 }}
workloads:
  w: {{ job: {{ train: {{ model: {{ preset: resnet50 }}, data: d, epochs: 1, global_batch: 256, precision: fp16, optimizer: {{ momentum: {{ learning_rate: 0.1, momentum: 0.9 }} }} }} }} }}
"
    )
}

#[test]
fn a_pool_offers_what_is_stated() {
    let check = |purchase: &str, expected: &[&str]| {
        let pool = format!("{{ machine: {{ instance: g4dn.xlarge }}, nodes: 1, purchase: {purchase} }}");
        let found = columns(&loaded(&scenario(&pool, "horizon: 30 d")));
        let kinds: Vec<&str> = found
            .iter()
            .map(|words| {
                words.split(": ").next().and_then(|first| first.strip_prefix("1 × g4dn.xlarge ")).unwrap_or_default()
            })
            .collect();
        assert_eq!(kinds, expected, "{purchase}");
    };
    check("{}", &["on demand"]);
    check("{ on_demand: {} }", &["on demand"]);
    check("{ owned: { price: 1 USD/h } }", &["owned"]);
    check("{ spot: {} }", &["spot"]);
    check("{ spot: { price: 0.2 USD/h, interruptions: 2 /d } }", &["spot"]);
    check("{ reserved: { term: 30 d, price: 0.3 USD/h } }", &["reserved"]);
    check(
        "{ owned: { price: 1 USD/h }, on_demand: {}, spot: {}, reserved: { term: 30 d, price: 0.3 USD/h } }",
        &["owned", "on demand", "spot", "reserved"],
    );
}

#[test]
fn what_is_missing_is_told() {
    let check = |pool: &str, more: &str, expected: &str| {
        let found = refusals(&loaded(&scenario(pool, more)));
        assert!(found.iter().any(|reason| reason.contains(expected)), "{found:#?}");
    };
    check(
        "{ machine: { instance: g4dn.xlarge }, nodes: 1, purchase: { spot: { interruptions: 1 /min, restart: 1 h } } }",
        "horizon: 30 d",
        "it would take longer than 10,000 years",
    );
    check(
        "{ machine: { inline: { accelerator: T4, cores: 8, memory: 32 GiB, network: 10 Gbit/s } }, nodes: 1, purchase: { owned: { price: 1 USD/h } } }",
        "horizon: 30 d",
        "needs 2 nodes",
    );
    check(
        "{ machine: { inline: { cores: 8, memory: 64 GiB, peak: 1 TFLOP/s } }, nodes: 1, purchase: { owned: { price: 1 USD/h } } }",
        "horizon: 30 d\nobjective: carbon",
        "the greenhouse gas of `p` is not known",
    );
    check("{ machine: { instance: g4dn.xlarge }, nodes: 1 }", "horizon: 1 s", "would end after");
    check("{ machine: { instance: g4dn.xlarge }, nodes: 0 }", "horizon: 30 d", "the pool has 0");
    check(
        "{ machine: { inline: { accelerator: T4, count: 1024, cores: 8, memory: 32 GiB, network: 1 Gbit/s } }, nodes: 1000000, purchase: { owned: { price: 1 USD/h } } }",
        "horizon: 1 s",
        "would end after",
    );
}
