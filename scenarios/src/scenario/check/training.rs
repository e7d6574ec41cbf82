//! Training and fine-tuning.

use super::workloads::records_of;
use super::{Check, model, optimizer, weights};
use crate::diagnostics::Diagnostic;
use crate::model::TensorShape;
use crate::scenario::{Job, Training, Workload};
use crate::yaml::Located;

pub(super) fn check(check: &mut Check<'_>, workload: &Workload, training: &Training, job: &Located<'_>) {
    start(check, workload, training, job);
    amount(check, training, job);
    batch(check, training, job);
    optimizer::check(check, &training.optimizer, &job.key("optimizer"));
    optimizer::preprocessing(check, &training.preprocessing, &job.key("preprocessing"));
    optimizer::course(check, training, job);
    let network = job.key("model");
    if model::check(check, &training.model, &network) {
        let at = job.key("preprocessing").key("augmentation");
        let augmentation = training.preprocessing.augmentation;
        shift(check, training, ("shift", augmentation.shift), &at);
        shift(check, training, ("crop", augmentation.crop), &at);
        if training.adapters && model::transformer(&training.model).is_none() {
            let problem =
                Diagnostic::new(job.key("adapters").key_span(), "only transformers have adapters", "no place");
            check.tell(problem.help("remove `adapters`, so that all weights learn"));
        }
    }
}

/// Weights that training starts from: some that exist for `fine_tune`, random ones for `train`.
fn start(check: &mut Check<'_>, workload: &Workload, training: &Training, job: &Located<'_>) {
    let at = job.key("weights_of");
    match (&workload.job, &training.weights_of) {
        (Job::FineTune(_), Some(weights)) => drop(weights::expect(check, weights, &at)),
        (Job::FineTune(_), None) if check.is_sound(job) => {
            let problem =
                Diagnostic::new(job.key_span(), "fine-tuning starts from weights, and none are named", "here");
            check.tell(problem.help("add `weights_of`, a training or a data set of weights; or make the job `train`"));
        }
        (Job::Train(_), Some(_)) => {
            let problem = Diagnostic::new(at.key_span(), "`train` starts from random weights", "not used");
            check.tell(problem.help("remove `weights_of`, or make the job `fine_tune`"));
        }
        _ => {}
    }
    if matches!(workload.job, Job::Train(_)) && training.adapters {
        let problem =
            Diagnostic::new(job.key("adapters").key_span(), "adapters leave weights as they are", "of `fine_tune`");
        check.tell(problem.help("remove `adapters`, or make the job `fine_tune` with `weights_of`"));
    }
}

/// The amount of work, stated once; tokens for networks that read them.
fn amount(check: &mut Check<'_>, training: &Training, job: &Located<'_>) {
    check.expect_one_of("the amount of work", &["epochs", "samples", "tokens"], job, "epochs: 10");
    for (key, amount) in [("samples", training.samples), ("tokens", training.tokens)] {
        if amount == Some(0) {
            check.wrong(
                &job.key(key),
                format!("there are no {key} to learn from"),
                "nothing to do",
                "give their number",
            );
        }
    }
    let readable = training.model.resolved().is_ok();
    if training.tokens.is_some() && readable && model::sequence(&training.model).is_none() {
        let message = "the records of this network are no sequences of tokens";
        let problem = Diagnostic::new(job.key("tokens").key_span(), message, "has no tokens");
        check.tell(problem.help("give the amount of work as `epochs` or `samples`"));
    }
}

/// One step takes no more than there is.
fn batch(check: &mut Check<'_>, training: &Training, job: &Located<'_>) {
    let (batch, at) = (training.global_batch.get() as u64, job.key("global_batch"));
    if let Some(records) = records_of(check, &training.data).filter(|records| *records < batch) {
        let message = format!("a batch of {batch} is more than the {records} records of `{}`", training.data);
        return check.wrong(&at, message, "too large", "make the batch smaller");
    }
    let sequence = model::sequence(&training.model).filter(|sequence| *sequence > 0);
    let of_tokens = training.tokens.zip(sequence).map(|(tokens, sequence)| tokens.div_ceil(sequence));
    if let Some(records) = training.samples.or(of_tokens).filter(|records| (1..batch).contains(records)) {
        let message = format!("a batch of {batch} is more than the {records} records to learn from");
        check.wrong(&at, message, "too large", "make the batch smaller, or the amount of work larger");
    }
}

/// Images are moved by less than their size.
fn shift(check: &mut Check<'_>, training: &Training, (key, pixels): (&str, u32), at: &Located<'_>) {
    if let Ok(TensorShape::Image { height, width, .. }) = training.model.input()
        && pixels as usize >= height.min(width)
    {
        let message = format!("a {key} of {pixels} pixels moves the {height}×{width} image out of sight");
        check.wrong(&at.key(key), message, "too large", format!("write a few pixels, such as `{key}: 2`"));
    }
}
