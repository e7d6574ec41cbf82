//! Documents for tests: the plan of `mnist-hospital` and runs of it, with realistic figures.

use indexmap::IndexMap;
use rust_decimal::Decimal;
use scenarios::document;
use scenarios::machine::{Device, DeviceKind, Host};
use scenarios::model::Model;
use scenarios::plan::{
    Assignment, Candidate, CatalogReference, Explanation, Flow, Group, PermittedBy, PlacedSite, Plan, Predicted,
    Refusal, Residency, RunnerUp, ScenarioReference, Solver, SolverStatus, SourceData, Totals, Verdict,
};
use scenarios::run::{DataUsed, Epoch, Run, RunStatus, Traffic, WorkloadRun};
use scenarios::scenario::{
    Action, Effect, Evaluation, FileFormat, Files, Form, Job, Momentum, Optimizer, Precision, Preprocessing,
    PurchaseKind, Rate, Rule, SiteKind, Training,
};
use scenarios::strategy::Strategy;
use scenarios::units::Interval;

/// The plan: train and evaluate at the hospital, clouds refused for raw data.
pub fn plan() -> Plan {
    let mut plan = Plan {
        format: scenarios::plan::FORMAT.to_owned(),
        digest: String::new(),
        scenario: reference(),
        catalog: CatalogReference { as_of: "2025-06-30".to_owned(), digest: document::sha256(b"catalogue") },
        solver: Solver {
            name: "HiGHS 1.11.0".to_owned(),
            status: SolverStatus::Optimal,
            minimizes: "cost_usd".to_owned(),
            objective: 0.034_225,
            bound: 0.034_225,
            gap: 0.0,
            nodes: 1,
            iterations: 14,
            columns_considered: 4,
            columns_pruned: 8,
        },
        totals: Totals {
            cost_usd: usd("0.034225"),
            compute_usd: usd("0.034217"),
            egress_usd: usd("0.000008"),
            storage_usd: Decimal::ZERO,
            preference_usd: Decimal::ZERO,
            finish_seconds: 102.40,
            energy_kwh: None,
            carbon_kg: None,
        },
        sites: sites(),
        assignments: vec![train(), evaluate(), evaluate_cloud()],
        commitments: vec![],
        flows: vec![flow()],
        residency: Residency { starts: "2025-06-30".parse().expect("a day"), rules: rules(), refusals: refusals() },
        explanation: Explanation {
            summary: vec![
                "`train` runs at `hospital`, because `raw-at-home` allows raw `digits` nowhere else.".to_owned(),
                "The cheapest refused place is `aws` (g4dn.xlarge, 0.021 USD), 38 % below.".to_owned(),
            ],
            binding: vec![],
            considered: considered(),
        },
    };
    document::seal(&mut plan);
    plan
}

/// A run of the plan on one rank that was completed.
pub fn run_single() -> Run {
    let train = workload_run("train", 1, 5_900.0, 6_100.0);
    sealed_run(&plan().digest, RunStatus::Completed, vec![train, evaluation_run(1)])
}

/// A run on two ranks, which another plan of the same scenario asked for.
pub fn run_two_ranks() -> Run {
    let train = workload_run("train", 2, 8_950.0, 8_420.0);
    sealed_run(&document::sha256(b"plan for two ranks"), RunStatus::Completed, vec![train, evaluation_run(2)])
}

/// A run that was stopped in its fourth epoch.
pub fn run_interrupted() -> Run {
    let mut train = workload_run("train", 1, 5_900.0, 5_760.0);
    train.epochs.truncate(3);
    train.steps = 1_780;
    train.seconds = 33.6;
    train.metrics.clear();
    train.status = RunStatus::Interrupted;
    train.data = DataUsed { source: "digits drawn by Causeway's generator, not MNIST".to_owned(), ..data_used() };
    sealed_run(&plan().digest, RunStatus::Interrupted, vec![train])
}

/// Seals a run of these workloads.
pub fn sealed_run(plan_digest: &str, status: RunStatus, workloads: Vec<WorkloadRun>) -> Run {
    let mut run = Run {
        format: scenarios::run::FORMAT.to_owned(),
        digest: String::new(),
        plan_digest: plan_digest.to_owned(),
        scenario: "mnist-hospital".to_owned(),
        started_at: "2025-11-24T06:00:00Z".to_owned(),
        status,
        host: Host {
            os: "Debian GNU/Linux 12".to_owned(),
            cpu: "Intel Xeon (2 cores)".to_owned(),
            cores: 2,
            memory_bytes: 25_200_000_000,
        },
        software: "causeway 0.1.0, burn 0.22.1 (flex)".to_owned(),
        workloads,
    };
    document::seal(&mut run);
    run
}

/// What `train` did on this many ranks.
pub fn workload_run(name: &str, ranks: u32, predicted: f64, measured: f64) -> WorkloadRun {
    let step = 100.0 / measured;
    WorkloadRun {
        workload: name.to_owned(),
        kind: "train".to_owned(),
        status: RunStatus::Completed,
        site: "hospital".to_owned(),
        device: device(),
        strategy: strategy(ranks),
        data: data_used(),
        epochs: epochs(10, measured),
        first_losses: vec![2.31, 2.30, 2.28],
        steps: 5_980,
        step_seconds: Interval { p10: step * 0.95, p50: step * 0.995, p90: step * 1.09 },
        phases_seconds: phases(step, ranks),
        throughput: measured,
        throughput_interval: None,
        reference_seconds: None,
        ranks: Vec::new(),
        exchanges: Vec::new(),
        overheads: None,
        throughput_unit: "samples/s".to_owned(),
        seconds: 60_000.0 * 10.0 / measured + 2.4,
        predicted: prediction(predicted, 100.0, ranks),
        metrics: map(&[("validation_accuracy", 0.9885)]),
        intervals: IndexMap::new(),
        confusion: vec![],
        checkpoint: Some("checkpoints/train.safetensors".to_owned()),
        predictions: None,
        traffic: if ranks == 1 { vec![] } else { vec![traffic(524_160_000)] },
    }
}

/// What `evaluate` found, with a confusion matrix of 10,000 digits.
pub fn evaluation_run(ranks: u32) -> WorkloadRun {
    WorkloadRun {
        workload: "evaluate".to_owned(),
        kind: "evaluate".to_owned(),
        epochs: vec![],
        first_losses: vec![],
        steps: 10,
        seconds: 0.55,
        metrics: map(&[("test_accuracy", 0.989), ("test_loss", 0.0334)]),
        confusion: confusion(),
        checkpoint: None,
        traffic: vec![],
        phases_seconds: map(&[("input", 0.006), ("forward", 0.041), ("other", 0.001)]),
        step_seconds: Interval { p10: 0.046, p50: 0.048, p90: 0.053 },
        predicted: Predicted {
            breakdown: map(&[("input", 0.006), ("forward", 0.044)]),
            ..prediction(20_000.0, 1000.0, ranks)
        },
        ..workload_run("evaluate", 1, 20_000.0, 20_800.0)
    }
}

fn reference() -> ScenarioReference {
    ScenarioReference {
        name: "mnist-hospital".to_owned(),
        purpose: Some("Train a digit reader on images that may not leave the hospital.".to_owned()),
        digest: document::sha256(b"scenario"),
        path: Some("scenarios/library/mnist-hospital.yaml".to_owned()),
        profiles: IndexMap::from([("build/machine.json".to_owned(), document::sha256(b"machine"))]),
        seed: 7,
        budget_usd: Some(usd("5")),
    }
}

fn sites() -> IndexMap<String, PlacedSite> {
    let site = |kind, provider: Option<&str>, region: Option<&str>, country: &str, groups: &[&str]| PlacedSite {
        kind,
        provider: provider.map(str::to_owned),
        region: region.map(str::to_owned),
        country: Some(country.to_owned()),
        operator: None,
        operator_places: vec![],
        safeguards: vec![],
        places: std::iter::once(country).chain(groups.iter().copied()).map(str::to_owned).collect(),
    };
    let eu = ["eea", "eu", "eu-adequate"];
    IndexMap::from([
        ("hospital".to_owned(), site(SiteKind::Private, None, None, "DE", &eu)),
        ("aws".to_owned(), site(SiteKind::Public, Some("aws"), Some("eu-central-1"), "DE", &eu)),
        ("azure".to_owned(), site(SiteKind::Public, Some("azure"), Some("westeurope"), "NL", &eu)),
        ("alibaba".to_owned(), site(SiteKind::Public, Some("alibaba"), Some("cn-hangzhou"), "CN", &["cn-mainland"])),
    ])
}

fn train() -> Assignment {
    Assignment {
        workload: "train".to_owned(),
        job: Job::Train(Training {
            model: Model::Preset("mnist-cnn".to_owned()),
            data: "digits".to_owned(),
            preprocessing: Preprocessing { normalize: Some([0.5, 0.5]), ..Preprocessing::default() },
            weights_of: None,
            new_head: false,
            adapters: false,
            epochs: std::num::NonZeroU32::new(10),
            samples: None,
            tokens: None,
            validate_every: None,
            global_batch: 100.try_into().expect("not zero"),
            optimizer: Optimizer::Momentum(Momentum { learning_rate: 0.01, momentum: 0.9 }),
            rate: Rate::default(),
            clip_norm: None,
            outer: None,
            precision: Precision::Fp32,
        }),
        data: Some(source_data()),
        after: vec![],
        groups: vec![group()],
        strategy: Strategy::SINGLE,
        routing: vec![],
        start_seconds: 0.0,
        end_seconds: 101.69,
        deadline_seconds: Some(600.0),
        steps: 6_000,
        predicted: prediction(5_900.0, 100.0, 1),
        cost_usd: usd("0.033897"),
        energy_kwh: None,
        carbon_kg: None,
        runner_up: Some(RunnerUp {
            placement: "hospital, workstation, owned, data 2".to_owned(),
            cost_usd: usd("0.034210"),
            seconds: 67.0,
            reason: "costs 0.9 % more; both ranks share the processor".to_owned(),
        }),
    }
}

fn evaluate() -> Assignment {
    Assignment {
        workload: "evaluate".to_owned(),
        job: Job::Evaluate(Evaluation {
            weights_of: "train".to_owned(),
            data: "digits".to_owned(),
            records: 10_000,
            batch: 1_000.try_into().expect("not zero"),
        }),
        after: vec!["train".to_owned()],
        start_seconds: 101.69,
        end_seconds: 102.31,
        deadline_seconds: None,
        steps: 10,
        predicted: prediction(20_000.0, 1_000.0, 1),
        cost_usd: usd("0.000207"),
        runner_up: None,
        ..train()
    }
}

fn evaluate_cloud() -> Assignment {
    Assignment {
        workload: "evaluate-cloud".to_owned(),
        data: Some(SourceData {
            dataset: "public-digits".to_owned(),
            class: "public".to_owned(),
            files: None,
            ..source_data()
        }),
        groups: vec![Group {
            site: "aws".to_owned(),
            pool: "gpu".to_owned(),
            machine: "g4dn.xlarge".to_owned(),
            purchase: PurchaseKind::OnDemand,
            usd_per_node_hour: usd("0.658"),
            ..group()
        }],
        start_seconds: 101.78,
        end_seconds: 102.40,
        predicted: Predicted { basis: "data sheet × efficiency".to_owned(), ..prediction(20_000.0, 1_000.0, 1) },
        cost_usd: usd("0.000121"),
        ..evaluate()
    }
}

fn source_data() -> SourceData {
    SourceData {
        dataset: "digits".to_owned(),
        class: "health".to_owned(),
        records: 60_000,
        parts: vec![],
        files: Some(Files::new(FileFormat::Idx, "mnist")),
    }
}

fn group() -> Group {
    Group {
        site: "hospital".to_owned(),
        pool: "workstation".to_owned(),
        machine: "workstation (2 cores)".to_owned(),
        nodes: 1,
        devices_per_node: 1,
        ranks_per_node: 1,
        batch: None,
        replicas: None,
        purchase: PurchaseKind::Owned,
        usd_per_node_hour: usd("1.20"),
    }
}

fn flow() -> Flow {
    let by = |action| PermittedBy {
        rule: "weights-in-the-eea".to_owned(),
        label: "digits".to_owned(),
        action,
        site: "aws".to_owned(),
    };
    Flow {
        what: "train".to_owned(),
        used_by: "evaluate-cloud".to_owned(),
        form: Form::Weights,
        labels: vec!["digits".to_owned()],
        from: "hospital".to_owned(),
        to: "aws".to_owned(),
        via: vec![],
        bytes: 87_360,
        start_seconds: 101.69,
        end_seconds: 101.78,
        cost_usd: usd("0.000008"),
        storage_usd: Decimal::ZERO,
        rule: vec![by(Action::Store), by(Action::Process)],
    }
}

fn rules() -> IndexMap<String, Rule> {
    let rule = |effect, forms: &[Form], places: &[&str], reason: &str| Rule {
        effect,
        data: vec![],
        classes: vec!["health".to_owned()],
        forms: forms.to_vec(),
        actions: vec![Action::Store, Action::Process, Action::Transit],
        places: places.iter().map(|&place| place.to_owned()).collect(),
        requires: vec![],
        expires: None,
        per_gb: None,
        per_hour: None,
        reason: Some(reason.to_owned()),
    };
    IndexMap::from([
        ("raw-at-home".to_owned(), rule(Effect::Allow, &[Form::Raw], &["hospital"], "patients agreed to this only")),
        ("weights-in-the-eea".to_owned(), rule(Effect::Allow, &[Form::Weights], &["eea"], "covered by the GDPR")),
        (
            "nothing-outside".to_owned(),
            rule(Effect::Deny, &[Form::Weights, Form::Gradients], &["cn-mainland"], "no adequacy decision"),
        ),
    ])
}

fn refusals() -> Vec<Refusal> {
    let refused = |workload: &str, site: &str| Refusal {
        workload: workload.to_owned(),
        label: "digits".to_owned(),
        form: Form::Raw,
        action: Action::Store,
        site: site.to_owned(),
        rule: None,
        reason: format!("no rule allows store of raw `digits` (class `health`) at `{site}`"),
    };
    ["train", "evaluate"].iter().flat_map(|w| ["aws", "azure", "alibaba"].map(|site| refused(w, site))).collect()
}

fn considered() -> Vec<Candidate> {
    let candidate = |workload: &str, site: &str, machine: &str, ranks, verdict, reason: &str| Candidate {
        workload: workload.to_owned(),
        site: site.to_owned(),
        pool: if site == "hospital" { "workstation" } else { "gpu" }.to_owned(),
        machine: machine.to_owned(),
        purchase: if site == "hospital" { PurchaseKind::Owned } else { PurchaseKind::OnDemand },
        nodes: 1,
        others: vec![],
        strategy: strategy(ranks),
        seconds: (verdict != Verdict::Refused).then_some(101.69 / f64::from(ranks).sqrt()),
        cost_usd: (verdict != Verdict::Refused).then(|| usd("0.033897") + Decimal::new(i64::from(ranks) - 1, 4)),
        verdict,
        reason: reason.to_owned(),
    };
    let mut all = Vec::new();
    for workload in ["train", "evaluate"] {
        let own = "workstation (2 cores)";
        all.push(candidate(workload, "hospital", own, 1, Verdict::Chosen, "cheapest placement that the rules permit"));
        all.push(candidate(workload, "hospital", own, 2, Verdict::Lost, "costs 0.9 % more"));
        all.push(candidate(workload, "hospital", own, 4, Verdict::Dominated, "no faster and no cheaper than data 2"));
        for (site, machine) in [("aws", "g4dn.xlarge"), ("azure", "NC4as_T4_v3"), ("alibaba", "ecs.gn6i-c4g1.xlarge")] {
            let reason = format!("no rule allows store of raw `digits` (class `health`) at `{site}`");
            all.push(candidate(workload, site, machine, 1, Verdict::Refused, &reason));
        }
    }
    all
}

fn prediction(throughput: f64, batch: f64, ranks: u32) -> Predicted {
    let step = batch / throughput;
    Predicted {
        step_seconds: Interval { p10: step * 0.93, p50: step, p90: step * 1.12 },
        throughput,
        throughput_unit: "samples/s".to_owned(),
        memory_bytes_per_device: 41_300_000,
        breakdown: phases(step, ranks),
        basis: "measured machine profile".to_owned(),
    }
}

fn phases(step: f64, ranks: u32) -> IndexMap<String, f64> {
    let communication = if ranks > 1 { 0.06 } else { 0.0 };
    map(&[
        ("input", step * 0.05),
        ("forward", step * 0.33),
        ("backward", step * (0.56 - communication)),
        ("communication", step * communication),
        ("optimizer", step * 0.04),
        ("other", step * 0.02),
    ])
}

fn epochs(count: u32, throughput: f64) -> Vec<Epoch> {
    (1..=count)
        .map(|epoch| {
            let loss = 0.31 / f64::from(epoch).powf(1.1) + 0.012;
            Epoch {
                epoch,
                train_loss: loss,
                train_accuracy: 1.0 - loss * 0.3,
                validation_loss: Some(loss * 0.6 + 0.02),
                validation_accuracy: Some(1.0 - loss * 0.2 - 0.008),
                throughput: throughput * (1.0 + 0.01 * f64::from(epoch % 3)),
                seconds: 60_000.0 / throughput,
            }
        })
        .collect()
}

fn confusion() -> Vec<Vec<u64>> {
    let sizes = [980_u64, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009];
    let missed = |row: usize, column: usize| match (row, column) {
        (4, 9) | (9, 4) => 16,
        (7, 2) => 14,
        (3, 5) | (5, 3) | (6, 0) => 10,
        _ => 2 * u64::from((row * 7 + column * 3) % 10 == 1 || (row + column * 5) % 11 == 4),
    };
    let row = |i: usize| {
        let wrong: u64 = (0..10).filter(|&j| j != i).map(|j| missed(i, j)).sum();
        (0..10).map(|j| if j == i { sizes[i] - wrong } else { missed(i, j) }).collect()
    };
    (0..10).map(row).collect()
}

fn device() -> Device {
    Device {
        kind: DeviceKind::Cpu,
        name: "Intel Xeon".to_owned(),
        backend: "flex".to_owned(),
        count: 1,
        memory_bytes: 25_200_000_000,
    }
}

fn data_used() -> DataUsed {
    DataUsed {
        dataset: "digits".to_owned(),
        source: "MNIST, files of the given folder".to_owned(),
        digest: document::sha256(b"mnist"),
        train_records: 60_000,
        validation_records: 0,
        test_records: 10_000,
        dropped_malformed: 0,
        dropped_duplicates: 3,
    }
}

fn traffic(bytes: u64) -> Traffic {
    Traffic { form: Form::Gradients, from: "hospital".to_owned(), to: "hospital".to_owned(), bytes }
}

fn strategy(ranks: u32) -> Strategy {
    Strategy::data_parallel(ranks).expect("not zero")
}

fn map(pairs: &[(&str, f64)]) -> IndexMap<String, f64> {
    pairs.iter().map(|&(name, value)| (name.to_owned(), value)).collect()
}

fn usd(text: &str) -> Decimal {
    text.parse().expect("a decimal number")
}
