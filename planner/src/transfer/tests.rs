mod brute_force;
mod published;

use std::collections::BTreeMap;

use scenarios::units::{Bandwidth, Bytes};

use super::*;

/// Three regions: a cheap slow link from `a` to `c`, and a fast dear way over `b`.
fn triangle() -> TransferDocument {
    let region = |name: &str| {
        serde_json::json!({
            "name": name, "gateway_usd_per_hour": 0.5, "most_gateways": 1, "egress_gbps": 16, "ingress_gbps": 16
        })
    };
    let document = serde_json::json!({
        "format": FORMAT,
        "from": "a", "to": "c", "amount": "100 GB", "rate": "5 Gbit/s",
        "connections_per_gateway": 64,
        "regions": [region("a"), region("b"), region("c")],
        "throughput_gbps": [[0, 10, 4], [0, 0, 10], [0, 0, 0]],
        "usd_per_gb": [[0, 0.02, 0.01], [0, 0, 0.02], [0, 0, 0]],
    });
    TransferDocument::parse(document.to_string().as_bytes()).expect("a document")
}

fn solved(document: &TransferDocument) -> Result<TransferPlan, TransferError> {
    cheapest(&document.network().expect("a network"), &document.request())
}

#[test]
fn a_plan_tells_paths_links_gateways_and_money() {
    let plan = solved(&triangle()).expect("a plan");
    let paths: Vec<(String, f64)> =
        plan.paths.iter().map(|path| (path.places.join(" "), (path.gbps * 1e6).round() / 1e6)).collect();
    // Of the connections at `a` a share s goes to `c`: 4 s + 10 (1 − s) = 5.
    assert_eq!(paths, [("a c".to_owned(), 3.333_333), ("a b c".to_owned(), 1.666_667)]);
    assert_eq!(plan.paths.iter().map(|path| path.bytes).sum::<u64>(), 100_000_000_000);
    assert_eq!(plan.egress_usd.round_dp(4).to_string(), "2.0000");
    assert_eq!(plan.gateways.iter().map(|gateways| gateways.gateways).collect::<Vec<_>>(), [1, 1, 1]);
    assert_eq!(plan.gateway_usd.round_dp(4).to_string(), "0.0667");
    assert_eq!(plan.total_usd, plan.egress_usd + plan.gateway_usd);
    assert!((plan.seconds - 160.0).abs() < 1e-9 && plan.is_optimal);
}

#[test]
fn what_cannot_be_copied_is_explained() {
    let check = |change: &dyn Fn(&mut TransferDocument), message: &str, help: Option<&str>| {
        let mut document = triangle();
        change(&mut document);
        let error = solved(&document).expect_err(message);
        assert_eq!(error.to_string(), message);
        assert_eq!(error.help().as_deref(), help);
    };
    let forbid = |place: &str| BTreeMap::from([(place.to_owned(), "stay home".to_owned())]);
    check(
        &|document| document.forbidden = forbid("b"),
        "the direct link `a` → `c` carries 4 Gbit/s, 5 are asked for; rule `stay home` keeps the data from passing `b`",
        Some(
            "ask for at most 4 Gbit/s: 1.0556 USD; or allow 2 gateways at `a` and 2 gateways at `c`: 1.0889 USD; \
             or permit passing `b` (rule `stay home`): 2.0667 USD",
        ),
    );
    check(
        &|document| document.rate = Bandwidth::from_gbps(12.0),
        "from `a` to `c` at most 10 Gbit/s are possible, 12 are asked for: the connections that leave `a`, the connections \
         that leave `b`, the connections that enter `b` and the connections that enter `c` are used up",
        Some(
            "allow 2 gateways at `a`, 2 gateways at `b` and 2 gateways at `c`: 2.713 USD; \
             or ask for at most 10 Gbit/s: 4.0333 USD",
        ),
    );
    check(
        &|document| document.throughput_gbps = vec![vec![0.0; 3]; 3],
        "no permitted link leads from `a` to `c`",
        None,
    );
    check(
        &|document| document.forbidden = forbid("c"),
        "rule `stay home` keeps the data from `c`, which is the destination",
        Some("a copy begins and ends where the data may be"),
    );
    check(&|document| document.to = "A".into(), "the network has no place `A`", Some("did you mean `a`?"));
    check(
        &|document| document.to = "a".into(),
        "`a` is source and destination at once",
        Some("data that stays needs no copy"),
    );
    check(
        &|document| document.amount = Bytes(0),
        "there is nothing to copy: the amount is 0",
        Some("give an amount such as `100 GB`"),
    );
    let rate = "a rate of 0 Gbit/s is asked for: expected 10^-6 to 10^9";
    check(&|document| document.rate = Bandwidth(0.0), rate, Some("give a rate such as `8 Gbit/s`"));
}

#[test]
fn extreme_figures_make_a_plan_or_a_message() {
    let check = |change: &dyn Fn(&mut TransferDocument), possible: bool| {
        let mut document = triangle();
        change(&mut document);
        match solved(&document) {
            Ok(plan) => {
                assert!(possible && plan.seconds.is_finite() && plan.paths.iter().all(|path| path.gbps.is_finite()));
            }
            Err(TransferError::Infeasible(why)) => assert!(!possible && why.possible_gbps.is_finite(), "{why}"),
            Err(error) => panic!("{error}"),
        }
    };
    check(&|document| document.throughput_gbps[0] = vec![0.0, 1e-300, 1e-300], false);
    check(&|document| document.throughput_gbps = vec![vec![1e9; 3]; 3], true);
    check(&|document| document.rate = Bandwidth(1e3), true);
    check(&|document| document.rate = Bandwidth(1e18), false);
    check(&|document| document.amount = Bytes(u64::MAX), true);
    check(&|document| document.regions[0].egress_gbps = 0.0, false);
    check(&|document| document.regions[2].most_gateways = 0, false);
    check(&|document| document.regions.iter_mut().for_each(|region| region.gateway_usd_per_hour = 1e6), true);
    check(&|document| document.regions.iter_mut().for_each(|region| region.most_gateways = 100_000), true);
}

#[test]
fn documents_are_read_or_explained() {
    let check = |change: &dyn Fn(&mut serde_json::Value), message: &str| {
        let mut value = serde_json::to_value(triangle()).expect("JSON");
        change(&mut value);
        let read = TransferDocument::parse(value.to_string().as_bytes()).and_then(|document| document.network());
        let error = read.expect_err(message).to_string();
        assert!(error.starts_with(message), "{error}");
    };
    check(
        &|value| value["format"] = "causeway.plan/1".into(),
        "the format is `causeway.plan/1`, expected `causeway.transfer/1`",
    );
    check(
        &|value| value["amount"] = 100.into(),
        "not a document of format `causeway.transfer/1`: invalid type: integer",
    );
    check(
        &|value| value["colour"] = 1.into(),
        "not a document of format `causeway.transfer/1`: unknown field `colour`",
    );
    let shape = "`usd_per_gb` has 2 figures in row 2; 3 regions need 3 rows of 3 figures";
    check(&|value| value["usd_per_gb"][1] = serde_json::json!([0, 0]), shape);
    check(&|value| value["throughput_gbps"] = serde_json::json!([]), "`throughput_gbps` has 0 rows");
    let price = "the price of a gigabyte from `a` to `b` is -0.02 USD: expected 0 to 1000000";
    check(&|value| value["usd_per_gb"][0][1] = (-0.02).into(), price);
    check(&|value| value["usd_per_gb"][0][1] = 1e300.into(), "the price of a gigabyte from `a` to `b` is 1000000000");
    check(&|value| value["regions"][1]["name"] = "a".into(), "two places are called `a`");
    let rate = "the egress of a gateway at `b` is -1 Gbit/s: expected 0 to 10^9";
    check(&|value| value["regions"][1]["egress_gbps"] = (-1.0).into(), rate);
    check(&|value| value["connections_per_gateway"] = 0.into(), "a gateway needs at least one connection");
}
