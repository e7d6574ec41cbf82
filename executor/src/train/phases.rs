//! Where the time of a step goes.

use std::time::{Duration, Instant};

use burn::tensor::Device;
use indexmap::IndexMap;

/// A part of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Records are prepared and brought to the device.
    Input,
    /// Scores and loss.
    Forward,
    /// Gradients.
    Backward,
    /// The rank waits for exchanges with others; what slower ones take is part of it.
    Communication,
    /// A stage of a pipeline waits for its neighbours.
    Waiting,
    /// Parameters are changed.
    Optimizer,
    /// Figures are read from the device and kept.
    Other,
}

impl Phase {
    const ALL: [(Self, &'static str); 7] = [
        (Self::Input, "input"),
        (Self::Forward, "forward"),
        (Self::Backward, "backward"),
        (Self::Communication, "communication"),
        (Self::Waiting, "waiting"),
        (Self::Optimizer, "optimizer"),
        (Self::Other, "other"),
    ];
}

/// Time by phase, summed over the steps that were measured.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Phases {
    spent: [Duration; Phase::ALL.len()],
    hidden: Duration,
    steps: u32,
}

impl Phases {
    /// Adds a step, if its clock measured it.
    pub(super) fn add(&mut self, clock: &StepClock) {
        if clock.device.is_some() {
            self.steps += 1;
            self.hidden += clock.hidden;
            self.spent.iter_mut().zip(clock.spent).for_each(|(sum, spent)| *sum += spent);
        }
    }

    /// Share of the passes in which a stage waited for its neighbours, 0..1.
    #[must_use]
    pub fn bubble(&self) -> f64 {
        let spent = |phase: Phase| self.spent[phase as usize].as_secs_f64();
        let waiting = spent(Phase::Waiting);
        let passes = spent(Phase::Forward) + spent(Phase::Backward) + waiting;
        if passes > 0.0 { waiting / passes } else { 0.0 }
    }

    /// Mean seconds of a step by name of the phase.
    #[must_use]
    pub fn mean_seconds(&self) -> IndexMap<String, f64> {
        Phase::ALL.iter().zip(self.spent).map(|((_, name), spent)| ((*name).to_owned(), self.mean(spent))).collect()
    }

    /// Mean seconds in a step of exchanges that went on beside its phases.
    #[must_use]
    pub fn hidden_communication_seconds(&self) -> f64 {
        self.mean(self.hidden)
    }

    fn mean(&self, spent: Duration) -> f64 {
        spent.as_secs_f64() / f64::from(self.steps.max(1))
    }
}

/// Measures one step. A device that computes in the background is waited for after every phase, so
/// only some of its steps are measured.
#[derive(Debug)]
pub struct StepClock {
    device: Option<Device>,
    last: Instant,
    spent: [Duration; Phase::ALL.len()],
    hidden: Duration,
}

impl StepClock {
    /// A clock of a step on the device; without a device it measures nothing and waits for nothing.
    pub fn start(device: Option<Device>) -> Self {
        Self { device, last: Instant::now(), spent: Default::default(), hidden: Duration::ZERO }
    }

    /// Adds time of exchanges that went on beside the phases.
    pub fn hide(&mut self, time: Duration) {
        self.hidden += time;
    }

    /// Ends a phase.
    pub fn lap(&mut self, phase: Phase) {
        if let Some(device) = &self.device {
            crate::device::wait(device);
            let now = Instant::now();
            self.spent[phase as usize] += now - self.last;
            self.last = now;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phases_are_kept_under_their_names() {
        assert!(Phase::ALL.iter().enumerate().all(|(at, (phase, _))| *phase as usize == at));
        let mut phases = Phases::default();
        for device in [Some(Device::flex()), None, Some(Device::flex())] {
            let mut clock = StepClock::start(device);
            std::thread::sleep(Duration::from_millis(2));
            clock.lap(Phase::Backward);
            clock.lap(Phase::Other);
            clock.hide(Duration::from_secs(1));
            phases.add(&clock);
        }
        assert_eq!(phases.steps, 2);
        let mean = phases.mean_seconds();
        assert_eq!(mean.keys().map(String::as_str).collect::<Vec<_>>(), Phase::ALL.map(|(_, name)| name));
        assert!((phases.hidden_communication_seconds() - 1.0).abs() < 1e-9, "{phases:?}");
        assert!(mean["backward"] >= 0.002 && mean["forward"] == 0.0, "{mean:?}");
    }
}
