//! Whose law providers follow.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::table;

#[derive(Deserialize)]
struct Row {
    provider: String,
    country: String,
}

/// ISO 3166 code of the country where each provider has its seat.
pub(super) fn load() -> BTreeMap<String, String> {
    table::PROVIDERS.rows().map(|Row { provider, country }| (provider, country)).collect()
}
