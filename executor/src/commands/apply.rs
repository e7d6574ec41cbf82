use std::borrow::Cow;
use std::path::Path;

use scenarios::document;
use scenarios::plan::Plan;
use scenarios::run::{Run, RunStatus};
use scenarios::terminal::{Exit, Printer};

use super::{data_help, figures, files, interrupt, progress::Progress};
use crate::cli::ApplyArgs;
use crate::model::CheckpointError;
use crate::record::{Earlier, RecordError, StateError};
use crate::train::TrainError;
use crate::workflow::{self, ApplyError, Request};

pub(crate) fn apply(args: &ApplyArgs, printer: Printer, quiet: bool) -> Exit {
    let plan = match document::read::<Plan>(&args.plan) {
        Ok(plan) => plan,
        Err(error) => {
            printer.error(&error, Some("make a plan with `planner solve SCENARIO -o plan.json`"));
            return Exit::from(&error);
        }
    };
    if let Some(exit) = stale(&plan, printer) {
        return exit;
    }
    let stop = match interrupt::flag() {
        Ok(stop) => stop,
        Err(error) => {
            printer.error(&error, None);
            return Exit::Bug;
        }
    };
    let files = files(&args.data);
    let request = Request {
        plan: &plan,
        workload: args.workload.as_deref(),
        device: args.device,
        folder: &args.output,
        earlier: match (args.resume, args.replace) {
            (true, _) => Earlier::Resume,
            (_, true) => Earlier::Replace,
            _ => Earlier::Keep,
        },
        files: &files,
        max_steps: args.steps,
        serve_seconds: args.serve_seconds,
        stop: &stop,
    };
    let mut progress = Progress::new(printer, quiet);
    match workflow::apply(&request, &mut |event| progress.show(event)) {
        Ok(run) => ended(&run, args, printer),
        Err(error) => {
            printer.error(&error, help(&error).as_deref());
            exit_of(&error)
        }
    }
}

/// Why the plan is not to be trusted any more, if its scenario or a machine profile has changed.
fn stale(plan: &Plan, printer: Printer) -> Option<Exit> {
    let changed = |what: &str, path: &str| {
        let error = std::io::Error::other(format!("{what} `{path}` has changed since the plan was made"));
        printer.error(&error, Some("run `planner solve` again"));
        Some(Exit::StalePlan)
    };
    if let Some(path) = plan.scenario.path.as_deref().filter(|path| Path::new(path).exists())
        && scenarios::scenario::digest_of_file(Path::new(path)).map_or(true, |digest| digest != plan.scenario.digest)
    {
        return changed("the scenario", path);
    }
    for (path, digest) in plan.scenario.profiles.iter().filter(|(path, _)| Path::new(path).exists()) {
        let profile = document::read::<scenarios::machine::MachineProfile>(Path::new(path));
        if profile.map_or(true, |profile| profile.digest != *digest) {
            return changed("the machine profile", path);
        }
    }
    None
}

fn ended(run: &Run, args: &ApplyArgs, printer: Printer) -> Exit {
    printer.table(args.format, &figures::table(run), run);
    if run.status == RunStatus::Interrupted {
        let folder = args.output.display();
        printer.status(&format!("interrupted; the checkpoint is in {folder}/checkpoints, `--resume` goes on from it"));
        return Exit::Interrupted;
    }
    run.workloads.iter().flat_map(figures::ranks).for_each(|line| printer.status(&line));
    printer.status(&format!("the record is in {}", args.output.join("run.json").display()));
    let worst = run.workloads.iter().filter_map(figures::error_of).map(f64::abs).fold(0.0, f64::max);
    match args.tolerance {
        Some(tolerance) if 100.0 * worst > tolerance => Exit::OutsideTolerance,
        _ => Exit::Done,
    }
}

const fn exit_of(error: &ApplyError) -> Exit {
    match error {
        ApplyError::UnknownWorkload { .. } | ApplyError::Record(_) => Exit::Usage,
        ApplyError::Guard(_) => Exit::PolicyBroken,
        _ => Exit::RunFailed,
    }
}

/// The smallest fix.
fn help(error: &ApplyError) -> Option<Cow<'static, str>> {
    let text = match error {
        ApplyError::TooManyRanks { most, fits, .. } => {
            let fits = fits.as_ref().map_or_else(String::new, |strategy| format!(", such as `{strategy}`"));
            return Some(format!("plan with at most {most} ranks{fits}, or use a machine with more").into());
        }
        ApplyError::TooLittleMemory { .. } => Some(LESS_MEMORY),
        ApplyError::Device(_) => Some("use `--device cpu`, or `executor devices` to see what there is"),
        ApplyError::Data(error) => data_help(error),
        ApplyError::Record(RecordError::Occupied { .. }) => Some(
            "go on with it by `--resume`, start anew in its place by `--replace`, or give another folder with `-o`",
        ),
        ApplyError::Record(RecordError::OtherPlan { .. }) => Some("give another folder with `-o`"),
        ApplyError::Weights { source, .. } if !matches!(**source, CheckpointError::Read { .. }) => {
            Some(super::weights::help(source))
        }
        ApplyError::Weights { .. } => {
            Some("run the training first: leave out `--workload`, or keep its run folder with `--resume`")
        }
        ApplyError::Evaluate { source, .. } => Some(super::evaluate::help(source)),
        ApplyError::OtherNetwork { .. } => {
            Some("give the workload the same model, or `new_head: true` to begin those layers anew")
        }
        ApplyError::Guard(_) => Some("make a new plan: `planner solve` places no data where a rule refuses it"),
        ApplyError::State(StateError::Damaged { .. }) => {
            Some("put back the file as it was written, or start anew by `--replace`")
        }
        ApplyError::Train { source, .. } => train_help(source),
        _ => None,
    };
    text.map(Cow::Borrowed)
}

/// What takes less memory.
const LESS_MEMORY: &str = "plan smaller micro-batches (`micro_batch`), recomputation (`recompute`), more stages \
    (`pipeline`) or fewer ranks on a device";

const fn train_help(error: &TrainError) -> Option<&'static str> {
    match error {
        TrainError::NotFinite { .. } => Some(
            "lower the learning rate, or give `clip_norm`; the last good checkpoint was kept, `--resume` goes on from it",
        ),
        TrainError::RankLost { .. } => Some("the last checkpoint was kept: `--resume` goes on from it"),
        TrainError::OutOfMemory { .. } => Some(LESS_MEMORY),
        _ => None,
    }
}
