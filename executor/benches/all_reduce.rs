//! All-reduce over threads beside a plain memory copy of the same bytes.

#![expect(clippy::print_stderr, reason = "a benchmark prints its result")]

use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use executor::transport::{Reduction, Transport, thread_group};

const SIZES: [usize; 2] = [1 << 20, 64 << 20];
const RANKS: [usize; 2] = [2, 4];

/// Time of `runs` all-reduces of `bytes` in each of `ranks` threads, as rank 0 sees it.
fn all_reduce(bytes: usize, ranks: usize, runs: u32) -> Duration {
    let rank = |transport: executor::transport::ThreadTransport| {
        let mut buffer = vec![1.0; bytes / 4];
        let mut reduce = || transport.all_reduce(&mut buffer, Reduction::Sum).expect("no rank leaves");
        reduce();
        let started = Instant::now();
        (0..runs).for_each(|_| reduce());
        started.elapsed()
    };
    std::thread::scope(|scope| {
        let rank = &rank;
        let started: Vec<_> =
            thread_group(ranks).into_iter().map(|transport| scope.spawn(move || rank(transport))).collect();
        let spent = started.into_iter().map(|rank| rank.join().expect("no rank panics"));
        spent.max().unwrap_or_default()
    })
}

/// Time of `runs` copies of `bytes`.
fn copy(bytes: usize, runs: u32) -> Duration {
    let (from, mut to) = (vec![1.0_f32; bytes / 4], vec![0.0_f32; bytes / 4]);
    let mut copy = || std::hint::black_box(&mut to).copy_from_slice(std::hint::black_box(&from));
    copy();
    let started = Instant::now();
    (0..runs).for_each(|_| copy());
    started.elapsed()
}

fn collectives(criterion: &mut Criterion) {
    for bytes in SIZES {
        let mut group = criterion.benchmark_group(format!("{} MiB", bytes >> 20));
        group.throughput(Throughput::Bytes(bytes as u64)).sample_size(20);
        group.bench_function("memory copy", |bencher| bencher.iter_custom(|runs| copy(bytes, runs as u32)));
        for ranks in RANKS {
            group.bench_with_input(BenchmarkId::new("all-reduce", ranks), &ranks, |bencher, &ranks| {
                bencher.iter_custom(|runs| all_reduce(bytes, ranks, runs as u32));
            });
        }
        group.finish();
        for ranks in RANKS {
            ratio(bytes, ranks);
        }
    }
}

/// Prints the rates of both, measured in turns. The rate of an all-reduce is its bus bandwidth,
/// 2 (n − 1) / n · bytes / time (as nccl-tests define it): what every rank has to move.
fn ratio(bytes: usize, ranks: usize) {
    let runs = ((256 << 20) / bytes) as u32;
    let mut pairs: Vec<_> = (0..9).map(|_| (copy(bytes, runs), all_reduce(bytes, ranks, runs))).collect();
    pairs.sort_by(|a, b| (a.0.as_secs_f64() / a.1.as_secs_f64()).total_cmp(&(b.0.as_secs_f64() / b.1.as_secs_f64())));
    let [copied, reduced] = [pairs[4].0, pairs[4].1].map(|time| time.as_secs_f64() / f64::from(runs));
    let moved = 2.0 * (ranks as f64 - 1.0) / ranks as f64;
    let gigabytes = bytes as f64 / 1e9;
    eprintln!(
        "{} MiB, {ranks} ranks: memory copy {:.2} GB/s; all-reduce {:.3} ms, {:.2} GB/s of its buffer, \
         bus bandwidth {:.2} GB/s: {:.2} of the memory copy (buffer alone {:.2})",
        bytes >> 20,
        gigabytes / copied,
        1e3 * reduced,
        gigabytes / reduced,
        moved * gigabytes / reduced,
        moved * copied / reduced,
        copied / reduced
    );
}

criterion_group!(benches, collectives);
criterion_main!(benches);
