//! How often spot markets take machines back.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::table;
use crate::units::Frequency;

/// A month of a [`Frequency`], in seconds.
const MONTH_SECONDS: f64 = 2_592_000.0;

/// Ranges in which AWS publishes the share of machines that were taken back in a month, each with the share that stands
/// for it: its middle, and a quarter for the open one.
const SHARES: [(&str, f64); 5] =
    [("<5%", 0.025), ("5-10%", 0.075), ("10-15%", 0.125), ("15-20%", 0.175), (">20%", 0.25)];

/// Rates by provider, region and type.
pub(super) type Interruptions = BTreeMap<(String, String, String), Frequency>;

#[derive(Deserialize)]
struct Row {
    provider: String,
    region: String,
    instance_type: String,
    monthly_share: String,
}

/// Reads all rates. A share p of machines that are gone after a month is a rate of −ln(1 − p) a month for each, if
/// interruptions come independently.
pub(super) fn load() -> Interruptions {
    let rate = |row: Row| {
        let (_, share) = SHARES.iter().find(|(range, _)| *range == row.monthly_share)?;
        let rate = Frequency(-(1.0 - share).ln() / MONTH_SECONDS);
        Some(((row.provider, row.region, row.instance_type), rate))
    };
    table::SPOT_INTERRUPTIONS.rows().filter_map(rate).collect()
}

#[cfg(test)]
mod tests {
    use super::super::Catalog;
    use super::*;

    #[test]
    fn every_row_has_a_rate() {
        assert_eq!(load().len(), table::SPOT_INTERRUPTIONS.rows::<Row>().count());
    }

    #[test]
    fn shares_a_month_become_rates() {
        let check = |provider: &str, region: &str, instance_type: &str, monthly: Option<f64>| {
            let found = Catalog::bundled().interruptions(provider, region, instance_type);
            let found = found.map(|rate| (rate.0 * MONTH_SECONDS * 1e6).round() / 1e6);
            assert_eq!(found, monthly, "{provider} {region} {instance_type}");
        };
        check("aws", "af-south-1", "g4dn.12xlarge", Some(0.025_318));
        check("aws", "eu-central-1", "p4d.24xlarge", Some(0.287_682));
        check("aws", "eu-central-1", "unknown", None);
        check("azure", "westeurope", "Standard_NC4as_T4_v3", None);
    }
}
