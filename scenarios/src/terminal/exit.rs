//! Exit codes: a documented interface for scripts.

use std::process::{ExitCode, Termination};

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Everything was done.
    Done,
    /// A bug of ours.
    Bug,
    /// The command line was wrong, or a file could not be read or written.
    Usage,
    /// A document is not valid.
    InvalidDocument,
    /// Things differ (only with `--detailed-exitcode`).
    Differs,
    /// Nothing satisfies the scenario.
    Infeasible,
    /// No solution within the time limit.
    TimeLimit,
    /// A solution, but its gap is above the tolerance.
    Gap,
    /// The plan's scenario or machine profile has changed since.
    StalePlan,
    /// The document was changed after it was written.
    WrongDigest,
    /// The run failed.
    RunFailed,
    /// Measured figures are outside the tolerance.
    OutsideTolerance,
    /// A policy or the budget is broken.
    PolicyBroken,
    /// Interrupted; the checkpoint was kept.
    Interrupted,
}

impl Exit {
    /// The process's exit code.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Bug => 1,
            Self::Usage => 2,
            Self::InvalidDocument => 3,
            Self::Differs => 10,
            Self::Infeasible => 20,
            Self::TimeLimit => 22,
            Self::Gap => 23,
            Self::StalePlan => 30,
            Self::WrongDigest => 31,
            Self::RunFailed => 40,
            Self::OutsideTolerance => 41,
            Self::PolicyBroken => 50,
            Self::Interrupted => 130,
        }
    }
}

impl From<&crate::document::DocumentError> for Exit {
    fn from(error: &crate::document::DocumentError) -> Self {
        use crate::document::DocumentError as E;
        match error {
            E::Read { .. } | E::Write { .. } => Self::Usage,
            E::TooLarge { .. } | E::Parse { .. } | E::Format { .. } => Self::InvalidDocument,
            E::Digest { .. } => Self::WrongDigest,
        }
    }
}

impl From<&crate::scenario::LoadError> for Exit {
    fn from(error: &crate::scenario::LoadError) -> Self {
        match error {
            crate::scenario::LoadError::Read { .. } => Self::Usage,
            crate::scenario::LoadError::Invalid { .. } => Self::InvalidDocument,
        }
    }
}

/// Runs a program's command; a panic, which is a bug of ours, ends it with [`Exit::Bug`] after its message.
#[must_use]
pub fn guarded(command: fn() -> Exit) -> Exit {
    std::panic::catch_unwind(command).unwrap_or(Exit::Bug)
}

impl Termination for Exit {
    fn report(self) -> ExitCode {
        ExitCode::from(self.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::DocumentError;
    use crate::scenario::LoadError;

    #[test]
    fn errors_of_documents_have_their_exit_code() {
        let check = |exit: Exit, code: u8| assert_eq!(exit.code(), code, "{exit:?}");
        let path = std::path::PathBuf::from("plan.json");
        let source = || std::io::Error::other("gone");
        check(Exit::from(&DocumentError::Read { name: "plan", path: path.clone(), source: source() }), 2);
        check(Exit::from(&DocumentError::Write { path: path.clone(), source: source() }), 2);
        check(Exit::from(&DocumentError::TooLarge { name: "plan", path: path.clone() }), 3);
        check(Exit::from(&DocumentError::Digest { name: "plan", path: path.clone() }), 31);
        check(Exit::from(&LoadError::Read { path, source: source() }), 2);
        let (name, text, problems) = (String::new(), String::new(), vec![]);
        check(Exit::from(&LoadError::Invalid { name, text, problems }), 3);
    }
}
