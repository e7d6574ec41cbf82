//! Checkpoints and failures: how often a job stops, what that costs, how often to write a checkpoint.
//!
//! Failures are a Poisson process: the job's rate is the sum of its devices' rates and of spot interruptions.

pub mod checkpoint;
pub mod interval;

pub use checkpoint::{Checkpoint, Write, checkpoint_bytes};
pub use interval::{availability, availability_interval, daly, optimal, young};

/// Seconds of an hour.
const HOUR: f64 = 3600.0;
/// Least work between two checkpoints that cost nothing, in seconds.
const SHORTEST_INTERVAL: f64 = 1.0;

/// What can stop a job.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Failures {
    /// Mean time between failures of one device with its share of the machine, in seconds.
    pub device_mtbf_seconds: f64,
    /// Devices of the job.
    pub devices: u64,
    /// Machines that the provider may take back.
    pub spot_nodes: u64,
    /// Interruptions per hour of each of them.
    pub spot_interruptions_per_hour: f64,
    /// Notice before an interruption, in seconds.
    pub spot_notice_seconds: f64,
    /// From a stop until the job goes on where its checkpoint was, in seconds.
    pub restart_seconds: f64,
}

/// Why a job's time cannot be said.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum ReliabilityError {
    /// A figure is negative, zero where it must not be, or no number.
    #[error("{what} is {value}")]
    Value {
        /// Which.
        what: &'static str,
        /// The figure.
        value: f64,
    },
    /// Failures come faster than the job moves on.
    #[error("the job stops every {mtbf_seconds:.0} s on average and does not get ahead of its failures")]
    NeverDone {
        /// Mean time between stops, in seconds.
        mtbf_seconds: f64,
    },
}

/// A job with its checkpoints and failures.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reliability {
    /// Mean time between stops of the job in seconds, infinite if nothing stops it.
    pub mtbf_seconds: f64,
    /// Work between two checkpoints, in seconds.
    pub interval_seconds: f64,
    /// Expected time of the whole job, in seconds.
    pub wall_seconds: f64,
    /// Work over expected time.
    pub goodput: f64,
}

impl Failures {
    /// Stops of the job per second by failures, after which the work since the last checkpoint is lost.
    fn failure_rate(&self, notice_suffices: bool) -> f64 {
        let devices = self.devices as f64 / self.device_mtbf_seconds;
        if notice_suffices { devices } else { devices + self.spot_rate() }
    }

    /// Interruptions of the job per second by the provider.
    fn spot_rate(&self) -> f64 {
        self.spot_nodes as f64 * self.spot_interruptions_per_hour / HOUR
    }

    /// Mean time between stops of the job, in seconds: 1 / (devices / MTBF + nodes · rate). Infinite if nothing stops it.
    #[must_use]
    pub fn mtbf_seconds(&self) -> f64 {
        1.0 / self.failure_rate(false)
    }

    fn check(&self) -> Result<(), ReliabilityError> {
        positive("the mean time between failures", self.device_mtbf_seconds)?;
        not_negative("the rate of spot interruptions", self.spot_interruptions_per_hour)?;
        not_negative("the notice of spot interruptions", self.spot_notice_seconds)?;
        not_negative("the restart time", self.restart_seconds)
    }

    /// Expected time of a job of `work_seconds`, with a checkpoint after every `interval_seconds` of work, Daly's
    /// interval if `None`.
    ///
    /// A spot interruption whose notice suffices to write a checkpoint costs that and a restart, other ones count as
    /// failures. With rate r of the former, W = W_failures / (1 − r·(write + restart)).
    ///
    /// # Errors
    /// A figure is none, or the job never ends.
    pub fn reliability(
        &self,
        work_seconds: f64,
        checkpoint: &Checkpoint,
        interval_seconds: Option<f64>,
    ) -> Result<Reliability, ReliabilityError> {
        self.check()?;
        not_negative("the work", work_seconds)?;
        let (blocked, write) = (checkpoint.blocked_seconds()?, checkpoint.write_seconds()?);
        let notice_suffices = self.spot_notice_seconds >= write;
        let mtbf = 1.0 / self.failure_rate(notice_suffices);
        // A checkpoint begins when the one before is written.
        let interval =
            interval_seconds.unwrap_or_else(|| daly(blocked, mtbf).max(write - blocked).max(SHORTEST_INTERVAL));
        positive("the interval between checkpoints", interval)?;
        let wall = expected_wall_seconds(work_seconds, interval, blocked, self.restart_seconds, mtbf);
        let with_notice = if notice_suffices { self.spot_rate() * (write + self.restart_seconds) } else { 0.0 };
        let wall_seconds = wall / (1.0 - with_notice).max(0.0);
        if !wall_seconds.is_finite() {
            return Err(ReliabilityError::NeverDone { mtbf_seconds: self.mtbf_seconds() });
        }
        let goodput = if wall_seconds > 0.0 { work_seconds / wall_seconds } else { 1.0 };
        Ok(Reliability { mtbf_seconds: self.mtbf_seconds(), interval_seconds: interval, wall_seconds, goodput })
    }
}

/// Expected time of `work` seconds with a checkpoint of δ after every τ, restart R and mean time M between failures:
/// M·e^{R/M}·(e^{(τ+δ)/M} − 1)·work/τ (Daly 2006, equation 20). Infinite if the job never ends; work + checkpoints for
/// infinite M.
#[must_use]
pub fn expected_wall_seconds(work: f64, interval: f64, blocked: f64, restart: f64, mtbf: f64) -> f64 {
    // The whole job is one interval if it is shorter than that.
    let interval = interval.min(work);
    if work <= 0.0 {
        return 0.0;
    }
    if mtbf.is_infinite() {
        return work * (1.0 + blocked / interval);
    }
    mtbf * (restart / mtbf).exp() * ((interval + blocked) / mtbf).exp_m1() * (work / interval)
}

fn positive(what: &'static str, value: f64) -> Result<(), ReliabilityError> {
    if value > 0.0 { Ok(()) } else { Err(ReliabilityError::Value { what, value }) }
}

fn not_negative(what: &'static str, value: f64) -> Result<(), ReliabilityError> {
    if value >= 0.0 && value.is_finite() { Ok(()) } else { Err(ReliabilityError::Value { what, value }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LLAMA_3: Failures = Failures {
        device_mtbf_seconds: 50_700.0 * HOUR,
        devices: 16_384,
        spot_nodes: 0,
        spot_interruptions_per_hour: 0.0,
        spot_notice_seconds: 0.0,
        restart_seconds: 600.0,
    };

    fn checkpoint(write_seconds: f64) -> Checkpoint {
        Checkpoint { bytes: write_seconds * 1e9, bytes_per_second: 1e9, barrier_seconds: 0.0, write: Write::Blocking }
    }

    #[test]
    fn llama_3_stops_every_three_hours_and_is_effective_all_the_same() {
        // 419 stops in 54 days on 16 384 devices (Llama Team 2024, table 5), over 90 % effective.
        let hours = LLAMA_3.mtbf_seconds() / HOUR;
        assert!((hours - 54.0 * 24.0 / 419.0).abs() < 0.01, "{hours}");
        let found = LLAMA_3.reliability(54.0 * 24.0 * HOUR, &checkpoint(5.0), None).expect("it is valid");
        assert!((0.9..1.0).contains(&found.goodput), "{found:?}");
    }

    #[test]
    fn notice_in_time_saves_the_work() {
        let spot = |notice| Failures {
            spot_nodes: 10,
            spot_interruptions_per_hour: 0.05,
            spot_notice_seconds: notice,
            devices: 80,
            ..LLAMA_3
        };
        let goodput = |notice| spot(notice).reliability(1e6, &checkpoint(60.0), None).expect("it is valid").goodput;
        assert!((spot(0.0).mtbf_seconds() / HOUR - 1.0 / (80.0 / 50_700.0 + 0.5)).abs() < 1e-9);
        assert!(goodput(120.0) > goodput(30.0), "{} {}", goodput(120.0), goodput(30.0));
    }

    #[test]
    fn what_never_ends_or_is_no_figure_is_refused() {
        let check = |failures: Failures, work: f64, interval: Option<f64>, expected: &str| {
            let message = failures.reliability(work, &checkpoint(60.0), interval).err().map(|error| error.to_string());
            assert_eq!(message.as_deref(), Some(expected));
        };
        check(Failures { device_mtbf_seconds: 0.0, ..LLAMA_3 }, 1.0, None, "the mean time between failures is 0");
        check(Failures { restart_seconds: f64::NAN, ..LLAMA_3 }, 1.0, None, "the restart time is NaN");
        check(LLAMA_3, -1.0, None, "the work is -1");
        check(LLAMA_3, 1.0, Some(0.0), "the interval between checkpoints is 0");
        let hopeless = Failures { device_mtbf_seconds: 16_384.0, restart_seconds: 3600.0, ..LLAMA_3 };
        check(hopeless, 1e6, None, "the job stops every 1 s on average and does not get ahead of its failures");
    }

    #[test]
    fn without_failures_only_checkpoints_cost_time() {
        let never = Failures { device_mtbf_seconds: f64::INFINITY, ..LLAMA_3 };
        let found = never.reliability(1000.0, &checkpoint(10.0), Some(100.0)).expect("it is valid");
        assert!((found.wall_seconds - 1100.0).abs() < 1e-9, "{found:?}");
        let free = LLAMA_3.reliability(1000.0, &checkpoint(0.0), None).expect("it is valid");
        assert!((0.9..1.0).contains(&free.goodput), "{free:?}");
        let chosen = never.reliability(1000.0, &checkpoint(10.0), None).expect("it is valid");
        assert!((chosen.wall_seconds - 1010.0).abs() < 1e-9, "{chosen:?}");
    }

    /// A linear congruential generator (Knuth, MMIX); exponential values of mean 1.
    struct Lcg(u64);

    impl Lcg {
        fn exponential(&mut self) -> f64 {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            -(((self.0 >> 11) as f64 + 0.5) / (1_u64 << 53) as f64).ln()
        }
    }

    #[test]
    fn expected_time_is_the_mean_of_played_out_jobs() {
        let check = |work: f64, interval: f64, blocked: f64, restart: f64, mtbf: f64| {
            let mut random = Lcg(7);
            let played = 3000;
            let mut sum = 0.0;
            for _ in 0..played {
                for _ in 0..(work / interval) as u32 {
                    // Failures during a restart begin it anew.
                    let mut needed = interval + blocked;
                    loop {
                        let failure = random.exponential() * mtbf;
                        if failure >= needed {
                            sum += needed;
                            break;
                        }
                        sum += failure;
                        needed = restart + interval + blocked;
                    }
                }
            }
            let (mean, expected) =
                (sum / f64::from(played), expected_wall_seconds(work, interval, blocked, restart, mtbf));
            assert!((mean / expected - 1.0).abs() < 0.02, "{mean} instead of {expected}");
        };
        check(1000.0, 100.0, 5.0, 0.0, 400.0);
        check(1000.0, 50.0, 5.0, 20.0, 100.0);
    }
}
