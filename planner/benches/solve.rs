//! Time from a loaded scenario to a verified plan.

use std::hint::black_box;
use std::path::Path;

use criterion::{Criterion, criterion_group, criterion_main};
use planner::candidates::World;
use planner::planning::{Options, plan};
use scenarios::catalog::Catalog;
use scenarios::scenario::{Loaded, load};

#[path = "../tests/whole_catalog/mod.rs"]
mod whole_catalog;

#[path = "../tests/hospital/mod.rs"]
mod hospital;

use whole_catalog::Scale;

fn solve(loaded: &Loaded) {
    solve_within(loaded, 0.0);
}

fn solve_within(loaded: &Loaded, gap: f64) {
    let options = Options { gap: Some(gap), ..Options::default() };
    let plan = plan(World { loaded, catalog: Catalog::bundled() }, &options);
    black_box(plan.expect("the scenario has a plan"));
}

fn bundled(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let hospital = hospital::loaded(folder.path(), |text| text);
    criterion.bench_function("solve mnist-hospital", |bencher| bencher.iter(|| solve(&hospital)));
    let library = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios/library/mnist-public.yaml");
    let public = load(&library, None, Catalog::bundled()).expect("the bundled scenario is valid");
    criterion.bench_function("solve mnist-public", |bencher| bencher.iter(|| solve(&public)));
}

fn scales(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut group = criterion.benchmark_group("solve");
    group.sample_size(10);
    let whole = usize::MAX;
    for (workloads, sites) in [(10, 20), (50, 20), (10, whole), (50, whole)] {
        let loaded = whole_catalog::loaded(folder.path(), Scale { workloads, sites, days: 60 });
        let sites = loaded.scenario.sites.len();
        let gap = if workloads == 10 { 0.0 } else { 0.01 };
        let name = format!("{workloads} workloads, {sites} sites, gap {gap}");
        group.bench_function(name, |bencher| bencher.iter(|| solve_within(&loaded, gap)));
    }
    group.finish();
}

criterion_group!(benches, bundled, scales);
criterion_main!(benches);
