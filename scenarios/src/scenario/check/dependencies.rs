//! What waits for what.

use std::collections::{BTreeSet, HashMap};

use super::Check;
use crate::diagnostics::Diagnostic;
use crate::scenario::{Scenario, Workload};

pub(super) fn check(check: &mut Check<'_>) {
    let (scenario, workloads) = (check.scenario, check.root.key("workloads"));
    for (name, workload) in &scenario.workloads {
        let after = workloads.key(name).key("after");
        for (index, earlier) in workload.after.iter().enumerate() {
            check.expect_key("workload", earlier, &after.item(index), &scenario.workloads);
        }
    }
    let graph = scenario.workloads.iter().map(|(name, workload)| (name.as_str(), earlier(scenario, workload)));
    for cycle in cycles(graph) {
        let at = workloads.key(cycle[0]);
        let waits = if at.key("after").is_stated() { at.key("after").key_span() } else { at.key_span() };
        let message = format!("these workloads wait for each other: {} → {}", cycle.join(" → "), cycle[0]);
        let problem = Diagnostic::new(waits, message, "so none of them can start");
        check.tell(problem.help("remove one of these dependencies (`after`, `weights_of` or `data`)"));
    }
}

/// Everything that a workload waits for, at least all that others make for it.
fn earlier<'a>(scenario: &Scenario, workload: &'a Workload) -> Vec<&'a str> {
    let read = workload.job.weights_of().into_iter().chain(workload.job.data());
    let made = read.filter(|name| !scenario.datasets.contains_key(*name));
    let after: BTreeSet<&str> = workload.after.iter().map(String::as_str).chain(made).collect();
    after.into_iter().collect()
}

/// Progress of a depth-first search.
#[derive(Clone, Copy, PartialEq)]
enum Mark {
    OnPath,
    Done,
}

/// Cycles of a graph: at least one of each set of nodes that wait for each other, each from its first node on.
fn cycles<'a>(graph: impl Iterator<Item = (&'a str, Vec<&'a str>)> + Clone) -> Vec<Vec<&'a str>> {
    let edges: HashMap<&str, Vec<&str>> = graph.clone().collect();
    let mut marks = HashMap::new();
    let mut found = Vec::new();
    for (start, _) in graph {
        visit(start, &edges, &mut marks, &mut Vec::new(), &mut found);
    }
    found
}

/// Recursion is as deep as there are workloads, of which there are at most a thousand.
fn visit<'a>(
    node: &'a str,
    edges: &HashMap<&'a str, Vec<&'a str>>,
    marks: &mut HashMap<&'a str, Mark>,
    path: &mut Vec<&'a str>,
    found: &mut Vec<Vec<&'a str>>,
) {
    match marks.get(node) {
        Some(Mark::Done) => return,
        Some(Mark::OnPath) => {
            let start = path.iter().position(|other| *other == node).unwrap_or(0);
            found.push(path[start..].to_vec());
            return;
        }
        None => {}
    }
    marks.insert(node, Mark::OnPath);
    path.push(node);
    for &next in edges.get(node).into_iter().flatten() {
        visit(next, edges, marks, path, found);
    }
    path.pop();
    marks.insert(node, Mark::Done);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cycles_are_found_once() {
        let check = |graph: &[(&str, &[&str])], expected: &[&[&str]]| {
            let found = cycles(graph.iter().map(|(node, next)| (*node, next.to_vec())));
            assert_eq!(found, expected);
        };
        check(&[("a", &["b"]), ("b", &["c"]), ("c", &[])], &[]);
        check(&[("a", &["a"])], &[&["a"]]);
        check(&[("x", &["a"]), ("a", &["b"]), ("b", &["c"]), ("c", &["a"])], &[&["a", "b", "c"]]);
        check(&[("a", &["b", "c"]), ("b", &["a"]), ("c", &["a"])], &[&["a", "b"], &["a", "c"]]);
        check(&[("a", &["gone"])], &[]);
    }
}
