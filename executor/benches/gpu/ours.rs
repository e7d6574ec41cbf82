//! The same trainings by the executor.

use std::num::{NonZeroU32, NonZeroUsize};
use std::sync::Arc;

use executor::data::{Columns, Images, Portion, Records, Stream, Truth};
use executor::device::Devices;
use executor::model::Description;
use executor::parallel::exchange::Buckets;
use executor::train::{Course, Session, Silent, train};
use executor::transport::Patience;
use scenarios::model::{ImageSize, Model};
use scenarios::scenario::{Adam, Momentum, Optimizer, Precision, Preprocessing, Rate, Training};
use scenarios::strategy::Strategy;

use super::sizes::{GptSize, ResnetSize};

/// Steps of a GPU between two readings of the loss, as the executor has it.
pub const GPU_STEPS_PER_READING: usize = 16;

/// A training by the executor, with records for a few steps that come again.
pub struct Recipe {
    model: Model,
    optimizer: Optimizer,
    batch: usize,
    records: Box<dyn Fn(usize) -> Records>,
}

impl Recipe {
    pub fn gpt(size: GptSize) -> Self {
        let description = serde_json::json!({ "transformer": {
            "kind": "decoder", "layers": size.layers, "hidden": size.width, "heads": size.heads, "ffn": 4 * size.width,
            "vocabulary": size.vocabulary, "sequence": size.sequence, "positions": "learned", "norm": "layer",
            "bias": true, "tied": true,
        } });
        let adam = Adam { learning_rate: 1e-4, beta_1: 0.9, beta_2: 0.999, epsilon: 1e-5, weight_decay: 0.01 };
        let records = move |count: usize| {
            let token = |at: usize| (at * 7 % size.vocabulary) as u32;
            let tokens = Arc::new((0..=count * size.sequence).map(token).collect());
            let stream = Stream { sequence: size.sequence, tokens, starts: None };
            Records { columns: Columns::Stream(stream), truth: Truth::Next }
        };
        Self {
            model: serde_json::from_value(description).expect("it is a model"),
            optimizer: Optimizer::Adam(adam),
            batch: size.batch,
            records: Box::new(records),
        }
    }

    pub fn resnet(size: ResnetSize) -> Self {
        let whole = |value: usize| NonZeroUsize::new(value).expect("sizes are not zero");
        let preset = Model::Preset("resnet50".to_owned()).resolved().expect("it is a preset");
        let Model::BlockCnn(mut network) = preset else { unreachable!("ResNet-50 is a network of blocks") };
        network.image = ImageSize { channels: whole(3), height: whole(size.side), width: whole(size.side) };
        network.head.classes = whole(size.classes);
        let records = move |count: usize| {
            let pixels = (0..count * 3 * size.side * size.side).map(|at| (at % 255) as u8).collect();
            let images = Images { channels: 3, height: size.side, width: size.side, pixels };
            let classes = (0..count).map(|record| (record * 7 % size.classes) as u32).collect();
            Records { columns: Columns::Images(images), truth: Truth::Classes(classes) }
        };
        Self {
            model: Model::BlockCnn(network),
            optimizer: Optimizer::Momentum(Momentum { learning_rate: 0.01, momentum: 0.9 }),
            batch: size.batch,
            records: Box::new(records),
        }
    }

    /// Mean seconds of a step of so many ranks, one a device, of which the executor leaves out the first ones.
    pub fn seconds(&self, devices: &Devices, ranks: usize, steps: usize) -> f64 {
        let (batch, few) = (self.batch * ranks, steps.min(16));
        let records = (self.records)(batch * few);
        let training = Training {
            model: self.model.clone(),
            data: "made".to_owned(),
            preprocessing: Preprocessing::default(),
            weights_of: None,
            new_head: false,
            adapters: false,
            epochs: NonZeroU32::new(steps.div_ceil(few) as u32),
            samples: None,
            tokens: None,
            validate_every: None,
            global_batch: NonZeroUsize::new(batch).expect("batches are not empty"),
            optimizer: self.optimizer,
            rate: Rate::default(),
            clip_norm: None,
            outer: None,
            precision: Precision::Fp32,
        };
        let (none, records) = (Arc::new(records.range(0..0)), Arc::new(records));
        let session = Session {
            description: Description::of(&training.model).expect("it is possible"),
            portions: Portion::alike(&records, &none, &vec![batch / ranks; ranks]),
            course: Course::of(&training, records.len()),
            training,
            strategy: Strategy::data_parallel(ranks as u32).expect("not zero"),
            devices: devices.clone(),
            patience: Patience::default(),
            buckets: Buckets::usual(devices, ranks),
            seed: 1,
            max_steps: Some(steps as u64),
            stop: Arc::default(),
            resume: None,
            weights: None,
        };
        let outcome = train(session, &mut Silent).expect("it trains");
        batch as f64 / outcome.throughput
    }
}
