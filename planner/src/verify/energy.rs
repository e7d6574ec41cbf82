//! Electric energy of the machines in use, and its greenhouse gas, where both are known.

use scenarios::plan::Group;
use scenarios::scenario::{Machine, Pool, Site};

use super::subject::{Run, Subject, region};
use super::{Check, Verification};

/// Share that sums in another order may be off by.
const RELATIVE: f64 = 1e-6;

/// Energy in kWh and greenhouse gas in kg of CO₂ equivalent.
type Used = (Option<f64>, Option<f64>);

pub(super) fn check(subject: &Subject<'_>, found: &mut Verification) {
    for run in &subject.runs {
        let (energy, carbon) = used(subject, run);
        same(run.assignment.energy_kwh, energy, found, || format!("energy of `{}` in kWh", run.name));
        same(run.assignment.carbon_kg, carbon, found, || format!("greenhouse gas of `{}` in kg", run.name));
    }
    let all = |of: fn(&Run<'_>) -> Option<f64>| subject.runs.iter().map(of).sum::<Option<f64>>();
    let totals = &subject.plan.totals;
    same(totals.energy_kwh, all(|run| run.assignment.energy_kwh), found, || "energy of the plan in kWh".to_owned());
    same(totals.carbon_kg, all(|run| run.assignment.carbon_kg), found, || {
        "greenhouse gas of the plan in kg".to_owned()
    });
}

fn same(stated: Option<f64>, expected: Option<f64>, found: &mut Verification, what: impl FnOnce() -> String) {
    let equal = match (stated, expected) {
        (Some(stated), Some(expected)) => (stated - expected).abs() <= RELATIVE * expected.abs() + f64::MIN_POSITIVE,
        (None, None) => true,
        _ => false,
    };
    found.expect(equal, Check::Energy, || {
        let shown = |amount: Option<f64>| amount.map_or_else(|| "unknown".to_owned(), |amount| amount.to_string());
        format!("{}: {} in the plan, {} recomputed", what(), shown(stated), shown(expected))
    });
}

/// Over all groups of a workload; unknown if it is of one of them.
fn used(subject: &Subject<'_>, run: &Run<'_>) -> Used {
    let seconds = run.seconds();
    let groups: Vec<Used> =
        subject.placed(run).map(|(group, site, pool)| of_group(subject, group, (site, pool), seconds)).collect();
    (groups.iter().map(|(energy, _)| *energy).sum(), groups.iter().map(|(_, carbon)| *carbon).sum())
}

/// Power of a node × nodes × time × PUE, and the grid's factor.
fn of_group(subject: &Subject<'_>, group: &Group, (site, pool): (&Site, &Pool), seconds: f64) -> Used {
    let grid = region(site).and_then(|(provider, place)| subject.catalog.region(provider, place)?.carbon.as_ref());
    let overhead = site.pue.or_else(|| grid.and_then(|grid| grid.pue)).unwrap_or(1.0);
    let energy = watts(subject, site, pool).map(|watts| watts * f64::from(group.nodes) * overhead * seconds / 3.6e6);
    let factor = site.carbon.map(|carbon| carbon.0).or_else(|| grid.map(|grid| grid.gco2e_per_kwh));
    (energy, energy.zip(factor).map(|(energy, grams)| energy * grams / 1000.0))
}

/// Power of a node in watts: stated, or the board power of its accelerators.
fn watts(subject: &Subject<'_>, site: &Site, pool: &Pool) -> Option<f64> {
    if let Some(power) = pool.power {
        return Some(power.0);
    }
    let (accelerator, count) = match &pool.machine {
        Machine::Instance(name) => {
            let (provider, place) = region(site)?;
            let instance = subject.catalog.instance(provider, place, name)?;
            (instance.accelerator.as_deref()?, instance.accelerator_count)
        }
        Machine::Inline(machine) => (machine.accelerator.as_deref()?, f64::from(machine.count)),
        Machine::Profile(_) => return None,
    };
    Some(subject.catalog.accelerator(accelerator)?.watts? * count)
}

#[cfg(test)]
mod tests {
    use super::super::Check::Energy;
    use super::super::fixtures::{assignment, check, check_with};

    #[test]
    fn energy_and_greenhouse_gas_are_those_of_the_machines() {
        check(
            "more energy",
            |plan| *assignment(plan, "prepare").energy_kwh.as_mut().expect("known") *= 1.01,
            &[Energy],
        );
        check("no energy", |plan| assignment(plan, "prepare").energy_kwh = None, &[Energy]);
        check("less gas", |plan| *plan.totals.carbon_kg.as_mut().expect("known") *= 0.99, &[Energy]);
        check_with("another grid", |scenario| scenario.sites["lab"].carbon = None, |_| (), &[Energy]);
        check_with(
            "more power",
            |scenario| {
                scenario.sites["clinic"].pools["gpu"].power = Some(scenarios::units::Power(3000.0));
            },
            |_| (),
            &[Energy],
        );
        check_with("no cooling", |scenario| scenario.sites["clinic"].pue = Some(1.0), |_| (), &[Energy]);
    }
}
