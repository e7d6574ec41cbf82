//! Steps of a plain burn loop, timed.

use std::time::Instant;

use burn::tensor::{Device, Tensor};

/// A training written with burn alone.
pub trait Loop {
    /// Takes a step and gives its loss, which nobody has waited for.
    fn step(&mut self, number: usize) -> Tensor<1>;
}

/// Mean seconds of a step after `warm_up` steps; the loss is read every `reading` steps, as the executor reads it.
pub fn seconds(training: &mut dyn Loop, (warm_up, steps): (usize, usize), reading: usize, device: &Device) -> f64 {
    let mut started = Instant::now();
    for number in 0..warm_up + steps {
        if number == warm_up {
            // A device that fails here fails in the next step too, which reports it.
            let _ = device.sync();
            started = Instant::now();
        }
        let loss = training.step(number);
        if number % reading == 0 {
            std::hint::black_box(loss.into_scalar::<f32>());
        }
    }
    let _ = device.sync();
    started.elapsed().as_secs_f64() / steps as f64
}
