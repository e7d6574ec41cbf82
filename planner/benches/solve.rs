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

fn solve(loaded: &Loaded) {
    let plan = plan(World { loaded, catalog: Catalog::bundled() }, &Options::default());
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

fn whole_catalogue(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let loaded = whole_catalog::loaded(folder.path());
    let mut group = criterion.benchmark_group("solve whole catalogue");
    group.sample_size(10);
    group.bench_function("20 workloads", |bencher| bencher.iter(|| solve(&loaded)));
    group.finish();
}

criterion_group!(benches, bundled, whole_catalogue);
criterion_main!(benches);
