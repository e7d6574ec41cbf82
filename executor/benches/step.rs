//! One training step of the MNIST CNN beside the same step in a bare burn loop.
//!
//! Blocks of steps of both alternate, so that both see the same machine; the median ratio of
//! neighbours is printed.

#![expect(clippy::print_stderr, reason = "a benchmark prints its result")]

use std::num::{NonZeroU32, NonZeroUsize};
use std::sync::Arc;
use std::time::{Duration, Instant};

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::loss::CrossEntropyLossConfig;
use burn::nn::pool::{MaxPool2d, MaxPool2dConfig};
use burn::nn::{Linear, LinearConfig, Relu};
use burn::optim::momentum::MomentumConfig;
use burn::optim::{GradientsParams, SgdConfig};
use burn::tensor::{Device, Int, Tensor, TensorData};
use criterion::{Criterion, criterion_group, criterion_main};
use executor::data::{Columns, Portion, Prepared, Truth, draw_digits, prepare};
use executor::device::Devices;
use executor::model::Description;
use executor::parallel::exchange::Buckets;
use executor::train::{Course, Session, Silent, train};
use executor::transport::Patience;
use scenarios::model::Model;
use scenarios::scenario::{Momentum, Optimizer, Precision, Preprocessing, Rate, Split, Training};
use scenarios::strategy::Strategy;

const BATCH: usize = 100;
/// Enough that the start of ranks and the last checkpoint, which are no part of a step, count little.
const STEPS: usize = 120;
const BLOCKS: usize = 9;

#[derive(Module, Debug)]
struct Bare {
    first: Conv2d,
    second: Conv2d,
    pool: MaxPool2d,
    relu: Relu,
    hidden: Linear,
    output: Linear,
}

impl Bare {
    fn new(device: &Device) -> Self {
        Self {
            first: Conv2dConfig::new([1, 10], [5, 5]).init(device),
            second: Conv2dConfig::new([10, 20], [5, 5]).init(device),
            pool: MaxPool2dConfig::new([2, 2]).with_strides([2, 2]).init(),
            relu: Relu::new(),
            hidden: LinearConfig::new(320, 50).init(device),
            output: LinearConfig::new(50, 10).init(device),
        }
    }

    fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        let at = self.relu.forward(self.pool.forward(self.first.forward(images)));
        let at = self.relu.forward(self.pool.forward(self.second.forward(at)));
        self.output.forward(self.hidden.forward(at.flatten(1, 3)))
    }
}

/// Steps of a loop as burn's examples write it, over images that are numbers already.
fn bare(images: &[f32], labels: &[i32]) -> Duration {
    let device = Device::flex().autodiff();
    let mut model = Bare::new(&device);
    let momentum = MomentumConfig::new().with_momentum(0.9).with_dampening(0.0);
    let mut optimizer = SgdConfig::new().with_momentum(Some(momentum)).init();
    let loss = CrossEntropyLossConfig::new().init(&device);
    let started = Instant::now();
    for step in 0..STEPS {
        let pixels = images[step * BATCH * 784..(step + 1) * BATCH * 784].to_vec();
        let records = Tensor::<4>::from_data(TensorData::new(pixels, [BATCH, 1, 28, 28]), &device);
        let classes = labels[step * BATCH..(step + 1) * BATCH].to_vec();
        let classes = Tensor::<1, Int>::from_data(TensorData::new(classes, [BATCH]), &device);
        let value = loss.forward(model.forward(records), classes);
        std::hint::black_box(value.clone().into_scalar::<f32>());
        let gradients = GradientsParams::from_grads(value.backward(), &model);
        model = optimizer.step(0.01, model, gradients);
    }
    started.elapsed()
}

/// The same steps by the executor.
fn ours(data: &Prepared, training: &Training) -> Duration {
    let session = Session {
        training: training.clone(),
        description: Description::of(&training.model).expect("it is a preset"),
        portions: Portion::alike(&data.train, &data.validation, &[BATCH]),
        course: Course::of(training, data.train.len()),
        strategy: Strategy::SINGLE,
        devices: Devices::cpu(),
        patience: Patience::default(),
        buckets: Buckets::usual(&Devices::cpu(), 1),
        seed: 1,
        max_steps: Some(STEPS as u64),
        stop: Arc::default(),
        resume: None,
        weights: None,
    };
    let started = Instant::now();
    train(session, &mut Silent).expect("it trains");
    started.elapsed()
}

fn step(criterion: &mut Criterion) {
    let records = draw_digits(BATCH * STEPS + 1, 1);
    let data = prepare(&records, &records, (10, &[]), Split::default(), 1);
    let (Columns::Images(drawn), Truth::Classes(classes)) = (&records.columns, &records.truth) else {
        unreachable!("digits are images with classes")
    };
    let images: Vec<f32> = drawn.pixels.iter().map(|&pixel| (f32::from(pixel) / 255.0 - 0.5) / 0.5).collect();
    let labels: Vec<i32> = classes.iter().map(|&class| class.cast_signed()).collect();
    let training = Training {
        model: Model::Preset("mnist-cnn".to_owned()),
        data: "digits".to_owned(),
        preprocessing: Preprocessing { normalize: Some([0.5, 0.5]), ..Preprocessing::default() },
        weights_of: None,
        new_head: false,
        adapters: false,
        epochs: Some(NonZeroU32::MIN.saturating_add(1)),
        samples: None,
        tokens: None,
        validate_every: None,
        global_batch: NonZeroUsize::new(BATCH).expect("not zero"),
        optimizer: Optimizer::Momentum(Momentum { learning_rate: 0.01, momentum: 0.9 }),
        rate: Rate::default(),
        clip_norm: None,
        outer: None,
        precision: Precision::Fp32,
    };
    let mut group = criterion.benchmark_group(format!("{STEPS} steps of the MNIST CNN, batch {BATCH}"));
    group.sample_size(10).measurement_time(Duration::from_secs(15));
    group.bench_function("bare burn loop", |bencher| bencher.iter(|| bare(&images, &labels)));
    group.bench_function("executor", |bencher| bencher.iter(|| ours(&data, &training)));
    group.finish();
    let pairs: Vec<(f64, f64)> = (0..BLOCKS)
        .map(|_| (bare(&images, &labels), ours(&data, &training)))
        .map(|(bare, ours)| (bare.as_secs_f64(), ours.as_secs_f64()))
        .collect();
    let [bare, ours] = [median(pairs.iter().map(|pair| pair.0)), median(pairs.iter().map(|pair| pair.1))];
    // Of what ran one after the other: a machine is faster at one time than at another.
    let ratio = median(pairs.iter().map(|(bare, ours)| ours / bare));
    eprintln!(
        "a step: bare burn loop {:.2} ms, executor {:.2} ms: ratio {ratio:.3}",
        1e3 * bare / STEPS as f64,
        1e3 * ours / STEPS as f64
    );
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

criterion_group!(benches, step);
criterion_main!(benches);
