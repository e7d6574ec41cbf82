//! Steps that wait for their records: storage that is too slow, or processor cores that prepare them.

/// What a step needs of its input.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Input {
    /// Records of one step.
    pub records: f64,
    /// Size of a record where it is stored, in bytes.
    pub bytes_per_record: f64,
    /// Bandwidth of the storage for all readers of the job, bytes per second.
    pub storage_bytes_per_second: f64,
    /// Bandwidth after the first epoch, when records lie in memory or on local disks; `None` if they don't.
    pub cached_bytes_per_second: Option<f64>,
    /// Time of one core to decode and augment a record, in seconds.
    pub core_seconds_per_record: f64,
    /// Cores that prepare records.
    pub cores: f64,
    /// Whether the next batches are prepared while a step computes.
    pub prefetch: bool,
}

/// What a step waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// Its own computation.
    Compute,
    /// Storage.
    Storage,
    /// Processor cores.
    Cores,
}

/// Steps with their input.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fed {
    /// A step of the first epoch, in seconds.
    pub first_epoch_seconds: f64,
    /// A step of later epochs, in seconds.
    pub later_seconds: f64,
    /// What takes longest in a step of later epochs.
    pub bound: Bound,
}

/// A figure that is none.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[error("{what} is {value}")]
pub struct InputError {
    /// Which.
    what: &'static str,
    /// The figure.
    value: f64,
}

impl Input {
    /// Steps that compute for `compute_seconds`.
    ///
    /// With prefetch max(compute, B·bytes/bandwidth, B·core seconds/cores), else the sum; the first epoch reads from
    /// storage whatever is cached later.
    ///
    /// # Errors
    /// A figure is negative, zero where it must not be, or no number.
    pub fn step(&self, compute_seconds: f64) -> Result<Fed, InputError> {
        self.check(compute_seconds)?;
        let cores = self.records * self.core_seconds_per_record / self.cores;
        let step = |bandwidth: f64| {
            let storage = self.records * self.bytes_per_record / bandwidth;
            let seconds =
                if self.prefetch { compute_seconds.max(storage).max(cores) } else { compute_seconds + storage + cores };
            (seconds, storage)
        };
        let (first_epoch_seconds, _) = step(self.storage_bytes_per_second);
        let (later_seconds, storage) = step(self.cached_bytes_per_second.unwrap_or(self.storage_bytes_per_second));
        let bound = if compute_seconds >= storage.max(cores) {
            Bound::Compute
        } else if storage >= cores {
            Bound::Storage
        } else {
            Bound::Cores
        };
        Ok(Fed { first_epoch_seconds, later_seconds, bound })
    }

    fn check(&self, compute_seconds: f64) -> Result<(), InputError> {
        let amounts = [
            ("the computing time", compute_seconds),
            ("the number of records", self.records),
            ("the size of a record", self.bytes_per_record),
            ("the preparation of a record", self.core_seconds_per_record),
        ];
        let rates = [
            ("the bandwidth of the storage", self.storage_bytes_per_second),
            ("the bandwidth of the cache", self.cached_bytes_per_second.unwrap_or(f64::INFINITY)),
            ("the number of cores", self.cores),
        ];
        let amount = amounts.into_iter().find(|(_, value)| !(0.0..f64::INFINITY).contains(value));
        let wrong = amount.or_else(|| rates.into_iter().find(|(_, value)| value.is_nan() || *value <= 0.0));
        wrong.map_or(Ok(()), |(what, value)| Err(InputError { what, value }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IMAGES: Input = Input {
        records: 100.0,
        bytes_per_record: 10.0,
        storage_bytes_per_second: 500.0,
        cached_bytes_per_second: None,
        core_seconds_per_record: 0.04,
        cores: 4.0,
        prefetch: true,
    };

    #[test]
    fn a_step_takes_as_long_as_its_slowest_part() {
        let check = |input: Input, compute: f64, first: f64, later: f64, bound: Bound| {
            let expected = Fed { first_epoch_seconds: first, later_seconds: later, bound };
            assert_eq!(input.step(compute), Ok(expected), "{input:?}");
        };
        check(IMAGES, 3.0, 3.0, 3.0, Bound::Compute);
        check(IMAGES, 1.5, 2.0, 2.0, Bound::Storage);
        check(Input { cached_bytes_per_second: Some(2000.0), ..IMAGES }, 0.5, 2.0, 1.0, Bound::Cores);
        check(Input { prefetch: false, ..IMAGES }, 3.0, 6.0, 6.0, Bound::Compute);
    }

    #[test]
    fn a_figure_that_is_none_is_refused() {
        let check = |input: Input, expected: &str| {
            assert_eq!(input.step(1.0).map_err(|error| error.to_string()), Err(expected.to_owned()));
        };
        check(Input { cores: 0.0, ..IMAGES }, "the number of cores is 0");
        check(Input { records: f64::NAN, ..IMAGES }, "the number of records is NaN");
        check(Input { cached_bytes_per_second: Some(-1.0), ..IMAGES }, "the bandwidth of the cache is -1");
    }
}
