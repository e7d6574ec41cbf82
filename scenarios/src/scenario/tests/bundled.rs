//! The bundled scenarios, and what reading one gives.

use super::{SMALL, WHOLE, library, load_text, rendered};
use crate::catalog::Catalog;
use crate::document;
use crate::residency::{Deed, Label, Period, Place, permit};
use crate::scenario::{Action, Form, Job, PurchaseKind, Scenario, digest_of_file};

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

#[test]
fn rules_of_the_bundled_scenarios_keep_who_they_should_out() {
    let check = |scenario: &str, dataset: &str, form: Form, action: Action, sites: &[(&str, Result<&str, &str>)]| {
        let text = std::fs::read_to_string(library().join(scenario)).expect("it is readable");
        let loaded = load_text(text).expect("it is valid");
        let from = loaded.scenario.starts(Catalog::bundled());
        let period = Period { from, until: from.after(loaded.scenario.horizon.get()) };
        let label = Label { dataset, class: &loaded.scenario.datasets[dataset].class };
        for (site, expected) in sites {
            let place = Place::of(site, &loaded.sites[*site]);
            let found = permit(&loaded.scenario.policies, &Deed { label, form, action, place, period });
            let found = found.map(|by| by.map(|by| by.rule).unwrap_or_default()).map_err(|denied| denied.to_string());
            match (&found, expected) {
                (Ok(rule), Ok(expected)) => assert_eq!(rule, expected, "{scenario} {site}"),
                (Err(reason), Err(expected)) => assert!(reason.contains(expected), "{scenario} {site}: {reason}"),
                _ => panic!("{scenario} {dataset} {form} {action} {site}: {found:?}"),
            }
        }
    };
    let silent = Err("no rule allows");
    check(
        "bert-clinical-notes.yaml",
        "notes",
        Form::Raw,
        Action::Access,
        &[
            ("hospital", Ok("operators-of-the-eea")),
            ("scaleway-paris", Ok("operators-of-the-eea")),
            ("aws-frankfurt", Err("requires encryption_in_use")),
            ("azure-netherlands", Ok("operators-that-cannot-read")),
        ],
    );
    check(
        "bert-clinical-notes.yaml",
        "notes",
        Form::Gradients,
        Action::Process,
        &[("scaleway-paris", Ok("notes-in-the-eea")), ("alibaba-frankfurt", Err("requires C5"))],
    );
    check(
        "bert-clinical-notes.yaml",
        "notes",
        Form::Weights,
        Action::Access,
        &[("aws-frankfurt", Ok("weights-may-be-read")), ("registry", Ok("weights-may-be-read"))],
    );
    let aws = [("plant-gyor", Ok("pictures-stay")), ("aws-frankfurt", silent), ("aws-virginia", silent)];
    check("factory-vision.yaml", "gyor-pictures", Form::Raw, Action::Process, &aws);
    let aws = [("aws-stockholm", Ok("parts-may-go-to-the-eea")), ("aws-virginia", silent)];
    check("factory-vision.yaml", "stuttgart-pictures", Form::Features, Action::Process, &aws);
    let shops = [("shop-gb", Ok("factors-may-travel")), ("shop-ch", Ok("factors-may-travel")), ("aws-oregon", silent)];
    check("retail-recommenders.yaml", "purchases", Form::Weights, Action::Store, &shops);
    let shops = [("shop-ch", Ok("purchases-stay")), ("aws-frankfurt", silent)];
    check("retail-recommenders.yaml", "purchases", Form::Gradients, Action::Process, &shops);
    let tokyo = [("alibaba-tokyo", Ok("licence")), ("alibaba-beijing", Err("rule `not-the-mainland` denies"))];
    check("gpt-13b-burst.yaml", "text", Form::Features, Action::Process, &tokyo);
    let german = [("bank", Ok("gdpr")), ("nebius-finland", Ok("gdpr")), ("aws-virginia", silent)];
    check("llama-70b-service.yaml", "german-chats", Form::Raw, Action::Process, &german);
    let american = [("aws-virginia", Ok("american-law")), ("nebius-missouri", Err("requires encryption_at_rest"))];
    check("llama-70b-service.yaml", "american-chats", Form::Raw, Action::Process, &american);
}
