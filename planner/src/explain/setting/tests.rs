use super::*;
use scenarios::scenario::{Loaded, load_text};
use std::path::Path;

fn library(name: &str) -> Scenario {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios/library").join(name);
    let text = std::fs::read_to_string(path).expect("a bundled scenario");
    loaded(&text).expect("it is valid").scenario
}

fn loaded(text: &str) -> Result<Loaded, String> {
    load_text("test", text, Path::new(""), Catalog::bundled()).map_err(|error| error.to_string())
}

fn settings(texts: &[&str]) -> Vec<Setting> {
    texts.iter().map(|text| text.parse().expect(text)).collect()
}

#[test]
fn changes_are_read() {
    let check = |text: &str, expected: Option<(&[&str], Operator, &str)>| {
        let found = text.parse::<Setting>().ok();
        let found = found.map(|setting| (setting.path, setting.operator, setting.value));
        let expected = expected.map(|(path, operator, value)| {
            (path.iter().map(|key| (*key).to_owned()).collect::<Vec<_>>(), operator, value.to_owned())
        });
        assert_eq!(found, expected, "{text}");
    };
    check("budget=500 USD", Some((&["budget"], Operator::Set, "500 USD")));
    check("price.h100*=0.8", Some((&["price", "h100"], Operator::Multiply, "0.8")));
    check("price.h100**=0.8", Some((&["price", "h100*"], Operator::Multiply, "0.8")));
    check("sites.x.pools.y.nodes+=8", Some((&["sites", "x", "pools", "y", "nodes"], Operator::Add, "8")));
    check("sites.\"a.b\".pue=1.2", Some((&["sites", "a.b", "pue"], Operator::Set, "1.2")));
    check("link.bandwidth /= 2", Some((&["link", "bandwidth"], Operator::Divide, "2")));
    check("budget", None);
    check("=3", None);
    check("a..b=3", None);
    check("budget=", None);
}

#[test]
fn a_scenario_without_changes_stays_the_same() {
    let scenario = library("mnist-public.yaml");
    let text = changed(&scenario, &[], Catalog::bundled()).expect("no change");
    assert_eq!(loaded(&text).map(|loaded| loaded.scenario), Ok(scenario));
}

#[test]
fn changes_reach_what_they_name() {
    let scenario = library("mnist-public.yaml");
    let after = |texts: &[&str]| {
        let text = changed(&scenario, &settings(texts), Catalog::bundled()).expect("a change");
        loaded(&text).expect("a valid scenario").scenario
    };
    let nodes = |scenario: &Scenario| -> Vec<u32> {
        scenario.sites.values().flat_map(|site| site.pools.values()).map(|pool| pool.nodes).collect()
    };
    let more: Vec<u32> = nodes(&scenario).into_iter().map(|nodes| nodes + 8).collect();
    assert_eq!(nodes(&after(&["sites.*.pools.*.nodes+=8"])), more);
    assert_eq!(after(&["horizon*=2"]).horizon.get().to_bits(), (scenario.horizon.get() * 2.0).to_bits());
    assert_eq!(after(&["objective=finish_time"]).objective, scenarios::scenario::Objective::FinishTime);
}

#[test]
fn a_price_of_the_catalogue_is_written_down_and_changed() {
    let scenario = library("mnist-public.yaml");
    let text = changed(&scenario, &settings(&["price.g4dn*=0.5"]), Catalog::bundled()).expect("a change");
    assert!(text.contains("\"price\": \"0.329 USD/h\"") || text.contains("\"price\": 0.329 USD/h"), "{text}");
}

#[test]
fn what_cannot_be_changed_is_told() {
    let scenario = library("mnist-public.yaml");
    let check = |texts: &[&str], says: &str, help: &str| {
        let error = changed(&scenario, &settings(texts), Catalog::bundled()).expect_err(says);
        assert!(error.to_string().contains(says), "{error}");
        assert!(error.help().unwrap_or_default().contains(help), "{error:?}");
    };
    check(&["budgt+=1 USD"], "the scenario has no `budgt`", "did you mean `budget`?");
    check(&["sites.institut.pue=1.2"], "`sites` has no `institut`", "did you mean `institute`?");
    check(&["budget=1 USD", "budget=2 USD"], "`budget=2 USD` contradicts `budget=1 USD`", "keep one");
    check(&["price.h100*=0.8"], "no pool has a machine `h100` with a price", "did you mean `V100`?");
    check(&["demand*=2"], "no service is called `*`", "none to choose from");
    check(&["budget*=x"], "`x` is no number", "");
}
