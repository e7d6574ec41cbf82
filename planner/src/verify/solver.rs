//! The objective has the value that the solver states, and its gap follows from its bound.

use scenarios::scenario::{Objective, Weights};

use super::money::{float, preference_usd};
use super::subject::Subject;
use super::{Check, Verification};

/// Share that the solver's arithmetic may be off by.
const RELATIVE: f64 = 1e-6;

pub(super) fn check(subject: &Subject<'_>, found: &mut Verification) {
    let solver = &subject.plan.solver;
    let (minimizes, value) = objective(subject);
    found.expect(solver.minimizes == minimizes, Check::Solver, || {
        format!("the plan minimises {}, and the scenario asks for {minimizes}", solver.minimizes)
    });
    let tolerance = |value: f64| RELATIVE * value.abs() + RELATIVE;
    found.expect((solver.objective - value).abs() <= tolerance(value), Check::Solver, || {
        format!("the objective is {} in the plan, and {value} recomputed", solver.objective)
    });
    found.expect(solver.bound <= solver.objective + tolerance(solver.objective), Check::Solver, || {
        format!("the bound {} is above the objective {}", solver.bound, solver.objective)
    });
    let difference = (solver.objective - solver.bound).max(0.0);
    let gap = if difference > 0.0 { difference / solver.objective.abs().max(f64::MIN_POSITIVE) } else { 0.0 };
    found.expect((solver.gap - gap).abs() <= tolerance(gap), Check::Solver, || {
        format!("the gap is {} in the plan, and {gap} by its objective and bound", solver.gap)
    });
}

/// What the scenario minimises and its value: dollars with what `prefer` rules count, seconds, or kilograms.
fn objective(subject: &Subject<'_>) -> (&'static str, f64) {
    let totals = &subject.plan.totals;
    let usd = float(totals.cost_usd);
    let preference = float(preference_usd(subject));
    let (finish, carbon) = (totals.finish_seconds, totals.carbon_kg.unwrap_or(0.0));
    match subject.scenario.objective {
        Objective::Cost => ("cost_usd", usd + preference),
        Objective::FinishTime => ("finish_seconds", finish),
        Objective::Carbon => ("carbon_kg", carbon),
        Objective::Weighted(Weights { cost, finish_time, carbon: price }) => {
            let value = cost * usd + preference + float(finish_time.0) * finish / 3600.0 + float(price.0) * carbon;
            ("weighted_usd", value)
        }
    }
}

#[cfg(test)]
mod tests {
    use scenarios::scenario::{Objective, Weights};
    use scenarios::units::{UsdPerHour, UsdPerKg};

    use super::super::Check::Solver;
    use super::super::fixtures::{check, check_with};

    #[test]
    fn the_objective_is_what_the_scenario_asks_for() {
        check("a better objective", |plan| plan.solver.objective *= 0.9, &[Solver]);
        check("a bound above it", |plan| plan.solver.bound *= 1.1, &[Solver]);
        check("no gap", |plan| plan.solver.bound *= 0.9, &[Solver]);
        check("a gap", |plan| plan.solver.gap = 0.1, &[Solver]);
        check("another aim", |plan| plan.solver.minimizes = "carbon_kg".to_owned(), &[Solver]);
        check(
            "a gap that follows",
            |plan| {
                plan.solver.bound = 0.75 * plan.solver.objective;
                plan.solver.gap = 0.25;
            },
            &[],
        );
        let aims = |objective, name: &'static str, value: fn(&scenarios::plan::Totals) -> f64| {
            check_with(
                name,
                |scenario| scenario.objective = objective,
                |plan| {
                    plan.solver.objective = value(&plan.totals);
                    (plan.solver.bound, plan.solver.minimizes) = (plan.solver.objective, name.to_owned());
                },
                &[],
            );
        };
        aims(Objective::FinishTime, "finish_seconds", |totals| totals.finish_seconds);
        aims(Objective::Carbon, "carbon_kg", |totals| totals.carbon_kg.unwrap_or_default());
        let weights = Weights { cost: 0.0, finish_time: UsdPerHour(10.into()), carbon: UsdPerKg(2.into()) };
        aims(Objective::Weighted(weights), "weighted_usd", |totals| {
            totals.finish_seconds / 360.0
                + 2.0 * totals.carbon_kg.unwrap_or_default()
                + super::float(totals.preference_usd)
        });
    }
}
