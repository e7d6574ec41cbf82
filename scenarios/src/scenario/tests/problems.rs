//! What is said about bad scenarios, as people see it.

use super::{SMALL, WHOLE, rendered};

/// Breaks the small scenario in one or more places and compares what is said with `snapshots/`.
fn check(name: &str, changes: &[(&str, &str)]) {
    check_of(SMALL, name, changes);
}

/// The same for the scenario that uses the whole language.
fn check_whole(name: &str, changes: &[(&str, &str)]) {
    check_of(WHOLE, name, changes);
}

fn check_of(scenario: &str, name: &str, changes: &[(&str, &str)]) {
    let broken = changes.iter().fold(scenario.to_owned(), |text, (from, to)| {
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
    let files = |files: &str| format!("records: 1000\n    files: {{ {files} }}");
    let csv = "format: { csv: { delimiter: ab, inputs: ['0', age], target: { class: kind } } }, path: a, max_broken: 1";
    check("files_csv", &[("records: 1000", &files(csv))]);
    let lines = "format: { lines: { tokens: { tokenizer: ../t.json }, class: label, text: ['2'] } }, path: 's3://', train: [/a]";
    check("files_lines", &[("records: 1000", &files(lines))]);
    let ratings = "format: { ratings: { delimiter: ':::', user: user } }, path: 's3://films', tests: [b]";
    check("files_ratings", &[("records: 1000", &files(ratings))]);
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
    let augmentation = "{ shift: 2, crop: 28, noise: -1, mask: 1, flip: true }";
    check(
        "augmentation",
        &[("        epochs", &format!("        preprocessing: {{ augmentation: {augmentation} }}\n        epochs"))],
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

#[test]
fn objectives() {
    check_whole("weights_below_zero", &[("cost: 1,", "cost: -1,")]);
    check_whole("weights_of_nothing", &[("cost: 1, finish_time: 2 USD/h, carbon: 0.1 USD/kg", "cost: 0")]);
}

#[test]
fn sites_and_links() {
    check_whole(
        "sites",
        &[
            ("operator: DE", "operator: Germany"),
            ("pue: 1.3\n", "pue: 0.9\n"),
            ("safeguards: [encryption_at_rest, BAA]", "safeguards: [eea, trusted, 'at rest']"),
            ("egress: 0.05 USD/GB", "egress: 0.05 USD/GB\n    egress_tiers: [{ price: 0.05 USD/GB }]"),
        ],
    );
    check_whole(
        "tiers",
        &[
            (
                "[{ up_to: 1 TB, price: 0 USD/GB }, { price: 0.02 USD/GB }]",
                "[{ up_to: 1 TB, price: 0 USD/GB }, { up_to: 1 TB, price: 1 USD/GB }, { price: 0.02 USD/GB }]",
            ),
            (
                "[{ up_to: 1 TB, price: 0.09 USD/GB }, { price: 0.05 USD/GB }]",
                "[{ price: 0.09 USD/GB }, { price: 0.05 USD/GB }]",
            ),
        ],
    );
    check_whole("tiers_without_end", &[("{ price: 0.02 USD/GB }", "{ up_to: 2 TB, price: 0.02 USD/GB }")]);
    check_whole("tiers_below_zero", &[("up_to: 1 TB, price: 0 USD/GB", "up_to: 0 TB, price: -1 USD/GB")]);
    check_whole("ways", &[("between: [cloud, home], one_way: true", "between: [cloud, home]")]);
    check_whole(
        "groups",
        &[(
            "places: [home, CH, eu] }",
            "places: [hom, other, anywhere] }\n  other: { as_of: 2026-11-01, places: [] }\n  eea: { as_of: 2026-11-01, places: [DE] }\n  cloud: { as_of: 2026-11-01, places: [DE] }",
        )],
    );
}

#[test]
fn purchases() {
    check_whole("quotas", &[("{ from: 30 d, nodes: 4 }", "{ from: 2 d, nodes: 4 }, { from: 60 d, nodes: 2000000 }")]);
    check_whole(
        "capital",
        &[
            ("life: 1460 d, utilization: 0.6", "life: 0 d, utilization: 60"),
            ("pue: 1.3, ele", "pue: 0.3, ele"),
            ("owned: { price: 1.5 USD/h }", "owned: {}"),
        ],
    );
    check_whole("price_and_capital", &[("{ capital: {", "{ price: 2 USD/h, capital: {")]);
    check_whole(
        "spot_and_reserved",
        &[
            ("owned: { price: 1.5 USD/h }", "spot: {}, on_demand: {}"),
            ("term: 365 d, upfront: 1000 USD, price: 15 USD/h, nodes: 4", "term: 0 d, nodes: 9"),
        ],
    );
    check_whole("machine", &[("count: 8", "count: 4096"), ("link: 2400 Gbit/s", "link: 0 Gbit/s")]);
}

#[test]
fn parts_of_data() {
    check_whole("parts", &[("at: cloud, records: 400000", "at: home, records: 0")]);
    check_whole("parts_and_copies", &[("origin: DE, parts", "origin: DE, at: [home, home], parts")]);
    check_whole(
        "data_or_work",
        &[("  clean:\n", "  notes:\n"), ("data: clean, t", "data: notes, t"), ("data: clean, s", "data: notes, s")],
    );
}

#[test]
fn conditions_of_rules() {
    check_whole(
        "rules",
        &[
            ("requires: [encryption_at_rest]", "requires: [encryption_at_res]"),
            ("expires: 2027-12-31", "expires: 2026-11-30\n    per_gb: 1 USD/GB"),
            (", per_gb: 0.05 USD/GB, per_hour: 2 USD/h", ""),
            ("actions: [access], places: [DE]", "actions: [access], places: [DE, home]"),
        ],
    );
    check_whole(
        "rule_denied",
        &[(
            "places: [cn-mainland, private] }",
            "places: [cn-mainland, private] }\n  some: { effect: allow, data: [chats], forms: [raw], places: [home, CN] }",
        )],
    );
    check_whole(
        "group_denied",
        &[(
            "classes: [personal], forms: [raw], places: [cn-mainland, private]",
            "classes: [personal, health], forms: [weights, features, raw], places: [eu-adequate, US]",
        )],
    );
    check_whole(
        "rule_twice",
        &[(
            "  at-home:",
            "  again: { effect: deny, classes: [personal], forms: [raw], places: [private, cn-mainland], reason: why }\n  at-home:",
        )],
    );
}

/// Changes the scenario that uses the whole language in one place, and finds nothing wrong with it.
fn fine((from, to): (&str, &str)) {
    assert!(WHOLE.contains(from), "the scenario does not hold `{from}`");
    assert_eq!(rendered(&WHOLE.replacen(from, to, 1)), "no problems\n", "{to}");
}

#[test]
fn nothing_is_a_number_too() {
    fine(("budget: 100000 USD", "budget: 0 USD"));
    fine(("nodes: 8\n        purchase:", "nodes: 4\n        quota: [{ from: 0 d, nodes: 0 }]\n        purchase:"));
    fine(("egress: 0.05 USD/GB", "egress: 0 USD/GB"));
    fine(("price: 1.5 USD/h }", "price: 0 USD/h }"));
    fine(("upfront: 1000 USD, price: 15 USD/h", "upfront: 0 USD"));
    fine(("cost: 1, finish_time: 2 USD/h", "cost: 0, finish_time: 0 USD/h"));
    fine(("origin: DE, parts", "parts"));
}

#[test]
fn rules_that_are_fine() {
    let denial = "places: [cn-mainland, private] }";
    let beside = |rule: &str| format!("{denial}\n  some: {{ {rule} }}");
    // The denial leaves something of each of these.
    fine((denial, &beside("effect: allow, data: [chats], forms: [raw], places: [home, CH]")));
    fine((denial, &beside("effect: allow, data: [chats], forms: [raw, weights], places: [home]")));
    fine((denial, &beside("effect: allow, data: [chats], forms: [raw], actions: [store, access], places: [private]")));
    fine((denial, &beside("effect: allow, classes: [health], forms: [raw], places: [home]")));
    fine((denial, &beside("effect: allow, data: [chats], forms: [raw], places: [BAA]")));
    // What was denied once, and where something is provided.
    fine((denial, "places: [trusted, US], expires: 2026-11-30 }"));
    fine((denial, "places: [trusted, US], requires: [BAA] }"));
    // A preference about public data restricts nothing.
    fine((denial, &beside("effect: prefer, classes: [public], forms: [raw], places: [home], per_gb: 0 USD/GB")));
}

#[test]
fn kinds_of_work() {
    check_whole("amounts", &[("tokens: 1000000000", "tokens: 1000, epochs: 1"), ("samples: 100000, ", "")]);
    check_whole("tokens_of_images", &[("preset: bert-base", "preset: resnet50")]);
    check_whole(
        "weights",
        &[
            ("weights_of: bert, data: clean", "data: clean"),
            ("evaluate: { weights_of: tune", "evaluate: { weights_of: bert"),
            ("batch_inference: { weights_of: tune", "batch_inference: { weights_of: bert"),
            (
                "serve:\n        weights_of: train",
                "serve:\n        model: { preset: llama2-7b }\n        weights_of: train",
            ),
            ("samples: 100000", "samples: 10, weights_of: tune, adapters: true"),
        ],
    );
    check_whole(
        "weights_of_nothing_trained",
        &[
            ("weights_of: bert", "weights_of: clean"),
            ("serve:\n        weights_of: train", "serve:\n        weights_of: tarin"),
        ],
    );
    check_whole(
        "adapters_of_images",
        &[("preset: bert-base }", "preset: resnet50 }, adapters: true"), ("tokens", "samples")],
    );
    check_whole("network_not_given", &[("batch_inference: { weights_of: tune, ", "batch_inference: { ")]);
    check_whole(
        "preparation",
        &[
            ("records: 900000, per_core: 50 /s, output: 2 GB", "records: 2000000, per_core: 0 /s, output: 0 GB"),
            ("weights_of: tune, data: notes, output: 1 GB", "weights_of: tune, data: test, records: 0"),
        ],
    );
    check_whole(
        "strategies",
        &[(
            "data: [8, 16], tensor: [1, 4], pipeline: [1, 2], zero: [0, 1], recompute: [none, full]",
            "data: [8, 5], tensor: [1, 5], pipeline: [16], zero: [], recompute: []",
        )],
    );
    check_whole("strategies_of_images", &[("preset: bert-base", "preset: resnet50"), ("tokens", "samples")]);
    check_whole(
        "services",
        &[
            ("from: users, data: chats", "from: user, data: chat"),
            ("input: 4000, output: 50", "input: 0, output: 0"),
            ("rate: 3 /s", "rate: 0 /s"),
            ("first_token: 500 ms", "first_token: 0 s"),
            ("utilization: 0.7", "utilization: 1.5"),
        ],
    );
    check_whole(
        "service_of_an_encoder",
        &[
            ("serve:\n        weights_of: train", "serve:\n        weights_of: tune"),
            ("data: notes, output: 1 GB", "data: notes, output_tokens: 9"),
        ],
    );
    check_whole(
        "measurements",
        &[
            (
                "machine: p4d.24xlarge, strategy: { data: 8 }, throughput: 2000 /s }",
                "machine: p4e.24xlarge, throughput: 0 /s }, { machine: t4, requests: [{ input: 1, output: 1, rate: 1 /s }] }, { machine: t4 }",
            ),
            (
                "machine: t4, requests: [{ input: 500",
                "machine: t4, throughput: 1 /s }, { machine: t4, nodes: 2, requests: [{ input: 501",
            ),
        ],
    );
    check_whole(
        "misspelt",
        &[
            ("tokens: 1000000000", "token: 1000000000"),
            ("weights_of: train\n", "weight_of: train\n"),
            ("parts: [{ at: home", "parts: [{ att: home"),
        ],
    );
}
