//! All-reduce between threads.

use scenarios::machine::{Collective, TransportMeasurement};
use scenarios::units::Interval;

use super::{probe, ranks::in_ranks};
use crate::device::Devices;
use crate::transport::{Reduction, Transport as _};

/// Bytes in each rank.
const BYTES: [usize; 6] = [1 << 10, 1 << 14, 1 << 17, 1 << 20, 1 << 23, 1 << 26];

/// Runs of each size.
const RUNS: usize = 15;

/// Measures collectives of `ranks` threads.
pub fn measure(ranks: u32) -> Vec<TransportMeasurement> {
    let measured = BYTES.iter().filter_map(|&bytes| {
        // The ranks agree on the number of runs, so that none waits for a run that another leaves out.
        let seconds = in_ranks(&Devices::cpu(), ranks, |_, transport| {
            let mut buffer = vec![1.0; bytes / 4];
            let runs = (0..RUNS + 3).map(|_| {
                let together = transport.barrier();
                let seconds = probe::time(|| drop(transport.all_reduce(&mut buffer, Reduction::Sum))).as_secs_f64();
                buffer.fill(1.0);
                together.map(|()| seconds)
            });
            runs.skip(3).filter_map(Result::ok).collect()
        });
        Some(TransportMeasurement {
            transport: "threads".to_owned(),
            collective: Collective::AllReduce,
            ranks,
            bytes: bytes as u64,
            seconds: Interval::of(&seconds)?,
            samples: seconds.len() as u32,
        })
    });
    measured.collect()
}
