//! Servers that hold the parameters: workers send gradients and fetch parameters.

/// Workers and servers of one training.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ParameterServer<'a> {
    /// Time of a step of each worker, from parameters to gradients, in seconds.
    pub worker_seconds: &'a [f64],
    /// Servers, each with an equal share of the parameters.
    pub servers: u32,
    /// Bytes of all gradients, and of all parameters.
    pub bytes: f64,
    /// Link of a worker in one direction, bytes per second.
    pub worker_bytes_per_second: f64,
    /// Link of a server in one direction, bytes per second.
    pub server_bytes_per_second: f64,
}

/// Workers that don't wait for each other.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Asynchronous {
    /// Updates per second of all workers together.
    pub updates_per_second: f64,
    /// Updates by others between a worker's fetch of parameters and its own update, on average.
    pub staleness: f64,
    /// Whether the servers' links limit the rate.
    pub server_bound: bool,
}

/// Why a training with servers cannot be timed.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum ParameterServerError {
    /// No worker or no server.
    #[error("parameter servers need workers and servers, not {workers} and {servers}")]
    Counts {
        /// Workers.
        workers: usize,
        /// Servers.
        servers: u32,
    },
    /// A figure is negative, zero where it must not be, or no number.
    #[error("{what} is {value}")]
    Value {
        /// Which.
        what: &'static str,
        /// The figure.
        value: f64,
    },
}

impl ParameterServer<'_> {
    /// Gradients to the servers and parameters back when all n workers do so at once, in seconds:
    /// max(2S/B_worker, 2nS/(k·B_server)).
    ///
    /// # Errors
    /// No workers or servers, or a figure that is none.
    pub fn exchange_seconds(&self) -> Result<f64, ParameterServerError> {
        self.check()?;
        Ok(self.alone_seconds().max(self.worker_seconds.len() as f64 * self.server_seconds()))
    }

    /// One synchronous step, in seconds: the slowest worker, then the exchange.
    ///
    /// # Errors
    /// As for [`Self::exchange_seconds`].
    pub fn step_seconds(&self) -> Result<f64, ParameterServerError> {
        let slowest = self.worker_seconds.iter().copied().fold(0.0, f64::max);
        Ok(slowest + self.exchange_seconds()?)
    }

    /// Workers that run at most `most_staleness` updates of their own ahead of the slowest (stale synchronous
    /// parallel, Ho et al. 2013); `None` for no bound.
    ///
    /// Over a long time a bound keeps every worker at the slowest one's rate, whatever its size; without one the rate is
    /// the sum of all. Both are capped by the servers' k·B_server/(2S). While a worker makes one update, the others make
    /// the rest: its staleness is the total rate over its own, less one, on average over updates n − 1. A bound limits
    /// the worst, not that mean; a bound of 0 is the synchronous step, whose n updates count as one and lag by none.
    ///
    /// # Errors
    /// As for [`Self::exchange_seconds`].
    pub fn asynchronous(&self, most_staleness: Option<u32>) -> Result<Asynchronous, ParameterServerError> {
        self.check()?;
        let workers = self.worker_seconds.len() as f64;
        let cycles = self.worker_seconds.iter().map(|seconds| seconds + self.alone_seconds());
        let (free, staleness) = match most_staleness {
            None => (cycles.map(|cycle| 1.0 / cycle).sum::<f64>(), workers - 1.0),
            Some(0) => (workers / self.step_seconds()?, 0.0),
            Some(_) => (workers / cycles.fold(0.0, f64::max), workers - 1.0),
        };
        let capacity = 1.0 / self.server_seconds();
        let updates_per_second = free.min(capacity);
        if !updates_per_second.is_finite() {
            return Err(ParameterServerError::Value { what: "the rate of updates", value: updates_per_second });
        }
        Ok(Asynchronous { updates_per_second, staleness, server_bound: free > capacity })
    }

    /// Exchange of a worker that meets no other, in seconds.
    fn alone_seconds(&self) -> f64 {
        (2.0 * self.bytes / self.worker_bytes_per_second).max(self.server_seconds())
    }

    /// What one exchange takes of the servers, in seconds.
    fn server_seconds(&self) -> f64 {
        2.0 * self.bytes / (f64::from(self.servers) * self.server_bytes_per_second)
    }

    fn check(&self) -> Result<(), ParameterServerError> {
        let (workers, servers) = (self.worker_seconds.len(), self.servers);
        if workers == 0 || servers == 0 {
            return Err(ParameterServerError::Counts { workers, servers });
        }
        let bandwidths = [
            ("the bandwidth of a worker", self.worker_bytes_per_second),
            ("the bandwidth of a server", self.server_bytes_per_second),
        ];
        let wrong = bandwidths.into_iter().find(|(_, value)| value.is_nan() || *value <= 0.0);
        let times = self.worker_seconds.iter().map(|seconds| ("the step of a worker", *seconds));
        let figures = times.chain([("the size of the parameters", self.bytes)]);
        let wrong = wrong.or_else(|| figures.into_iter().find(|(_, value)| !(0.0..f64::INFINITY).contains(value)));
        wrong.map_or(Ok(()), |(what, value)| Err(ParameterServerError::Value { what, value }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZES: ParameterServer<'static> = ParameterServer {
        worker_seconds: &[1.0, 1.0, 1.0, 3.0],
        servers: 1,
        bytes: 5.0,
        worker_bytes_per_second: 10.0,
        server_bytes_per_second: 10.0,
    };

    #[test]
    fn more_servers_help_until_the_workers_links_are_full() {
        let check = |servers: u32, exchange: f64| {
            let group = ParameterServer { servers, ..SIZES };
            assert_eq!((group.exchange_seconds(), group.step_seconds()), (Ok(exchange), Ok(3.0 + exchange)));
        };
        check(1, 4.0);
        check(2, 2.0);
        check(4, 1.0);
        check(8, 1.0);
    }

    #[test]
    fn workers_that_do_not_wait_add_up_until_the_servers_are_full() {
        let check = |servers: u32, bound: Option<u32>, rate: f64, staleness: f64, server_bound: bool| {
            let found = ParameterServer { servers, ..SIZES }.asynchronous(bound).expect("it is valid");
            assert!((found.updates_per_second - rate).abs() < 1e-12, "{servers} {bound:?}: {found:?}");
            assert_eq!((found.server_bound, found.staleness), (server_bound, staleness));
        };
        check(1, None, 1.0, 3.0, true);
        check(4, None, 3.0 / 2.0 + 1.0 / 4.0, 3.0, false);
        check(4, Some(2), 1.0, 3.0, false);
        // The slowest worker's 3 s, then all four at once.
        check(4, Some(0), 1.0, 0.0, false);
        check(2, Some(0), 0.8, 0.0, false);
    }

    #[test]
    fn what_cannot_be_timed_is_refused() {
        let check = |group: ParameterServer<'_>, expected: &str| {
            assert_eq!(group.step_seconds().map_err(|error| error.to_string()), Err(expected.to_owned()));
        };
        check(ParameterServer { servers: 0, ..SIZES }, "parameter servers need workers and servers, not 4 and 0");
        check(ParameterServer { worker_seconds: &[f64::NAN], ..SIZES }, "the step of a worker is NaN");
        check(ParameterServer { server_bytes_per_second: 0.0, ..SIZES }, "the bandwidth of a server is 0");
        let nothing = ParameterServer { worker_seconds: &[0.0], bytes: 0.0, ..SIZES };
        assert!(nothing.asynchronous(None).is_err());
    }
}
