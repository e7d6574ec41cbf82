//! What is said about bad scenarios, as people see it.

use super::{SMALL, rendered};

/// Breaks the small scenario in one or more places and compares what is said with `snapshots/`.
fn check(name: &str, changes: &[(&str, &str)]) {
    let broken = changes.iter().fold(SMALL.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "{name}: the scenario does not hold `{from}`");
        text.replacen(from, to, 1)
    });
    insta::assert_snapshot!(name, rendered(&broken));
}

#[test]
fn syntax() {
    check("no_yaml", &[("classes: [health]", "classes: [health")]);
    check("duplicate_key", &[("    country: DE", "    country: DE\n    country: FR")]);
    check("alias", &[("kind: private", "kind: &kind private"), ("kind: public", "kind: *kind")]);
    insta::assert_snapshot!("empty", rendered("# nothing\n"));
}

#[test]
fn structure() {
    check("unknown_and_missing_keys", &[("nodes: 2", "node: 2"), ("    size: 4 GB\n", "")]);
    check(
        "wrong_kinds",
        &[("at: [home]", "at: home"), ("records: 1000", "records: 1_000"), ("epochs: 2", "epochs: '2'")],
    );
    check("units", &[("1 Gbit/s", "1000"), ("4 GB", "4 gigs"), ("1 USD/h", "-1 USD/h"), ("10 h", "99999999 h")]);
    check(
        "unknown_choices",
        &[("effect: allow", "effect: alow"), ("{ sgd:", "{ sdg:"), ("forms: [raw]", "forms: [wieghts]")],
    );
    check(
        "choices",
        &[("{ preset: mnist-cnn }", "{ preset: mnist-cnn, mlp: {} }"), ("kind: private", "kind: { private: 1 }")],
    );
    check("nothing_given", &[("country: DE", "country:")]);
    check("numbers", &[("nodes: 1", "nodes: -1"), ("learning_rate: 0.01", "learning_rate: .inf")]);
    check(
        "many_at_once",
        &[
            ("causeway.scenario/1", "causeway.scenario/9"),
            ("kind: private", "kin: private"),
            ("4 GB", "4"),
            ("weights_of: train", "weights_of: trian"),
            ("region: eu-central-1", "region: eu-centrall-1"),
        ],
    );
}

#[test]
fn places() {
    check("unknown_region", &[("eu-central-1", "eu-central-9")]);
    check("unknown_provider", &[("provider: aws", "provider: asw")]);
    check("unknown_instance", &[("g4dn.xlarge", "g4dn.xlarg")]);
    check("instance_sold_elsewhere", &[("g4dn.xlarge", "p5.48xlarge")]);
    check("private_sites", &[("country: DE", "provider: aws"), ("profile: machine.json", "instance: g4dn.xlarge")]);
    check("public_without_place", &[("    provider: aws\n    region: eu-central-1\n", "")]);
    check("country", &[("country: DE", "country: UK")]);
    check("reserved_name", &[("  cloud:\n", "  eea:\n"), ("[home, cloud]", "[home, eea]")]);
    check("unusable_name", &[("  evaluate:\n    after", "  ../evil:\n    after")]);
    check(
        "links",
        &[(
            "  - between: [home, cloud]\n    bandwidth: 1 Gbit/s",
            "  - { between: [home, home], bandwidth: 0 Gbit/s }\n  - { between: [home, clod], bandwidth: 1 Gbit/s }\n  - { between: [home, cloud], bandwidth: 1 Gbit/s }\n  - { between: [cloud, home], bandwidth: 1 Gbit/s }",
        )],
    );
}

#[test]
fn machines() {
    check("no_price", &[("        purchase: { owned: { price: 1 USD/h } }\n", "")]);
    check("profile_missing", &[("machine.json", "other.json")]);
    check(
        "inline",
        &[
            ("{ profile: machine.json }", "{ inline: { accelerator: A10O, cores: 0, memory: 1 GiB } }"),
            ("nodes: 1", "nodes: 0"),
        ],
    );
    check("no_peak", &[("{ profile: machine.json }", "{ inline: { accelerator: L4, cores: 8, memory: 1 GiB } }")]);
}

#[test]
fn data_and_rules() {
    check(
        "datasets",
        &[
            ("at: [home]", "at: []"),
            ("size: 4 GB", "size: 0 GB"),
            ("records: 1000", "records: 0\n    origin: de\n    files: { format: idx, path: ../secret }"),
        ],
    );
    check(
        "policy_names",
        &[
            ("classes: [health]", "classes: [healt, public]\n    data: [scan]"),
            ("places: [home]", "places: [eae, de, Mars]"),
        ],
    );
    check(
        "policy_without_effect",
        &[("    classes: [health]\n", ""), ("forms: [raw]", "forms: []"), ("places: [home]", "places: []")],
    );
}

#[test]
fn work() {
    check("cycle", &[("    deadline: 10 h", "    after: [evaluate]")]);
    check("unknown_names", &[("after: [train]", "after: [tarin]\n    sites: [hom]"), ("data: scans", "data: scan")]);
    check("weights_of_an_evaluation", &[("weights_of: train", "weights_of: evaluate")]);
    check("batches", &[("global_batch: 100", "global_batch: 1001")]);
    check("times", &[("deadline: 10 h", "deadline: 10 h\n    earliest_start: 11 h"), ("horizon: 1 d", "horizon: 9 h")]);
    check(
        "optimizer",
        &[("{ sgd: { learning_rate: 0.01 } }", "{ adam: { learning_rate: 0, beta_1: 1, epsilon: -1 } }")],
    );
    check(
        "preprocessing",
        &[(
            "        epochs",
            "        preprocessing: { normalize: [0.5, 0], augmentation: { shift: 28 }, split: { validation: 0.6, test: 0.4 } }\n        epochs",
        )],
    );
    check(
        "layers",
        &[(
            "{ preset: mnist-cnn }",
            "{ cnn: { image: { channels: 1, height: 28, width: 28 }, layers: [{ linear: 50 }, { max_pool: { kernel: 2 } }, { linear: 10 }] } }",
        )],
    );
    check("preset", &[("mnist-cnn", "mnist_cnn")]);
    check("nothing_to_do", &[("workloads:\n", "workloads: {}\nwork:\n")]);
}
