//! The scenario's own figures.

use super::Check;
use crate::diagnostics::Diagnostic;
use crate::scenario::{FORMAT, Objective};

const LONGEST_NAME: usize = 200;

pub(super) fn check(check: &mut Check<'_>) {
    let (scenario, root) = (check.scenario, check.root.clone());
    if scenario.format != FORMAT {
        let message = format!("the format is `{}`", scenario.format);
        check.wrong(
            &root.key("format"),
            message,
            "not one that this version reads",
            format!("write `format: {FORMAT}`"),
        );
    }
    if scenario.name.trim().is_empty() || scenario.name.chars().count() > LONGEST_NAME {
        let message = format!("a name has 1 to {LONGEST_NAME} characters");
        check.wrong(&root.key("name"), message, "too short or too long", "give a name that a reader recognises");
    }
    if !(0.0..1.0).contains(&scenario.gap) {
        check.wrong(&root.key("gap"), "the gap is a share from 0 to below 1", "outside", "write `gap: 0.01` for 1 %");
    }
    for (key, length) in [("horizon", scenario.horizon), ("time_limit", scenario.time_limit)] {
        if length.get() == 0.0 {
            check.wrong(&root.key(key), format!("the {key} is zero"), "no time at all", "give a length of time");
        }
    }
    objective(check);
    if scenario.workloads.is_empty() {
        let message = "there are no workloads";
        check.wrong(&root.key("workloads"), message, "nothing to plan", "add a workload with its `job`");
    }
}

fn objective(check: &mut Check<'_>) {
    let Objective::Weighted(weights) = &check.scenario.objective else { return };
    let at = check.root.key("objective").key("weighted");
    if weights.cost < 0.0 {
        let help = "write 1 for a dollar that counts as a dollar, 0 for one that does not";
        check.wrong(&at.key("cost"), "the weight of cost is negative", "below 0", help);
    }
    if weights.cost == 0.0 && weights.finish_time.0.is_zero() && weights.carbon.0.is_zero() {
        let problem = Diagnostic::new(at.key_span(), "nothing counts in the objective", "all weights are 0");
        check.tell(problem.help("give one of them a weight, such as `cost: 1`"));
    }
}
