//! Time to place layers on unequal machines, with the proof.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use planner::layers::{Class, Fleet, place};

/// Tokens a second with 1, 2, … layers, falling as measured rates of large networks do.
fn class(count: usize, one_layer: f64, most_layers: u32) -> Class {
    let rate = |layers: u32| one_layer / f64::from(layers).powf(1.2);
    Class { count, tokens_per_second: (1..=most_layers).map(rate).collect() }
}

fn layers(criterion: &mut Criterion) {
    let mixed = vec![class(4, 23_000.0, 12), class(8, 7_500.0, 7), class(12, 5_700.0, 4)];
    let large = vec![class(40, 23_000.0, 12), class(80, 7_500.0, 7), class(120, 5_700.0, 4), class(60, 9_000.0, 8)];
    for (name, classes) in [("24 machines of 3 classes", mixed), ("300 machines of 4 classes", large)] {
        let fleet = Fleet::new(80, classes).expect("a fleet");
        let mut group = criterion.benchmark_group("layers");
        group.sample_size(10);
        group.bench_function(name, |bencher| bencher.iter(|| black_box(place(&fleet).expect("a placement"))));
        group.finish();
    }
}

criterion_group!(benches, layers);
criterion_main!(benches);
