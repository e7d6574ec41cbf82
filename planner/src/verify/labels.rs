//! Which data sets' rules follow what a workload makes: the union over everything that it reads (DESIGN 4).

use std::collections::{BTreeMap, BTreeSet};

use scenarios::scenario::{Job, Scenario};

/// Labels of what each workload makes: the least sets with which every one holds the labels of all that it reads,
/// found by adding until nothing changes.
pub(super) fn of_workloads(scenario: &Scenario) -> BTreeMap<&str, BTreeSet<&str>> {
    let mut found: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    loop {
        let mut changed = false;
        for (name, workload) in &scenario.workloads {
            let mut labels = found.get(name.as_str()).cloned().unwrap_or_default();
            let before = labels.len();
            for read in inputs(&workload.job) {
                match scenario.datasets.get_key_value(read) {
                    Some((dataset, _)) => drop(labels.insert(dataset)),
                    None => labels.extend(found.get(read).into_iter().flatten()),
                }
            }
            changed |= labels.len() > before;
            found.insert(name, labels);
        }
        if !changed {
            return found;
        }
    }
}

/// Data sets and workloads whose data a job reads.
fn inputs(job: &Job) -> Vec<&str> {
    match job {
        Job::Train(training) | Job::FineTune(training) => {
            training.weights_of.as_deref().into_iter().chain([training.data.as_str()]).collect()
        }
        Job::Preprocess(preparation) => vec![&preparation.data],
        Job::Evaluate(evaluation) => vec![&evaluation.weights_of, &evaluation.data],
        Job::BatchInference(inference) => {
            inference.weights_of.as_deref().into_iter().chain([inference.data.as_str()]).collect()
        }
        Job::Serve(service) => {
            let asked = service.demand.iter().filter_map(|demand| demand.data.as_deref());
            service.weights_of.as_deref().into_iter().chain(asked).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures;
    use super::*;

    #[test]
    fn what_is_made_has_the_labels_of_all_that_was_read() {
        let (loaded, _) = fixtures::clinic();
        let found = of_workloads(&loaded.scenario);
        let check = |workload: &str, expected: &[&str]| {
            assert_eq!(found[workload].iter().copied().collect::<Vec<_>>(), expected, "{workload}");
        };
        check("prepare", &["notes"]);
        check("train", &["notes"]);
        check("evaluate", &["notes"]);
        check("federate", &["images"]);
        check("chat", &["llm", "questions"]);
    }
}
