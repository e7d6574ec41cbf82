//! A plan made by hand with a bit of everything, and checks of what is wrong with changed ones.
//!
//! A clinic prepares notes, trains on them in the cloud and evaluates at home; it learns together with a lab from images
//! that stay where they are; and answers questions from its own machines and from reserved ones in the cloud. Every
//! figure of the plan was computed by hand.

use std::collections::BTreeSet;

use rust_decimal::Decimal;
use scenarios::catalog::Catalog;
use scenarios::plan::{
    Assignment, CatalogReference, Commitment, Explanation, FORMAT, Flow, Group, PermittedBy, PlacedSite, Plan,
    Predicted, Residency, Routing, ScenarioReference, Solver, SolverStatus, SourceData, Totals,
};
use scenarios::scenario::{Action, Form, Loaded, PurchaseKind, Scenario, SiteKind};
use scenarios::strategy::Strategy;
use scenarios::units::{Interval, Seconds};
use serde_json::{Value, json};

use super::{Check, Violation, verify};

/// Expects exactly these checks to fail after a change of the plan.
pub fn check(name: &str, change: impl FnOnce(&mut Plan), expected: &[Check]) {
    check_with(name, |_| (), change, expected);
}

/// The same after a change of scenario and plan.
pub fn check_with(name: &str, edit: impl FnOnce(&mut Scenario), change: impl FnOnce(&mut Plan), expected: &[Check]) {
    let found = violations(edit, change);
    let failed: BTreeSet<Check> = found.iter().map(|violation| violation.check).collect();
    assert_eq!(failed, expected.iter().copied().collect(), "{name}: {found:#?}");
}

/// Expects at least these checks to fail after a change of the plan.
pub fn cover(name: &str, change: impl FnOnce(&mut Plan), expected: &[Check]) {
    let found = violations(|_| (), change);
    for check in expected {
        assert!(found.iter().any(|violation| violation.check == *check), "{name}: no {check:?} in {found:#?}");
    }
}

fn violations(edit: impl FnOnce(&mut Scenario), change: impl FnOnce(&mut Plan)) -> Vec<Violation> {
    let (mut loaded, mut plan) = clinic();
    edit(&mut loaded.scenario);
    loaded.sites = placed(&loaded.scenario);
    follow(&mut plan, &loaded);
    change(&mut plan);
    verify(&plan, &loaded, Catalog::bundled())
}

/// Makes a plan say of a changed scenario what every plan repeats of it.
fn follow(plan: &mut Plan, loaded: &Loaded) {
    plan.sites.clone_from(&loaded.sites);
    plan.residency.rules.clone_from(&loaded.scenario.policies);
    for assignment in &mut plan.assignments {
        assignment.job.clone_from(&loaded.scenario.workloads[&assignment.workload].job);
    }
}

/// The assignment of a workload.
pub fn assignment<'a>(plan: &'a mut Plan, workload: &str) -> &'a mut Assignment {
    plan.assignments.iter_mut().find(|assignment| assignment.workload == workload).expect("it is in the plan")
}

/// The first movement of something.
pub fn flow<'a>(plan: &'a mut Plan, what: &str) -> &'a mut Flow {
    plan.flows.iter_mut().find(|flow| flow.what == what).expect("it moves")
}

/// The scenario and a right plan.
pub fn clinic() -> (Loaded, Plan) {
    let scenario = scenario();
    let loaded = Loaded {
        digest: "sha256:scenario".to_owned(),
        path: None,
        profiles: [].into_iter().collect(),
        sites: placed(&scenario),
        scenario,
    };
    let plan = plan(&loaded);
    (loaded, plan)
}

fn scenario() -> Scenario {
    let mlp = json!({ "mlp": { "inputs": 999, "hidden": [], "outputs": 1000 } }); // 1,000,000 parameters
    let optimizer = json!({ "sgd": { "learning_rate": 0.1 } });
    let all = json!(["raw", "features", "activations", "gradients", "weights", "checkpoints", "metrics"]);
    let inline = |cores: u32| json!({ "inline": { "cores": cores, "memory": "128 GB", "peak": "1 TFLOP/s" } });
    let gpu = json!({ "inline": { "accelerator": "A100-SXM4-80GB", "count": 4, "cores": 64, "memory": "512 GB" } });
    let capital = json!({ // 26280 USD / (26280 h · 0.5) + 2 kW · 1.5 · 0.10 USD/kWh = 2.30 USD/h
        "capex": "26280 USD", "life": "1095 d", "utilization": 0.5, "power": "2 kW", "pue": 1.5,
        "electricity": "0.10 USD/kWh" });
    let sites = json!({
        "clinic": {
            "kind": "private", "country": "DE", "safeguards": ["BAA"], "carbon": "400 g/kWh", "pue": 1.5,
            "pools": { "gpu": {
                "machine": gpu, "nodes": 4, "quota": [{ "from": "10 d", "nodes": 2 }], "power": "2 kW",
                "purchase": { "owned": { "capital": capital } } } } },
        "lab": {
            "kind": "private", "country": "FR", "carbon": "50 g/kWh",
            "egress_tiers": [
                { "up_to": "20 GB", "price": "0 USD/GB" }, { "up_to": "60 GB", "price": "0.10 USD/GB" },
                { "price": "0.05 USD/GB" }],
            "pools": { "cpu": {
                "machine": inline(32), "nodes": 2, "power": "500 W",
                "purchase": { "owned": { "price": "1 USD/h" } } } } },
        "cloud": {
            "kind": "public", "provider": "aws", "region": "eu-central-1", "storage": "0.02 USD/GB/month",
            "carbon": "300 g/kWh", "pue": 1.2,
            "pools": { "t4": {
                "machine": { "instance": "g4dn.xlarge" }, "nodes": 10,
                "purchase": {
                    "on_demand": {}, "spot": { "price": "0.25 USD/h", "interruptions": "0.1 /d" },
                    "reserved": { "term": "20 d", "upfront": "10 USD", "price": "0.30 USD/h", "nodes": 3 } } } } },
    });
    let secured = |from: &str, to: &str, latency: &str| json!({ "between": [from, to], "bandwidth": "8 Gbit/s", "latency": latency, "safeguards": ["encryption_in_transit"] });
    let workloads = json!({
        "prepare": { "job": { "preprocess": { "data": "notes", "per_core": "10 /s", "output": "50 GB" } } },
        "federate": {
            "job": { "train": {
                "model": mlp, "data": "images", "epochs": 1, "global_batch": 100, "optimizer": optimizer } },
            "strategies": { "mixed": { "sites": { "average_every": 100 } } } },
        "train": {
            "job": { "train": {
                "model": mlp, "data": "prepare", "epochs": 2, "global_batch": 100, "optimizer": optimizer } },
            "after": ["prepare"], "deadline": "6 h", "sites": ["cloud"],
            "strategies": { "data": [1, 2], "tensor": [1], "zero": [0], "recompute": ["none"] } },
        "evaluate": {
            "job": { "evaluate": { "weights_of": "train", "data": "notes", "records": 1000 } }, "deadline": "1 d" },
        "chat": {
            "job": { "serve": {
                "model": { "preset": "gpt2" }, "weights_of": "llm", "utilization": 0.8,
                "demand": [
                    { "from": "clinic", "data": "questions",
                      "requests": [{ "rate": "2 /s", "input": 100, "output": 150 }] },
                    { "requests": [{ "rate": "1 /s", "input": 10, "output": 20 }] }] } },
            "earliest_start": "1 d", "deadline": "11 d" },
    });
    let value = json!({
        "format": "causeway.scenario/1", "name": "clinic", "starts": "2027-01-01", "budget": "900 USD",
        "sites": sites,
        "links": [secured("clinic", "lab", "5 ms"), secured("lab", "cloud", "10 ms")],
        "datasets": {
            "notes": { "class": "health", "at": ["clinic"], "size": "200 GB", "records": 100_000 },
            "images": {
                "class": "health", "size": "50 GB", "records": 50_000,
                "parts": [{ "at": "clinic", "records": 30_000 }, { "at": "lab", "records": 20_000 }] },
            "llm": { "class": "public", "at": ["lab", "clinic"], "size": "10 GB", "records": 1 },
            "questions": { "class": "personal", "at": ["clinic"], "size": "1 GB", "records": 1 } },
        "policies": {
            "health-in-europe": {
                "effect": "allow", "classes": ["health", "personal"], "forms": all, "actions": ["store", "process"],
                "places": ["eea"] },
            "through-the-lab": {
                "effect": "allow", "classes": ["health", "personal"], "forms": all, "actions": ["transit"],
                "places": ["lab"], "requires": ["encryption_in_transit"] },
            "known-operators": {
                "effect": "allow", "classes": ["personal"], "forms": all, "actions": ["access"],
                "places": ["DE", "US"] },
            "rather-at-home": {
                "effect": "prefer", "classes": ["health"], "forms": ["raw", "features", "weights"],
                "places": ["private"], "per_gb": "0.001 USD/GB", "per_hour": "0.01 USD/h" } },
        "workloads": workloads,
    });
    read(value)
}

fn read(value: Value) -> Scenario {
    serde_json::from_value(value).expect("it is a scenario")
}

/// Sites with the names that cover them.
fn placed(scenario: &Scenario) -> indexmap::IndexMap<String, PlacedSite> {
    let place = |(name, site): (&String, &scenarios::scenario::Site)| {
        let private = site.kind == SiteKind::Private;
        let country = site.country.clone().unwrap_or_else(|| "DE".to_owned());
        let kind = if private { "private" } else { "public" };
        let mut places = vec![name.clone(), country.clone(), "eea".to_owned(), kind.to_owned()];
        places.extend(site.safeguards.iter().cloned());
        let operator = if private { country.clone() } else { "US".to_owned() };
        let site = PlacedSite {
            kind: site.kind,
            provider: site.provider.clone(),
            region: site.region.clone(),
            country: Some(country),
            places,
            operator_places: vec![operator.clone(), kind.to_owned()],
            operator: Some(operator),
            safeguards: site.safeguards.clone(),
        };
        (name.clone(), site)
    };
    scenario.sites.iter().map(place).collect()
}

/// What one assignment is made of besides the scenario.
struct Job<'a> {
    name: &'a str,
    groups: Vec<Group>,
    strategy: &'a str,
    time: (f64, f64),
    steps: u64,
    step_seconds: f64,
    cost: &'a str,
    energy: f64,
    carbon: f64,
}

fn plan(loaded: &Loaded) -> Plan {
    let scenario = &loaded.scenario;
    let catalog = Catalog::bundled();
    Plan {
        format: FORMAT.to_owned(),
        digest: String::new(),
        scenario: ScenarioReference {
            name: scenario.name.clone(),
            purpose: None,
            digest: loaded.digest.clone(),
            path: None,
            profiles: [].into_iter().collect(),
            seed: 0,
            budget_usd: Some(usd("900")),
        },
        catalog: CatalogReference { as_of: catalog.as_of().to_owned(), digest: catalog.digest().to_owned() },
        solver: Solver {
            name: "by hand".to_owned(),
            status: SolverStatus::Optimal,
            minimizes: "cost_usd".to_owned(),
            objective: 873.9012,
            bound: 873.9012,
            gap: 0.0,
            nodes: 0,
            iterations: 0,
            columns_considered: 5,
            columns_pruned: 0,
        },
        totals: Totals {
            cost_usd: usd("873.8312"),
            compute_usd: usd("869.63"), // 561.63 of workloads, 308 of the commitment
            egress_usd: usd("4.0012"),
            storage_usd: usd("0.2"),
            preference_usd: usd("0.07"), // 50 GB to the cloud, 2 node-hours there
            finish_seconds: 7661.0,
            energy_kwh: Some(770.788),
            carbon_kg: Some(303.9164),
        },
        sites: loaded.sites.clone(),
        assignments: jobs().into_iter().map(|job| assigned(scenario, job)).collect(),
        commitments: vec![Commitment {
            site: "cloud".to_owned(),
            pool: "t4".to_owned(),
            machine: "g4dn.xlarge".to_owned(),
            nodes: 2,
            term_seconds: 1_728_000.0,
            upfront_usd: usd("10"),
            usd_per_node_hour: usd("0.30"),
            cost_usd: usd("308"), // 2 · (10 + 480 · 0.30)
        }],
        flows: flows(),
        residency: Residency {
            starts: "2027-01-01".parse().expect("a day"),
            rules: scenario.policies.clone(),
            refusals: vec![],
        },
        explanation: Explanation::default(),
    }
}

fn jobs() -> Vec<Job<'static>> {
    let gpu = || group("clinic", "gpu", "gpu", PurchaseKind::Owned, "2.3");
    let cloud = |purchase, price| Group { nodes: 2, ..group("cloud", "t4", "g4dn.xlarge", purchase, price) };
    let lab = group("lab", "cpu", "cpu", PurchaseKind::Owned, "1");
    let job = |name, groups, time, cost, (energy, carbon)| Job {
        name,
        groups,
        strategy: "data:1",
        time,
        steps: 0,
        step_seconds: 0.0,
        cost,
        energy,
        carbon,
    };
    vec![
        Job { steps: 100_000, step_seconds: 0.03, ..job("prepare", vec![gpu()], (0.0, 3600.0), "2.30", (3.0, 1.2)) },
        Job {
            strategy: "data:2,average_every:100",
            steps: 500,
            step_seconds: 14.0,
            ..job(
                "federate",
                vec![Group { batch: Some(60), ..gpu() }, Group { batch: Some(40), ..lab }],
                (0.0, 7200.0),
                "6.60",
                (7.0, 2.45),
            )
        },
        Job {
            strategy: "data:2",
            steps: 2000,
            step_seconds: 1.7,
            ..job("train", vec![cloud(PurchaseKind::Spot, "0.25")], (3700.0, 7300.0), "4.501", (0.168, 0.0504))
        },
        Job { steps: 1, step_seconds: 300.0, ..job("evaluate", vec![gpu()], (7301.0, 7661.0), "0.2302", (0.3, 0.12)) },
        job(
            "chat",
            vec![
                Group { replicas: Some(2), ..cloud(PurchaseKind::Reserved, "0") },
                Group { replicas: Some(1), ..gpu() },
            ],
            (86_400.0, 950_400.0),
            "552.20",
            (760.32, 300.096),
        ),
    ]
}

fn group(site: &str, pool: &str, machine: &str, purchase: PurchaseKind, price: &str) -> Group {
    Group {
        site: site.to_owned(),
        pool: pool.to_owned(),
        machine: machine.to_owned(),
        nodes: 1,
        devices_per_node: 1,
        ranks_per_node: 1,
        batch: None,
        replicas: None,
        purchase,
        usd_per_node_hour: usd(price),
    }
}

fn assigned(scenario: &Scenario, job: Job<'_>) -> Assignment {
    let workload = &scenario.workloads[job.name];
    let data = workload.job.data().map(|name| {
        let dataset = scenario.datasets.get(name);
        SourceData {
            dataset: name.to_owned(),
            class: dataset.map(|data| data.class.clone()).unwrap_or_default(),
            records: dataset.map_or(0, |data| data.records),
            files: None,
        }
    });
    Assignment {
        workload: job.name.to_owned(),
        job: workload.job.clone(),
        data,
        after: workload.after.clone(),
        groups: job.groups,
        strategy: job.strategy.parse::<Strategy>().expect("a strategy"),
        start_seconds: job.time.0,
        end_seconds: job.time.1,
        deadline_seconds: workload.deadline.map(Seconds::get),
        routing: if job.name == "chat" { routing() } else { vec![] },
        steps: job.steps,
        predicted: Predicted {
            step_seconds: Interval { p10: job.step_seconds, p50: job.step_seconds, p90: job.step_seconds },
            throughput: 1.0,
            throughput_unit: "samples/s".to_owned(),
            memory_bytes_per_device: 1_000_000,
            breakdown: [].into_iter().collect(),
            basis: "by hand".to_owned(),
        },
        cost_usd: usd(job.cost),
        energy_kwh: Some(job.energy),
        carbon_kg: Some(job.carbon),
        runner_up: None,
    }
}

/// Half of all requests go to each group: 1.1 of the cloud's 2 replicas, and 0.55 of the clinic's one.
fn routing() -> Vec<Routing> {
    let route = |asked: bool, group, rate, most| Routing {
        from: asked.then(|| "clinic".to_owned()),
        data: asked.then(|| "questions".to_owned()),
        input: if asked { 100 } else { 10 },
        output: if asked { 150 } else { 20 },
        group,
        requests_per_second: rate,
        most_per_replica: most,
    };
    vec![route(true, 0, 1.0, 1.0), route(true, 1, 1.0, 2.0), route(false, 0, 0.5, 5.0), route(false, 1, 0.5, 10.0)]
}

fn flows() -> Vec<Flow> {
    let flow = |what: &str, used_by: &str, form, route: &[&str], bytes, time: (f64, f64), cost: &str| Flow {
        what: what.to_owned(),
        used_by: used_by.to_owned(),
        form,
        labels: vec![],
        from: route[0].to_owned(),
        to: route[route.len() - 1].to_owned(),
        via: route[1..route.len() - 1].iter().map(|&via| via.to_owned()).collect(),
        bytes,
        start_seconds: time.0,
        end_seconds: time.1,
        cost_usd: usd(cost),
        storage_usd: Decimal::ZERO,
        rule: vec![],
    };
    let labelled = |label: &str, flow: Flow| Flow { labels: vec![label.to_owned()], rule: rules(label, &flow), ..flow };
    let (lab, cloud) = (["clinic", "lab"], ["clinic", "lab", "cloud"]);
    let (from_lab, from_cloud) = (["lab", "clinic"], ["cloud", "lab", "clinic"]);
    let weights = Form::Weights;
    vec![
        labelled("images", flow("federate", "federate", weights, &lab, 20_000_000, (0.0, 7200.0), "0")),
        labelled("images", flow("federate", "federate", weights, &from_lab, 20_000_000, (0.0, 7200.0), "0")),
        Flow {
            labels: vec!["llm".to_owned()],
            storage_usd: usd("0.2"),
            ..flow("llm", "chat", weights, &["lab", "cloud"], 10_000_000_000, (0.0, 10.02), "0")
        },
        // The lab's meter stands at 10.02 GB: 9.98 GB are free, 40 GB cost 0.10, and 0.02 GB cost 0.05 USD/GB.
        labelled("notes", flow("prepare", "train", Form::Features, &cloud, 50_000_000_000, (3600.0, 3650.03), "4.001")),
        labelled("notes", flow("train", "evaluate", weights, &from_cloud, 4_000_000, (7300.0, 7300.034), "0.0002")),
        labelled("questions", flow("questions", "chat", Form::Raw, &cloud, 864_000_000, (86_400.0, 950_400.0), "0")),
    ]
}

/// The rules that permit a movement.
fn rules(label: &str, flow: &Flow) -> Vec<PermittedBy> {
    let by = |rule: &str, action, site: &str| PermittedBy {
        rule: rule.to_owned(),
        label: label.to_owned(),
        action,
        site: site.to_owned(),
    };
    let mut rules: Vec<_> = flow.via.iter().map(|site| by("through-the-lab", Action::Transit, site)).collect();
    rules.extend([Action::Store, Action::Process].map(|action| by("health-in-europe", action, &flow.to)));
    if label == "questions" {
        rules.push(by("known-operators", Action::Access, &flow.to));
    }
    rules
}

fn usd(text: &str) -> Decimal {
    text.parse().expect("an amount")
}
