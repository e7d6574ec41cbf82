//! The steps of a training, as the scenario states the amount of work.

use scenarios::scenario::Training;

/// Steps in rounds: after each of them the network is validated and kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Course {
    /// Steps in all.
    pub steps: u64,
    /// Steps of a round; the last one may have fewer.
    pub round: u64,
}

impl Course {
    /// The course of a training on so many records.
    #[must_use]
    pub fn of(training: &Training, records: usize) -> Self {
        let records = records as u64;
        Self { steps: training.steps(records), round: training.steps_per_round(records) }
    }

    /// Rounds in all.
    #[must_use]
    pub const fn rounds(self) -> u64 {
        self.steps.div_ceil(self.round)
    }

    /// Steps of the round after so many that have ended.
    #[must_use]
    pub fn steps_of_round(self, ended: usize) -> usize {
        let left = self.steps.saturating_sub(self.round * ended as u64);
        left.min(self.round) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_cover_all_steps_once() {
        for (steps, round) in [(1, 1), (10, 3), (9, 3), (2, 5)] {
            let course = Course { steps, round };
            let of_rounds = (0..course.rounds() as usize).map(|ended| course.steps_of_round(ended) as u64);
            assert_eq!(of_rounds.sum::<u64>(), steps);
            assert_eq!(course.steps_of_round(course.rounds() as usize), 0);
        }
    }
}
