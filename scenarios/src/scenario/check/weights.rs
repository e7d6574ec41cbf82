//! Weights that exist: of a training, or in a data set.

use super::{Check, model};
use crate::diagnostics::Diagnostic;
use crate::model::Model;
use crate::scenario::Scenario;
use crate::yaml::Located;

/// Checks the name of a training or of a data set that holds weights; the network of the training.
pub(super) fn expect<'a>(check: &mut Check<'a>, name: &str, at: &Located<'_>) -> Option<&'a Model> {
    let scenario = check.scenario;
    if !scenario.workloads.contains_key(name) {
        if !scenario.datasets.contains_key(name) {
            let known = trainings(scenario).chain(scenario.datasets.keys().map(String::as_str));
            check.expect_known("training or data set of weights", name, at, known);
        }
        return None;
    }
    expect_training(check, name, at)
}

/// Checks the name of a training; its network.
pub(super) fn expect_training<'a>(check: &mut Check<'a>, name: &str, at: &Located<'_>) -> Option<&'a Model> {
    let scenario = check.scenario;
    let Some(workload) = scenario.workloads.get(name) else {
        if scenario.datasets.contains_key(name) {
            let message = format!("`{name}` is a data set; what a workload trained is measured");
            check.wrong(at, message, "not a training", "name a workload whose job is `train` or `fine_tune`");
            return None;
        }
        check.expect_known("workload", name, at, trainings(scenario));
        return None;
    };
    let training = workload.job.training();
    if training.is_none() && check.root.key("workloads").key(name).key("job").key(workload.job.kind()).is_stated() {
        let message = format!("`{name}` trains nothing");
        check.wrong(at, message, "makes no weights", "name a workload whose job is `train` or `fine_tune`");
    }
    training.map(|training| &training.model)
}

fn trainings(scenario: &Scenario) -> impl Iterator<Item = &str> + Clone {
    let trains = scenario.workloads.iter().filter(|(_, workload)| workload.job.training().is_some());
    trains.map(|(name, _)| name.as_str())
}

/// Checks the network that a job applies, its own or that of a training; gives it with its place, if it is one.
pub(super) fn network<'a, 'b>(
    check: &mut Check<'a>,
    own: Option<&'a Model>,
    weights_of: Option<&str>,
    job: &Located<'b>,
) -> Option<(&'a Model, Located<'b>)> {
    let (own_at, weights_at) = (job.key("model"), job.key("weights_of"));
    let trained = weights_of.and_then(|name| expect(check, name, &weights_at));
    let of_data = weights_of.filter(|name| check.scenario.datasets.contains_key(*name));
    let problem = match (own, weights_of, of_data) {
        (None, None, _) => {
            let problem = Diagnostic::new(job.key_span(), "it is not said which network is applied", "does not say");
            Some(problem.help("add `model`, or `weights_of` with the name of a training"))
        }
        (None, Some(_), Some(data)) => {
            let message = format!("`{data}` holds weights, but does not say of which network");
            let problem = Diagnostic::new(weights_at.span(), message, "a data set");
            Some(problem.help("add the network as `model` beside it"))
        }
        (Some(_), Some(name), _) if trained.is_some() => {
            let problem =
                Diagnostic::new(own_at.key_span(), format!("the network is that of `{name}`"), "one too many");
            Some(problem.help("remove `model`, or `weights_of`"))
        }
        _ => None,
    };
    if let Some(problem) = problem.filter(|_| check.is_sound(job)) {
        check.tell(problem);
    }
    match own {
        Some(own) => model::check(check, own, &own_at).then_some((own, own_at)),
        None => trained.filter(|model| model.parameters().is_ok()).map(|model| (model, weights_at)),
    }
}
