//! Size of a checkpoint and the time that it takes.

use scenarios::precision::Precision;

use super::{ReliabilityError, not_negative, positive};

/// Bytes of a checkpoint: the parameters in the number format, under mixed precision a 32-bit copy of them, and what
/// the optimiser keeps for each, `optimizer_bytes` (8 for Adam: two moments).
///
/// 14 bytes a parameter for bf16 and Adam; BLOOM's 2.3 TB for 176 B parameters are 13.1.
#[must_use]
pub fn checkpoint_bytes(parameters: f64, precision: Precision, optimizer_bytes: f64) -> f64 {
    let values = if precision.is_mixed() { 2.0 + 4.0 } else { 4.0 };
    parameters * (values + optimizer_bytes)
}

/// How the job waits for its checkpoint.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Write {
    /// Until it is written.
    Blocking,
    /// Until it is copied to the hosts' memory; it is written while the job goes on.
    Behind {
        /// Bandwidth of the copies of all devices together, bytes per second.
        copy_bytes_per_second: f64,
    },
}

/// A checkpoint of a job.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Checkpoint {
    /// Size over all ranks, in bytes.
    pub bytes: f64,
    /// Bandwidth to storage of all nodes together, bytes per second.
    pub bytes_per_second: f64,
    /// Until all ranks are at the same step, in seconds.
    pub barrier_seconds: f64,
    /// How the job waits.
    pub write: Write,
}

impl Checkpoint {
    /// From the barrier until the checkpoint is safe, in seconds.
    ///
    /// # Errors
    /// A figure is none.
    pub fn write_seconds(&self) -> Result<f64, ReliabilityError> {
        positive("the bandwidth to storage", self.bytes_per_second)?;
        let behind = match self.write {
            Write::Blocking => 0.0,
            Write::Behind { .. } => self.bytes / self.bytes_per_second,
        };
        Ok(self.blocked_seconds()? + behind)
    }

    /// Time that the job stands still, in seconds.
    ///
    /// # Errors
    /// A figure is none.
    pub fn blocked_seconds(&self) -> Result<f64, ReliabilityError> {
        not_negative("the size of a checkpoint", self.bytes)?;
        not_negative("the barrier", self.barrier_seconds)?;
        let bandwidth = match self.write {
            Write::Blocking => self.bytes_per_second,
            Write::Behind { copy_bytes_per_second } => copy_bytes_per_second,
        };
        positive("the bandwidth of a checkpoint", bandwidth)?;
        Ok(self.barrier_seconds + self.bytes / bandwidth)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_of_published_checkpoints() {
        let check = |parameters: f64, precision, optimizer, expected: f64| {
            let found = checkpoint_bytes(parameters, precision, optimizer);
            assert!((found / expected - 1.0).abs() < 1e-9, "{found} instead of {expected}");
        };
        check(1e9, Precision::Bf16, 8.0, 14e9);
        check(1e9, Precision::Fp32, 8.0, 12e9);
        // Stochastic gradient descent keeps nothing.
        check(1e9, Precision::Fp32, 0.0, 4e9);
        let bloom = checkpoint_bytes(176.2e9, Precision::Bf16, 8.0);
        assert!((2.3e12..=2.3 * 1.1e12).contains(&bloom), "{bloom}");
    }

    #[test]
    fn a_write_behind_the_job_blocks_it_for_the_copy_only() {
        let checkpoint = |write| Checkpoint { bytes: 100.0, bytes_per_second: 10.0, barrier_seconds: 1.0, write };
        let check = |write, blocked: f64, written: f64| {
            let checkpoint = checkpoint(write);
            assert_eq!((checkpoint.blocked_seconds(), checkpoint.write_seconds()), (Ok(blocked), Ok(written)));
        };
        check(Write::Blocking, 11.0, 11.0);
        check(Write::Behind { copy_bytes_per_second: 50.0 }, 3.0, 13.0);
        let message =
            checkpoint(Write::Behind { copy_bytes_per_second: 0.0 }).blocked_seconds().map_err(|e| e.to_string());
        assert_eq!(message, Err("the bandwidth of a checkpoint is 0".to_owned()));
    }
}
