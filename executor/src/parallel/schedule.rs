//! What a pipeline stage does in which order.

use scenarios::strategy::Schedule;

/// A pass of one micro-batch through one chunk of a stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Task {
    /// Chunk of the stage, from 0.
    pub chunk: usize,
    /// Micro-batch, from 0.
    pub micro: usize,
    /// Whether it is the backward pass.
    pub backward: bool,
}

/// Tasks of a stage in order. Between stages only finished tasks are waited for, and sending waits for nobody, so no order
/// that every stage takes alike can stand still.
///
/// GPipe (Huang et al. 2019): all forward passes, then all backward ones. 1F1B (Narayanan et al. 2021): as many forward
/// passes as stages follow, then one backward for each forward pass. Interleaved (the same): virtual stages in rounds of as
/// many micro-batches as there are stages; for a number of micro-batches that the stages don't divide, all forward passes
/// come first.
#[must_use]
pub fn tasks(schedule: Schedule, stage: usize, stages: usize, micros: usize) -> Vec<Task> {
    let chunks = schedule.chunks() as usize;
    let all = chunks * micros;
    let forward = rounds(stages, chunks, micros, false);
    let backward = rounds(stages, chunks, micros, true);
    let ahead = match schedule {
        Schedule::Gpipe => all,
        Schedule::OneForwardOneBackward => (stages - 1 - stage).min(all),
        Schedule::Interleaved { .. } if !micros.is_multiple_of(stages) => all,
        Schedule::Interleaved { .. } => ((stages - 1 - stage) * 2 + (chunks - 1) * stages).min(all),
    };
    let mut tasks: Vec<Task> = forward[..ahead].to_vec();
    for at in 0..all - ahead {
        tasks.extend([forward[ahead + at], backward[at]]);
    }
    tasks.extend(&backward[all - ahead..]);
    tasks
}

/// Passes of one direction: chunk by chunk for every round of micro-batches; backward from the last chunk.
fn rounds(stages: usize, chunks: usize, micros: usize, backward: bool) -> Vec<Task> {
    let order: Vec<usize> = if backward { (0..chunks).rev().collect() } else { (0..chunks).collect() };
    let starts = (0..micros).step_by(stages);
    let round = |from: usize| {
        let to = (from + stages).min(micros);
        let order = order.clone();
        order.into_iter().flat_map(move |chunk| (from..to).map(move |micro| Task { chunk, micro, backward }))
    };
    starts.flat_map(round).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::num::NonZeroU32;

    use proptest::prelude::*;

    use super::*;

    /// Whether all stages come to their end when each waits for what its next task needs.
    fn runs(schedule: Schedule, stages: usize, micros: usize) -> bool {
        let chunks = schedule.chunks() as usize;
        let lists: Vec<Vec<Task>> = (0..stages).map(|stage| tasks(schedule, stage, stages, micros)).collect();
        let mut at = vec![0; stages];
        let mut done: HashSet<(usize, Task)> = HashSet::new();
        loop {
            let mut moved = false;
            for stage in 0..stages {
                while let Some(task) = lists[stage].get(at[stage]) {
                    let virtual_stage = task.chunk * stages + stage;
                    let last = chunks * stages - 1;
                    let needs = match (task.backward, virtual_stage) {
                        (false, 0) => None,
                        (false, other) => Some((other - 1, false)),
                        (true, other) if other == last => Some((other, false)),
                        (true, other) => Some((other + 1, true)),
                    };
                    let ready = needs.is_none_or(|(of, backward)| {
                        done.contains(&(of % stages, Task { chunk: of / stages, micro: task.micro, backward }))
                    });
                    if !ready {
                        break;
                    }
                    done.insert((stage, *task));
                    at[stage] += 1;
                    moved = true;
                }
            }
            if !moved {
                return at.iter().zip(&lists).all(|(at, list)| *at == list.len());
            }
        }
    }

    proptest! {
        #[test]
        fn every_schedule_ends_and_does_everything_once(stages in 1_usize..6, micros in 1_usize..13, chunks in 1_u32..4) {
            let interleaved = Schedule::Interleaved { chunks: NonZeroU32::new(chunks).expect("not zero") };
            for schedule in [Schedule::Gpipe, Schedule::OneForwardOneBackward, interleaved] {
                prop_assert!(runs(schedule, stages, micros), "{schedule:?} stands still");
                for stage in 0..stages {
                    let tasks = tasks(schedule, stage, stages, micros);
                    let once: HashSet<&Task> = tasks.iter().collect();
                    prop_assert_eq!(once.len(), 2 * micros * schedule.chunks() as usize);
                    prop_assert_eq!(once.len(), tasks.len());
                }
            }
        }

        #[test]
        fn one_forward_one_backward_keeps_few_passes_open(stages in 1_usize..6, micros in 1_usize..13) {
            for stage in 0..stages {
                let (mut open, mut most) = (0_usize, 0);
                for task in tasks(Schedule::OneForwardOneBackward, stage, stages, micros) {
                    if task.backward { open -= 1 } else { open += 1 }
                    most = most.max(open);
                }
                prop_assert_eq!(most, (stages - stage).min(micros));
            }
        }
    }
}
