//! What ranks as threads exchange.

use scenarios::machine::{Collective, TransportMeasurement};
use scenarios::units::Interval;

use super::{probe, ranks::in_ranks};
use crate::device::Devices;
use crate::transport::{Reduction, ThreadTransport, Transport as _, TransportError};

/// Bytes in each rank.
const BYTES: [usize; 6] = [1 << 10, 1 << 14, 1 << 17, 1 << 20, 1 << 23, 1 << 25];

/// Runs of each size, and those before that are not counted.
const RUNS: usize = 15;
const WARM_UP: usize = 3;

/// Measures what `ranks` threads exchange.
pub fn measure(ranks: u32) -> Vec<TransportMeasurement> {
    let all = [Collective::AllReduce, Collective::ReduceScatter, Collective::AllGather, Collective::Message];
    let cases = all.into_iter().flat_map(|collective| BYTES.map(|bytes| (collective, bytes)));
    let measured = cases.filter_map(|(collective, bytes)| {
        // The ranks agree on the number of runs, so that none waits for a run that another leaves out.
        let seconds = in_ranks(&Devices::cpu(), ranks, |_, transport| {
            let runs = (0..WARM_UP + RUNS).map(|_| once(transport, collective, bytes));
            runs.skip(WARM_UP).filter_map(Result::ok).collect()
        });
        Some(TransportMeasurement {
            transport: "threads".to_owned(),
            collective,
            ranks,
            bytes: bytes as u64,
            seconds: Interval::of(&seconds)?,
            samples: seconds.len() as u32,
        })
    });
    measured.collect()
}

/// Seconds of one exchange.
fn once(transport: &ThreadTransport, collective: Collective, bytes: usize) -> Result<f64, TransportError> {
    let values = bytes / 4;
    let mut buffer = match collective {
        Collective::AllGather => vec![1.0; values / transport.size()],
        _ => vec![1.0; values],
    };
    transport.barrier()?;
    let mut done = Ok(());
    let seconds = probe::time(|| {
        done = match collective {
            Collective::AllReduce => transport.all_reduce(&mut buffer, Reduction::Sum),
            Collective::ReduceScatter => transport.reduce_scatter(&mut buffer),
            Collective::AllGather => transport.all_gather(std::mem::take(&mut buffer)).map(drop),
            Collective::Message => message(transport, std::mem::take(&mut buffer)),
        };
    });
    // There and back are two messages.
    let share = if collective == Collective::Message { 0.5 } else { 1.0 };
    done.map(|()| share * seconds.as_secs_f64())
}

/// From every even rank to the next one and back; the last one of an odd number only waits.
fn message(transport: &ThreadTransport, values: Vec<f32>) -> Result<(), TransportError> {
    let (rank, size) = (transport.rank(), transport.size());
    match rank % 2 {
        0 if rank + 1 < size => {
            transport.send(rank + 1, 0, values)?;
            transport.receive(rank + 1, 0).map(drop)
        }
        0 => Ok(()),
        _ => {
            let values = transport.receive(rank - 1, 0)?;
            transport.send(rank - 1, 0, values)
        }
    }
}
