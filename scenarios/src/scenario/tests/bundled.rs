//! The bundled scenarios, and what reading one gives.

use super::{SMALL, WHOLE, library, load_text, rendered};
use crate::document;
use crate::scenario::{Job, PurchaseKind, Scenario, digest_of_file};

#[test]
fn bundled_scenarios_have_no_problems() {
    for entry in std::fs::read_dir(library()).expect("there is a library") {
        let path = entry.expect("it is readable").path();
        if path.extension().is_some_and(|extension| extension == "yaml") {
            let text = std::fs::read_to_string(&path).expect("it is readable");
            assert_eq!(rendered(&text), "no problems\n", "{}", path.display());
            assert!(digest_of_file(&path).is_ok(), "{}", path.display());
        }
    }
}

#[test]
fn sites_know_every_place_that_covers_them() {
    let loaded = load_text(SMALL).expect("it is valid");
    let check = |site: &str, country: &str, places: &[&str]| {
        let found = &loaded.sites[site];
        assert_eq!(found.country.as_deref(), Some(country), "{site}");
        assert_eq!(found.places, places, "{site}");
    };
    check("home", "DE", &["home", "DE", "eea", "eu", "eu-adequate", "private"]);
    check("cloud", "DE", &["cloud", "DE", "eea", "eu", "eu-adequate", "aws", "public"]);
    assert_eq!(loaded.profiles["machine.json"].profile.name, "bench");
    assert!(loaded.path.is_some_and(|path| path.ends_with("scenario.yaml")));
}

#[test]
fn the_digest_is_of_the_meaning() {
    let digest = |text: &str| load_text(text).expect(text).digest;
    let same = SMALL
        .replace("size: 4 GB", "size: 4000 MB # comment")
        .replace("  - between: [home, cloud]", "  - between:\n    - home\n    - cloud");
    assert_eq!(digest(SMALL), digest(&same));
    assert_ne!(digest(SMALL), digest(&SMALL.replace("nodes: 2", "nodes: 3")));
}

#[test]
fn what_is_written_is_what_is_read() {
    for text in [SMALL, WHOLE] {
        assert_eq!(rendered(text), "no problems\n");
        let scenario = load_text(text).expect("it is valid").scenario;
        // JSON is YAML too.
        let again = load_text(document::to_json(&scenario)).expect("it is valid").scenario;
        assert_eq!(again, scenario);
        let again: Scenario = serde_json::from_str(&document::to_json(&scenario)).expect("it is a scenario");
        assert_eq!(again, scenario);
    }
}

#[test]
fn the_hospital_says_what_the_issue_asks() {
    let text = std::fs::read_to_string(library().join("mnist-hospital.yaml")).expect("it is readable");
    let scenario = load_text(text).expect("it is valid").scenario;
    let Job::Train(training) = &scenario.workloads["train"].job else { panic!("it trains") };
    assert_eq!((training.passes().get(), training.global_batch.get()), (10, 100));
    assert_eq!(training.preprocessing.normalize, Some([0.5, 0.5]));
    assert!(scenario.sites["hospital"].pools["workstation"].purchase.owned.is_some(), "{}", PurchaseKind::Owned);
}
