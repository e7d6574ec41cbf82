//! Replicas that train on their own and take the mean of their parameters now and then (local SGD, Stich 2019): the
//! form for slow links between sites.

/// Means of parameters over replicas.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Averaging {
    /// Replicas.
    pub replicas: u32,
    /// Steps between two means.
    pub every_steps: u32,
    /// Bytes that a replica sends: parameters, after compression.
    pub bytes: f64,
    /// Slowest link between replicas in one direction, bytes per second.
    pub bytes_per_second: f64,
    /// A message's way over that link, in seconds.
    pub latency_seconds: f64,
}

/// Why a mean cannot be timed.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum AveragingError {
    /// Nothing to take a mean of, or never.
    #[error("a mean needs replicas and steps, not {replicas} and {every_steps}")]
    Counts {
        /// Replicas.
        replicas: u32,
        /// Steps between two means.
        every_steps: u32,
    },
    /// A figure is negative or no number, or the link carries nothing.
    #[error("{what} is {value}")]
    Value {
        /// Which.
        what: &'static str,
        /// The figure.
        value: f64,
    },
}

impl Averaging {
    /// Time of one mean in seconds, as a ring over the slow link: 2(n − 1)·(α + S'/(n·B)).
    ///
    /// # Errors
    /// No replicas, no steps, or a figure that is none.
    pub fn mean_seconds(&self) -> Result<f64, AveragingError> {
        let Self { replicas, every_steps, .. } = *self;
        if replicas == 0 || every_steps == 0 {
            return Err(AveragingError::Counts { replicas, every_steps });
        }
        let figures = [("the size of the parameters", self.bytes), ("the link's latency", self.latency_seconds)];
        for (what, value) in figures {
            if !(0.0..f64::INFINITY).contains(&value) {
                return Err(AveragingError::Value { what, value });
            }
        }
        if self.bytes_per_second.is_nan() || self.bytes_per_second <= 0.0 {
            return Err(AveragingError::Value { what: "the link's bandwidth", value: self.bytes_per_second });
        }
        let n = f64::from(replicas);
        Ok(2.0 * (n - 1.0) * (self.latency_seconds + self.bytes / (n * self.bytes_per_second)))
    }

    /// What means add to a step on average, in seconds: 2S'(n − 1)/(n·B·H) and latency.
    ///
    /// # Errors
    /// As for [`Self::mean_seconds`].
    pub fn seconds_per_step(&self) -> Result<f64, AveragingError> {
        Ok(self.mean_seconds()? / f64::from(self.every_steps))
    }

    /// Bytes that leave one replica for each step, which egress is charged for: 2S'(n − 1)/(n·H).
    ///
    /// # Errors
    /// As for [`Self::mean_seconds`].
    pub fn bytes_per_step(&self) -> Result<f64, AveragingError> {
        self.mean_seconds()?;
        let n = f64::from(self.replicas);
        Ok(2.0 * (n - 1.0) / n * self.bytes / f64::from(self.every_steps))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rarer_means_cost_less() {
        let check = |replicas: u32, every_steps: u32, seconds: f64, bytes: f64| {
            let averaging =
                Averaging { replicas, every_steps, bytes: 1000.0, bytes_per_second: 10.0, latency_seconds: 0.5 };
            let found = (averaging.seconds_per_step(), averaging.bytes_per_step());
            assert_eq!(found, (Ok(seconds), Ok(bytes)), "{replicas} {every_steps}");
        };
        check(1, 10, 0.0, 0.0);
        check(2, 1, 101.0, 1000.0);
        check(2, 10, 10.1, 100.0);
        check(4, 10, 15.3, 150.0);
    }

    #[test]
    fn what_cannot_be_timed_is_refused() {
        let good = Averaging { replicas: 2, every_steps: 1, bytes: 1.0, bytes_per_second: 1.0, latency_seconds: 0.0 };
        let check = |averaging: Averaging, expected: &str| {
            assert_eq!(averaging.seconds_per_step().map_err(|error| error.to_string()), Err(expected.to_owned()));
        };
        check(Averaging { every_steps: 0, ..good }, "a mean needs replicas and steps, not 2 and 0");
        check(Averaging { bytes: -1.0, ..good }, "the size of the parameters is -1");
        check(Averaging { bytes_per_second: f64::NAN, ..good }, "the link's bandwidth is NaN");
    }
}
