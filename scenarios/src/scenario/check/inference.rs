//! Jobs that apply a network, and the preparation of data.

use super::workloads::records_of;
use super::{Check, model, weights};
use crate::scenario::{BatchInference, Evaluation, Preparation};
use crate::yaml::Located;

pub(super) fn prepare(check: &mut Check<'_>, preparation: &Preparation, job: &Located<'_>) {
    records(check, preparation.records, &preparation.data, job);
    if preparation.per_core.0 == 0.0 {
        let help = "write what one core prepares, such as `per_core: 200 /s`";
        check.wrong(&job.key("per_core"), "a core prepares nothing", "never ends", help);
    }
    if preparation.output.0 == 0 {
        check.wrong(&job.key("output"), "nothing is made", "no data", "give the size of all that it makes");
    }
}

pub(super) fn evaluate(check: &mut Check<'_>, evaluation: &Evaluation, job: &Located<'_>) {
    weights::expect_training(check, &evaluation.weights_of, &job.key("weights_of"));
    if evaluation.records == 0 {
        let help = "give the number of test records";
        check.wrong(&job.key("records"), "there are no records", "nothing to evaluate", help);
    }
}

pub(super) fn apply<'a>(check: &mut Check<'a>, inference: &'a BatchInference, job: &Located<'_>) {
    records(check, inference.records, &inference.data, job);
    let found = weights::network(check, inference.model.as_ref(), inference.weights_of.as_deref(), job);
    if let Some((network, _)) = found.filter(|_| inference.output_tokens > 0) {
        model::expect_decoder(check, network, "generating tokens", &job.key("output_tokens"));
    }
}

/// A job works on some of the records that there are.
fn records(check: &mut Check<'_>, records: Option<u64>, data: &str, job: &Located<'_>) {
    let at = job.key("records");
    match (records, records_of(check, data)) {
        (Some(0), _) => {
            check.wrong(&at, "there are no records", "nothing to do", "give their number, or remove the line for all");
        }
        (Some(records), Some(all)) if records > all => {
            let message = format!("{records} records are more than the {all} of `{data}`");
            check.wrong(&at, message, "too many", "make it smaller, or remove the line for all");
        }
        _ => {}
    }
}
