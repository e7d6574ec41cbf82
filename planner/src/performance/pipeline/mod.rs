//! Pipelines of stages that pass micro-batches on: time of a step, waiting, micro-batches in flight.
//!
//! [`simulate`] follows every forward and backward pass (`simulation`) in the order of the schedule (`order`).
//! Long steps repeat themselves, and the repetition is not simulated (`periodic`). [`closed_form`] is for searches.
//!
//! Messages between stages delay the receiver and leave the sender free; messages on one link don't slow each other.

mod closed_form;
mod order;
pub mod partition;
mod periodic;
mod simulation;

pub use closed_form::closed_form;

use scenarios::strategy::Schedule;

use order::Order;

/// Most stages times chunks.
const MOST_STAGES: usize = 1 << 10;
/// Most micro-batches.
const MOST_MICRO_BATCHES: u64 = 1 << 40;

/// Consecutive layers that one device holds as a whole, and their times for one micro-batch.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Stage {
    /// Forward pass, in seconds.
    pub forward: f64,
    /// Backward pass with what it computes again, in seconds.
    pub backward: f64,
    /// Message to the next stage, and of the gradient back from it, in seconds each. Not used in the last stage.
    pub hop: f64,
}

impl Stage {
    /// Forward and backward pass, in seconds.
    #[must_use]
    pub fn total(&self) -> f64 {
        self.forward + self.backward
    }
}

/// One step of one pipeline.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pipeline<'a> {
    /// Order in which a device takes micro-batches.
    pub schedule: Schedule,
    /// Micro-batches of the step.
    pub micro_batches: u64,
    /// Stages in the order of the network. With `v` chunks there are `v` for each of `p` devices, and stage `k` lies
    /// on device `k mod p`.
    pub stages: &'a [Stage],
}

/// Why a pipeline cannot be simulated.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum PipelineError {
    /// No stage, or too many.
    #[error("a pipeline has 1 to {MOST_STAGES} stages, not {0}")]
    Stages(usize),
    /// No micro-batch, or too many.
    #[error("a pipeline takes 1 to {MOST_MICRO_BATCHES} micro-batches, not {0}")]
    MicroBatches(u64),
    /// Chunks that do not fill the devices.
    #[error("{stages} stages cannot be dealt out in {chunks} chunks for each device")]
    Chunks {
        /// Stages.
        stages: usize,
        /// Chunks of each device.
        chunks: u32,
    },
    /// A time that is no time.
    #[error("stage {stage} has a time of {seconds} s")]
    Time {
        /// Stage from 0.
        stage: usize,
        /// Its time.
        seconds: f64,
    },
}

/// What one device does in a step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DeviceTime {
    /// Time that it computes, in seconds.
    pub busy_seconds: f64,
    /// Time that it waits, in seconds.
    pub idle_seconds: f64,
    /// Most micro-batches whose activations it keeps at one time; each chunk of a micro-batch counts.
    pub in_flight: u64,
}

/// One step as it was simulated.
#[derive(Debug, Clone, PartialEq)]
pub struct Timeline {
    /// From the first forward pass to the last backward pass, in seconds.
    pub step_seconds: f64,
    /// Devices in the order of the network.
    pub devices: Vec<DeviceTime>,
}

impl Timeline {
    /// Waiting of the busiest device over its computing: (p − 1) / m for equal stages.
    #[must_use]
    pub fn bubble(&self) -> f64 {
        let busiest = self.devices.iter().map(|device| device.busy_seconds).fold(0.0, f64::max);
        if busiest > 0.0 { self.step_seconds / busiest - 1.0 } else { 0.0 }
    }
}

impl Pipeline<'_> {
    /// Devices.
    #[must_use]
    pub fn devices(&self) -> usize {
        self.stages.len() / self.schedule.chunks() as usize
    }

    fn order(&self) -> Order {
        Order::new(self.schedule, self.devices() as u64, self.micro_batches)
    }

    fn check(&self) -> Result<(), PipelineError> {
        let (stages, chunks) = (self.stages.len(), self.schedule.chunks());
        if !(1..=MOST_STAGES).contains(&stages) {
            return Err(PipelineError::Stages(stages));
        }
        if !(1..=MOST_MICRO_BATCHES).contains(&self.micro_batches) {
            return Err(PipelineError::MicroBatches(self.micro_batches));
        }
        if !stages.is_multiple_of(chunks as usize) {
            return Err(PipelineError::Chunks { stages, chunks });
        }
        for (index, stage) in self.stages.iter().enumerate() {
            let times = [stage.forward, stage.backward, stage.hop];
            if let Some(seconds) = times.into_iter().find(|time| !(0.0..=1e15).contains(time)) {
                return Err(PipelineError::Time { stage: index, seconds });
            }
        }
        Ok(())
    }
}

/// Simulates a step.
///
/// # Errors
/// No stages or micro-batches, too many of them, chunks that do not fill the devices, or a time that is negative or
/// no number.
pub fn simulate(pipeline: &Pipeline<'_>) -> Result<Timeline, PipelineError> {
    pipeline.check()?;
    let run = periodic::run(pipeline);
    let p = pipeline.devices();
    let devices = (0..p).map(|device| {
        let passes: f64 = pipeline.stages.iter().skip(device).step_by(p).map(Stage::total).sum();
        let busy_seconds = passes * pipeline.micro_batches as f64;
        let idle_seconds = (run.step_seconds - busy_seconds).max(0.0);
        DeviceTime { busy_seconds, idle_seconds, in_flight: run.in_flight[device] }
    });
    Ok(Timeline { step_seconds: run.step_seconds, devices: devices.collect() })
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use proptest::prelude::*;

    use super::*;

    fn interleaved(chunks: u32) -> Schedule {
        Schedule::Interleaved { chunks: NonZeroU32::new(chunks).unwrap_or(NonZeroU32::MIN) }
    }

    fn equal(p: usize) -> Vec<Stage> {
        vec![Stage { forward: 1.0, backward: 2.0, hop: 0.0 }; p]
    }

    #[test]
    fn equal_stages_wait_as_long_as_the_closed_form_says() {
        let check = |schedule: Schedule, p: usize, m: u64| {
            let chunks = f64::from(schedule.chunks());
            let stages = equal(p * schedule.chunks() as usize);
            let timeline = simulate(&Pipeline { schedule, micro_batches: m, stages: &stages }).expect("it is valid");
            let expected = (p as f64 - 1.0) / (chunks * m as f64);
            assert!((timeline.bubble() - expected).abs() < 1e-9, "{schedule:?} {p} {m}: {}", timeline.bubble());
        };
        for p in [1, 2, 3, 4, 8, 16] {
            for groups in [1, 2, 5, 40] {
                check(Schedule::Gpipe, p, groups);
                check(Schedule::OneForwardOneBackward, p, groups);
                for chunks in [1, 2, 3, 6] {
                    check(interleaved(chunks), p, groups * p as u64);
                }
            }
        }
    }

    #[test]
    fn devices_keep_as_many_micro_batches_as_the_schedule_runs_ahead() {
        let check = |schedule: Schedule, m: u64, expected: [u64; 4]| {
            let stages = equal(4 * schedule.chunks() as usize);
            let timeline = simulate(&Pipeline { schedule, micro_batches: m, stages: &stages }).expect("it is valid");
            let found: Vec<_> = timeline.devices.iter().map(|device| device.in_flight).collect();
            assert_eq!(found, expected, "{schedule:?} {m}");
        };
        check(Schedule::Gpipe, 1000, [1000; 4]);
        check(Schedule::OneForwardOneBackward, 1000, [4, 3, 2, 1]);
        check(Schedule::OneForwardOneBackward, 2, [2, 2, 2, 1]);
        // 1 + (p − 1)/(p·v) times as much memory as v = 1: 11 of 2·4 chunks.
        check(interleaved(2), 1000, [11, 9, 7, 5]);
        check(interleaved(2), 3, [6, 6, 6, 4]);
    }

    #[test]
    fn what_is_no_pipeline_is_refused() {
        let check = |schedule: Schedule, micro_batches: u64, stages: &[Stage], expected: &str| {
            let pipeline = Pipeline { schedule, micro_batches, stages };
            let message = simulate(&pipeline).err().map(|error| error.to_string());
            assert_eq!(message.as_deref(), Some(expected));
            assert!(closed_form(&pipeline).is_err());
        };
        check(Schedule::Gpipe, 4, &[], "a pipeline has 1 to 1024 stages, not 0");
        check(Schedule::Gpipe, 0, &equal(2), "a pipeline takes 1 to 1099511627776 micro-batches, not 0");
        check(interleaved(2), 4, &equal(3), "3 stages cannot be dealt out in 2 chunks for each device");
        let negative = [Stage { forward: -1.0, ..Stage::default() }];
        check(Schedule::Gpipe, 4, &negative, "stage 0 has a time of -1 s");
        let no_number = [Stage::default(), Stage { hop: f64::NAN, ..Stage::default() }];
        check(Schedule::Gpipe, 4, &no_number, "stage 1 has a time of NaN s");
    }

    fn schedules() -> impl Strategy<Value = Schedule> {
        let plain = prop_oneof![Just(Schedule::Gpipe), Just(Schedule::OneForwardOneBackward)];
        prop_oneof![plain, (1..5_u32).prop_map(interleaved)]
    }

    fn stages(count: usize) -> impl Strategy<Value = Vec<Stage>> {
        let stage = (0.1..2.0, 0.1..4.0, 0.0..0.5);
        prop::collection::vec(stage.prop_map(|(forward, backward, hop)| Stage { forward, backward, hop }), count)
    }

    fn pipelines() -> impl Strategy<Value = (Schedule, u64, Vec<Stage>)> {
        (schedules(), 1..9_usize, 1..200_u64).prop_flat_map(|(schedule, p, m)| {
            stages(p * schedule.chunks() as usize).prop_map(move |stages| (schedule, m, stages))
        })
    }

    proptest! {
        #[test]
        fn every_step_ends_and_what_repeats_need_not_be_followed((schedule, micro_batches, stages) in pipelines()) {
            let pipeline = Pipeline { schedule, micro_batches, stages: &stages };
            let whole = simulation::follow(&pipeline);
            prop_assert!(whole.forward.iter().chain(&whole.backward).all(|end| end.is_finite()));
            let found = simulate(&pipeline).expect("it is valid");
            prop_assert!((found.step_seconds / whole.step_seconds - 1.0).abs() < 1e-9);
            let in_flight: Vec<_> = found.devices.iter().map(|device| device.in_flight).collect();
            prop_assert_eq!(in_flight, whole.in_flight);
        }
    }
}
