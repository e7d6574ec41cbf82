//! Every amount is recomputed.

use rust_decimal::Decimal;
use scenarios::scenario::{Scenario, Tier};
use scenarios::units::{Bytes, Usd, UsdPerGb, UsdPerGbMonth, UsdPerHour};

use crate::verify::Check::{Budget, Money, Solver};
use crate::verify::fixtures::{assignment, check, check_with, flow};

fn cent() -> Decimal {
    Decimal::new(1, 2)
}

#[test]
fn every_amount_of_a_plan_is_checked() {
    check("right", |_| (), &[]);
    check("a workload", |plan| assignment(plan, "train").cost_usd += cent(), &[Money]);
    check("a price", |plan| assignment(plan, "train").groups[0].usd_per_node_hour += cent(), &[Money]);
    check("a price of one's own", |plan| assignment(plan, "prepare").groups[0].usd_per_node_hour += cent(), &[Money]);
    check("a reserved price", |plan| assignment(plan, "chat").groups[0].usd_per_node_hour += cent(), &[Money]);
    check("a movement", |plan| flow(plan, "prepare").cost_usd += cent(), &[Money]);
    check("free requests", |plan| flow(plan, "questions").cost_usd += cent(), &[Money]);
    check("storage", |plan| flow(plan, "llm").storage_usd += cent(), &[Money]);
    check("storage of what is not kept", |plan| flow(plan, "train").storage_usd += cent(), &[Money]);
    check("a commitment", |plan| plan.commitments[0].cost_usd += cent(), &[Money]);
    check("a payment upfront", |plan| plan.commitments[0].upfront_usd += cent(), &[Money]);
    check("a commitment's price", |plan| plan.commitments[0].usd_per_node_hour += cent(), &[Money]);
    check("all machines", |plan| plan.totals.compute_usd += cent(), &[Money]);
    check("all egress", |plan| plan.totals.egress_usd += cent(), &[Money]);
    check("all storage", |plan| plan.totals.storage_usd += cent(), &[Money]);
    check("everything", |plan| plan.totals.cost_usd += cent(), &[Money, Solver]);
    check("preferences", |plan| plan.totals.preference_usd += cent(), &[Money]);
}

#[test]
fn prices_are_those_of_the_scenario() {
    let price =
        |change: fn(&mut Scenario), expected: &[crate::verify::Check]| check_with("a price", change, |_| (), expected);
    price(|scenario| scenario.budget = Some(Usd(873.into())), &[Budget, crate::verify::Check::Provenance]);
    price(|scenario| scenario.sites["lab"].egress_tiers[1].up_to = Some(Bytes(70_000_000_000)), &[Money]);
    price(|scenario| scenario.sites["lab"].egress_tiers.truncate(0), &[Money]);
    price(|scenario| scenario.sites["cloud"].egress = Some(UsdPerGb(9.into())), &[Money]);
    price(|scenario| scenario.sites["cloud"].storage = Some(UsdPerGbMonth(1.into())), &[Money]);
    price(
        |scenario| {
            scenario.links[1].price = vec![Tier { up_to: None, price: UsdPerGb(1.into()) }];
        },
        &[Money],
    );
    price(
        |scenario| {
            let spot = scenario.sites["cloud"].pools["t4"].purchase.spot.as_mut();
            spot.expect("it is offered").price = Some(UsdPerHour(1.into()));
        },
        &[Money],
    );
    price(
        |scenario| {
            let owned = scenario.sites["clinic"].pools["gpu"].purchase.owned.as_mut().expect("it is owned");
            owned.capital.as_mut().expect("by its capital").utilization = 1.0;
        },
        &[Money],
    );
    price(|scenario| scenario.policies["rather-at-home"].per_hour = Some(UsdPerHour(1.into())), &[Money, Solver]);
    price(|scenario| scenario.policies["rather-at-home"].per_gb = None, &[Money, Solver]);
}

#[test]
fn earlier_movements_fill_the_first_tiers() {
    // With the model's weights free of charge at 10 GB less, the features begin 10 GB lower on the lab's meter.
    check(
        "the other order",
        |plan| {
            flow(plan, "prepare").cost_usd = Decimal::new(3, 0);
            flow(plan, "llm").cost_usd = Decimal::new(1_001, 3);
            assignment(plan, "train").cost_usd = Decimal::new(35, 1);
            assignment(plan, "chat").cost_usd += Decimal::new(1_001, 3);
        },
        &[Money],
    );
}
