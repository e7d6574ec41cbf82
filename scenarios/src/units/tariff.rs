//! Prices that depend on the amount: tiers of egress.

use rust_decimal::Decimal;

use super::Bytes;

/// A step of a tariff: every byte between the end of the step before and `up_to` costs the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tier {
    /// Amount at which the next tier begins; none for the last.
    pub up_to: Option<Bytes>,
    /// US dollars a gigabyte (10⁹ bytes) of what lies in this tier; 0 is a free allowance.
    pub usd_per_gb: Decimal,
}

/// What amounts of data cost, tier by tier, from the first byte of a month.
///
/// Each byte has the price of the tier it lies in (marginal prices), so that the cost is a continuous function of the
/// amount and never falls: `cost(b) = Σ price(t) · |[0, b) ∩ t|`. A tariff that takes one price for the whole amount by
/// the tier that its end lies in, as some planners do, jumps at the end of each tier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tariff {
    tiers: Vec<Tier>,
}

/// Why tiers are no tariff. Tiers count from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TariffError {
    /// There is none.
    #[error("a tariff needs at least one tier")]
    Empty,
    /// A price below 0.
    #[error("tier {tier} costs {usd_per_gb} USD/GB: a price is not negative")]
    NegativePrice {
        /// Which tier.
        tier: usize,
        /// Its price.
        usd_per_gb: Decimal,
    },
    /// A price that no document can hold.
    #[error("tier {tier} costs {usd_per_gb} USD/GB: the most is 1000000000")]
    PriceTooHigh {
        /// Which tier.
        tier: usize,
        /// Its price.
        usd_per_gb: Decimal,
    },
    /// A tier ends where an earlier one does, or before.
    #[error("tier {tier} ends at {up_to}, and the one before it at {before}: tiers ascend and do not overlap")]
    Overlap {
        /// Which tier.
        tier: usize,
        /// Where it ends.
        up_to: Bytes,
        /// Where the one before it ends; 0 for the first.
        before: Bytes,
    },
    /// A tier without an end is not the last.
    #[error("tier {tier} has no end, and others follow it")]
    OpenInside {
        /// Which tier.
        tier: usize,
    },
    /// The last tier has an end.
    #[error("the last tier ends at {up_to}: leave its end out, so that every amount has a price")]
    Closed {
        /// Where it ends.
        up_to: Bytes,
    },
}

/// Highest price of a tier, the limit of `USD/GB` in documents.
const HIGHEST_USD_PER_GB: u64 = 1_000_000_000;

impl Tariff {
    /// A tariff of ascending tiers, the last of which is open.
    ///
    /// # Errors
    /// For tiers that overlap, leave amounts without a price, or cost less than nothing.
    pub fn new(tiers: Vec<Tier>) -> Result<Self, TariffError> {
        let mut before = Some(Bytes(0));
        for (index, tier) in tiers.iter().enumerate() {
            let number = index + 1;
            check_price(number, tier.usd_per_gb)?;
            let start = before.ok_or(TariffError::OpenInside { tier: index })?;
            if let Some(up_to) = tier.up_to.filter(|up_to| *up_to <= start) {
                return Err(TariffError::Overlap { tier: number, up_to, before: start });
            }
            before = tier.up_to;
        }
        match tiers.last() {
            None => Err(TariffError::Empty),
            Some(Tier { up_to: Some(up_to), .. }) => Err(TariffError::Closed { up_to: *up_to }),
            Some(_) => Ok(Self { tiers }),
        }
    }

    /// A tariff with one price for every byte.
    ///
    /// # Errors
    /// For a price below 0 or above 10⁹ USD/GB.
    pub fn flat(usd_per_gb: Decimal) -> Result<Self, TariffError> {
        Self::new(vec![Tier { up_to: None, usd_per_gb }])
    }

    /// Its tiers, ascending.
    #[must_use]
    pub fn tiers(&self) -> &[Tier] {
        &self.tiers
    }

    /// Cost in US dollars of an amount from the first byte of a month.
    ///
    /// Exact while it has at most 28 digits.
    #[must_use]
    pub fn cost(&self, amount: Bytes) -> Decimal {
        self.marginal(Bytes(0), amount)
    }

    /// Cost in US dollars of `amount` after `used` bytes of the month: `cost(used + amount) − cost(used)`.
    #[must_use]
    pub fn marginal(&self, used: Bytes, amount: Bytes) -> Decimal {
        let (from, to) = (u128::from(used.0), u128::from(used.0) + u128::from(amount.0));
        let mut start = 0;
        let mut cost = Decimal::ZERO;
        for tier in &self.tiers {
            let end = tier.up_to.map_or(u128::MAX, |up_to| u128::from(up_to.0));
            let bytes = to.min(end).saturating_sub(from.max(start));
            cost += gigabytes(bytes) * tier.usd_per_gb;
            start = end;
        }
        cost
    }

    /// Price of the byte that follows `used`, in US dollars a gigabyte.
    #[must_use]
    pub fn price_after(&self, used: Bytes) -> Decimal {
        let tier = self.tiers.iter().find(|tier| tier.up_to.is_none_or(|up_to| used < up_to));
        tier.map_or(Decimal::ZERO, |tier| tier.usd_per_gb)
    }

    /// Lowest price of a tier, in US dollars a gigabyte; 0 with a free allowance.
    #[must_use]
    pub fn lowest(&self) -> Decimal {
        self.prices().min().unwrap_or_default()
    }

    /// Highest price of a tier, in US dollars a gigabyte.
    #[must_use]
    pub fn highest(&self) -> Decimal {
        self.prices().max().unwrap_or_default()
    }

    /// Whether every byte costs the same.
    #[must_use]
    pub fn is_flat(&self) -> bool {
        self.lowest() == self.highest()
    }

    fn prices(&self) -> impl Iterator<Item = Decimal> {
        self.tiers.iter().map(|tier| tier.usd_per_gb)
    }
}

fn check_price(tier: usize, usd_per_gb: Decimal) -> Result<(), TariffError> {
    if usd_per_gb < Decimal::ZERO {
        return Err(TariffError::NegativePrice { tier, usd_per_gb });
    }
    if usd_per_gb > Decimal::from(HIGHEST_USD_PER_GB) {
        return Err(TariffError::PriceTooHigh { tier, usd_per_gb });
    }
    Ok(())
}

/// Gigabytes, exactly; two amounts of 64 bits have together no more than 20 digits.
fn gigabytes(bytes: u128) -> Decimal {
    i128::try_from(bytes)
        .ok()
        .and_then(|bytes| Decimal::try_from_i128_with_scale(bytes, 9).ok())
        .unwrap_or(Decimal::MAX)
}

#[cfg(test)]
#[path = "tariff_tests.rs"]
mod tests;
