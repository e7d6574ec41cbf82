//! Why a plan could not be carried out.

use scenarios::model::ShapeError;
use scenarios::strategy::Strategy;
use scenarios::units::Bytes;

use crate::data::{CodeError, DataError};
use crate::device::DeviceError;
use crate::evaluate::EvaluateError;
use crate::guard::GuardError;
use crate::model::generate::GenerateError;
use crate::model::{CheckpointError, Mismatch};
use crate::record::{RecordError, StateError};
use crate::train::TrainError;

/// Why a plan could not be carried out.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// The plan has no such workload.
    #[error("the plan has no workload `{name}`; it has {}", known.join(", "))]
    UnknownWorkload {
        /// The name.
        name: String,
        /// Names that the plan has.
        known: Vec<String>,
    },
    /// A job that is planned, but not carried out.
    #[error("workload `{workload}` (`{kind}`) is planned, not carried out: {why}")]
    NotCarriedOut {
        /// Workload.
        workload: String,
        /// Its kind.
        kind: &'static str,
        /// What of it is not carried out.
        why: &'static str,
    },
    /// The weights that are to be trained further are of another network.
    #[error("the weights of `{of}` are not those of the network of workload `{workload}`: {mismatch}")]
    OtherNetwork {
        /// Workload.
        workload: String,
        /// Workload that made the weights.
        of: String,
        /// How they differ.
        mismatch: Mismatch,
    },
    /// A workload without a network.
    #[error("workload `{workload}` names neither a `model` nor `weights_of` one")]
    NoModel {
        /// Workload.
        workload: String,
    },
    /// Texts cannot be gone on with.
    #[error("workload `{workload}`: {source}")]
    Generate {
        /// Workload.
        workload: String,
        /// Cause.
        source: GenerateError,
    },
    /// The tokens of weights cannot be read.
    #[error("workload `{workload}`: {source}")]
    Tokens {
        /// Workload.
        workload: String,
        /// Cause.
        source: CodeError,
    },
    /// A workload without data.
    #[error("workload `{workload}` reads no data set")]
    NoData {
        /// Workload.
        workload: String,
    },
    /// More ranks than there is room for.
    #[error("workload `{workload}` needs {ranks} ranks, but {places} {of} take at most {most}, {sharing} each")]
    TooManyRanks {
        /// Workload.
        workload: String,
        /// Ranks of its plan.
        ranks: u32,
        /// Cores or GPUs that there are.
        places: u32,
        /// Which of them.
        of: &'static str,
        /// Ranks that may share one.
        sharing: u32,
        /// Most ranks.
        most: u32,
        /// The strategy with fewer replicas, if that has room.
        fits: Option<Strategy>,
    },
    /// The plan predicts more memory than there is.
    #[error(
        "workload `{workload}` needs {} in each of {together} rank(s) on one device, but that has {}",
        Bytes(*predicted).rounded(), Bytes(*available).rounded()
    )]
    TooLittleMemory {
        /// Workload.
        workload: String,
        /// Predicted memory of a rank in bytes.
        predicted: u64,
        /// Ranks on one device.
        together: u32,
        /// Memory of the device in bytes.
        available: u64,
    },
    /// Groups of machines and strategy do not fit.
    #[error(
        "workload `{workload}`: groups of {replicas:?} replicas{} are not what `{strategy}` and a global batch of \
         {global_batch} ask for",
        shares.as_ref().map_or_else(String::new, |shares| format!(" that take {shares:?} records"))
    )]
    Groups {
        /// Workload.
        workload: String,
        /// Its strategy as text.
        strategy: String,
        /// Whole replicas that each group has room for.
        replicas: Vec<usize>,
        /// Records of a step that each group takes, where the plan says.
        shares: Option<Vec<u64>>,
        /// Records of a step.
        global_batch: usize,
    },
    /// Ranks at several sites, each of which may read only what lies there.
    #[error(
        "workload `{workload}` learns where the parts of its data lie, but {}",
        if *lies { format!("no rank is at `{site}`, which holds one") } else { format!("`{site}` holds none") }
    )]
    Part {
        /// Workload.
        workload: String,
        /// Site.
        site: String,
        /// Whether a part lies there.
        lies: bool,
    },
    /// There is no such device.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// A residency rule refuses it.
    #[error(transparent)]
    Guard(#[from] GuardError),
    /// There is no data, or it is damaged.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The data set has no files that could be read.
    #[error("data set `{dataset}` of workload `{workload}` names no files: it can be planned with, not run")]
    NoFiles {
        /// Workload.
        workload: String,
        /// Data set.
        dataset: String,
    },
    /// The model is impossible.
    #[error("model of workload `{workload}`: {source}")]
    Model {
        /// Workload.
        workload: String,
        /// Cause.
        source: ShapeError,
    },
    /// The training failed.
    #[error("workload `{workload}`: {source}")]
    Train {
        /// Workload.
        workload: String,
        /// Cause.
        source: Box<TrainError>,
    },
    /// The weights that are evaluated are not there.
    #[error("workload `{workload}` needs the weights of `{of}`: {source}")]
    Weights {
        /// Workload.
        workload: String,
        /// Workload that makes them.
        of: String,
        /// Cause.
        source: Box<CheckpointError>,
    },
    /// The network cannot be judged by the records.
    #[error("workload `{workload}`: {source}")]
    Evaluate {
        /// Workload.
        workload: String,
        /// Cause.
        source: EvaluateError,
    },
    /// The state of a stopped training cannot be used.
    #[error(transparent)]
    State(#[from] StateError),
    /// The record cannot be written.
    #[error(transparent)]
    Record(#[from] RecordError),
}
