//! A plan over the whole catalogue, to proven optimality in seconds.

mod whole_catalog;

use planner::candidates::World;
use planner::planning::{Options, plan};
use scenarios::catalog::Catalog;
use scenarios::plan::SolverStatus;

#[test]
fn twenty_workloads_over_the_whole_catalogue_are_placed_optimally() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let loaded = whole_catalog::loaded(folder.path());
    let pools: usize = loaded.scenario.sites.values().map(|site| site.pools.len()).sum();
    assert!(pools > 3500, "{pools} pools");
    let plan = plan(World { loaded: &loaded, catalog: Catalog::bundled() }, &Options::default()).expect("a plan");
    assert_eq!(plan.solver.status, SolverStatus::Optimal);
    assert_eq!(plan.assignments.len(), 20);
    assert!(plan.solver.gap <= 1e-6, "{:?}", plan.solver);
}
