//! What a whole plan comes to, and how far two plans lie apart.

use rust_decimal::Decimal;
use scenarios::plan::{Assignment, Group, Plan};
use scenarios::units::Seconds;
use serde::Serialize;

/// What a whole plan comes to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Figures {
    /// All costs in US dollars.
    pub cost_usd: Decimal,
    /// End of the last workload, from the start of the period.
    pub finish_seconds: f64,
    /// Greenhouse gas in kg of CO₂ equivalent, where it is known.
    pub carbon_kg: Option<f64>,
}

impl Figures {
    /// Those of a plan.
    #[must_use]
    pub fn of(plan: &Plan) -> Self {
        let totals = &plan.totals;
        Self { cost_usd: totals.cost_usd, finish_seconds: totals.finish_seconds, carbon_kg: totals.carbon_kg }
    }

    /// What these are above others.
    #[must_use]
    pub fn above(&self, other: &Self) -> Self {
        Self {
            cost_usd: (self.cost_usd - other.cost_usd).normalize(),
            finish_seconds: milliseconds(self.finish_seconds - other.finish_seconds),
            carbon_kg: self.carbon_kg.zip(other.carbon_kg).map(|(own, other)| own - other),
        }
    }

    /// A difference in words: `12.5 USD more, 3 h earlier`.
    #[must_use]
    pub fn as_difference(&self) -> String {
        let money = match self.cost_usd {
            usd if usd > Decimal::ZERO => format!("{usd} USD more"),
            usd if usd < Decimal::ZERO => format!("{} USD less", -usd),
            _ => "the same cost".to_owned(),
        };
        let time = match self.finish_seconds {
            seconds if seconds > 0.0 => format!("done {} later", Seconds::new(seconds).rounded()),
            seconds if seconds < 0.0 => format!("done {} earlier", Seconds::new(-seconds).rounded()),
            _ => "done at the same time".to_owned(),
        };
        let gas = self.carbon_kg.filter(|kg| kg.abs() >= 1e-3).map(|kg| {
            let word = if kg > 0.0 { "more" } else { "less" };
            format!("{:.3} kg CO2e {word}", kg.abs())
        });
        [Some(money), Some(time), gas].into_iter().flatten().collect::<Vec<_>>().join(", ")
    }
}

/// Removes what a difference of whole milliseconds is off by.
pub(super) fn milliseconds(seconds: f64) -> f64 {
    (seconds * 1000.0).round() / 1000.0
}

/// Where an assignment runs, in words: machines, pool, site, purchase and strategy.
#[must_use]
pub fn placement(assignment: &Assignment) -> String {
    let groups: Vec<String> = assignment.groups.iter().map(machines).collect();
    format!("{}, {}", groups.join(" and "), assignment.strategy)
}

fn machines(group: &Group) -> String {
    let Group { nodes, machine, pool, site, purchase, .. } = group;
    format!("{nodes} × {machine} (`{pool}` of `{site}`), {purchase}")
}
