//! Units of the program: what is large becomes a thousand, for the solver's tolerances.

use scenarios::scenario::Objective;

use super::problem::{Choice, Copy, Problem, Worth, float};

/// More than any amount of data on a meter, in its unit.
pub(super) const MOST_BYTES: f64 = 2000.0;

/// Units in which the largest time, sum of money, of greenhouse gas and of data on each meter are 1000.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Scale {
    pub seconds: f64,
    pub usd: f64,
    pub carbon: f64,
    /// By meter.
    pub bytes: Vec<f64>,
    /// Of the problem's objective, where it mixes the others.
    mixed: f64,
}

impl Scale {
    pub(super) fn of(problem: &Problem) -> Self {
        let worth = Worth::of(problem.objective);
        let jobs: f64 = problem.jobs.iter().map(|job| most(&job.choices, |choice| money(problem, choice))).sum();
        let copies = most(&problem.copies, |copy| movement(problem, copy)) * problem.jobs.len() as f64;
        let flows = problem.flows.iter().map(|flow| most(flow.pairs.values().flatten(), |way| movement(problem, way)));
        let usd = unit(jobs + copies + flows.sum::<f64>() + services(problem));
        let carbon = unit(problem.jobs.iter().map(|job| most(&job.choices, |choice| choice.carbon)).sum());
        let seconds = unit(problem.longest_schedule());
        Self {
            mixed: (worth.usd.max(worth.preference) * usd).max(worth.seconds * seconds).max(worth.carbon * carbon),
            bytes: (0..problem.meters.len()).map(|meter| unit(bytes(problem, meter))).collect(),
            seconds,
            usd,
            carbon,
        }
    }

    /// Value of one in the program's objective, in the objective's own unit.
    pub(super) fn of_objective(&self, objective: Objective) -> f64 {
        match objective {
            Objective::Cost => self.usd,
            Objective::FinishTime => self.seconds,
            Objective::Carbon => self.carbon,
            Objective::Weighted(_) => self.mixed,
        }
    }
}

fn unit(largest: f64) -> f64 {
    if largest > 0.0 && largest.is_finite() { largest / 1000.0 } else { 1.0 }
}

fn most<'a, T: 'a>(all: impl IntoIterator<Item = &'a T>, of: impl Fn(&T) -> f64) -> f64 {
    all.into_iter().map(of).fold(0.0, f64::max)
}

fn metered(problem: &Problem, charges: &[(usize, u64)]) -> f64 {
    charges.iter().map(|(meter, bytes)| float(problem.meters[*meter].highest()) * *bytes as f64 / 1e9).sum()
}

fn money(problem: &Problem, choice: &Choice) -> f64 {
    float(choice.usd + choice.preference) + metered(problem, &choice.charges)
}

fn movement(problem: &Problem, way: &Copy) -> f64 {
    float(way.usd + way.preference) + metered(problem, &way.charges)
}

/// What services cost if each is answered by its dearest kind alone.
fn services(problem: &Problem) -> f64 {
    let of = |service: &super::problem::Service| {
        most(&service.replicas, |replica| {
            let needed = f64::from(service.most_replicas(Some(&problem.pools), replica));
            float(replica.usd + replica.preference) * needed
        })
    };
    problem.services.iter().map(of).sum()
}

fn bytes(problem: &Problem, meter: usize) -> f64 {
    let on = |charges: &[(usize, u64)]| -> f64 {
        charges.iter().filter(|(on, _)| *on == meter).map(|(_, bytes)| *bytes as f64).sum()
    };
    let jobs: f64 = problem.jobs.iter().map(|job| most(&job.choices, |choice| on(&choice.charges))).sum();
    let flows: f64 = problem.flows.iter().map(|flow| most(flow.pairs.values().flatten(), |way| on(&way.charges))).sum();
    jobs + flows + problem.copies.iter().map(|copy| on(&copy.charges)).sum::<f64>()
}
