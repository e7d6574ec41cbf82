//! Every movement has a purpose, the right content, a route that exists, and time enough.

use std::collections::BTreeSet;

use scenarios::plan::Flow;
use scenarios::scenario::Form;

use super::content::{self, Purpose};
use super::subject::{Run, Subject};
use super::{Check, TOLERANCE_SECONDS, Verification, route};

pub(super) fn check(subject: &Subject<'_>, found: &mut Verification) {
    let mut before = f64::NEG_INFINITY;
    let mut seen = BTreeSet::new();
    for flow in &subject.plan.flows {
        found.expect(flow.start_seconds + TOLERANCE_SECONDS >= before, Check::Movements, || {
            format!("{} is listed after one that starts later", about(flow))
        });
        before = before.max(flow.start_seconds);
        let first = seen.insert((&flow.what, &flow.used_by, flow.form, &flow.from, &flow.to));
        found.expect(first, Check::Movements, || format!("{} is listed twice", about(flow)));
        let run = subject.run(&flow.used_by);
        let purpose = run.and_then(|run| Some((run, content::purpose(subject, flow, &run)?)));
        found.expect(purpose.is_some(), Check::Movements, || {
            format!("{} has no use: `{}` does not read it in this form", about(flow), flow.used_by)
        });
        if let Some((run, purpose)) = purpose {
            content_of(subject, flow, &run, purpose, found);
            ends(flow, &run, purpose, found);
        }
        travels(subject, flow, found);
    }
}

/// A movement in words.
pub(super) fn about(flow: &Flow) -> String {
    format!("the {} of `{}` from `{}` to `{}`", flow.form, flow.what, flow.from, flow.to)
}

fn content_of(subject: &Subject<'_>, flow: &Flow, run: &Run<'_>, purpose: Purpose<'_>, found: &mut Verification) {
    let expected = content::labels(subject, flow, purpose);
    let stated: BTreeSet<&str> = flow.labels.iter().map(String::as_str).collect();
    found.expect(stated == expected && flow.labels.len() == expected.len(), Check::Movements, || {
        format!("{} has the labels {stated:?}, and derives from {expected:?}", about(flow))
    });
    let (right, expected) = match purpose {
        Purpose::Copy(dataset) => exactly(flow, content::held_at(dataset, &flow.from)),
        Purpose::Product(maker) => exactly(flow, content::product_bytes(&maker.workload.job, flow.form)),
        Purpose::Exchange => {
            let bytes = content::exchanged_bytes(run);
            let right = flow.form == Form::Weights && bytes.contains(&flow.bytes);
            (right, described(bytes.first().copied()))
        }
        Purpose::Requests => {
            let bytes = content::requested_bytes(run, flow);
            // Rates are what the solver made of them.
            ((flow.bytes as f64 - bytes).abs() <= 1.0 + 1e-6 * bytes && bytes > 0.0, format!("{bytes:.0} bytes"))
        }
    };
    found.expect(right, Check::Movements, || format!("{} is {} bytes, not {expected}", about(flow), flow.bytes));
}

fn exactly(flow: &Flow, bytes: Option<u64>) -> (bool, String) {
    (bytes == Some(flow.bytes), described(bytes))
}

fn described(bytes: Option<u64>) -> String {
    bytes.map_or_else(|| "anything that is there".to_owned(), |bytes| format!("{bytes} bytes"))
}

/// It leaves where the content lies and reaches a site of who needs it, at a time when that is of use.
fn ends(flow: &Flow, run: &Run<'_>, purpose: Purpose<'_>, found: &mut Verification) {
    let sites = run.sites();
    let reaches = sites.contains(flow.to.as_str());
    let leaves = match purpose {
        // Where a data set lies was looked up with its bytes, where users are with their requests.
        Purpose::Copy(_) | Purpose::Requests => true,
        Purpose::Product(maker) => maker.home() == Some(flow.from.as_str()),
        Purpose::Exchange => sites.contains(flow.from.as_str()),
    };
    found.expect(reaches && leaves, Check::Movements, || {
        format!("{} begins or ends where `{}` has no use for it", about(flow), flow.used_by)
    });
    let (start, end) = (flow.start_seconds, flow.end_seconds);
    let during =
        |from: f64, to: f64| (start - from).abs() <= TOLERANCE_SECONDS && (end - to).abs() <= TOLERANCE_SECONDS;
    let (in_time, when) = match purpose {
        Purpose::Copy(_) => (start >= 0.0 && run.starts_after(end), "before the start"),
        Purpose::Product(maker) => {
            (start + TOLERANCE_SECONDS >= maker.assignment.end_seconds && run.starts_after(end), "between both")
        }
        Purpose::Exchange | Purpose::Requests => {
            (during(run.assignment.start_seconds, run.assignment.end_seconds), "for the whole time")
        }
    };
    found.expect(in_time, Check::Presence, || {
        format!("{} moves from {start} s to {end} s, and has to {when} of `{}`", about(flow), flow.used_by)
    });
}

/// Its route exists, visits no site twice, and is fast enough.
fn travels(subject: &Subject<'_>, flow: &Flow, found: &mut Verification) {
    let mut visited = BTreeSet::new();
    let once = route::stops(flow).all(|stop| visited.insert(stop));
    found.expect(once, Check::Movements, || format!("{} comes to a site twice", about(flow)));
    let hops = match route::hops(subject, flow) {
        Ok(hops) => hops,
        Err((from, to)) => {
            found.expect(false, Check::Movements, || {
                format!("{}: no network leads from `{from}` to `{to}`", about(flow))
            });
            return;
        }
    };
    let (taken, needed) = (flow.end_seconds - flow.start_seconds, route::shortest_seconds(&hops, flow.bytes));
    // Start and end are whole milliseconds.
    found.expect(taken + 2.0 * super::MILLISECOND >= needed, Check::Movements, || {
        format!("{} takes {taken} s, and the network needs {needed} s", about(flow))
    });
}

#[cfg(test)]
mod tests {
    use scenarios::scenario::Form;

    use super::super::Check::{Money, Movements, Presence, Residency};
    use super::super::fixtures::{check, check_with, cover, flow};

    #[test]
    fn movements_are_what_the_scenario_makes_them() {
        check("a byte less of features", |plan| flow(plan, "prepare").bytes -= 1, &[Movements]);
        check("other weights", |plan| flow(plan, "train").bytes += 4, &[Movements]);
        check("no exchange to speak of", |plan| flow(plan, "federate").bytes /= 2, &[Movements]);
        check("fewer requests", |plan| flow(plan, "questions").bytes /= 2, &[Movements]);
        check("no labels", |plan| flow(plan, "train").labels.clear(), &[Movements]);
        check("one label twice", |plan| flow(plan, "train").labels.push("notes".to_owned()), &[Movements]);
        cover("another form", |plan| flow(plan, "train").form = Form::Metrics, &[Movements]);
        cover("for nobody", |plan| flow(plan, "train").used_by = "prepare".to_owned(), &[Movements, Money]);
        cover("from elsewhere", |plan| flow(plan, "llm").from = "clinic".to_owned(), &[Movements]);
        cover("to elsewhere", |plan| flow(plan, "llm").to = "lab".to_owned(), &[Movements, Presence]);
        cover("without its relay", |plan| flow(plan, "prepare").via.clear(), &[Movements]);
        cover("in a circle", |plan| flow(plan, "prepare").via.push("clinic".to_owned()), &[Movements]);
        cover("too fast", |plan| flow(plan, "llm").end_seconds = 1.0, &[Movements]);
        check_with("slower links", |scenario| scenario.links[0].bandwidth.0 /= 100.0, |_| (), &[Movements]);
        check_with(
            "the other way only",
            |scenario| {
                scenario.links[0].one_way = true;
                scenario.links[0].between.swap(0, 1);
            },
            |_| (),
            &[Money, Movements, Residency],
        );
    }

    #[test]
    fn movements_are_made_in_time() {
        check("before it is made", |plan| flow(plan, "train").start_seconds -= 1.0, &[Presence]);
        check("after it is needed", |plan| flow(plan, "train").end_seconds += 1e6, &[Presence]);
        check("half of the exchange", |plan| flow(plan, "federate").end_seconds -= 10.0, &[Presence]);
        cover("twice", |plan| plan.flows.insert(0, plan.flows[0].clone()), &[Movements]);
        cover("unordered", |plan| plan.flows.swap(0, 4), &[Movements]);
    }
}
