//! A plan, carried out: environment, deploy, preprocess, train, evaluate.

mod error;
mod evaluation;
mod inference;
mod measured;
mod preparation;
mod ranks;
mod service;
mod training;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use indexmap::IndexMap;
use scenarios::plan::{Assignment, Plan, SourceData};
use scenarios::run::{DataUsed, FORMAT, Run, RunStatus, WorkloadRun};
use scenarios::scenario::{Job, Split};

use crate::data::{self, Codes, Files, Found, Needs, Prepared, Wanted, kept};
use crate::device::{self, Choice, Devices};
use crate::guard;
use crate::model::Description;
use crate::record::{self, Earlier, Event, RunFolder, Stage};
use ranks::Seats;

pub use error::ApplyError;

/// Name and version of what runs plans.
pub const SOFTWARE: &str = concat!("causeway ", env!("CARGO_PKG_VERSION"), ", burn 0.22.1");

/// What is to be carried out, and how.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// The only workload to run; all if there is none.
    pub workload: Option<&'a str>,
    /// Devices to use.
    pub device: Choice,
    /// The run's folder.
    pub folder: &'a Path,
    /// What to do with an earlier run in it.
    pub earlier: Earlier,
    /// Where the data is.
    pub files: &'a Files,
    /// Optimiser steps after which each training ends.
    pub max_steps: Option<u64>,
    /// Seconds for which each service gets requests.
    pub serve_seconds: f64,
    /// Set when the user wants to stop.
    pub stop: &'a Arc<AtomicBool>,
}

/// Carries out a plan; what happens is told to `sink`.
///
/// # Errors
/// Anything that [`ApplyError`] names. The record then says that the run failed and holds what had ended before.
pub fn apply(request: &Request<'_>, sink: &mut dyn FnMut(&Event)) -> Result<Run, ApplyError> {
    let assignments = chosen(request)?;
    let devices = Devices::select(request.device)?;
    let (folder, earlier) = RunFolder::open(request.folder, &request.plan.digest, request.earlier)?;
    let mut workflow = Workflow { request, devices, folder, earlier, sink, prepared: Vec::new() };
    let mut run = workflow.start()?;
    let result = assignments.into_iter().try_for_each(|assignment| {
        let stopped = run.status == RunStatus::Interrupted;
        if stopped { Ok(()) } else { workflow.run(assignment, &mut run) }
    });
    run.status = match (&result, run.status) {
        (Err(_), _) => RunStatus::Failed,
        (Ok(()), RunStatus::Interrupted) => RunStatus::Interrupted,
        (Ok(()), _) => RunStatus::Completed,
    };
    workflow.folder.write(&mut run)?;
    result.map(|()| run)
}

fn chosen<'a>(request: &Request<'a>) -> Result<Vec<&'a Assignment>, ApplyError> {
    let all = &request.plan.assignments;
    let Some(name) = request.workload else { return Ok(all.iter().collect()) };
    if let Some(assignment) = all.iter().find(|assignment| assignment.workload == name) {
        return Ok(vec![assignment]);
    }
    let known = all.iter().map(|assignment| format!("`{}`", assignment.workload)).collect();
    Err(ApplyError::UnknownWorkload { name: name.to_owned(), known })
}

/// A run under way.
struct Workflow<'a> {
    request: &'a Request<'a>,
    devices: Devices,
    folder: RunFolder,
    earlier: Option<Run>,
    sink: &'a mut dyn FnMut(&Event),
    /// Data sets as workloads of this run have prepared them.
    prepared: Vec<Ready>,
}

/// What a preparation depends on.
#[derive(Debug, Clone, PartialEq)]
struct PreparedFor {
    dataset: String,
    needs: Needs,
    split: Split,
}

/// A data set as a workload has prepared it.
struct Ready {
    of: PreparedFor,
    records: Prepared,
    used: DataUsed,
    codes: Codes,
}

impl Workflow<'_> {
    fn start(&mut self) -> Result<Run, ApplyError> {
        let plan = self.request.plan;
        let at = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let started =
            Event::Started { at: at.clone(), scenario: plan.scenario.name.clone(), plan: plan.digest.clone() };
        self.tell(&started)?;
        Ok(Run {
            format: FORMAT.to_owned(),
            digest: String::new(),
            plan_digest: plan.digest.clone(),
            scenario: plan.scenario.name.clone(),
            started_at: self.earlier.as_ref().map_or(at, |run| run.started_at.clone()),
            status: RunStatus::Completed,
            host: device::host(),
            software: SOFTWARE.to_owned(),
            workloads: Vec::new(),
        })
    }

    /// Runs one workload and adds its record.
    fn run(&mut self, assignment: &Assignment, run: &mut Run) -> Result<(), ApplyError> {
        let name = &assignment.workload;
        if record::completed(self.earlier.as_ref(), name) {
            let done = self.earlier.iter().flat_map(|run| &run.workloads).find(|done| done.workload == *name);
            run.workloads.extend(done.cloned());
            return Ok(());
        }
        self.environment(assignment)?;
        let done = match &assignment.job {
            Job::Train(training) => self.train(assignment, training)?,
            Job::Evaluate(evaluation) => self.evaluate(assignment, evaluation)?,
            Job::BatchInference(inference) => self.infer(assignment, inference)?,
            Job::Serve(service) => self.serve(assignment, service)?,
            Job::FineTune(training) => self.fine_tune(assignment, training)?,
            Job::Preprocess(preparation) => self.prepare(assignment, preparation)?,
        };
        run.status = done.status;
        self.tell(&Event::Ended { workload: name.clone(), status: done.status, seconds: done.seconds })?;
        run.workloads.push(done);
        self.folder.write(run)?;
        Ok(())
    }

    /// Checks devices, ranks and rules against the plan.
    fn environment(&mut self, assignment: &Assignment) -> Result<(), ApplyError> {
        let device = &self.devices.description;
        let seats = Seats::new(&assignment.strategy, device, device::host().cores);
        ranks::check(assignment, device, seats)?;
        let about = format!("{} rank(s) on {} {} ({})", seats.ranks, device.count, device.kind, device.name);
        self.stage(assignment, Stage::Environment, about)?;
        if let Some(text) = seats.shared() {
            self.tell(&Event::Warning { text: format!("workload `{}`: {text}", assignment.workload) })?;
        }
        let rules = guard::admit(self.request.plan, assignment)?;
        self.tell(&Event::Admitted { workload: assignment.workload.clone(), rules })
    }

    fn stage(&mut self, assignment: &Assignment, stage: Stage, about: String) -> Result<(), ApplyError> {
        self.tell(&Event::Stage { workload: assignment.workload.clone(), stage, about })
    }

    fn tell(&mut self, event: &Event) -> Result<(), ApplyError> {
        (self.sink)(event);
        Ok(self.folder.append(event)?)
    }

    /// Reads and prepares the data of a workload, once for all that want it alike; gives its place. `known` is what words
    /// and names in its files were taken for in a training.
    fn preprocess(
        &mut self,
        assignment: &Assignment,
        needs: Needs,
        split: Split,
        known: Option<&Codes>,
    ) -> Result<usize, ApplyError> {
        let source = Self::source(assignment)?;
        let wanted = PreparedFor { dataset: source.dataset.clone(), needs, split };
        let is_known = |codes: &Codes| known.is_none_or(|known| known == codes);
        if let Some(place) = self.prepared.iter().position(|ready| ready.of == wanted && is_known(&ready.codes)) {
            return Ok(place);
        }
        let found = self.find(assignment, source, &wanted.needs, known)?;
        let seed = self.request.plan.scenario.seed;
        let parts: Vec<u64> = source.parts.iter().map(|part| part.records).collect();
        let prepared = data::prepare(&found.train, &found.test, (wanted.needs.classes(), &parts), split, seed);
        let used = DataUsed {
            train_records: prepared.train.len() as u64,
            validation_records: prepared.validation.len() as u64,
            test_records: prepared.test.len() as u64,
            dropped_malformed: prepared.dropped_malformed + found.broken,
            dropped_duplicates: prepared.dropped_duplicates,
            ..used_of(&source.dataset, &found)
        };
        self.tell(&Event::Data { workload: assignment.workload.clone(), data: used.clone() })?;
        self.prepared.push(Ready { of: wanted, records: prepared, used, codes: found.codes });
        Ok(self.prepared.len() - 1)
    }

    /// Reads the files of a data set.
    fn find(
        &mut self,
        assignment: &Assignment,
        source: &SourceData,
        needs: &Needs,
        known: Option<&Codes>,
    ) -> Result<Found, ApplyError> {
        let no_files =
            || ApplyError::NoFiles { workload: assignment.workload.clone(), dataset: source.dataset.clone() };
        let is_made = |other: &Assignment| other.workload == source.dataset && matches!(other.job, Job::Preprocess(_));
        if self.request.plan.assignments.iter().any(is_made) {
            self.stage(assignment, Stage::Preprocess, format!("records of `{}`", source.dataset))?;
            return Ok(kept::read(&self.folder.records(&source.dataset), needs)?);
        }
        let files = source.files.as_ref().ok_or_else(no_files)?;
        self.stage(assignment, Stage::Preprocess, format!("data set `{}`", source.dataset))?;
        let seed = self.request.plan.scenario.seed;
        let asked = Wanted { dataset: &source.dataset, files, needs, records: source.records, seed, known };
        Ok(data::find(asked, self.request.files)?)
    }

    /// The data set of a workload.
    fn source(assignment: &Assignment) -> Result<&SourceData, ApplyError> {
        assignment.data.as_ref().ok_or_else(|| ApplyError::NoData { workload: assignment.workload.clone() })
    }
}

/// What was found of a data set.
fn used_of(dataset: &str, found: &Found) -> DataUsed {
    DataUsed {
        dataset: dataset.to_owned(),
        source: found.source.clone(),
        digest: found.digest.clone(),
        train_records: found.train.len() as u64,
        validation_records: 0,
        test_records: found.test.len() as u64,
        dropped_malformed: found.broken,
        dropped_duplicates: 0,
    }
}

/// The record of a workload before anything is measured.
fn unmeasured(assignment: &Assignment, devices: &Devices, data: DataUsed) -> WorkloadRun {
    WorkloadRun {
        workload: assignment.workload.clone(),
        kind: assignment.job.kind().to_owned(),
        status: RunStatus::Completed,
        site: assignment.groups.first().map_or_else(String::new, |group| group.site.clone()),
        device: devices.description.clone(),
        strategy: assignment.strategy,
        data,
        epochs: Vec::new(),
        first_losses: Vec::new(),
        steps: 0,
        step_seconds: scenarios::units::Interval { p10: 0.0, p50: 0.0, p90: 0.0 },
        phases_seconds: IndexMap::new(),
        throughput: 0.0,
        throughput_interval: None,
        reference_seconds: None,
        ranks: Vec::new(),
        exchanges: Vec::new(),
        overheads: None,
        throughput_unit: assignment.predicted.throughput_unit.clone(),
        seconds: 0.0,
        predicted: assignment.predicted.clone(),
        metrics: IndexMap::new(),
        intervals: IndexMap::new(),
        confusion: Vec::new(),
        checkpoint: None,
        predictions: None,
        traffic: Vec::new(),
    }
}

fn description_of(assignment: &Assignment, model: &scenarios::model::Model) -> Result<Description, ApplyError> {
    Description::of(model).map_err(|source| ApplyError::Model { workload: assignment.workload.clone(), source })
}

/// The record of a workload that reads no data set.
fn no_data() -> DataUsed {
    DataUsed {
        dataset: String::new(),
        source: String::new(),
        digest: String::new(),
        train_records: 0,
        validation_records: 0,
        test_records: 0,
        dropped_malformed: 0,
        dropped_duplicates: 0,
    }
}
