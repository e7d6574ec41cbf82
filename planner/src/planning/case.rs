//! A scenario made ready to be solved, once or several times.

use std::rc::Rc;

use scenarios::plan::Plan;

use super::{Decision, Options};
use crate::candidates::{Candidates, Column, Network, Replica, World, enumerate, prune};
use crate::clock::{Clock, OutOfTime};
use crate::placement::{Limits, Offers, Problem, Solution, Unsolved, solve};

/// Placements of a scenario with the problem of choosing among them.
#[derive(Debug)]
pub(crate) struct Case<'a> {
    pub world: World<'a>,
    pub network: Rc<Network<'a>>,
    pub candidates: Candidates,
    pub problem: Problem,
}

impl<'a> Case<'a> {
    /// Lists the placements that the options leave, and prunes them.
    ///
    /// # Errors
    /// They are too many for the time.
    pub(crate) fn new(world: World<'a>, options: &Options, clock: Clock) -> Result<Self, OutOfTime> {
        let network = Rc::new(Network::new(world));
        let mut all = enumerate(&world, &network, &options.held, clock)?;
        let held = |workload: &str| options.held_to.get(workload);
        retain(
            &mut all,
            |workload, column| held(workload).is_none_or(|pattern| pattern.covers_column(&world, column)),
            |workload, replica| held(workload).is_none_or(|pattern| pattern.covers(&world, replica.group.place)),
        );
        Self::among(world, network, all, clock)
    }

    fn among(world: World<'a>, network: Rc<Network<'a>>, all: Candidates, clock: Clock) -> Result<Self, OutOfTime> {
        let candidates = prune(&world, &network, all, clock)?;
        let problem = Problem::of(&world, &network, &Offers::with(&candidates, |_| false));
        Ok(Self { world, network, candidates, problem })
    }

    /// The same case with fewer placements. What dominated them before may be gone, so all are pruned anew.
    ///
    /// # Errors
    /// They are too many for the time.
    pub(crate) fn filtered(
        &self,
        column: impl Fn(&str, &Column) -> bool,
        replica: impl Fn(&str, &Replica) -> bool,
        clock: Clock,
    ) -> Result<Self, OutOfTime> {
        let mut all = self.candidates.clone();
        for workload in &mut all.workloads {
            let dominated = std::mem::take(&mut workload.dominated);
            workload.columns.extend(dominated.into_iter().map(|dominated| dominated.column));
        }
        retain(&mut all, column, replica);
        Self::among(self.world, Rc::clone(&self.network), all, clock)
    }

    /// The best choice.
    ///
    /// # Errors
    /// As [`solve`].
    pub(crate) fn solve(&self, limits: Limits) -> Result<Solution, Unsolved> {
        solve(&self.problem, limits)
    }

    /// The choice with everything that it was made from.
    pub(crate) fn decision<'b>(&'b self, solution: &'b Solution) -> Decision<'b> {
        Decision {
            world: self.world,
            network: &self.network,
            candidates: &self.candidates,
            problem: &self.problem,
            solution,
        }
    }

    /// The plan but for its explanation.
    pub(crate) fn plan(&self, solution: &Solution) -> Plan {
        self.decision(solution).plan()
    }

    /// All placements that were considered, refused ones included: the size of the case.
    pub(crate) fn size(&self) -> usize {
        let of = |workload: &crate::candidates::WorkloadCandidates| {
            let replicas = workload.service.as_ref().map_or(0, |service| service.replicas.len());
            workload.columns.len() + workload.dominated.len() + workload.refused.len() + replicas
        };
        self.candidates.workloads.iter().map(of).sum()
    }
}

fn retain(
    candidates: &mut Candidates,
    column: impl Fn(&str, &Column) -> bool,
    replica: impl Fn(&str, &Replica) -> bool,
) {
    for workload in &mut candidates.workloads {
        let name = &workload.workload;
        workload.columns.retain(|kept| column(name, kept));
        if let Some(service) = &mut workload.service {
            service.replicas.retain(|kept| replica(name, kept));
        }
    }
}
