//! The bundled scenarios: the plan is right, for the reasons that the policy gives, and says so.

mod hospital;

use planner::candidates::{Held, World};
use planner::commands::render;
use planner::planning::{Options, PlanError, plan};
use planner::verify::{Check, verify};
use scenarios::catalog::Catalog;
use scenarios::plan::{Plan, Verdict};
use scenarios::scenario::{Loaded, load};
use scenarios::strategy::Strategy;

fn solved(loaded: &Loaded, options: &Options) -> Result<Plan, PlanError> {
    plan(World { loaded, catalog: Catalog::bundled() }, options)
}

fn hospital_plan(edit: impl Fn(String) -> String) -> Result<Plan, PlanError> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    solved(&hospital::loaded(folder.path(), edit), &Options::default())
}

#[test]
fn images_stay_in_the_hospital_because_the_policy_says_so() {
    let plan = hospital_plan(|text| text).expect("a plan");
    assert!(plan.assignments.iter().all(|assignment| assignment.groups[0].site == "hospital"));
    assert!(plan.flows.is_empty());
    for site in ["aws-frankfurt", "azure-netherlands", "alibaba-hangzhou"] {
        let refused = plan.explanation.considered.iter().filter(|candidate| candidate.site == site);
        let mut reasons = refused.inspect(|candidate| assert_eq!(candidate.verdict, Verdict::Refused, "{site}"));
        assert!(reasons.any(|candidate| candidate.reason.contains("raw `digits`")), "{site}");
    }
    let denied = plan.residency.refusals.iter().find(|refusal| refusal.site == "alibaba-hangzhou");
    assert_eq!(denied.and_then(|refusal| refusal.rule.as_deref()), Some("nothing-to-mainland-china"));
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    let text = || {
        let mut plan = solved(
            &load(&hospital::library("mnist-public.yaml"), None, Catalog::bundled()).expect("a scenario"),
            &Options::default(),
        )
        .expect("a plan");
        scenarios::document::seal(&mut plan);
        scenarios::document::to_json(&plan)
    };
    assert_eq!(text(), text());
}

#[test]
fn a_plan_is_shown_verdict_first() {
    let plan = hospital_plan(|text| text).expect("a plan");
    let shown = render(&plan);
    let digests = shown.split_whitespace().filter(|word| word.starts_with("sha256:")).map(str::to_owned);
    let shown = digests.collect::<Vec<_>>().iter().fold(shown.clone(), |text, digest| text.replace(digest, "[digest]"));
    // The folder of the machine profile differs from call to call.
    let lines: Vec<_> = shown.lines().filter(|line| !line.contains("machine.json")).map(str::trim_end).collect();
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn a_workload_is_held_to_a_strategy() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let loaded = hospital::loaded(folder.path(), |text| text);
    let held = Held::from([("train".to_owned(), Strategy::data_parallel(2).expect("not zero"))]);
    let plan = solved(&loaded, &Options { held, ..Options::default() }).expect("a plan");
    assert_eq!(plan.assignments[0].strategy.ranks(), 2);
    assert_eq!(plan.assignments[0].groups[0].nodes, 1);
    assert_eq!(plan.assignments[0].groups[0].ranks_per_node, 2);
}

#[test]
fn what_nothing_satisfies_is_explained() {
    let check = |edit: fn(String) -> String, reason: &str, help: &str| {
        let Err(PlanError::Infeasible(why)) = hospital_plan(edit) else { panic!("a plan although {reason}") };
        let (said, helped) = (why.to_string(), why.help().unwrap_or_default());
        assert!(said.contains(reason), "{said}");
        assert!(helped.contains(help), "{helped}");
    };
    let nowhere = |text: String| text.replace("places: [hospital]", "places: [FR]");
    check(
        nowhere,
        "no rule allows process of raw `digits` (class `health`) at `hospital`",
        "allows raw of `digits` at `hospital`",
    );
    check(
        |text| text.replace("budget: 20 USD", "budget: 0.001 USD"),
        "not all of them within budget",
        "instead of 0.001 USD",
    );
    check(|text| text.replace("deadline: 8 h", "deadline: 10 s"), "must end by 10 s", "for `train` instead of 10 s");
    check(
        |text| text.replace("strategies: { data: [1, 2] }", "sites: [aws-frankfurt]"),
        "the workload may run only at aws-frankfurt",
        "allows raw of `digits` at `aws-frankfurt`",
    );
}

/// Changes a right plan and expects the verifier to find it.
fn finds(right: &Plan, loaded: &Loaded, change: &dyn Fn(&mut Plan), expected: Check) {
    let mut plan = right.clone();
    change(&mut plan);
    let found = verify(&plan, loaded, Catalog::bundled());
    assert!(found.iter().any(|violation| violation.check == expected), "{expected:?} is not in {found:?}");
}

#[test]
fn verification_finds_what_was_changed_in_a_plan() {
    let loaded = load(&hospital::library("mnist-public.yaml"), None, Catalog::bundled()).expect("a scenario");
    // Hold data and training apart, so that data and weights move once each.
    let mut loaded = loaded;
    loaded.scenario.datasets["digits"].at = vec!["institute".to_owned(), "aws-frankfurt".to_owned()];
    loaded.scenario.workloads["train"].sites = vec!["azure-netherlands".to_owned()];
    loaded.scenario.workloads["evaluate"].sites = vec!["aws-frankfurt".to_owned()];
    let right = solved(&loaded, &Options::default()).expect("a plan");
    assert_eq!(verify(&right, &loaded, Catalog::bundled()), []);
    assert_eq!(right.flows.len(), 2);
    let cent = rust_decimal::Decimal::new(1, 2);
    let check = |change: &dyn Fn(&mut Plan), expected: Check| finds(&right, &loaded, change, expected);
    check(&|plan| plan.scenario.digest.push('0'), Check::Provenance);
    check(&|plan| plan.catalog.digest.clear(), Check::Provenance);
    check(&|plan| plan.sites["aws-frankfurt"].places.push("eea".to_owned()), Check::Provenance);
    check(&|plan| drop(plan.assignments.pop()), Check::Workloads);
    check(&|plan| plan.assignments.push(plan.assignments[0].clone()), Check::Workloads);
    check(&|plan| plan.assignments[1].after.push("train".to_owned()), Check::Workloads);
    check(&|plan| plan.assignments[0].groups[0].site = "institute".to_owned(), Check::Groups);
    check(&|plan| plan.assignments[0].groups[0].pool = "t5".to_owned(), Check::Groups);
    check(&|plan| plan.assignments[0].groups[0].ranks_per_node = 2, Check::Groups);
    check(&|plan| plan.assignments[0].groups[0].nodes = 99, Check::Capacity);
    check(&|plan| plan.assignments[1].start_seconds = 0.0, Check::Order);
    check(&|plan| plan.assignments[1].end_seconds = 1e6, Check::Time);
    check(&|plan| plan.assignments[0].end_seconds -= 1.0, Check::Time);
    check(&|plan| plan.totals.finish_seconds += 1.0, Check::Time);
    check(&|plan| plan.flows.retain(|flow| flow.what != "digits"), Check::Presence);
    check(&|plan| plan.flows.retain(|flow| flow.what != "train"), Check::Presence);
    check(&|plan| plan.flows[1].start_seconds = 0.0, Check::Presence);
    check(&|plan| plan.flows[0].bytes -= 1, Check::Movements);
    check(&|plan| plan.flows[0].labels.clear(), Check::Movements);
    check(&|plan| plan.flows[0].end_seconds = 1e-3, Check::Movements);
    check(&|plan| plan.assignments[0].cost_usd += cent, Check::Money);
    check(&|plan| plan.assignments[0].groups[0].usd_per_node_hour += cent, Check::Money);
    check(&|plan| plan.flows[1].cost_usd += cent, Check::Money);
    check(&|plan| plan.totals.cost_usd -= cent, Check::Money);
    check(&|plan| plan.totals.egress_usd += cent, Check::Money);
}

#[test]
fn verification_knows_the_rules() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    // Weights may go to the EEA, and so may the images; the evaluation is held there.
    let edit = |text: String| {
        let text = text.replace("places: [hospital]", "places: [eea]");
        let text = text.replace("  evaluate: # on", "  evaluate:\n    sites: [azure-netherlands]\n    # on");
        text.replace("    deadline: 8 h", "    sites: [hospital]\n    deadline: 8 h")
    };
    let loaded = hospital::loaded(folder.path(), edit);
    let right = solved(&loaded, &Options::default()).expect("a plan");
    let weights = right.flows.iter().position(|flow| flow.what == "train").expect("weights move");
    assert!(right.flows[weights].rule.iter().all(|by| by.rule == "weights-may-go-to-the-eea"));
    let check = |change: &dyn Fn(&mut Plan), expected: Check| finds(&right, &loaded, change, expected);
    check(&|plan| plan.residency.rules.clear(), Check::Provenance);
    check(&|plan| plan.assignments[0].groups[0].site = "alibaba-hangzhou".to_owned(), Check::Presence);
    check(&|plan| plan.flows[weights].rule.clear(), Check::Residency);
    check(&|plan| plan.flows[weights].rule[0].rule = "images-stay-in-the-hospital".to_owned(), Check::Residency);
    check(&|plan| plan.flows[weights].via.push("alibaba-hangzhou".to_owned()), Check::Residency);
    check(&|plan| plan.flows[weights].to = "alibaba-hangzhou".to_owned(), Check::Movements);
}
