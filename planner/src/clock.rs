//! The time that a question may take.

use std::time::{Duration, Instant};

/// Longest time that is told exactly, in seconds: 30 years.
const LONGEST_SECONDS: f64 = 1e9;

/// A time limit that has begun to run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Clock {
    begun: Instant,
    until: Instant,
    /// What the user gave, in seconds.
    seconds: f64,
}

/// The time is over.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[error("no plan was found within {seconds} seconds")]
pub struct OutOfTime {
    /// The time limit.
    pub seconds: f64,
}

impl Clock {
    /// A limit in seconds that begins now.
    #[must_use]
    pub fn new(seconds: f64) -> Self {
        Self { begun: Instant::now(), until: later(seconds), seconds }
    }

    /// The same limit, begun now.
    #[must_use]
    pub fn anew(self) -> Self {
        Self::new(self.seconds)
    }

    /// At most so many seconds of what is left.
    #[must_use]
    pub fn at_most(self, seconds: f64) -> Self {
        Self { until: self.until.min(later(seconds)), ..self }
    }

    /// A share of what is left.
    #[must_use]
    pub fn share(self, share: f64) -> Self {
        self.at_most(self.left() * share)
    }

    /// Seconds since it began.
    #[must_use]
    pub fn spent(self) -> f64 {
        self.begun.elapsed().as_secs_f64()
    }

    /// Seconds that are left.
    #[must_use]
    pub fn left(self) -> f64 {
        self.until.saturating_duration_since(Instant::now()).as_secs_f64()
    }

    /// Whether no time is left.
    #[must_use]
    pub fn is_over(self) -> bool {
        Instant::now() >= self.until
    }

    /// That time is left.
    ///
    /// # Errors
    /// None is.
    pub fn check(self) -> Result<(), OutOfTime> {
        if self.is_over() { Err(self.out_of_time()) } else { Ok(()) }
    }

    /// What is said when the time is over.
    #[must_use]
    pub const fn out_of_time(self) -> OutOfTime {
        OutOfTime { seconds: self.seconds }
    }
}

fn later(seconds: f64) -> Instant {
    Instant::now() + Duration::from_secs_f64(seconds.clamp(0.0, LONGEST_SECONDS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_no_longer_than_what_is_left() {
        let check = |given: f64, part: fn(Clock) -> Clock, most: f64| {
            let left = part(Clock::new(given)).left();
            assert!(left <= most && left >= most - 1.0, "{left} of {given}");
        };
        check(100.0, |clock| clock.share(0.2), 20.0);
        check(100.0, |clock| clock.at_most(30.0), 30.0);
        check(100.0, |clock| clock.at_most(300.0), 100.0);
        check(100.0, |clock| clock.at_most(3.0).anew(), 100.0);
        check(f64::INFINITY, |clock| clock, LONGEST_SECONDS);
        check(-1.0, |clock| clock, 0.0);
    }

    #[test]
    fn what_is_over_says_the_limit_that_was_given() {
        assert_eq!(Clock::new(0.0).check(), Err(OutOfTime { seconds: 0.0 }));
        assert_eq!(Clock::new(100.0).at_most(0.0).check(), Err(OutOfTime { seconds: 100.0 }));
        assert_eq!(Clock::new(100.0).check(), Ok(()));
    }
}
