//! `planner check SCENARIO --plan PLAN` through the binary: right plans, and each way of being wrong with its exit code.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use scenarios::document;
use scenarios::plan::Plan;

/// Exit codes of `Exit`.
const DONE: i32 = 0;
const USAGE: i32 = 2;
const INVALID_DOCUMENT: i32 = 3;
const STALE_PLAN: i32 = 30;
const WRONG_DIGEST: i32 = 31;
const POLICY_BROKEN: i32 = 50;

fn planner(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_planner")).args(arguments).output().expect("the planner starts")
}

/// A scenario whose data has to move under a rule, with its plan.
struct Solved {
    folder: tempfile::TempDir,
}

impl Solved {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let library = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios/library/mnist-public.yaml");
        let text = std::fs::read_to_string(library).expect("the bundled scenario");
        let text =
            text.replace("class: public", "class: survey").replace("\nworkloads:", &format!("{POLICIES}\nworkloads:"));
        let solved = Self { folder };
        std::fs::write(solved.path("scenario.yaml"), text).expect("the temporary folder can be written to");
        let output = planner(&["solve", &solved.text("scenario.yaml"), "-o", &solved.text("plan.json")]);
        assert_eq!(output.status.code(), Some(DONE), "{}", String::from_utf8_lossy(&output.stderr));
        solved
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        self.path(name).to_string_lossy().into_owned()
    }

    /// Writes the plan with a change and a new digest, checks it, and expects exit code and words on standard error.
    fn check(&self, change: impl FnOnce(&mut Plan), format: &str, exit: i32, says: &str) -> String {
        let mut plan: Plan = document::read(&self.path("plan.json")).expect("the plan");
        change(&mut plan);
        document::write(&mut plan, &self.path("changed.json")).expect("the temporary folder can be written to");
        self.check_file("changed.json", format, exit, says)
    }

    fn check_file(&self, name: &str, format: &str, exit: i32, says: &str) -> String {
        let (scenario, plan) = (self.text("scenario.yaml"), self.text(name));
        let output = planner(&["check", &scenario, "--plan", &plan, "--format", format]);
        let [stdout, stderr] = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        let shown = format!("--- stdout\n{stdout}\n--- stderr\n{stderr}");
        assert_eq!(output.status.code(), Some(exit), "{shown}");
        assert!(stderr.contains(says), "no `{says}` in {shown}");
        assert!(!stderr.contains("panicked"), "{shown}");
        stdout
    }
}

/// The survey may go anywhere in the EEA.
const POLICIES: &str = "
policies:
  survey-in-the-eea:
    effect: allow
    classes: [survey]
    forms: [raw, gradients, weights]
    places: [eea]
";

#[test]
fn a_right_plan_keeps_all_rules() {
    let solved = Solved::new();
    let table = solved.check(|_| (), "table", DONE, "The plan keeps all ");
    assert!(table.contains("residency") && table.contains("capacity"), "{table}");
    let csv = solved.check(|_| (), "csv", DONE, "");
    assert_eq!(csv.lines().next(), Some("check,checked,broken,\"what holds, or what does not\""));
    assert!(csv.lines().skip(1).all(|line| line.split(',').nth(2) == Some("0")), "{csv}");
    let view: serde_json::Value = serde_json::from_str(&solved.check(|_| (), "json", DONE, "")).expect("JSON");
    assert_eq!(view["violations"], 0);
    let sum: u64 =
        view["checks"].as_array().expect("a list").iter().filter_map(|check| check["checked"].as_u64()).sum();
    assert_eq!(view["checked"], sum);
}

#[test]
fn a_wrong_plan_is_told_with_all_that_is_wrong() {
    let solved = Solved::new();
    let wrong =
        solved.check(|plan| plan.totals.egress_usd += rust_decimal::Decimal::ONE, "table", INVALID_DOCUMENT, "breaks");
    assert!(wrong.contains("all egress: "), "{wrong}");
    let denied = |plan: &mut Plan| {
        let group = &mut plan.assignments[0].groups[0];
        (group.site, group.pool) = ("nowhere".to_owned(), "nothing".to_owned());
    };
    assert!(solved.check(denied, "csv", INVALID_DOCUMENT, "breaks").contains("which does not exist"));
    let away = |plan: &mut Plan| plan.assignments[0].groups[0].site = outside(plan);
    let told = solved.check(away, "table", POLICY_BROKEN, "breaks");
    assert!(told.contains("no rule allows process of raw `digits` (class `survey`)"), "{told}");
    let dear = |plan: &mut Plan| plan.totals.cost_usd += rust_decimal::Decimal::from(1_000_000);
    assert!(solved.check(dear, "table", POLICY_BROKEN, "breaks").contains("and the budget is"));
}

/// A site of the plan that is not in the EEA.
fn outside(plan: &Plan) -> String {
    let site = plan.sites.iter().find(|(_, site)| !site.places.iter().any(|place| place == "eea"));
    site.map(|(name, _)| name.clone()).expect("a site outside")
}

#[test]
fn a_plan_of_something_else_is_not_checked() {
    let solved = Solved::new();
    solved.check(
        |plan| plan.scenario.digest.push('0'),
        "table",
        STALE_PLAN,
        "whose content is not that of the scenario",
    );
    solved.check(|plan| plan.catalog.digest.push('0'), "table", STALE_PLAN, "a catalogue of");
    let measured = |plan: &mut Plan| drop(plan.scenario.profiles.insert("m.json".to_owned(), "sha256:1".to_owned()));
    solved.check(measured, "table", STALE_PLAN, "measured again");
    let text = std::fs::read_to_string(solved.path("plan.json")).expect("the plan");
    std::fs::write(solved.path("edited.json"), text.replace("\"seed\": ", "\"seed\": 1")).expect("a file");
    solved.check_file("edited.json", "table", WRONG_DIGEST, "was changed after it was written");
    std::fs::write(solved.path("torn.json"), &text[..text.len() / 2]).expect("a file");
    solved.check_file("torn.json", "table", INVALID_DOCUMENT, "is no valid plan");
    solved.check_file("scenario.yaml", "table", INVALID_DOCUMENT, "is no valid plan");
    solved.check_file("missing.json", "table", USAGE, "cannot read the plan");
}
