//! Times of steps after warm-up, and how fast the device is meanwhile.

use std::time::{Duration, Instant};

use burn::tensor::Device;
use scenarios::units::Interval;

use crate::device::Reference;

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

/// Looks of the first second; later ones are ten times as far apart.
const FIRST_LOOKS: usize = 10;

/// Time between the first looks.
const BETWEEN_LOOKS: Duration = Duration::from_millis(100);

/// How fast a device is between steps, by the reference work.
#[derive(Debug)]
pub struct Speed {
    reference: Reference,
    last: Instant,
    /// Seconds of the work at every look.
    pub seconds: Vec<f64>,
}

impl Speed {
    pub fn new(device: &Device) -> Self {
        Self { reference: Reference::new(device), last: Instant::now(), seconds: Vec::new() }
    }

    pub fn is_time_to_look(&self) -> bool {
        let times = if self.seconds.len() < FIRST_LOOKS { 1 } else { 10 };
        self.last.elapsed() >= times * BETWEEN_LOOKS
    }

    pub fn look(&mut self) {
        self.seconds.push(self.reference.seconds());
        self.last = Instant::now();
    }
}
