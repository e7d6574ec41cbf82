//! Workloads, machines and times.

use std::collections::BTreeMap;

use scenarios::plan::Assignment;

use super::{Check, Report, Subject, TOLERANCE_SECONDS};

/// Every workload of the scenario is in the plan once and unchanged.
pub(super) fn workloads(subject: &Subject<'_>, report: &mut Report) {
    for (name, workload) in &subject.loaded.scenario.workloads {
        let found: Vec<_> = subject.plan.assignments.iter().filter(|a| a.workload == *name).collect();
        report.expect(found.len() == 1, Check::Workloads, || format!("`{name}` is {} times in the plan", found.len()));
        let same = found.iter().all(|a| a.job == workload.job && a.after == workload.after);
        report.expect(same, Check::Workloads, || format!("`{name}` is not what the scenario describes"));
    }
    for assignment in &subject.plan.assignments {
        let known = subject.loaded.scenario.workloads.contains_key(&assignment.workload);
        report.expect(known, Check::Workloads, || format!("`{}` is not in the scenario", assignment.workload));
    }
}

/// Groups are pools where the workload may run, and their ranks are those of the strategy.
pub(super) fn groups(subject: &Subject<'_>, report: &mut Report) {
    for assignment in &subject.plan.assignments {
        let name = &assignment.workload;
        let ranks: u64 =
            assignment.groups.iter().map(|group| u64::from(group.nodes) * u64::from(group.ranks_per_node)).sum();
        report.expect(ranks == u64::from(assignment.strategy.ranks()), Check::Groups, || {
            format!("`{name}` has {ranks} ranks, and its strategy needs {}", assignment.strategy.ranks())
        });
        let allowed = subject.loaded.scenario.workloads.get(name).map(|workload| workload.sites.as_slice());
        for group in &assignment.groups {
            let pool = subject.loaded.scenario.sites.get(&group.site).and_then(|site| site.pools.get(&group.pool));
            report.expect(pool.is_some(), Check::Groups, || {
                format!("`{name}` runs in pool `{}` of `{}`, which does not exist", group.pool, group.site)
            });
            report.expect(group.nodes > 0, Check::Groups, || format!("`{name}` runs on no nodes"));
            let listed = allowed.is_none_or(|sites| sites.is_empty() || sites.contains(&group.site));
            report.expect(listed, Check::Groups, || format!("`{name}` may not run at `{}`", group.site));
        }
    }
}

/// Start, end and nodes.
type Run = (f64, f64, u64);

/// At every start, the nodes in use in each pool are at most what it has.
pub(super) fn capacity(subject: &Subject<'_>, report: &mut Report) {
    let mut runs: BTreeMap<(&str, &str), Vec<Run>> = BTreeMap::new();
    for assignment in &subject.plan.assignments {
        for group in &assignment.groups {
            let run = (assignment.start_seconds, assignment.end_seconds, u64::from(group.nodes));
            runs.entry((&group.site, &group.pool)).or_default().push(run);
        }
    }
    for ((site, pool), runs) in runs {
        let described = subject.loaded.scenario.sites.get(site).and_then(|found| found.pools.get(pool));
        let nodes = described.map_or(0, |pool| u64::from(pool.nodes));
        for (at, _, _) in &runs {
            let running =
                runs.iter().filter(|(start, end, _)| *start <= at + TOLERANCE_SECONDS && *end > at + TOLERANCE_SECONDS);
            let used: u64 = running.map(|(_, _, nodes)| nodes).sum();
            report.expect(used <= nodes, Check::Capacity, || {
                format!("{used} nodes of pool `{pool}` of `{site}` are in use after {at} s, and it has {nodes}")
            });
        }
    }
}

/// Nothing starts before what it waits for has ended, or before its earliest start.
pub(super) fn order(subject: &Subject<'_>, report: &mut Report) {
    let ends: BTreeMap<&str, f64> =
        subject.plan.assignments.iter().map(|a| (a.workload.as_str(), a.end_seconds)).collect();
    for assignment in &subject.plan.assignments {
        let Some(workload) = subject.loaded.scenario.workloads.get(&assignment.workload) else { continue };
        let trained = workload.job.weights_of();
        for before in workload.after.iter().map(String::as_str).chain(trained) {
            let ended = ends.get(before).is_some_and(|end| *end <= assignment.start_seconds + TOLERANCE_SECONDS);
            report.expect(ended, Check::Order, || {
                format!("`{}` starts before `{before}` has ended", assignment.workload)
            });
        }
        let earliest = workload.earliest_start.map_or(0.0, scenarios::units::Seconds::get);
        report.expect(assignment.start_seconds + TOLERANCE_SECONDS >= earliest, Check::Order, || {
            format!("`{}` starts before its earliest start", assignment.workload)
        });
    }
}

/// Ends are within deadline and period, and runs are as long as their steps.
pub(super) fn time(subject: &Subject<'_>, report: &mut Report) {
    for assignment in &subject.plan.assignments {
        let Assignment { workload: name, start_seconds, end_seconds, .. } = assignment;
        let finite = [*start_seconds, *end_seconds].iter().all(|time| time.is_finite() && *time >= 0.0);
        report.expect(finite, Check::Time, || format!("`{name}` has times that are no times"));
        let steps = assignment.predicted.step_seconds.p50 * assignment.steps as f64;
        report.expect(end_seconds - start_seconds + 2e-3 >= steps, Check::Time, || {
            format!("`{name}` runs for {} s, and its steps take {steps} s", end_seconds - start_seconds)
        });
        let deadline = subject.loaded.scenario.workloads.get(name).and_then(|workload| workload.deadline);
        let horizon = subject.loaded.scenario.horizon;
        for latest in deadline.into_iter().chain([horizon]) {
            report.expect(*end_seconds <= latest.get() + TOLERANCE_SECONDS, Check::Time, || {
                format!("`{name}` ends after {end_seconds} s, and must end by {} s", latest.get())
            });
        }
    }
    let last = subject.plan.assignments.iter().map(|a| a.end_seconds).fold(0.0, f64::max);
    let finish = subject.plan.totals.finish_seconds;
    report.expect((finish - last).abs() <= TOLERANCE_SECONDS, Check::Time, || {
        format!("the plan says that it ends after {finish} s, and its last workload ends after {last} s")
    });
}
