//! `explain`, `whatif`, `frontier`, `diff` and alternatives: what they say is what solving again gives.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use planner::candidates::World;
use planner::explain::{Difference, Second, frontier};
use planner::planning::{Options, plan, plans};
use proptest::prelude::*;
use rust_decimal::Decimal;
use scenarios::catalog::Catalog;
use scenarios::plan::Plan;
use scenarios::scenario::{Loaded, load_text};

/// Two trainings on health data, which may be in a clinic and a laboratory and not abroad.
const SCENARIO: &str = include_str!("explain/two-trainings.yaml");

/// Exit codes of `Exit`.
const DONE: i32 = 0;
const USAGE: i32 = 2;
const INVALID_DOCUMENT: i32 = 3;
const DIFFERS: i32 = 10;
const INFEASIBLE: i32 = 20;
const STALE: i32 = 30;

/// A folder with a scenario in it.
struct Desk {
    folder: tempfile::TempDir,
}

impl Desk {
    fn with(edit: impl Fn(String) -> String) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        std::fs::write(folder.path().join("scenario.yaml"), edit(SCENARIO.to_owned())).expect("it can be written to");
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_planner"));
        command.current_dir(self.folder.path()).args(arguments).output().expect("the planner runs")
    }

    /// Runs a command that ends with `exit` and says `says` on standard error; what it prints.
    fn check(&self, arguments: &[&str], exit: i32, says: &str) -> String {
        let output = self.run(arguments);
        let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(exit), "{arguments:?}\n{stdout}\n{stderr}");
        assert!(stderr.contains(says), "no `{says}` in {stderr}");
        stdout
    }

    fn plan(&self, name: &str) -> Plan {
        scenarios::document::read(&self.path(name)).expect("a plan")
    }
}

fn whole() -> Desk {
    Desk::with(|text| text)
}

fn loaded(text: &str) -> Loaded {
    load_text("test", text, Path::new(""), Catalog::bundled()).expect("a valid scenario")
}

#[test]
fn a_plan_is_explained() {
    let desk = whole();
    let arguments = ["explain", "scenario.yaml", "--why-not", "abroad", "--why-not", "lab/fast"];
    insta::assert_snapshot!(desk.check(&arguments, DONE, ""));
    desk.check(&["solve", "scenario.yaml"], DONE, "");
    let with_plan = [&arguments[..], &["--plan", "plan.json"]].concat();
    assert_eq!(desk.check(&with_plan, DONE, ""), desk.check(&arguments, DONE, ""));
    let one = desk.check(&["explain", "scenario.yaml", "--workload", "second", "--format", "json"], DONE, "");
    assert!(one.contains("second") && one.contains("runner_up"), "{one}");
    assert!(desk.check(&[&arguments[..], &["--format", "csv"]].concat(), DONE, "").starts_with("kind,workload"));
}

#[test]
fn what_is_asked_about_must_be_there() {
    let desk = whole();
    let check = |arguments: &[&str], exit: i32, says: &str, help: &str| {
        desk.check(&[&["explain", "scenario.yaml"], arguments].concat(), exit, says);
        desk.check(&[&["explain", "scenario.yaml"], arguments].concat(), exit, help);
    };
    check(&["--workload", "frist"], USAGE, "no workload `frist`", "did you mean `first`?");
    check(&["--why-not", "labb"], USAGE, "no site with machines `labb`", "did you mean `lab`?");
    check(&["--why-not", "lab/fsat"], USAGE, "no pool or machine `lab/fsat`", "did you mean `fast`?");
    check(&["--why-not", "/fast"], USAGE, "expected SITE", "eu-dc/h100");
    desk.check(&["solve", "scenario.yaml"], DONE, "");
    std::fs::write(desk.path("scenario.yaml"), SCENARIO.replace("horizon: 2 d", "horizon: 3 d")).expect("a file");
    check(&["--plan", "plan.json"], STALE, "another scenario", "make it anew");
}

#[test]
fn a_permission_is_worth_what_the_plan_with_it_saves() {
    let scenario = loaded(SCENARIO);
    let world = |loaded| World { loaded, catalog: Catalog::bundled() };
    let strict = plan(world(&scenario), &Options::default()).expect("a plan");
    let permissive = loaded(&SCENARIO.replace("places: [CN]", "places: [US]").replace("[DE, FR]", "[DE, FR, CN]"));
    let free = plan(world(&permissive), &Options::default()).expect("a plan");
    let saved = strict.solver.objective - free.solver.objective;
    let worth = strict.explanation.binding.iter().find(|rule| rule.what.contains("at `abroad`")).map(|rule| rule.worth);
    assert!(saved > 0.0 && worth.is_some_and(|worth| (worth - saved).abs() < 1e-6), "{worth:?} {saved}");
}

#[test]
fn one_more_node_is_worth_what_the_plan_with_it_saves() {
    let text = SCENARIO.replace("objective: cost", "objective: finish_time");
    let scenario = loaded(&text.replace("nodes: 2", "nodes: 1"));
    let world = |loaded| World { loaded, catalog: Catalog::bundled() };
    let tight = plan(world(&scenario), &Options::default()).expect("a plan");
    let wide = plan(world(&loaded(&text)), &Options::default()).expect("a plan");
    let saved = tight.solver.objective - wide.solver.objective;
    let worth = tight.explanation.binding.iter().find(|rule| rule.what.contains("`fast`")).map(|rule| rule.worth);
    assert!(saved > 0.0 && worth.is_some_and(|worth| (worth - saved).abs() < 1e-6), "{worth:?} {saved}");
}

#[test]
fn what_nothing_satisfies_has_priced_ways_out() {
    let check = |edit: &dyn Fn(String) -> String, says: &[&str]| {
        let desk = Desk::with(edit);
        let output = desk.run(&["solve", "scenario.yaml"]);
        assert_eq!(output.status.code(), Some(INFEASIBLE));
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        for says in says {
            assert!(stderr.contains(says), "no `{says}` in {stderr}");
        }
        stderr
    };
    let budget = |text: String| text.replace("horizon: 2 d", "horizon: 2 d\nbudget: 2 USD");
    insta::assert_snapshot!(check(
        &budget,
        &["a budget of 2.19228 USD instead of 2 USD: 2.19228 USD", "`records` at `abroad`: 1.59614 USD"]
    ));
    // Only the fast pool is in time, for one of the two.
    let both = |text: String| text.replace("[1] }\n  second", "[1] }\n    deadline: 7 min\n  second");
    let late = |text: String| both(text).replace("deadline: 8 h", "deadline: 7 min").replace("nodes: 2", "nodes: 1");
    check(&late, &["2 nodes in pool `fast` of `lab` instead of 1: 6.051934 USD", "a deadline of 11.44 min for"]);
    let nowhere = |text: String| text.replace("places: [DE, FR]", "places: [IT]");
    check(&nowhere, &["a rule that allows raw, weights of `records` at `clinic`"]);
    let held = |text: String| text.replace("deadline: 8 h", "deadline: 8 h\n    earliest_start: 7.95 h");
    check(&held, &["a start of `second` at once instead of after 7.95 h"]);
}

#[test]
fn changes_show_as_differences() {
    let desk = whole();
    let more = ["whatif", "scenario.yaml", "--set", "sites.clinic.egress*=5", "-o", "after.json"];
    insta::assert_snapshot!(desk.check(&more, DONE, ""));
    let edited = loaded(&SCENARIO.replacen("egress: 0.10", "egress: 0.50", 1));
    let expected = plan(World { loaded: &edited, catalog: Catalog::bundled() }, &Options::default()).expect("a plan");
    assert_eq!(desk.plan("after.json").totals, expected.totals);
    let check = |set: &str, exit: i32, says: &str| {
        desk.check(&["whatif", "scenario.yaml", "--set", set], exit, says);
    };
    check("sites.clinc.egress*=2", USAGE, "did you mean `clinic`?");
    check("sites.clinic.pools.small.nodes-=3", INVALID_DOCUMENT, "--set 'sites.clinic.pools.small.nodes-=3'");
    check("sites.*.egress=cheap", INVALID_DOCUMENT, "0.09 USD/GB");
    check("budget", USAGE, "is no change");
    check("sites.clinic.egress/=0", USAGE, "divided by 0");
    check("budget=1 USD", INFEASIBLE, "instead of 1 USD");
    let twice = ["whatif", "scenario.yaml", "--set", "horizon=1 d", "--set", "horizon=2 d"];
    desk.check(&twice, USAGE, "contradicts");
}

#[test]
fn two_plans_are_compared() {
    let desk = whole();
    desk.check(&["solve", "scenario.yaml", "-o", "a.json"], DONE, "");
    desk.check(&["whatif", "scenario.yaml", "--set", "objective=finish_time", "-o", "b.json"], DONE, "");
    let same = desk.check(&["diff", "a.json", "a.json", "--detailed-exitcode"], DONE, "");
    assert!(same.starts_with("No differences"), "{same}");
    desk.check(&["diff", "a.json", "b.json"], DONE, "");
    insta::assert_snapshot!(desk.check(&["diff", "a.json", "b.json", "--detailed-exitcode"], DIFFERS, ""));
    let csv = desk.check(&["diff", "a.json", "b.json", "--format", "csv"], DONE, "");
    assert!(csv.contains("~,workload,first"), "{csv}");
    desk.check(&["diff", "a.json", "none.json"], USAGE, "cannot read the plan");
}

#[test]
fn the_frontier_is_written_as_plans() {
    let desk = whole();
    let csv = desk.check(&["frontier", "scenario.yaml", "-o", "plans", "--format", "csv"], DONE, "4 plans");
    insta::assert_snapshot!(csv);
    for (number, row) in csv.lines().skip(1).enumerate() {
        let plan = desk.plan(&format!("plans/plan-{}.json", number + 1));
        assert!(row.starts_with(&plan.totals.cost_usd.to_string()), "{row}");
    }
    let ends = desk.check(&["frontier", "scenario.yaml", "--points", "2", "--format", "csv"], DONE, "2 plans");
    assert_eq!(ends.lines().count(), 3, "{ends}");
    desk.check(&["frontier", "scenario.yaml", "--points", "1"], USAGE, "1 is not in 2..=100");
}

#[test]
fn alternatives_are_written_beside_the_plan() {
    let desk = whole();
    let arguments = ["solve", "scenario.yaml", "--alternatives", "3", "--within", "100%", "--format", "csv"];
    insta::assert_snapshot!(desk.check(&arguments, DONE, ""));
    assert_ne!(desk.plan("plan-2.json").assignments[0].groups, desk.plan("plan.json").assignments[0].groups);
    let none = ["solve", "scenario.yaml", "--alternatives", "3", "--within", "1%"];
    desk.check(&none, DONE, "0 other plan(s) within 1 %");
    desk.check(&["solve", "scenario.yaml", "--alternatives", "1", "-o", "-"], USAGE, "takes one plan");
}

#[test]
fn with_time_and_money_enough_every_pair_of_pools_is_an_alternative() {
    let scenario = loaded(SCENARIO);
    let world = World { loaded: &scenario, catalog: Catalog::bundled() };
    // Each of two trainings in each of three pools.
    assert_eq!(plans(world, &Options::default(), 20, 10.0).expect("plans").len(), 9);
}

/// The scenario with other prices, speeds and nodes.
fn varied((cheap, small, fast): (u8, u8, u8), nodes: u8, epochs: u8, deadline: u8, objective: &str) -> Loaded {
    let text = SCENARIO
        .replace("price: 1 USD/h", &format!("price: {cheap} USD/h"))
        .replace("price: 4 USD/h", &format!("price: {small} USD/h"))
        .replace("price: 30 USD/h", &format!("price: {} USD/h", u32::from(fast) * 5))
        .replace("nodes: 1\n", &format!("nodes: {nodes}\n"))
        .replacen("epochs: 40", &format!("epochs: {}", u32::from(epochs) * 7), 1)
        .replace("deadline: 8 h", &format!("deadline: {deadline} h"))
        .replace("objective: cost", &format!("objective: {objective}"));
    loaded(&text)
}

/// Pools by workload.
fn pools(plan: &Plan) -> Vec<(String, Vec<(String, String)>)> {
    let of = |groups: &[scenarios::plan::Group]| groups.iter().map(|g| (g.site.clone(), g.pool.clone())).collect();
    let mut pools: Vec<_> = plan.assignments.iter().map(|a| (a.workload.clone(), of(&a.groups))).collect();
    pools.sort();
    pools
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(40) })]

    #[test]
    fn no_point_of_the_frontier_beats_another(
        prices in (1..8_u8, 1..8_u8, 1..12_u8), nodes in 1..3_u8, epochs in 1..12_u8, deadline in 1..9_u8,
    ) {
        let loaded = varied(prices, nodes, epochs, deadline, "cost");
        let world = World { loaded: &loaded, catalog: Catalog::bundled() };
        let points = frontier(world, Second::FinishTime, 12, &Options::default()).expect("plans");
        let cheapest = plan(world, &Options::default()).expect("a plan");
        let points: Vec<Plan> = points.into_iter().map(|point| point.plan).collect();
        prop_assert_eq!(points[0].totals.cost_usd, cheapest.totals.cost_usd);
        let fastest = varied(prices, nodes, epochs, deadline, "finish_time");
        let fastest = plan(World { loaded: &fastest, catalog: Catalog::bundled() }, &Options::default()).expect("a plan");
        let last = points.last().expect("a point");
        prop_assert_eq!(last.totals.finish_seconds.to_bits(), fastest.totals.finish_seconds.to_bits());
        for pair in points.windows(2) {
            prop_assert!(pair[0].totals.cost_usd < pair[1].totals.cost_usd);
            prop_assert!(pair[0].totals.finish_seconds > pair[1].totals.finish_seconds);
        }
    }

    #[test]
    fn alternatives_are_near_and_different(
        prices in (1..8_u8, 1..8_u8, 1..12_u8), nodes in 1..3_u8, epochs in 1..12_u8, deadline in 1..9_u8,
        within in 0..100_u8, by_time in any::<bool>(),
    ) {
        let loaded = varied(prices, nodes, epochs, deadline, if by_time { "finish_time" } else { "cost" });
        let world = World { loaded: &loaded, catalog: Catalog::bundled() };
        let within = f64::from(within) / 100.0;
        let found = plans(world, &Options::default(), 4, within).expect("plans");
        let best = found[0].solver.objective;
        for (index, plan) in found.iter().enumerate() {
            prop_assert!(plan.solver.objective <= best * (1.0 + within) + 1e-6);
            prop_assert!(plan.solver.objective >= best - 1e-6);
            for other in &found[..index] {
                prop_assert_ne!(pools(plan), pools(other));
            }
        }
    }

    #[test]
    fn differences_add_up(
        a in (1..8_u8, 1..8_u8, 1..12_u8), b in (1..8_u8, 1..8_u8, 1..12_u8), epochs in 1..12_u8, by_time in any::<bool>(),
    ) {
        let (before, after) = (varied(a, 1, 6, 8, "cost"), varied(b, 1, epochs, 8, if by_time { "finish_time" } else { "cost" }));
        let solved = |loaded: &Loaded| {
            plan(World { loaded, catalog: Catalog::bundled() }, &Options::default()).expect("a plan")
        };
        let (before, after) = (solved(&before), solved(&after));
        let difference = Difference::between(&before, &after);
        let change = after.totals.cost_usd - before.totals.cost_usd;
        prop_assert_eq!(difference.change.cost_usd, change);
        let runs = difference.workloads.iter().map(|changed| {
            let usd = |run: &Option<planner::explain::Run>| run.as_ref().map_or(Decimal::ZERO, |run| run.cost_usd);
            usd(&changed.after) - usd(&changed.before)
        });
        prop_assert_eq!(runs.sum::<Decimal>(), change);
        prop_assert!(Difference::between(&before, &before).is_empty());
        let back = Difference::between(&after, &before);
        prop_assert_eq!(back.change.cost_usd, -change);
        prop_assert_eq!(back.workloads.len(), difference.workloads.len());
    }
}
