use proptest::prelude::*;

use super::*;

const GB: u64 = 1_000_000_000;

fn tier(gigabytes: Option<u64>, usd_per_gb: &str) -> Tier {
    Tier { up_to: gigabytes.map(|gigabytes| Bytes(gigabytes * GB)), usd_per_gb: usd_per_gb.parse().expect("a price") }
}

fn aws() -> Tariff {
    let tiers = vec![
        tier(Some(1), "0"),
        tier(Some(10 * 1024), "0.09"),
        tier(Some(50 * 1024), "0.085"),
        tier(Some(150 * 1024), "0.07"),
        tier(None, "0.05"),
    ];
    Tariff::new(tiers).expect("a tariff")
}

#[test]
fn aws_costs_what_it_lists_at_every_published_point() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data/placement/cases.json");
    let Ok(text) = std::fs::read_to_string(path) else {
        eprintln!("not checked: the published cases are not in ../shared/data/placement");
        return;
    };
    let cases: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let points = cases["aws_egress_tiers"]["expected_marginal"].as_object().expect("points");
    assert_eq!(points.len(), 9);
    for (terabytes, usd) in points {
        let amount = Bytes(terabytes.parse::<u64>().expect("a number") * 1024 * GB);
        let expected: Decimal = usd.to_string().parse().expect("a price");
        let found = aws().cost(amount);
        // One unit of the list's last digit: at 160 TB it charges the free gigabyte too, against its own rule.
        let tolerance = Decimal::new(1, 1);
        assert!((found - expected).abs() <= tolerance, "{terabytes} TB: {found}, not {expected}");
    }
}

#[test]
fn each_byte_costs_what_its_tier_does() {
    let check = |used: u64, amount: u64, usd: &str| {
        let found = aws().marginal(Bytes(used), Bytes(amount));
        assert_eq!(found.normalize().to_string(), usd, "{amount} after {used}");
    };
    check(0, 0, "0");
    check(0, GB, "0");
    check(0, GB + 1, "0.00000000009");
    check(0, 10 * 1024 * GB, "921.51");
    check(10 * 1024 * GB, 1, "0.000000000085");
    check(10 * 1024 * GB - 1, 2, "0.000000000175");
    let exact = [(1, "92.07"), (11, "1008.55"), (20, "1791.91"), (49, "4316.07"), (50, "4403.11"), (60, "5119.91")];
    for (terabytes, usd) in exact.into_iter().chain([(100, "7987.11"), (160, "12083.11")]) {
        check(0, terabytes * 1024 * GB, usd);
    }
    check(u64::MAX, u64::MAX, "922337203.68547758075");
}

#[test]
fn tariffs_know_their_prices() {
    let check = |tariff: &Tariff, lowest: &str, highest: &str, flat: bool| {
        assert_eq!(tariff.lowest().to_string(), lowest);
        assert_eq!(tariff.highest().to_string(), highest);
        assert_eq!(tariff.is_flat(), flat);
    };
    check(&aws(), "0", "0.09", false);
    check(&Tariff::flat(Decimal::new(2, 2)).expect("a tariff"), "0.02", "0.02", true);
    assert_eq!(aws().price_after(Bytes(GB - 1)), Decimal::ZERO);
    assert_eq!(aws().price_after(Bytes(GB)), Decimal::new(9, 2));
    assert_eq!(aws().price_after(Bytes(u64::MAX)), Decimal::new(5, 2));
}

#[test]
fn tiers_that_are_no_tariff_are_refused() {
    let check = |tiers: Vec<Tier>, message: &str| {
        assert_eq!(Tariff::new(tiers).expect_err("an error").to_string(), message);
    };
    check(vec![], "a tariff needs at least one tier");
    check(vec![tier(None, "-0.01")], "tier 1 costs -0.01 USD/GB: a price is not negative");
    check(vec![tier(None, "1000000001")], "tier 1 costs 1000000001 USD/GB: the most is 1000000000");
    check(
        vec![tier(Some(10), "0.1")],
        "the last tier ends at 10 GB: leave its end out, so that every amount has a price",
    );
    check(vec![tier(None, "0.1"), tier(None, "0.1")], "tier 1 has no end, and others follow it");
    let overlap = "tier 2 ends at 5 GB, and the one before it at 10 GB: tiers ascend and do not overlap";
    check(vec![tier(Some(10), "0.1"), tier(Some(5), "0.1"), tier(None, "0")], overlap);
    let empty = "tier 1 ends at 0 B, and the one before it at 0 B: tiers ascend and do not overlap";
    check(vec![tier(Some(0), "0.1"), tier(None, "0")], empty);
}

fn any_tariff() -> impl Strategy<Value = Tariff> {
    (prop::collection::vec((1..1_000_000_000_000_u64, 0..500_000_u32), 0..6), 0..500_000_u32).prop_map(
        |(steps, last)| {
            let price = |micros: u32| Decimal::new(i64::from(micros), 6);
            let mut end = 0;
            let mut tiers = Vec::new();
            for (width, micros) in steps {
                end += width;
                tiers.push(Tier { up_to: Some(Bytes(end)), usd_per_gb: price(micros) });
            }
            tiers.push(Tier { up_to: None, usd_per_gb: price(last) });
            Tariff::new(tiers).expect("ascending tiers")
        },
    )
}

proptest! {
    #[test]
    fn cost_never_falls_never_jumps_and_adds_up(tariff in any_tariff(), a in 0..u64::MAX / 4, b in 0..u64::MAX / 4) {
        let (before, after) = (tariff.cost(Bytes(a)), tariff.cost(Bytes(a + b)));
        prop_assert!(before <= after);
        prop_assert_eq!(after, before + tariff.marginal(Bytes(a), Bytes(b)));
        let gigabytes = Decimal::from(b) / Decimal::from(GB);
        prop_assert!(after - before <= gigabytes * tariff.highest());
        prop_assert!(after - before >= gigabytes * tariff.lowest());
    }

    #[test]
    fn cost_does_not_jump_at_the_end_of_a_tier(tariff in any_tariff()) {
        for end in tariff.tiers().iter().filter_map(|tier| tier.up_to) {
            let step = tariff.cost(Bytes(end.0 + 1)) - tariff.cost(end);
            prop_assert_eq!(step, tariff.price_after(end) / Decimal::from(GB));
        }
    }
}
