//! Reading the catalogue's files, which are part of the binary.

use serde::de::DeserializeOwned;

/// A file of the catalogue.
pub(super) struct File {
    /// Its name.
    pub name: &'static str,
    /// Its content.
    pub text: &'static str,
}

macro_rules! file {
    ($name:literal) => {
        File { name: $name, text: include_str!(concat!("../../catalog/", $name)) }
    };
}

pub(super) const ACCELERATORS: File = file!("accelerators.csv");
pub(super) const CARBON: File = file!("carbon.csv");
pub(super) const EGRESS: File = file!("egress.csv");
pub(super) const EGRESS_PAIRS: File = file!("egress_pairs.csv");
pub(super) const INSTANCE_NETWORK: File = file!("instance_network.csv");
pub(super) const INSTANCES: File = file!("instances.csv");
pub(super) const JURISDICTIONS: File = file!("jurisdictions.csv");
pub(super) const PROVIDERS: File = file!("providers.csv");
pub(super) const REGIONS: File = file!("regions.csv");
pub(super) const SPOT_INTERRUPTIONS: File = file!("spot_interruptions.csv");
pub(super) const THROUGHPUT: File = file!("throughput_grid.csv");

/// All files, by name.
pub(super) const FILES: [File; 11] = [
    ACCELERATORS,
    CARBON,
    EGRESS,
    EGRESS_PAIRS,
    INSTANCE_NETWORK,
    INSTANCES,
    JURISDICTIONS,
    PROVIDERS,
    REGIONS,
    SPOT_INTERRUPTIONS,
    THROUGHPUT,
];

impl File {
    /// Its rows as values of a type whose fields are named as its columns.
    ///
    /// # Panics
    /// If the file is not as the type says; a test reads every file.
    pub fn rows<T: DeserializeOwned>(&self) -> impl Iterator<Item = T> {
        csv::Reader::from_reader(self.text.as_bytes())
            .into_deserialize()
            .map(|row| row.unwrap_or_else(|error| panic!("{}: {error}", self.name)))
    }
}
