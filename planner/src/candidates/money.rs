//! Exact money: decimals, rounded to a millionth of a dollar, of times in whole milliseconds.

use rust_decimal::Decimal;

/// Decimals of an amount of money in a plan.
pub const DECIMALS: u32 = 6;

/// The next whole millisecond, so that prices of times are exact decimals.
#[must_use]
pub fn round_up_to_milliseconds(seconds: f64) -> f64 {
    // What a sum of many parts is off by must not add a millisecond.
    ((seconds * 1000.0) - 1e-6).ceil().max(0.0) / 1000.0
}

/// price × nodes × time
#[must_use]
pub fn compute_usd(usd_per_node_hour: Decimal, nodes: u32, seconds: f64) -> Decimal {
    let milliseconds = Decimal::from((seconds * 1000.0).round() as u64);
    let node_hours = milliseconds.saturating_mul(Decimal::from(nodes)) / Decimal::from(3_600_000);
    usd_per_node_hour.saturating_mul(node_hours).round_dp(DECIMALS)
}

/// price × amount in gigabytes (10⁹ bytes)
#[must_use]
pub fn egress_usd(usd_per_gb: Decimal, bytes: u64) -> Decimal {
    usd_per_gb.saturating_mul(Decimal::new(i64::try_from(bytes).unwrap_or(i64::MAX), 9)).round_dp(DECIMALS)
}

/// price × amount in gigabytes × time in months of 30 days
#[must_use]
pub fn storage_usd(usd_per_gb_month: Decimal, bytes: u64, seconds: f64) -> Decimal {
    let milliseconds = Decimal::from((seconds * 1000.0).round() as u64);
    let months = milliseconds / Decimal::from(2_592_000_000_u64);
    let gigabytes = Decimal::from(bytes) / Decimal::from(1_000_000_000);
    usd_per_gb_month.saturating_mul(gigabytes).saturating_mul(months).round_dp(DECIMALS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_exact() {
        let usd = |text: &str| text.parse::<Decimal>().expect("a number");
        let check = |price: &str, nodes: u32, seconds: f64, expected: &str| {
            assert_eq!(compute_usd(usd(price), nodes, seconds), usd(expected), "{price} {nodes} {seconds}");
        };
        check("1.20", 1, 3600.0, "1.2");
        check("1.20", 2, 0.5, "0.000333");
        check("36.000001", 3, 7200.0, "216.000006");
        assert_eq!(egress_usd(usd("0.09"), 54_900_000), usd("0.004941"));
        assert_eq!(round_up_to_milliseconds(1.000_1).to_bits(), 1.001_f64.to_bits());
        assert_eq!(round_up_to_milliseconds(0.1 + 0.2).to_bits(), 0.3_f64.to_bits());
    }
}
