//! Order, earliest starts, deadlines, run times, and the windows of services.

use super::subject::{Run, Subject};
use super::{Check, MILLISECOND, TOLERANCE_SECONDS, Verification};

pub(super) fn check(subject: &Subject<'_>, found: &mut Verification) {
    for run in &subject.runs {
        order(subject, run, found);
        let (start, end) = (run.assignment.start_seconds, run.assignment.end_seconds);
        let name = run.name;
        let times = [start, end].iter().all(|time| time.is_finite() && *time >= 0.0) && start <= end;
        found.expect(times, Check::Time, || format!("`{name}` runs from {start} s to {end} s, which is no time"));
        if run.is_service() {
            window(subject, run, found);
        } else {
            duration(run, found);
        }
        let latest = subject.latest_end(run.workload);
        let tolerance = if run.is_service() { MILLISECOND } else { TOLERANCE_SECONDS };
        found.expect(end <= latest + tolerance, Check::Time, || {
            format!("`{name}` ends after {end} s, and must end by {latest} s")
        });
    }
    finish(subject, found);
}

/// Nothing starts before what it waits for has ended, or before its earliest start.
fn order(subject: &Subject<'_>, run: &Run<'_>, found: &mut Verification) {
    let job = &run.workload.job;
    let read = job.weights_of().into_iter().chain(job.data());
    let made = read.filter(|what| subject.scenario.workloads.contains_key(*what));
    for before in run.workload.after.iter().map(String::as_str).chain(made) {
        let ended = subject.run(before).is_some_and(|other| run.starts_after(other.assignment.end_seconds));
        found.expect(ended, Check::Order, || format!("`{}` starts before `{before}` has ended", run.name));
    }
    let earliest = earliest(run);
    found.expect(run.assignment.start_seconds + TOLERANCE_SECONDS >= earliest, Check::Order, || {
        format!("`{}` starts after {} s, and not before {earliest} s", run.name, run.assignment.start_seconds)
    });
}

fn earliest(run: &Run<'_>) -> f64 {
    run.workload.earliest_start.map_or(0.0, scenarios::units::Seconds::get)
}

/// A job runs for as long as its steps take.
fn duration(run: &Run<'_>, found: &mut Verification) {
    let steps = run.assignment.predicted.step_seconds.p50 * run.assignment.steps as f64;
    let seconds = run.seconds();
    // The sum over many steps is off by its rounding.
    found.expect(seconds + 2.0 * MILLISECOND + 1e-9 * steps >= steps, Check::Time, || {
        format!("`{}` runs for {seconds} s, and its steps take {steps} s", run.name)
    });
}

/// A service answers from its earliest start to its deadline, or the end of the period.
fn window(subject: &Subject<'_>, run: &Run<'_>, found: &mut Verification) {
    let (from, to) = (earliest(run), subject.latest_end(run.workload));
    let (start, end) = (run.assignment.start_seconds, run.assignment.end_seconds);
    let same = |a: f64, b: f64| (a - b).abs() <= MILLISECOND;
    found.expect(same(start, from) && same(end, to), Check::Time, || {
        format!("`{}` answers from {start} s to {end} s, and has to from {from} s to {to} s", run.name)
    });
}

/// The plan ends with its last workload that is no service.
fn finish(subject: &Subject<'_>, found: &mut Verification) {
    let ends = subject.runs.iter().filter(|run| !run.is_service()).map(|run| run.assignment.end_seconds);
    let last = ends.fold(0.0, f64::max);
    let finish = subject.plan.totals.finish_seconds;
    found.expect((finish - last).abs() <= TOLERANCE_SECONDS, Check::Time, || {
        format!("the plan says that it ends after {finish} s, and its last workload ends after {last} s")
    });
}

#[cfg(test)]
mod tests {
    use super::super::Check::{Money, Order, Time};
    use super::super::fixtures::{assignment, check, check_with, cover};

    #[test]
    fn workloads_run_in_order_and_in_time() {
        let seconds = scenarios::units::Seconds::new;
        check("another finish", |plan| plan.totals.finish_seconds += 1.0, &[Time]);
        cover("too early", |plan| assignment(plan, "train").start_seconds = 0.0, &[Order, Money]);
        cover("too short", |plan| assignment(plan, "train").end_seconds -= 300.0, &[Time, Money]);
        cover("no time", |plan| assignment(plan, "prepare").start_seconds = 1e6, &[Time]);
        cover("never", |plan| assignment(plan, "chat").end_seconds = f64::MAX, &[Time]);
        cover("half of the window", |plan| assignment(plan, "chat").end_seconds /= 2.0, &[Time]);
        check_with(
            "an earlier deadline",
            |scenario| scenario.workloads["evaluate"].deadline = Some(seconds(7600.0)),
            |plan| {
                assignment(plan, "evaluate").deadline_seconds = Some(7600.0);
            },
            &[Time],
        );
        check_with(
            "a later start",
            |scenario| scenario.workloads["federate"].earliest_start = Some(seconds(1.0)),
            |_| (),
            &[Order],
        );
        check_with("a shorter period", |scenario| scenario.horizon = seconds(90_000.0), |_| (), &[Time, Money]);
    }
}
