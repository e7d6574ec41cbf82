//! Step times in closed form, for searches that look at thousands of pipelines.

use scenarios::strategy::Schedule;

use super::{Pipeline, PipelineError, Stage};

/// Time of a step without simulation, in seconds.
///
/// With t = f + b of a stage, D the sum of t over a device's chunks, h the messages:
/// - GPipe: Σt + 2Σh + (m − 1)(max f + max b). Exact.
/// - 1F1B: Σt + 2Σh + (m − 1)·λ, where λ is the slowest cycle: the largest mean over consecutive stages i..=j of
///   (Σt + 2Σh) / (j − i + 1). A stage that is neither slower than others nor waits for messages makes this
///   m·max t + (Σt − max t). Exact without messages where stages are equal but for a slower last stage and a first
///   one that is no slower than the last; an upper bound where b / f is the same in all stages; else an estimate.
/// - Interleaved: m·max D + (ΣD − max D)/v + 2Σh/v. Exact for equal stages without messages where p divides m; else an
///   estimate.
///
/// # Errors
/// As for [`simulate`](super::simulate).
pub fn closed_form(pipeline: &Pipeline<'_>) -> Result<f64, PipelineError> {
    pipeline.check()?;
    Ok(match pipeline.schedule {
        Schedule::Gpipe => gpipe(pipeline),
        Schedule::OneForwardOneBackward => alternating(pipeline),
        Schedule::Interleaved { chunks } => interleaved(pipeline, f64::from(chunks.get())),
    })
}

/// GPipe, exact: two flow shops without limits between stages, one after the other.
pub fn gpipe(pipeline: &Pipeline<'_>) -> f64 {
    let slowest = |time: fn(&Stage) -> f64| pipeline.stages.iter().map(time).fold(0.0, f64::max);
    let more = (pipeline.micro_batches - 1) as f64;
    let once = passes(pipeline.stages) + 2.0 * hops(pipeline.stages);
    once + more * (slowest(|stage| stage.forward) + slowest(|stage| stage.backward))
}

fn alternating(pipeline: &Pipeline<'_>) -> f64 {
    let once = passes(pipeline.stages) + 2.0 * hops(pipeline.stages);
    once + (pipeline.micro_batches - 1) as f64 * slowest_cycle(pipeline.stages)
}

fn interleaved(pipeline: &Pipeline<'_>, chunks: f64) -> f64 {
    let p = pipeline.devices();
    let device = |at: usize| pipeline.stages.iter().skip(at).step_by(p).map(Stage::total).sum::<f64>();
    let slowest = (0..p).map(device).fold(0.0, f64::max);
    let filling = passes(pipeline.stages) - slowest + 2.0 * hops(pipeline.stages);
    pipeline.micro_batches as f64 * slowest + filling / chunks
}

fn passes(stages: &[Stage]) -> f64 {
    stages.iter().map(Stage::total).sum()
}

fn hops(stages: &[Stage]) -> f64 {
    stages.iter().rev().skip(1).map(|stage| stage.hop).sum()
}

/// Time between two micro-batches of 1F1B: stages i..=j pass j − i + 1 micro-batches around among them.
fn slowest_cycle(stages: &[Stage]) -> f64 {
    let mut slowest = 0.0_f64;
    for from in 0..stages.len() {
        let mut around = 0.0;
        for (before, stage) in stages[from..].iter().enumerate() {
            around += stage.total();
            slowest = slowest.max(around / (before + 1) as f64);
            around += 2.0 * stage.hop;
        }
    }
    slowest
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use proptest::prelude::*;

    use super::super::simulation::follow;
    use super::*;

    fn ratio(schedule: Schedule, micro_batches: u64, stages: &[Stage]) -> f64 {
        let pipeline = Pipeline { schedule, micro_batches, stages };
        closed_form(&pipeline).expect("it is valid") / follow(&pipeline).step_seconds
    }

    /// Equal stages, of which the first and the last take `ends` as long.
    fn with_ends(count: usize, ends: [f64; 2]) -> Vec<Stage> {
        let mut stages = vec![Stage { forward: 1.0, backward: 2.0, hop: 0.0 }; count];
        for (at, factor) in [(0, ends[0]), (count - 1, ends[1])] {
            stages[at].forward *= factor;
            stages[at].backward *= factor;
        }
        stages
    }

    fn stages() -> impl Strategy<Value = Vec<Stage>> {
        let stage = (0.1..2.0, 0.1..4.0, 0.0..0.5);
        prop::collection::vec(stage.prop_map(|(forward, backward, hop)| Stage { forward, backward, hop }), 1..9)
    }

    proptest! {
        #[test]
        fn gpipe_is_exact(stages in stages(), m in 1..40_u64) {
            prop_assert!((ratio(Schedule::Gpipe, m, &stages) - 1.0).abs() < 1e-9);
        }

        #[test]
        fn one_forward_one_backward_is_exact_with_a_slow_last_stage(
            p in 2..12_usize, m in 1..60_u64, last in 1.0..2.0, share in 0.0..1.0,
        ) {
            let stages = with_ends(p, [1.0 + share * (last - 1.0), last]);
            prop_assert!((ratio(Schedule::OneForwardOneBackward, m, &stages) - 1.0).abs() < 1e-9);
        }

        #[test]
        fn one_forward_one_backward_never_takes_longer(mut stages in stages(), m in 1..60_u64, ratio_of_passes in 0.5..4.0) {
            for stage in &mut stages {
                stage.backward = ratio_of_passes * stage.forward;
            }
            prop_assert!(ratio(Schedule::OneForwardOneBackward, m, &stages) > 1.0 - 1e-9);
        }

        #[test]
        fn interleaved_is_near_with_slow_ends(p in 2..9_usize, v in 2..5_u32, groups in 4..9_u64, last in 1.0..1.5) {
            let schedule = Schedule::Interleaved { chunks: NonZeroU32::new(v).unwrap_or(NonZeroU32::MIN) };
            let stages = with_ends(p * v as usize, [1.0, last]);
            let ratio = ratio(schedule, groups * p as u64, &stages);
            prop_assert!((0.97..1.0 + 1e-9).contains(&ratio), "{}", ratio);
        }
    }
}
