//! Errors as users see them: a message, the smallest fix, and an exit code.

use scenarios::document::DocumentError;
use scenarios::scenario::LoadError;
use scenarios::terminal::{Exit, Printer};

use crate::planning::PlanError;

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
}

/// A workload that the scenario does not have.
#[derive(Debug, thiserror::Error)]
#[error("the scenario has no workload `{name}`")]
pub(super) struct UnknownWorkload {
    pub name: String,
    pub known: Vec<String>,
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
            Self::Held(error) => {
                let help = format!("its workloads are {}", error.known.join(", "));
                printer.error(error, Some(&help));
                Exit::Usage
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

fn plan(error: &PlanError, printer: Printer) -> Exit {
    match error {
        PlanError::Infeasible(why) => {
            printer.error(error, why.help().as_deref());
            Exit::Infeasible
        }
        PlanError::OutOfTime { .. } => {
            printer.error(error, Some("give the solver more time with --time-limit, or allow a gap with --gap"));
            Exit::TimeLimit
        }
        PlanError::Solver(_) | PlanError::Unverified(_) => {
            printer.error(error, Some("please report this with the scenario"));
            Exit::Bug
        }
    }
}
