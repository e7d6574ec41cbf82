//! Times of steps after warm-up.

use std::time::Instant;

use scenarios::units::Interval;

/// Readings before the timing counts.
const WARM_UP_READINGS: usize = 10;

/// Times between readings of a device's figures; a reading covers one or more steps.
#[derive(Debug)]
pub struct Timing {
    last: Instant,
    readings: usize,
    step_seconds: Vec<f64>,
    steps: u64,
    seconds: f64,
}

impl Timing {
    pub fn start() -> Self {
        Self { last: Instant::now(), readings: 0, step_seconds: Vec::new(), steps: 0, seconds: 0.0 }
    }

    /// Leaves out the time since the last reading, which was spent on something else.
    pub fn skip(&mut self) {
        self.last = Instant::now();
    }

    /// Ends a reading of `steps` steps and returns its seconds.
    pub fn read(&mut self, steps: usize) -> f64 {
        let now = Instant::now();
        let seconds = (now - self.last).as_secs_f64();
        self.last = now;
        self.readings += 1;
        if self.readings > WARM_UP_READINGS && steps > 0 {
            self.step_seconds.push(seconds / steps as f64);
            self.steps += steps as u64;
            self.seconds += seconds;
        }
        seconds
    }

    /// Steps that count.
    pub const fn steps(&self) -> u64 {
        self.steps
    }

    /// Time of one step; none if nothing was timed.
    pub fn step_seconds(&self) -> Option<Interval> {
        Interval::of(&self.step_seconds)
    }

    /// Steps per second.
    pub fn steps_per_second(&self) -> f64 {
        if self.seconds > 0.0 { self.steps as f64 / self.seconds } else { 0.0 }
    }
}
