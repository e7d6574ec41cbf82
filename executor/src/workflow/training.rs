//! Carrying out a `train` or `fine_tune` workload.

use std::sync::Arc;
use std::time::Instant;

use scenarios::plan::Assignment;
use scenarios::run::{Epoch, RunStatus, WorkloadRun};
use scenarios::scenario::{Files, Training};

use super::ranks::{Seats, parts_by_site, replicas};
use super::{ApplyError, Ready, Workflow, description_of, measured, unmeasured};
use crate::data::{Codes, Needs, Portion};
use crate::device;
use crate::model::{Checkpoint, CheckpointError, Network, Recipe};
use crate::parallel::exchange::Buckets;
use crate::parallel::precision::Computing;
use crate::record::{self, Earlier, Event, RunFolder, Stage, StateError, read_state, write_state};
use crate::train::{self, Course, Observer, Outcome, Progress, Resume, Session, Snapshot};
use crate::transport::Patience;

impl Workflow<'_> {
    pub(super) fn train(&mut self, assignment: &Assignment, training: &Training) -> Result<WorkloadRun, ApplyError> {
        self.learn(assignment, training, None)
    }

    /// Trains from the weights that another workload has kept.
    pub(super) fn fine_tune(
        &mut self,
        assignment: &Assignment,
        training: &Training,
    ) -> Result<WorkloadRun, ApplyError> {
        let refused = |why| ApplyError::NotCarriedOut { workload: assignment.workload.clone(), kind: "fine_tune", why };
        if training.adapters {
            return Err(refused("adapters (LoRA) are not built; leave out `adapters` to train all weights"));
        }
        let of = training.weights_of.as_ref();
        let of = of.ok_or_else(|| refused("it names no `weights_of` a workload; `train` begins with random ones"))?;
        let weights = self.weights(assignment, of)?;
        let description = description_of(assignment, &training.model)?;
        let anew = Network::new(&description, description.whole(), 0, self.devices.of_rank(0));
        let mismatch = weights.network.beside(&anew);
        if !mismatch.is_none() && !training.new_head {
            let (workload, of) = (assignment.workload.clone(), of.clone());
            return Err(ApplyError::OtherNetwork { workload, of, mismatch });
        }
        self.learn(assignment, training, Some(&weights))
    }

    fn learn(
        &mut self,
        assignment: &Assignment,
        training: &Training,
        weights: Option<&Checkpoint>,
    ) -> Result<WorkloadRun, ApplyError> {
        let started = Instant::now();
        let description = description_of(assignment, &training.model)?;
        let failed = |source| ApplyError::Model { workload: assignment.workload.clone(), source };
        let needs = Needs::of(&training.model).map_err(failed)?;
        let known = weights.map(|weights| known(&weights.recipe.codes, training.new_head));
        let replicas = replicas(assignment, training.global_batch.get())?;
        let parts = parts_by_site(assignment)?;
        let place = self.preprocess(assignment, needs, training.preprocessing.split, known.as_ref())?;
        let part_of = |site: &str| parts.iter().find(|(at, _)| *at == site).map(|(_, part)| *part);
        let portions = Portion::of_replicas(&self.prepared[place].records, &replicas, part_of);
        let resume = self.resume_state(assignment)?;
        let course = Course::of(training, self.prepared[place].records.train.len());
        let parameters = training.model.parameters().map_err(failed)?;
        let ranks = assignment.strategy.ranks();
        if let Some(text) = Computing::of(training.precision, self.devices.of_rank(0)).warning {
            self.tell(&Event::Warning { text: format!("workload `{}`: {text}", assignment.workload) })?;
        }
        self.stage(assignment, Stage::Deploy, format!("{parameters} parameters in each of {ranks} rank(s)"))?;
        self.stage(
            assignment,
            Stage::Train,
            format!("{} steps in {} round(s), global batch {}", course.steps, course.rounds(), training.global_batch),
        )?;
        let Ready { used, codes, .. } = &self.prepared[place];
        let seed = self.request.plan.scenario.seed;
        let mut observer = Teller::new(assignment, (training, course), (codes, seed), &mut self.folder, self.sink);
        let session = Session {
            training: training.clone(),
            description,
            portions,
            course,
            strategy: assignment.strategy,
            devices: self.devices.clone(),
            patience: Patience::default(),
            buckets: Buckets::usual(&self.devices, ranks as usize),
            seed,
            max_steps: self.request.max_steps,
            stop: Arc::clone(self.request.stop),
            resume,
            weights: weights.map(|weights| weights.network.clone()),
            #[cfg(test)]
            fault: None,
        };
        let failed = |source| ApplyError::Train { workload: assignment.workload.clone(), source: Box::new(source) };
        let outcome = train::train(session, &mut observer).map_err(failed)?;
        let mut done = unmeasured(assignment, &self.devices, used.clone());
        fill(&mut done, &outcome);
        let seats = Seats::new(&assignment.strategy, &self.devices.description, device::host().cores);
        let sites: Vec<String> = replicas.into_iter().map(|(site, _)| site).collect();
        measured::fill(&mut done, &outcome, seats, &sites);
        done.seconds = started.elapsed().as_secs_f64();
        Ok(done)
    }

    /// Where an earlier run stopped, if this one goes on with it.
    fn resume_state(&mut self, assignment: &Assignment) -> Result<Option<Resume>, ApplyError> {
        if self.request.earlier != Earlier::Resume {
            return Ok(None);
        }
        let (name, path) = (&assignment.workload, self.folder.state(&assignment.workload));
        if !path.exists() {
            let text = format!("workload `{name}` has no checkpoint in the run's folder: it begins at its first step");
            self.tell(&Event::Warning { text })?;
            return Ok(None);
        }
        let resume = read_state(&path)?;
        let about = format!("going on after step {} by `{}`", resume.progress.steps, path.display());
        self.stage(assignment, Stage::Deploy, about)?;
        Ok(Some(resume))
    }
}

/// What words and names are to weights that are trained further; classes are told apart anew by a new head.
fn known(codes: &Codes, new_head: bool) -> Codes {
    let classes = if new_head { Vec::new() } else { codes.classes.clone() };
    Codes { classes, ..codes.clone() }
}

/// Puts what was measured into the record.
fn fill(done: &mut WorkloadRun, outcome: &Outcome) {
    if outcome.interrupted {
        done.status = RunStatus::Interrupted;
    }
    done.epochs.clone_from(&outcome.progress.epochs);
    done.first_losses.clone_from(&outcome.progress.first_losses);
    done.steps = outcome.timed_steps;
    if let Some(step_seconds) = outcome.step_seconds {
        done.step_seconds = step_seconds;
    }
    done.phases_seconds = outcome.ranks.first().map_or_else(Default::default, |rank| rank.phases.mean_seconds());
    done.throughput = outcome.throughput;
    if let Some(last) = outcome.progress.epochs.last() {
        done.metrics = last_figures(last).into_iter().chain(best_figures(&outcome.progress.epochs)).collect();
    }
    if let Some(scale) = outcome.progress.loss_scale {
        done.metrics.insert("steps_left_out".to_owned(), scale.skipped as f64);
    }
    done.checkpoint = Some(record::weights_in_folder(&done.workload));
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

/// The best figures of all validations.
fn best_figures(epochs: &[Epoch]) -> impl Iterator<Item = (String, f64)> {
    let loss = epochs.iter().filter_map(|epoch| epoch.validation_loss).min_by(f64::total_cmp);
    let accuracy = epochs.iter().filter_map(|epoch| epoch.validation_accuracy).max_by(f64::total_cmp);
    let named = [("best_validation_loss", loss), ("best_validation_accuracy", accuracy)];
    named.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)))
}

/// Tells the sink and the event file, and keeps checkpoints in the run's folder.
struct Teller<'a> {
    workload: &'a str,
    training: &'a Training,
    course: Course,
    files: Option<&'a Files>,
    seed: u64,
    codes: &'a Codes,
    folder: &'a mut RunFolder,
    sink: &'a mut dyn FnMut(&Event),
}

impl<'a> Teller<'a> {
    fn new(
        assignment: &'a Assignment,
        (training, course): (&'a Training, Course),
        (codes, seed): (&'a Codes, u64),
        folder: &'a mut RunFolder,
        sink: &'a mut dyn FnMut(&Event),
    ) -> Self {
        let files = assignment.data.as_ref().and_then(|data| data.files.as_ref());
        Self { workload: &assignment.workload, training, course, files, seed, codes, folder, sink }
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
            epochs: self.course.rounds() as u32,
            step: progress.step as u64,
            steps: steps as u64,
            loss: progress.mean_loss(),
            accuracy: progress.accuracy(),
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
            seed: self.seed,
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
