//! Why no report was made.

use std::path::PathBuf;

use scenarios::document::DocumentError;
use scenarios::terminal::Exit;

/// Why no report was made. Nothing of it was written then.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// A document cannot be used.
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// A chart cannot be drawn.
    #[error("cannot draw the chart `{chart}`: {message}")]
    Draw {
        /// Its name.
        chart: String,
        /// What the drawing library said.
        message: String,
    },
    /// A part of the page cannot be rendered.
    #[error("cannot render the page: {0}")]
    Render(#[from] askama::Error),
    /// A file of the report cannot be written.
    #[error("cannot write the report to `{}`: {source}", path.display())]
    Write {
        /// The folder of the report.
        path: PathBuf,
        /// Cause.
        source: std::io::Error,
    },
    /// The folder holds an `index.html` or `charts` that no report wrote.
    #[error("`{}` holds `{found}`, which is not part of a report", path.display())]
    Occupied {
        /// The folder of the report.
        path: PathBuf,
        /// What it holds.
        found: String,
    },
}

impl ReportError {
    /// The exit code of a command that ends with it.
    #[must_use]
    pub fn exit(&self) -> Exit {
        match self {
            Self::Document(error) => Exit::from(error),
            Self::Write { .. } | Self::Occupied { .. } => Exit::Usage,
            Self::Draw { .. } | Self::Render(_) => Exit::Bug,
        }
    }

    /// The smallest thing to try.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        let help = match self {
            Self::Document(DocumentError::Read { name: "plan", .. }) => {
                "make the plan first: planner solve SCENARIO -o plan.json".to_owned()
            }
            Self::Document(DocumentError::Read { name: "run record", .. }) => {
                "give a folder that `executor apply -o` wrote, or its run.json".to_owned()
            }
            Self::Document(DocumentError::Digest { name, .. }) => {
                format!("use the {name} as it was written, or make it again")
            }
            Self::Document(DocumentError::Format { expected, .. }) => format!("give a document of format `{expected}`"),
            Self::Write { .. } => {
                "choose a folder that can be written to with `-o`, and see that the disk is not full".to_owned()
            }
            Self::Occupied { .. } => "choose an empty or new folder with `-o`".to_owned(),
            Self::Document(_) => return None,
            Self::Draw { .. } | Self::Render(_) => "this is a bug; please report it with the plan".to_owned(),
        };
        Some(help)
    }
}
