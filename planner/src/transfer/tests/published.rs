//! The five-region relays of Skyplane's grid, with and without banned transit.

use serde_json::{Value, json};

use super::*;

fn cases() -> Option<Value> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data/placement/cases.json");
    let text = std::fs::read_to_string(path).ok()?;
    Some(serde_json::from_str::<Value>(&text).expect("JSON")["skyplane_5region"].clone())
}

fn document(grid: &Value) -> TransferDocument {
    let names = grid["grid"]["regions"].as_array().expect("regions");
    let region = |name: &Value| {
        let provider = name.as_str().and_then(|name| name.split_once(':')).expect("provider:region").0;
        let limits = &grid["vm_limits_gbps"][provider];
        json!({
            "name": name, "gateway_usd_per_hour": grid["usd_per_instance_hr"], "most_gateways": grid["instance_limit"],
            "egress_gbps": limits[0], "ingress_gbps": limits[1],
        })
    };
    let document = json!({
        "format": FORMAT,
        "from": grid["src"], "to": grid["dst"], "amount": format!("{} GB", grid["gbyte"]), "rate": "1 Gbit/s",
        "connections_per_gateway": grid["conns_per_vm"],
        "regions": names.iter().map(region).collect::<Vec<_>>(),
        "throughput_gbps": grid["grid"]["throughput_gbps"],
        "usd_per_gb": grid["grid"]["usd_per_gb"],
    });
    TransferDocument::parse(document.to_string().as_bytes()).expect("a document")
}

#[test]
fn relays_cost_what_the_published_program_says() {
    let Some(grid) = cases() else {
        eprintln!("not checked: the published cases are not in ../shared/data/placement");
        return;
    };
    let cases = grid["cases"].as_array().expect("cases");
    assert_eq!(cases.len(), 21);
    for case in cases {
        let mut document = document(&grid);
        document.rate = Bandwidth::from_gbps(case["req"].as_f64().expect("a rate"));
        for place in case["ban"].as_array().expect("places") {
            document.forbidden.insert(place.as_str().expect("a name").to_owned(), "no transit".to_owned());
        }
        match (solved(&document), case["total"].as_f64()) {
            (Ok(plan), Some(total)) => {
                let found = f64::try_from(plan.total_usd).expect("a sum");
                assert!((found - total).abs() < 0.5001e-4, "{case}: {found}");
            }
            (Err(TransferError::Infeasible(_)), None) => {}
            (found, _) => panic!("{case}: {found:?}"),
        }
    }
}

#[test]
fn what_the_banned_relays_leave_is_said_with_link_and_rule() {
    let Some(grid) = cases() else {
        eprintln!("not checked: the published cases are not in ../shared/data/placement");
        return;
    };
    let mut document = document(&grid);
    document.rate = Bandwidth::from_gbps(6.7);
    for relay in ["azure:westus2", "azure:japaneast", "azure:uksouth"] {
        document.forbidden.insert(relay.to_owned(), "canada-only".to_owned());
    }
    let error = solved(&document).expect_err("no relay is left");
    insta::assert_snapshot!(format!("{error}\nhelp: {}", error.help().unwrap_or_default()), @r"
    the direct link `azure:canadacentral` → `gcp:asia-northeast1-a` carries 6.6253 Gbit/s, 6.7 are asked for; rule `canada-only` keeps the data from passing `azure:westus2`, `azure:japaneast` and `azure:uksouth`
    help: ask for at most 6.6253 Gbit/s: 8.7862 USD; or allow 2 gateways at `azure:canadacentral` and 2 gateways at `gcp:asia-northeast1-a`: 8.8216 USD; or permit passing `azure:westus2` (rule `canada-only`): 8.8482 USD; or permit passing `azure:japaneast` (rule `canada-only`): 8.9695 USD; or permit passing `azure:uksouth` (rule `canada-only`): 9.0299 USD
    ");
}
