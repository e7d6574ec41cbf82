//! Jobs, their figures and their place in time.

use super::Check;
use crate::diagnostics::Diagnostic;
use crate::model::{Model, PRESETS, ShapeError, TensorShape};
use crate::scenario::{Evaluation, Job, Optimizer, Preprocessing, Training, Workload};
use crate::yaml::Located;

pub(super) fn check(check: &mut Check<'_>) {
    let (scenario, workloads) = (check.scenario, check.root.key("workloads"));
    for (name, workload) in &scenario.workloads {
        let at = workloads.key(name);
        for (index, site) in workload.sites.iter().enumerate() {
            check.expect_known("site", site, &at.key("sites").item(index), scenario.sites.keys().map(String::as_str));
        }
        let job = at.key("job").key(workload.job.kind());
        let datasets = scenario.datasets.keys().map(String::as_str);
        let prepared = scenario.workloads.iter().filter(|(_, other)| matches!(other.job, Job::Preprocess(_)));
        let known = datasets.chain(prepared.map(|(name, _)| name.as_str()));
        if let Some(data) = workload.job.data() {
            check.expect_known("dataset", data, &job.key("data"), known);
        }
        match &workload.job {
            Job::Train(training) | Job::FineTune(training) => train(check, workload, training, &at, &job),
            Job::Evaluate(evaluation) => evaluate(check, evaluation, &job),
            Job::Preprocess(_) | Job::BatchInference(_) | Job::Serve(_) => {}
        }
        times(check, workload, &at);
    }
}

fn times(check: &mut Check<'_>, workload: &Workload, at: &Located<'_>) {
    let horizon = check.scenario.horizon;
    let until = if check.is_sound(&check.root.key("horizon")) { horizon.get() } else { f64::INFINITY };
    let start = workload.earliest_start.unwrap_or_default();
    if start.get() >= until {
        let message = format!("it starts after the end of the period ({})", horizon.rounded());
        check.wrong(&at.key("earliest_start"), message, "too late", "start earlier, or widen `horizon`");
    }
    let Some(deadline) = workload.deadline else { return };
    if deadline.get() > until {
        let message = format!("the deadline is after the end of the period ({})", horizon.rounded());
        check.wrong(&at.key("deadline"), message, "too late", "set it earlier, or widen `horizon`");
    }
    if deadline <= start {
        let message = "the deadline is not after the earliest start";
        check.wrong(&at.key("deadline"), message, "no time is left", format!("set it after {}", start.rounded()));
    }
}

fn train(check: &mut Check<'_>, workload: &Workload, training: &Training, at: &Located<'_>, job: &Located<'_>) {
    let batch = training.global_batch.get() as u64;
    if let Some(dataset) = check.scenario.datasets.get(&training.data)
        && (1..batch).contains(&dataset.records)
    {
        let message = format!("a batch of {batch} is more than the {} records of `{}`", dataset.records, training.data);
        check.wrong(&job.key("global_batch"), message, "too large", "make the batch smaller");
    }
    let strategies = at.key("strategies").key("data");
    let stated = workload.strategies.data.as_deref();
    if stated.is_some_and(<[_]>::is_empty) {
        check.wrong(&strategies, "there is no strategy", "nothing to choose from", "write `data: [1]` for one device");
    }
    for (index, ranks) in stated.into_iter().flatten().enumerate() {
        if !batch.is_multiple_of(u64::from(ranks.get())) {
            let message = format!("a global batch of {batch} is not divisible by {ranks} replicas");
            let help = format!("remove {ranks}, or take a batch of {}", batch.next_multiple_of(u64::from(ranks.get())));
            check.wrong(&strategies.item(index), message, "leaves a remainder", help);
        }
    }
    optimizer(check, &training.optimizer, &job.key("optimizer"));
    preprocessing(check, &training.preprocessing, &job.key("preprocessing"));
    model(check, training, &job.key("model"), &job.key("preprocessing"));
}

fn evaluate(check: &mut Check<'_>, evaluation: &Evaluation, job: &Located<'_>) {
    let at = job.key("weights_of");
    let workloads = &check.scenario.workloads;
    match workloads.get(&evaluation.weights_of).map(|workload| &workload.job) {
        None => {
            let trained = workloads.iter().filter(|(_, other)| matches!(other.job, Job::Train(_)));
            check.expect_known("workload", &evaluation.weights_of, &at, trained.map(|(name, _)| name.as_str()));
        }
        Some(Job::Train(_) | Job::FineTune(_)) => {}
        Some(_) => {
            let message = format!("`{}` trains nothing", evaluation.weights_of);
            check.wrong(&at, message, "makes no weights", "name a workload whose job is `train` or `fine_tune`");
        }
    }
    if evaluation.records == 0 {
        check.wrong(
            &job.key("records"),
            "there are no records",
            "nothing to evaluate",
            "give the number of test records",
        );
    }
}

fn optimizer(check: &mut Check<'_>, optimizer: &Optimizer, at: &Located<'_>) {
    let (name, learning_rate) = match optimizer {
        Optimizer::Sgd(sgd) => ("sgd", sgd.learning_rate),
        Optimizer::Momentum(momentum) => ("momentum", momentum.learning_rate),
        Optimizer::Adam(adam) => ("adam", adam.learning_rate),
    };
    let at = at.key(name);
    if learning_rate <= 0.0 {
        let message = "the learning rate is not above 0";
        check.wrong(&at.key("learning_rate"), message, "learns nothing", "write for example `learning_rate: 0.01`");
    }
    let shares = match optimizer {
        Optimizer::Sgd(_) => vec![],
        Optimizer::Momentum(momentum) => vec![("momentum", momentum.momentum)],
        Optimizer::Adam(adam) => vec![("beta_1", adam.beta_1), ("beta_2", adam.beta_2)],
    };
    for (key, _) in shares.into_iter().filter(|(_, share)| !(0.0..1.0).contains(share)) {
        check.wrong(
            &at.key(key),
            format!("`{key}` is from 0 to below 1"),
            "outside",
            format!("write for example `{key}: 0.9`"),
        );
    }
    if let Optimizer::Adam(adam) = optimizer
        && adam.epsilon <= 0.0
    {
        check.wrong(&at.key("epsilon"), "`epsilon` is not above 0", "divides by zero", "write `epsilon: 1.0e-8`");
    }
}

fn preprocessing(check: &mut Check<'_>, preprocessing: &Preprocessing, at: &Located<'_>) {
    if let Some([_, deviation]) = preprocessing.normalize
        && deviation <= 0.0
    {
        let help = "write `normalize: [mean, deviation]`, for example `[0.5, 0.5]`";
        check.wrong(&at.key("normalize").item(1), "the deviation is not above 0", "divides by it", help);
    }
    let split = at.key("split");
    let shares = [("validation", preprocessing.split.validation), ("test", preprocessing.split.test)];
    let sound = shares.iter().all(|(_, share)| (0.0..1.0).contains(share));
    for (key, _) in shares.iter().filter(|(_, share)| !(0.0..1.0).contains(share)) {
        check.wrong(&split.key(key), format!("`{key}` is a share from 0 to below 1"), "outside", "write 0.1 for 10 %");
    }
    if sound && shares.iter().map(|(_, share)| share).sum::<f64>() >= 1.0 {
        let message = "validation and test leave nothing to train on";
        check.tell(
            Diagnostic::new(split.key_span(), message, "they add up to 1 or more").help("make one of them smaller"),
        );
    }
}

fn model(check: &mut Check<'_>, training: &Training, at: &Located<'_>, preprocessing: &Located<'_>) {
    if !check.is_sound(at) {
        return;
    }
    match training.model.parameters() {
        Err(error) => shape(check, &training.model, &error, at),
        Ok(_) => shift(check, training, &preprocessing.key("augmentation").key("shift")),
    }
}

fn shape(check: &mut Check<'_>, model: &Model, error: &ShapeError, at: &Located<'_>) {
    let layers = at.key("cnn").key("layers");
    let (place, help) = match error {
        ShapeError::UnknownPreset { name } => {
            let presets = PRESETS.iter().map(|preset| preset.name);
            return check.expect_known("model preset", name, &at.key("preset"), presets);
        }
        ShapeError::NoClasses => (layers, "end with `linear: 10` for ten classes"),
        ShapeError::NeedsImage { index, .. } => (layers.item(*index), "put it before the first `linear` layer"),
        ShapeError::WindowTooLarge { index, .. } => (layers.item(*index), "make the window smaller, or pad the image"),
        ShapeError::TooLarge { index, .. } if matches!(model, Model::Cnn(_)) => {
            (layers.item(*index), "make it smaller")
        }
        ShapeError::TooLarge { .. } | ShapeError::PartTooLarge { .. } | ShapeError::NetworkTooLarge => {
            (at.clone(), "make it smaller")
        }
        ShapeError::Indivisible { .. } => (at.clone(), "take sizes that divide each other"),
        ShapeError::MoreThan { .. } => (at.clone(), "make the first smaller, or the second larger"),
        ShapeError::Empty { .. } => (at.clone(), "give at least one"),
        ShapeError::Width { .. } | ShapeError::Tied { .. } => (at.clone(), "make both equal"),
        ShapeError::Anchors { .. } => (at.clone(), "give one number of anchors for each feature map"),
        ShapeError::NotAChain { .. } => (at.clone(), "take an `mlp` or a `cnn`"),
    };
    check.wrong(&place, error.to_string(), "does not fit", help);
}

fn shift(check: &mut Check<'_>, training: &Training, at: &Located<'_>) {
    let shift = training.preprocessing.augmentation.shift as usize;
    if let Ok(TensorShape::Image { height, width, .. }) = training.model.input()
        && shift >= height.min(width)
    {
        let message = format!("a shift of {shift} pixels moves the {height}×{width} image out of sight");
        check.wrong(at, message, "too large", "write a few pixels, such as `shift: 2`");
    }
}
