//! Carrying out a `preprocess` workload: its records are cleaned, turned into tokens and kept for those that read them.

use std::time::Instant;

use scenarios::document;
use scenarios::model::Model;
use scenarios::plan::Assignment;
use scenarios::run::{DataUsed, WorkloadRun};
use scenarios::scenario::{Job, Preparation, Split};
use scenarios::units::Interval;

use super::{ApplyError, Workflow, unmeasured, used_of};
use crate::data::{self, Needs, Statistics, kept};
use crate::record;

impl<'a> Workflow<'a> {
    pub(super) fn prepare(
        &mut self,
        assignment: &Assignment,
        preparation: &Preparation,
    ) -> Result<WorkloadRun, ApplyError> {
        let started = Instant::now();
        let workload = || assignment.workload.clone();
        let why = "no workload of the plan reads what it makes, so it is not known what the records are to be";
        let unread = || ApplyError::NotCarriedOut { workload: workload(), kind: "preprocess", why };
        let model = self.reader_of(&assignment.workload).ok_or_else(unread)?;
        let needs = Needs::of(model).map_err(|source| ApplyError::Model { workload: workload(), source })?;
        let source = Self::source(assignment)?;
        let mut found = self.find(assignment, source, &needs, None)?;
        if let Some(records) = preparation.records {
            found.train = found.train.first(usize::try_from(records).unwrap_or(usize::MAX));
        }
        let read = (found.train.len() + found.test.len()) as u64;
        let seed = self.request.plan.scenario.seed;
        let prepared = data::prepare(&found.train, &found.test, (needs.classes(), &[]), Split::default(), seed);
        let statistics = Statistics::of(&prepared, &found.codes, found.broken);
        let bytes = kept::encode(&prepared, &found.codes, &needs)?;
        let name = record::records_in_folder(&assignment.workload);
        self.folder.write_file(&name, &bytes)?;
        self.folder.write_file(&name.replace(".cbor", ".json"), document::to_json(&statistics).as_bytes())?;
        let used = DataUsed {
            train_records: prepared.train.len() as u64,
            test_records: prepared.test.len() as u64,
            dropped_malformed: statistics.dropped_malformed,
            dropped_duplicates: statistics.dropped_duplicates,
            ..used_of(&source.dataset, &found)
        };
        let mut done = unmeasured(assignment, &self.devices, used);
        done.steps = read;
        done.seconds = started.elapsed().as_secs_f64();
        done.throughput = read as f64 / done.seconds.max(f64::MIN_POSITIVE);
        done.step_seconds = Interval::of(&[done.throughput.recip()]).unwrap_or(done.step_seconds);
        done.metrics.insert("output_bytes".to_owned(), bytes.len() as f64);
        Ok(done)
    }

    /// The network of the first workload that reads what a preparation makes.
    fn reader_of(&self, preparation: &str) -> Option<&'a Model> {
        let all = &self.request.plan.assignments;
        let trained = |of: &str| {
            let job = &all.iter().find(|other| other.workload == of)?.job;
            job.training().map(|training| &training.model)
        };
        let model = |assignment: &'a Assignment| match &assignment.job {
            Job::Evaluate(evaluation) => trained(&evaluation.weights_of),
            Job::BatchInference(inference) => {
                inference.model.as_ref().or_else(|| trained(inference.weights_of.as_deref()?))
            }
            job => job.training().map(|training| &training.model),
        };
        let mut readers = all.iter().filter(|other| other.job.data() == Some(preparation));
        readers.find_map(model)
    }
}
