//! A plan over the whole catalogue, within the gap that is asked for.

mod whole_catalog;

use planner::candidates::World;
use planner::planning::{Options, plan};
use scenarios::catalog::Catalog;
use scenarios::plan::SolverStatus;
use whole_catalog::Scale;

#[test]
fn fifty_workloads_over_the_whole_catalogue_are_placed() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let loaded = whole_catalog::loaded(folder.path(), Scale { workloads: 50, sites: usize::MAX, days: 60 });
    let pools: usize = loaded.scenario.sites.values().map(|site| site.pools.len()).sum();
    assert!(
        pools > 3500 && loaded.scenario.sites.len() > 150,
        "{pools} pools at {} sites",
        loaded.scenario.sites.len()
    );
    let options = Options { gap: Some(0.01), ..Options::default() };
    let plan = plan(World { loaded: &loaded, catalog: Catalog::bundled() }, &options).expect("a plan");
    assert_eq!(plan.solver.status, SolverStatus::Optimal);
    assert_eq!(plan.assignments.len(), 50);
    assert!(plan.solver.gap <= 0.01, "{:?}", plan.solver);
}
