//! Errors as users see them: a message, the smallest fix, and an exit code.

use std::path::PathBuf;

use scenarios::document::DocumentError;
use scenarios::scenario::LoadError;
use scenarios::strategy::Strategy;
use scenarios::terminal::{Exit, Printer};

use crate::explain::SettingError;
use crate::layers::EntryError;
use crate::performance::training::Impossible;
use crate::placement::SolverError;
use crate::planning::PlanError;
use crate::transfer::{DocumentProblem, TransferError};

/// Why a command failed.
#[derive(Debug)]
pub(super) enum Failure {
    /// The scenario cannot be used.
    Load(LoadError),
    /// A document cannot be read or written.
    Document(DocumentError),
    /// There is no plan.
    Plan(PlanError),
    /// A workload that is held to a strategy is not in the scenario.
    Held(UnknownWorkload),
    /// A workload is held to a strategy that it does not allow.
    NotAllowed(NotAllowed),
    /// A name that the scenario does not have.
    Unknown(UnknownName),
    /// A plan that answers another scenario.
    Stale(StalePlan),
    /// Several plans where one is printed.
    Alternatives(AlternativesToStdout),
    /// Changes that cannot be made.
    Setting(SettingError),
    /// A table of runs cannot be read.
    Table(TableError),
    /// What is asked cannot be predicted.
    Unpredicted(Unpredicted),
    /// A network and its copy cannot be read.
    TransferDocument(DocumentProblem),
    /// There is no such copy.
    Transfer(TransferError),
    /// A fleet of machines cannot be read.
    Fleet(EntryError),
    /// The solver failed.
    Solver(SolverError),
}

/// Why a table of measured runs cannot be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum TableError {
    #[error("cannot read the table `{}`: {source}", path.display())]
    Read { path: PathBuf, source: std::io::Error },
    #[error("`{}` is no table of runs: {reason}", path.display())]
    Content { path: PathBuf, reason: String },
    #[error("no run of `{}` can be used", path.display())]
    Nothing { path: PathBuf },
}

/// Why there is no prediction.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unpredicted {
    #[error("no accelerator is called `{name}`")]
    Machine { name: String, closest: String },
    #[error("no network is called `{name}`")]
    UnknownModel { name: String, closest: String },
    #[error("the description is no network: {text}")]
    Model { text: String },
    #[error(transparent)]
    Impossible(Impossible),
    #[error("{0}")]
    Unanswered(String),
    #[error("all serving runs are of one source, which cannot be left out")]
    OneSource,
    #[error("a table of collectives has no runs")]
    Collectives,
    #[error("no strategy fits: of {possible} that are possible, {too_large} need more memory than a device has")]
    NothingFits { possible: usize, too_large: usize },
}

impl Unpredicted {
    fn help(&self) -> Option<String> {
        match self {
            Self::Machine { closest, .. } => {
                Some(format!("did you mean `{closest}`? `planner catalog` lists machines"))
            }
            Self::UnknownModel { closest, .. } => {
                Some(format!("did you mean `{closest}`? A file in JSON can describe another network"))
            }
            Self::Model { .. } => Some("see `planner schema scenario` for the form of a model".to_owned()),
            Self::Impossible(error) => error.help(),
            Self::Collectives => Some("`planner fit` takes it, and its columns say how far the fit misses".to_owned()),
            Self::Unanswered(_) => None,
            Self::OneSource => Some("leave out `folds` or `devices`".to_owned()),
            Self::NothingFits { .. } => {
                Some("take more or larger devices, or a batch that divides among them".to_owned())
            }
        }
    }

    const fn exit(&self) -> Exit {
        match self {
            Self::Machine { .. } | Self::UnknownModel { .. } | Self::OneSource | Self::Collectives => Exit::Usage,
            Self::Model { .. } => Exit::InvalidDocument,
            Self::Impossible(_) | Self::NothingFits { .. } | Self::Unanswered(_) => Exit::Infeasible,
        }
    }
}

impl From<Unpredicted> for Failure {
    fn from(error: Unpredicted) -> Self {
        Self::Unpredicted(error)
    }
}

/// A strategy that a workload does not allow.
#[derive(Debug, thiserror::Error)]
#[error("the `strategies` of `{name}` do not allow `{strategy}`")]
pub(super) struct NotAllowed {
    pub name: String,
    pub strategy: Strategy,
}

/// A workload that the scenario does not have.
#[derive(Debug, thiserror::Error)]
#[error("the scenario has no workload `{name}`")]
pub(super) struct UnknownWorkload {
    pub name: String,
    pub known: Vec<String>,
}

/// A name that the scenario does not have.
#[derive(Debug, thiserror::Error)]
#[error("the scenario has no {what} `{name}`")]
pub(super) struct UnknownName {
    pub what: &'static str,
    pub name: String,
    pub help: String,
}

/// A plan that answers another scenario, or an earlier state of it.
#[derive(Debug, thiserror::Error)]
#[error("the plan was made from another scenario, or from this one before it was changed")]
pub(super) struct StalePlan;

/// Alternatives are written beside the plan.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("standard output takes one plan, and alternatives were asked for")]
pub(super) struct AlternativesToStdout;

impl From<AlternativesToStdout> for Failure {
    fn from(error: AlternativesToStdout) -> Self {
        Self::Alternatives(error)
    }
}

impl From<UnknownName> for Failure {
    fn from(error: UnknownName) -> Self {
        Self::Unknown(error)
    }
}

impl From<SettingError> for Failure {
    fn from(error: SettingError) -> Self {
        Self::Setting(error)
    }
}

impl From<LoadError> for Failure {
    fn from(error: LoadError) -> Self {
        Self::Load(error)
    }
}

impl From<DocumentError> for Failure {
    fn from(error: DocumentError) -> Self {
        Self::Document(error)
    }
}

impl From<PlanError> for Failure {
    fn from(error: PlanError) -> Self {
        Self::Plan(error)
    }
}

impl From<DocumentProblem> for Failure {
    fn from(error: DocumentProblem) -> Self {
        Self::TransferDocument(error)
    }
}

impl From<TransferError> for Failure {
    fn from(error: TransferError) -> Self {
        Self::Transfer(error)
    }
}

impl From<EntryError> for Failure {
    fn from(error: EntryError) -> Self {
        Self::Fleet(error)
    }
}

impl From<SolverError> for Failure {
    fn from(error: SolverError) -> Self {
        Self::Solver(error)
    }
}

impl Failure {
    /// Prints the error and gives its exit code.
    pub(super) fn tell(&self, printer: Printer) -> Exit {
        match self {
            Self::Load(error) => printer.load_error(error),
            Self::Document(error) => {
                printer.error(error, document_help(error));
                Exit::from(error)
            }
            Self::Plan(error) => plan(error, printer),
            Self::NotAllowed(error) => {
                printer.error(error, Some("take one that its `strategies` name, or change them"));
                Exit::Usage
            }
            Self::Held(error) => {
                let help = format!("its workloads are {}", error.known.join(", "));
                printer.error(error, Some(&help));
                Exit::Usage
            }
            Self::Unknown(error) => {
                printer.error(error, Some(&error.help));
                Exit::Usage
            }
            Self::Stale(error) => {
                printer.error(error, Some("make it anew with `planner solve`, or leave --plan out"));
                Exit::StalePlan
            }
            Self::Alternatives(error) => {
                printer.error(error, Some("name a file with -o; the others are written beside it"));
                Exit::Usage
            }
            Self::Setting(error) => {
                printer.error(error, error.help().as_deref());
                Exit::Usage
            }
            Self::Table(error) => {
                printer.error(error, Some("the first line names the columns; `id`, `source`, `gpu`, `gpus`, `measured_metric` and `measured_value` are needed"));
                match error {
                    TableError::Read { .. } => Exit::Usage,
                    TableError::Content { .. } | TableError::Nothing { .. } => Exit::InvalidDocument,
                }
            }
            Self::Unpredicted(error) => {
                printer.error(error, error.help().as_deref());
                error.exit()
            }
            Self::TransferDocument(error) => {
                printer.error(error, Some("`planner transfer --help` names the format; README.md shows a document"));
                Exit::InvalidDocument
            }
            Self::Transfer(error) => {
                printer.error(error, error.help().as_deref());
                transfer(error)
            }
            Self::Fleet(error) => {
                printer.error(
                    error,
                    Some("give `name`, `layers` and `classes` of `count` and `tokens_per_s_by_layers_held`"),
                );
                Exit::InvalidDocument
            }
            Self::Solver(error) => {
                printer.error(error, Some("please report this with the document"));
                Exit::Bug
            }
        }
    }
}

const fn document_help(error: &DocumentError) -> Option<&'static str> {
    match error {
        DocumentError::Read { .. } => Some("name a readable file, or `-` for standard input"),
        DocumentError::Write { .. } => Some("name a file in a folder that can be written to"),
        DocumentError::Digest { .. } => Some("make the document anew; a plan that was edited by hand is not applied"),
        DocumentError::Parse { .. } | DocumentError::Format { .. } => Some("a plan is written by `planner solve`"),
        DocumentError::TooLarge { .. } => None,
    }
}

const fn transfer(error: &TransferError) -> Exit {
    match error {
        TransferError::Infeasible(_) => Exit::Infeasible,
        TransferError::OutOfTime { .. } => Exit::TimeLimit,
        TransferError::ForbiddenEnd { .. } => Exit::PolicyBroken,
        TransferError::Solver(_) => Exit::Bug,
        _ => Exit::InvalidDocument,
    }
}

fn plan(error: &PlanError, printer: Printer) -> Exit {
    match error {
        PlanError::Infeasible(why) => {
            printer.error(error, why.help().as_deref());
            Exit::Infeasible
        }
        PlanError::OutOfTime(_) => {
            printer.error(error, Some("give it more time with --time-limit, or allow a gap with --gap"));
            Exit::TimeLimit
        }
        PlanError::Solver(_) | PlanError::Unverified(_) => {
            printer.error(error, Some("please report this with the scenario"));
            Exit::Bug
        }
    }
}
