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
    /// Exchanges that went on beside the other phases: no part of the step's time.
    CommunicationHidden,
}

impl Phase {
    const ALL: [(Self, &'static str); 8] = [
        (Self::Input, "input"),
        (Self::Forward, "forward"),
        (Self::Backward, "backward"),
        (Self::Communication, "communication"),
        (Self::Waiting, "waiting"),
        (Self::Optimizer, "optimizer"),
        (Self::Other, "other"),
        (Self::CommunicationHidden, "communication_hidden"),
    ];
}

/// Time by phase, summed over the steps that were measured.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Phases {
    spent: [Duration; Phase::ALL.len()],
    steps: u32,
}

impl Phases {
    /// Adds a step, if its clock measured it.
    pub(super) fn add(&mut self, clock: &StepClock) {
        if clock.device.is_some() {
            self.steps += 1;
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
        let mean = |spent: Duration| spent.as_secs_f64() / f64::from(self.steps.max(1));
        Phase::ALL.iter().zip(self.spent).map(|((_, name), spent)| ((*name).to_owned(), mean(spent))).collect()
    }
}

/// Measures one step. A device that computes in the background is waited for after every phase, so
/// only some of its steps are measured.
#[derive(Debug)]
pub struct StepClock {
    device: Option<Device>,
    last: Instant,
    spent: [Duration; Phase::ALL.len()],
}

impl StepClock {
    /// A clock of a step on the device; without a device it measures nothing and waits for nothing.
    pub fn start(device: Option<Device>) -> Self {
        Self { device, last: Instant::now(), spent: Default::default() }
    }

    /// Adds time of exchanges that went on beside the phases.
    pub fn hide(&mut self, time: Duration) {
        self.spent[Phase::CommunicationHidden as usize] += time;
    }

    /// Ends a phase.
    pub fn lap(&mut self, phase: Phase) {
        if let Some(device) = &self.device {
            // A device that fails here fails in the next operation too, which reports it.
            let _ = device.sync();
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
            phases.add(&clock);
        }
        assert_eq!(phases.steps, 2);
        let mean = phases.mean_seconds();
        assert_eq!(mean.keys().map(String::as_str).collect::<Vec<_>>(), Phase::ALL.map(|(_, name)| name));
        assert!(mean["backward"] >= 0.002 && mean["forward"] == 0.0, "{mean:?}");
    }
}
