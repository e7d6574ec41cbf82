//! Replicas of services.

use super::{candidates, loaded};
use crate::candidates::{Reason, Replica};

fn replicas(pools: &str, targets: &str, more: &str) -> Vec<Replica> {
    let text = format!(
        "
horizon: 10 d
sites:
  cloud: {{ kind: public, provider: aws, region: eu-central-1, pools: {{ {pools} }} }}
  users: {{ kind: private, country: DE }}
links: [{{ between: [users, cloud], bandwidth: 1 Gbit/s, latency: 40 ms }}]
workloads:
  w:
    job:
      serve:
        model: {{ preset: llama-13b }}
        precision: bf16
        targets: {targets}
        demand: [{{ from: users, requests: [{{ rate: 2 /s, input: 500, output: 200 }}, {{ rate: 1 /s, input: 2000, output: 100 }}] }}]
{more}"
    );
    candidates(&loaded(&text)).workloads.remove(0).service.expect("a service").replicas
}

const A100: &str = "a: { machine: { instance: p4d.24xlarge }, nodes: 4 }";

#[test]
fn tighter_targets_allow_fewer_requests() {
    let best = |targets: &str| {
        let found = replicas(A100, targets, "");
        let on_one = found.iter().filter(|replica| replica.group.layout.nodes == 1);
        on_one.filter_map(|replica| replica.most[0]).fold(0.0, f64::max)
    };
    let check = |loose: &str, tight: &str| {
        let (loose, tight) = (best(loose), best(tight));
        assert!(loose > tight, "{loose} {tight}");
    };
    check("{}", "{ per_token: 50 ms }");
    check("{ per_token: 50 ms }", "{ per_token: 15 ms }");
    check("{ first_token: 2 s }", "{ first_token: 150 ms }");
    check("{ latency: 20 s }", "{ latency: 4 s }");
    // The network alone takes 80 ms.
    check("{ first_token: 2 s }", "{ first_token: 80 ms }");
    assert!(replicas(A100, "{ first_token: 80 ms }", "").is_empty());
}

#[test]
fn replicas_fill_a_node_and_cost_the_whole_window() {
    for replica in replicas(A100, "{ per_token: 50 ms }", "") {
        let ranks = replica.strategy.ranks();
        assert_eq!((replica.group.layout.nodes, ranks), (1, 8), "{}", replica.strategy);
        assert_eq!(replica.usd, replica.group.usd_per_node_hour * rust_decimal::Decimal::from(240));
        assert!(replica.energy_kwh.is_some() && replica.carbon_kg.is_some());
    }
}

#[test]
fn measured_rates_are_believed() {
    let measured = "    measured: [{ machine: a, requests: [{ input: 500, output: 200, rate: 7 /s }] }]\n";
    let found = replicas(A100, "{ per_token: 50 ms }", measured);
    let on_one = found.iter().filter(|replica| replica.group.layout.nodes == 1);
    assert_eq!(on_one.map(|replica| replica.most.clone()).collect::<Vec<_>>(), [vec![Some(7.0), None]]);
    assert_eq!(found[0].prediction.predicted.basis, "measured rate");
}

#[test]
fn spot_nodes_serve_nothing() {
    let pool = "a: { machine: { instance: p4d.24xlarge }, nodes: 4, purchase: { spot: {} } }";
    assert!(replicas(pool, "{}", "").is_empty());
}

#[test]
fn weights_are_there_before_the_service_starts() {
    let check = |starts: &str, expected: bool| {
        let text = format!(
            "
horizon: 10 d
sites:
  cloud: {{ kind: public, provider: aws, region: eu-central-1, pools: {{ {A100} }} }}
  store: {{ kind: private, country: DE, egress: 0 USD/GB }}
links: [{{ between: [store, cloud], bandwidth: 1 Gbit/s, latency: 4 ms }}]
datasets:
  llama: {{ class: public, at: [store], size: 26 GB, records: 1 }}
workloads:
  w:
    job:
      serve:
        model: {{ preset: llama-13b }}
        weights_of: llama
        demand: [{{ requests: [{{ rate: 2 /s, input: 500, output: 200 }}] }}]
    earliest_start: {starts}
"
        );
        let found = candidates(&loaded(&text)).workloads.remove(0);
        assert_eq!(!found.service.expect("a service").replicas.is_empty(), expected, "{starts}");
        let refused = found.refused.iter().any(|refused| matches!(refused.reason, Reason::TooLate { .. }));
        assert_eq!(refused, !expected, "{starts}");
    };
    // 26 GB take 208 seconds.
    check("200 s", false);
    check("210 s", true);
}

#[test]
fn ranks_that_share_a_network_need_permission_for_activations() {
    let check = |rules: &str, whole: bool, shared: bool| {
        let text = format!(
            "
sites:
  cloud: {{ kind: public, provider: aws, region: eu-central-1, pools: {{ {A100} }} }}
datasets:
  questions: {{ class: health, at: [cloud], size: 1 GB, records: 1000 }}
policies:
  health: {{ effect: allow, classes: [health], forms: [raw], places: [DE] }}
{rules}
workloads:
  w:
    job:
      serve:
        model: {{ preset: llama-13b }}
        demand: [{{ data: questions, requests: [{{ rate: 2 /s, input: 500, output: 200 }}] }}]
    measured:
      - {{ machine: a, nodes: 1, requests: [{{ input: 500, output: 200, rate: 2 /s }}] }}
      - {{ machine: a, nodes: 2, strategy: {{ tensor: 8 }}, requests: [{{ input: 500, output: 200, rate: 9 /s }}] }}
"
        );
        let found = candidates(&loaded(&text)).workloads.remove(0).service.expect("a service").replicas;
        let has = |is_shared: bool| {
            found.iter().any(|replica| (replica.strategy.ranks() / replica.strategy.data.get() > 1) == is_shared)
        };
        assert_eq!((has(false), has(true)), (whole, shared), "{rules}");
    };
    check("", true, true);
    check("  no: { effect: deny, classes: [health], forms: [activations], places: [DE] }", true, false);
    check("  no: { effect: deny, classes: [health], forms: [raw, activations], places: [cloud] }", false, false);
}
