//! Preparation of batches: from bytes in memory to a tensor on the device.

use scenarios::machine::InputMeasurement;
use scenarios::scenario::{Augmentation, Preprocessing};
use scenarios::units::Interval;

use super::{probe, ranks::in_ranks};
use crate::data::{BatchShare, Batches, Records};
use crate::device::Devices;

/// Records in memory.
const RECORDS: usize = 20_000;

/// Sides of square images, and records of the batch.
const SHAPES: [(usize, usize); 4] = [(28, 32), (28, 128), (48, 32), (16, 128)];

/// Measures the input pipeline with `ranks` ranks at a time.
pub fn measure(devices: &Devices, ranks: u32) -> Vec<InputMeasurement> {
    let cases = SHAPES.iter().flat_map(|shape| [(*shape, false), (*shape, true)]);
    let measured = cases.filter_map(|((side, batch), augmented)| {
        let values = side * side;
        let pixels = (0..RECORDS * values).map(|at| (at * 31 % 256) as u8).collect();
        let records = Records::grey(side, side, pixels, &(0..RECORDS).map(|at| (at % 10) as u8).collect::<Vec<u8>>());
        let seconds = in_ranks(devices, ranks, |device, _| one_rank(&records, batch, augmented, device));
        Some(InputMeasurement {
            values_per_record: values as u64,
            records: batch as u64,
            augmented,
            ranks,
            seconds: Interval::of(&seconds)?,
            samples: seconds.len() as u32,
        })
    });
    measured.collect()
}

fn one_rank(records: &Records, batch: usize, augmented: bool, device: &burn::tensor::Device) -> Vec<f64> {
    let augmentation = Augmentation { shift: u32::from(augmented) * 2, ..Augmentation::default() };
    let preprocessing = Preprocessing { normalize: Some([0.5, 0.5]), augmentation, ..Preprocessing::default() };
    let mut batches = Batches::new(records, &preprocessing, BatchShare::of(&[batch], 0), 1);
    let (mut step, steps, device) = (0, batches.steps_per_epoch() as u64, device.clone().autodiff());
    probe::repeat(|| {
        step = (step + 1) % steps;
        probe::time(|| {
            std::hint::black_box(batches.batch(step).on(&device));
            crate::device::wait(&device);
        })
    })
}
