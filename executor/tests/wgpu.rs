//! The GPU path on Mesa's software driver: the same losses as the processor's back end.

#![cfg(feature = "gpu")]

use std::num::{NonZeroU32, NonZeroUsize};
use std::sync::Arc;

use burn::tensor::{Device, DeviceKind, DeviceType};
use executor::data::{Portion, Prepared, draw_digits, prepare};
use executor::device::Devices;
use executor::model::Description;
use executor::parallel::exchange::Buckets;
use executor::train::{Course, Outcome, Session, Silent, train};
use executor::transport::Patience;
use scenarios::machine;
use scenarios::model::Model;
use scenarios::scenario::{Momentum, Optimizer, Precision, Preprocessing, Rate, Split, Training};
use scenarios::strategy::Strategy;

/// A few steps, enough for parameters to have moved.
const STEPS: u64 = 4;

fn software() -> Option<Devices> {
    let device = Device::wgpu(DeviceKind::Cpu);
    let found = Device::enumerate(DeviceType::Wgpu).into_vec().contains(&device);
    let description = machine::Device {
        kind: machine::DeviceKind::Gpu,
        name: "software Vulkan driver".to_owned(),
        backend: "wgpu".to_owned(),
        count: 1,
        memory_bytes: 0,
    };
    found.then(|| Devices { description, handles: vec![device] })
}

fn run(devices: &Devices, data: &Prepared, ranks: u32) -> Outcome {
    let training = Training {
        model: Model::Preset("mnist-cnn".to_owned()),
        data: "digits".to_owned(),
        preprocessing: Preprocessing { normalize: Some([0.5, 0.5]), ..Preprocessing::default() },
        weights_of: None,
        new_head: false,
        adapters: false,
        epochs: Some(NonZeroU32::MIN),
        samples: None,
        tokens: None,
        validate_every: None,
        global_batch: NonZeroUsize::new(16).expect("not zero"),
        optimizer: Optimizer::Momentum(Momentum { learning_rate: 0.02, momentum: 0.9 }),
        rate: Rate::default(),
        clip_norm: None,
        outer: None,
        precision: Precision::Fp32,
    };
    let session = Session {
        description: Description::of(&training.model).expect("it is a preset"),
        portions: Portion::alike(&data.train, &data.validation, &vec![16 / ranks as usize; ranks as usize]),
        course: Course::of(&training, data.train.len()),
        training,
        strategy: Strategy::data_parallel(ranks).expect("not zero"),
        devices: devices.clone(),
        patience: Patience::default(),
        buckets: Buckets::usual(devices, ranks as usize),
        seed: 5,
        max_steps: Some(STEPS),
        stop: Arc::default(),
        resume: None,
        weights: None,
    };
    train(session, &mut Silent).expect("it trains")
}

#[test]
fn the_gpu_path_gives_the_losses_of_the_processor() {
    let records = draw_digits(200, 2);
    let data = prepare(&records, &records, (10, &[]), Split::default(), 1);
    let expected = run(&Devices::cpu(), &data, 1);
    assert_eq!(expected.progress.first_losses.len() as u64, STEPS);
    let Some(software) = software() else {
        eprintln!("no software Vulkan driver (Debian: mesa-vulkan-drivers): only the processor's path was run");
        return;
    };
    for ranks in [1, 2] {
        let found = run(&software, &data, ranks);
        for (a, b) in found.progress.first_losses.iter().zip(&expected.progress.first_losses) {
            assert!((a - b).abs() <= 1e-3 * b.abs(), "{ranks} rank(s): {a} and {b}");
        }
        assert_eq!(found.progress.steps, STEPS);
    }
}
