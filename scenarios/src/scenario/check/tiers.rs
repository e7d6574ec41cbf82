//! Prices that depend on the amount.

use super::Check;
use crate::scenario::Tier;
use crate::units::TariffError;
use crate::yaml::Located;

/// Checks that tiers make a tariff; none at all is fine.
pub(super) fn expect(check: &mut Check<'_>, tiers: &[Tier], at: &Located<'_>) {
    if tiers.is_empty() || !check.is_sound(at) {
        return;
    }
    let Err(error) = Tier::tariff(tiers) else { return };
    let (tier, key, help) = match &error {
        TariffError::Empty => return,
        TariffError::NegativePrice { tier, .. } | TariffError::PriceTooHigh { tier, .. } => {
            (*tier, "price", "give a price from 0")
        }
        TariffError::Overlap { tier, .. } => (*tier, "up_to", "let each tier end above the one before it"),
        TariffError::OpenInside { tier } => (*tier, "price", "give it an end with `up_to`, or put it last"),
        TariffError::Closed { .. } => (tiers.len(), "up_to", "remove this `up_to`"),
    };
    check.wrong(&at.item(tier.saturating_sub(1)).key(key), error.to_string(), "not a tariff", help);
}
