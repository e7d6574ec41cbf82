//! Records: found, read, cleaned, split and handed out in batches, all by the seed.
//!
//! Files of a format ([`scenarios::scenario::FileFormat`]) become [`Records`] in memory, whatever they are; [`prepare`]
//! cleans and splits them; [`Batches`] says which of them a replica reads in a step and makes a [`HostBatch`] of them,
//! perhaps ahead of time ([`Prefetch`]), which becomes a [`Batch`] on a device. What a step reads is a function of the
//! seed and the step alone: the same at any number of replicas, and wherever a training goes on.

mod augment;
mod batch;
mod batches;
mod codes;
mod digits;
mod download;
mod format;
mod host;
pub mod idx;
pub mod kept;
mod masking;
mod needs;
mod order;
mod portion;
mod prefetch;
mod prepare;
mod reader;
mod reading;
mod records;
pub mod shapes;
mod source;
mod store;
mod table;
mod tokenizer;

pub use batch::{Batch, Inputs, Targets};
pub use batches::{BatchShare, Batches};
pub use codes::{CodeError, Codes, Ids};
pub use digits::draw as draw_digits;
pub use format::unlabelled::{Manner, Unlabelled, read as read_unlabelled};
pub use host::{HostBatch, HostInputs, HostTargets};
pub use kept::Statistics;
pub use needs::Needs;
pub use portion::Portion;
pub use prefetch::Prefetch;
pub use prepare::{PartRanges, Prepared, prepare};
pub use reader::Reader;
pub use reading::{Flaw, ReadError};
pub use records::{Columns, Documents, Images, Layout, Records, Stream, Truth};
pub use source::{DataError, Files, Found, Wanted, find};
pub use store::{Store, StoreError, Stored};
pub use tokenizer::{Special, TokenCodes, Tokenizer};
