//! Carrying out a `train` workload.

use std::sync::Arc;
use std::time::Instant;

use scenarios::plan::Assignment;
use scenarios::run::{Epoch, RunStatus, Traffic, WorkloadRun};
use scenarios::scenario::{Files, Form, Training};

use super::ranks::sites;
use super::{ApplyError, Ready, Workflow, description_of, unmeasured};
use crate::data::{Codes, Needs};
use crate::model::{Checkpoint, CheckpointError, Recipe};
use crate::parallel::exchange::Buckets;
use crate::parallel::precision::Computing;
use crate::record::{self, Earlier, Event, RunFolder, Stage, StateError, read_state, write_state};
use crate::train::{self, Observer, Outcome, Progress, Resume, Session, Snapshot};
use crate::transport::Patience;

impl Workflow<'_> {
    pub(super) fn train(&mut self, assignment: &Assignment, training: &Training) -> Result<WorkloadRun, ApplyError> {
        let started = Instant::now();
        let description = description_of(assignment, &training.model)?;
        let failed = |source| ApplyError::Model { workload: assignment.workload.clone(), source };
        let needs = Needs::of(&training.model).map_err(failed)?;
        let place = self.preprocess(assignment, needs, training.preprocessing.split, None)?;
        let resume = self.resume_state(assignment)?;
        let parameters = training.model.parameters().map_err(failed)?;
        let ranks = assignment.strategy.ranks();
        if let Some(text) = Computing::of(training.precision, self.devices.of_rank(0)).warning {
            self.tell(&Event::Warning { text: format!("workload `{}`: {text}", assignment.workload) })?;
        }
        self.stage(assignment, Stage::Deploy, format!("{parameters} parameters in each of {ranks} rank(s)"))?;
        self.stage(
            assignment,
            Stage::Train,
            format!("{} epochs, global batch {}", training.passes(), training.global_batch),
        )?;
        let Ready { records: prepared, used, codes, .. } = &self.prepared[place];
        let mut observer = Teller::new(assignment, training, codes, &mut self.folder, self.sink);
        let session = Session {
            training: training.clone(),
            description,
            train: Arc::clone(&prepared.train),
            validation: Arc::clone(&prepared.validation),
            strategy: assignment.strategy,
            devices: self.devices.clone(),
            sites: sites(assignment),
            patience: Patience::default(),
            buckets: Buckets::usual(&self.devices, ranks as usize),
            seed: self.request.plan.scenario.seed,
            max_steps: self.request.max_steps,
            stop: Arc::clone(self.request.stop),
            resume,
            #[cfg(test)]
            fault: None,
        };
        let failed = |source| ApplyError::Train { workload: assignment.workload.clone(), source: Box::new(source) };
        let outcome = train::train(session, &mut observer).map_err(failed)?;
        let mut done = unmeasured(assignment, &self.devices, used.clone());
        fill(&mut done, &outcome, ranks);
        done.seconds = started.elapsed().as_secs_f64();
        Ok(done)
    }

    /// Where an earlier run stopped, if this one goes on with it.
    fn resume_state(&self, assignment: &Assignment) -> Result<Option<Resume>, ApplyError> {
        let path = self.folder.state(&assignment.workload);
        let wanted = self.request.earlier == Earlier::Resume && path.exists();
        Ok(if wanted { Some(read_state(&path)?) } else { None })
    }
}

/// Puts what was measured into the record.
fn fill(done: &mut WorkloadRun, outcome: &Outcome, ranks: u32) {
    if outcome.interrupted {
        done.status = RunStatus::Interrupted;
    }
    done.epochs.clone_from(&outcome.progress.epochs);
    done.first_losses.clone_from(&outcome.progress.first_losses);
    done.steps = outcome.timed_steps;
    if let Some(step_seconds) = outcome.step_seconds {
        done.step_seconds = step_seconds;
    }
    done.phases_seconds = outcome.phases.mean_seconds();
    done.throughput = outcome.throughput;
    if let Some(last) = outcome.progress.epochs.last() {
        done.metrics = last_figures(last);
    }
    done.checkpoint = Some(record::weights_in_folder(&done.workload));
    if outcome.exchanged_bytes > 0 {
        let (from, to) = (done.site.clone(), done.site.clone());
        let bytes = outcome.exchanged_bytes * u64::from(ranks);
        done.traffic.push(Traffic { form: Form::Gradients, from, to, bytes });
    }
}

fn last_figures(epoch: &Epoch) -> indexmap::IndexMap<String, f64> {
    let figures = [
        ("train_loss", Some(epoch.train_loss)),
        ("train_accuracy", Some(epoch.train_accuracy)),
        ("validation_loss", epoch.validation_loss),
        ("validation_accuracy", epoch.validation_accuracy),
    ];
    figures.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

/// Tells the sink and the event file, and keeps checkpoints in the run's folder.
struct Teller<'a> {
    workload: &'a str,
    training: &'a Training,
    files: Option<&'a Files>,
    codes: &'a Codes,
    folder: &'a mut RunFolder,
    sink: &'a mut dyn FnMut(&Event),
}

impl<'a> Teller<'a> {
    fn new(
        assignment: &'a Assignment,
        training: &'a Training,
        codes: &'a Codes,
        folder: &'a mut RunFolder,
        sink: &'a mut dyn FnMut(&Event),
    ) -> Self {
        let files = assignment.data.as_ref().and_then(|data| data.files.as_ref());
        Self { workload: &assignment.workload, training, files, codes, folder, sink }
    }

    /// A full disk shows when the next checkpoint is kept, which stops the run; an event alone does not.
    fn tell(&mut self, event: &Event) {
        (self.sink)(event);
        let _ = self.folder.append(event);
    }
}

impl Observer for Teller<'_> {
    fn stepped(&mut self, progress: &Progress, steps: usize) {
        let batch = self.training.global_batch.get();
        self.tell(&Event::Stepped {
            workload: self.workload.to_owned(),
            epoch: progress.epoch(),
            epochs: self.training.passes().get(),
            step: progress.step as u64,
            steps: steps as u64,
            loss: progress.mean_loss(),
            accuracy: progress.accuracy(batch),
            throughput: progress.throughput(batch),
        });
    }

    fn epoch_ended(&mut self, epoch: &Epoch) {
        self.tell(&Event::EpochEnded { workload: self.workload.to_owned(), figures: epoch.clone() });
    }

    fn keep(&mut self, snapshot: Snapshot<'_>) -> Result<(), CheckpointError> {
        let recipe = Recipe {
            model: self.training.model.clone(),
            preprocessing: self.training.preprocessing.clone(),
            learned_from: self.training.data.clone(),
            files: self.files.cloned(),
            codes: self.codes.clone(),
        };
        write_state(&self.folder.state(self.workload), &snapshot).map_err(|error| match error {
            StateError::Write(error) => CheckpointError::Write(error),
            other => CheckpointError::Encode { reason: other.to_string() },
        })?;
        Checkpoint { recipe, network: snapshot.network.clone() }.write(&self.folder.weights(self.workload))?;
        let file = record::weights_in_folder(self.workload);
        self.tell(&Event::CheckpointKept { workload: self.workload.to_owned(), file });
        Ok(())
    }
}
