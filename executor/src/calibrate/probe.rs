//! What an operation takes: its time, known from several runs, and its memory.

use std::time::{Duration, Instant};

use burn::tensor::Device;

use crate::device::{self, memory::Meter};

/// Runs that are not counted.
const WARM_UP: u32 = 2;

/// Fewest and most runs that are counted.
const RUNS: std::ops::RangeInclusive<usize> = 4..=150;

/// Time after which enough runs were made, if they are the fewest.
const ENOUGH: Duration = Duration::from_millis(20);

/// Seconds of each run of `work`, which says how long it took.
pub fn repeat(mut work: impl FnMut() -> Duration) -> Vec<f64> {
    for _ in 0..WARM_UP {
        work();
    }
    let started = Instant::now();
    let mut seconds = Vec::new();
    while seconds.len() < *RUNS.end() && (seconds.len() < *RUNS.start() || started.elapsed() < ENOUGH) {
        seconds.push(work().as_secs_f64());
    }
    seconds
}

/// Time of `work`.
pub fn time(work: impl FnOnce()) -> Duration {
    let started = Instant::now();
    work();
    started.elapsed()
}

/// What some work takes.
#[derive(Debug, Clone, Copy, Default)]
pub struct Spent {
    /// Time until a device has done it.
    pub time: Duration,
    /// Bytes that are held behind it, and that were held at most, beside those that were held before.
    pub kept: u64,
    pub peak: u64,
}

/// What work takes.
pub fn spent(device: &Device, meter: &Meter, work: impl FnOnce()) -> Spent {
    device::wait(device);
    meter.restart();
    let before = meter.held();
    let time = device::waited(device, work);
    Spent { time, kept: meter.held().saturating_sub(before), peak: meter.peak().saturating_sub(before) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_counted_between_their_limits() {
        let mut runs = 0;
        let seconds = repeat(|| {
            runs += 1;
            Duration::from_secs(1)
        });
        assert_eq!(seconds.len(), *RUNS.end());
        assert_eq!(runs, seconds.len() as u32 + WARM_UP);
        assert_eq!(repeat(|| time(|| std::thread::sleep(Duration::from_millis(7)))).len(), *RUNS.start());
    }
}
