//! What parts of a plan count in the objective, metered data at the lowest price that it may have.

use super::problem::{Choice, Copy, Problem, Worth, float};

/// Values of single parts, each at most what it counts in a plan.
#[derive(Debug)]
pub(super) struct Value {
    worth: Worth,
    /// Lowest price of a byte, by meter.
    metered: Vec<f64>,
}

impl Value {
    /// By the problem's own objective.
    pub(super) fn of(problem: &Problem) -> Self {
        Self::with(problem, Worth::of(problem.objective))
    }

    /// In dollars of cost.
    pub(super) fn in_usd(problem: &Problem) -> Self {
        Self::with(problem, Worth { usd: 1.0, seconds: 0.0, carbon: 0.0, preference: 0.0 })
    }

    fn with(problem: &Problem, worth: Worth) -> Self {
        Self { worth, metered: problem.meters.iter().map(|meter| float(meter.lowest()) / 1e9).collect() }
    }

    fn charges(&self, charges: &[(usize, u64)]) -> f64 {
        charges.iter().map(|(meter, bytes)| self.metered[*meter] * *bytes as f64).sum()
    }

    pub(super) fn of_choice(&self, choice: &Choice) -> f64 {
        let usd = float(choice.usd) + self.charges(&choice.charges);
        self.worth.usd * usd + self.worth.preference * float(choice.preference) + self.worth.carbon * choice.carbon
    }

    pub(super) fn of_copy(&self, copy: &Copy) -> f64 {
        let usd = float(copy.usd) + self.charges(&copy.charges);
        self.worth.usd * usd + self.worth.preference * float(copy.preference)
    }

    /// What an end counts at least: the whole plan ends no earlier.
    pub(super) fn of_end(&self, seconds: f64) -> f64 {
        self.worth.seconds * seconds
    }
}
