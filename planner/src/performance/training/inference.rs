//! Forward passes alone: evaluation, and application of a network to records.

use super::step::forward_seconds;
use super::{Constants, Impossible, Memory, Training, lower};
use crate::performance::kernel::Segment;

/// A forward pass over the micro-batch of every replica.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Forward {
    /// Its time, in seconds.
    pub seconds: f64,
    /// Memory of a device.
    pub memory: Memory,
}

/// One forward pass of `training`'s network, which is cut into no stages: each replica takes its share of the batch at
/// once.
///
/// # Errors
/// The strategy is impossible, or the data sheet lacks a rate.
pub fn forward(training: &Training, constants: &Constants) -> Result<Forward, Impossible> {
    training.check()?;
    let segments = lower(training)?;
    let seconds = forward_seconds(training, &segments, constants)?;
    Ok(Forward { seconds, memory: memory(training, &segments) })
}

/// Parameters in the format that computes, what the largest segment holds while it computes, and its input and output.
fn memory(training: &Training, segments: &[Segment]) -> Memory {
    let value = if training.precision.is_mixed() { 2.0 } else { 4.0 };
    let largest = |of: fn(&Segment) -> f64| segments.iter().map(of).fold(0.0, f64::max);
    Memory {
        parameters: value * segments.iter().map(|segment| segment.repeat * segment.parameters).sum::<f64>(),
        activations: largest(|segment| segment.saved_bytes),
        buffers: 2.0 * largest(|segment| segment.output_bytes),
        ..Memory::default()
    }
}

#[cfg(test)]
mod tests {
    use super::super::fastest::tests::training;
    use super::super::{Timing, step};
    use super::*;
    use crate::performance::calibration::bundled;

    #[test]
    fn a_forward_pass_is_part_of_a_step() {
        let check = |model: &str, batch: u64| {
            let training = training(model, "A100-80GB", 1, 1, batch);
            let constants = bundled().constants(&training, "");
            let pass = forward(&training, &constants).expect("possible");
            let segments = lower(&training).expect("a network");
            let whole = step::step(&training, &segments, &constants, Timing::ClosedForm).expect("possible");
            assert!(pass.seconds > 0.0 && pass.seconds < whole.total(), "{model}: {pass:?} {whole:?}");
            let parameters = training.model.parameters().expect("a network") as f64;
            assert!((pass.memory.parameters / (2.0 * parameters) - 1.0).abs() < 0.1, "{model}: {pass:?}");
        };
        check("resnet50", 64);
        check("bert-large", 16);
        check("dlrm-small", 1024);
        check("mnist-cnn", 100);
        check("lstm-lm", 20);
    }
}
