use std::num::NonZeroUsize;

use burn::tensor::{Device, Int, Tensor, TensorData};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use scenarios::model::{
    Basic, Block, BlockCnn, Bottleneck, Classifier, ImageSize, Mbconv, Model, Shortcut, Stage, Stem, TensorShape,
};
use scenarios::scenario::Preprocessing;

use super::super::build::{Build, Share};
use super::super::{Checkpoint, Description, Network, Pass, Recipe, Running, Value, flat, harness, host};
use super::Activation;
use super::norm::{Figures, Normalise, centred, sums};
use crate::data::{Codes, Inputs, Targets};

fn n(value: usize) -> NonZeroUsize {
    NonZeroUsize::new(value).expect("not zero")
}

/// A network of every kind of block on images of an even and an odd side.
fn small(blocks: &[(Block, usize, usize)], kernel: usize) -> Model {
    let stage = |&(block, channels, stride): &(Block, usize, usize)| Stage {
        block,
        count: n(2),
        channels: n(channels),
        stride: n(stride),
    };
    Model::BlockCnn(BlockCnn {
        image: ImageSize { channels: n(2), height: n(12), width: n(11) },
        stem: Stem { channels: n(4), kernel: n(kernel), stride: n(2), pool: kernel == 5 },
        stages: blocks.iter().map(stage).collect(),
        head: Classifier { features: Some(n(6)), classes: n(3) },
    })
}

fn networks() -> Vec<Model> {
    let basic = |shortcut| Block::Basic(Basic { shortcut });
    let bottleneck = Block::Bottleneck(Bottleneck { width: n(4), groups: n(2) });
    let inverted = |expansion, squeeze| Block::Mbconv(Mbconv { expansion: n(expansion), kernel: n(3), squeeze });
    vec![
        small(&[(basic(Shortcut::Projection), 4, 1), (basic(Shortcut::Padding), 7, 2)], 3),
        small(&[(bottleneck, 8, 2), (bottleneck, 6, 1), (basic(Shortcut::Padding), 4, 2)], 5),
        small(&[(Block::Plain, 6, 2), (Block::Pooled, 5, 2), (Block::Pooled, 5, 1)], 4),
        small(&[(inverted(1, true), 4, 1), (inverted(3, true), 6, 2), (inverted(2, false), 6, 1)], 3),
    ]
}

fn images(records: &[usize], values: usize, device: &Device) -> Tensor<2> {
    let of = |record: &usize| {
        let mut random = ChaCha8Rng::seed_from_u64(*record as u64);
        (0..values).map(move |_| random.random_range(-0.5..1.5)).collect::<Vec<f32>>()
    };
    let all: Vec<f32> = records.iter().flat_map(of).collect();
    Tensor::from_data(TensorData::new(all, [records.len(), values]), device)
}

#[test]
fn parameters_are_as_many_as_the_description_says() {
    let presets = ["resnet20", "resnet18", "resnet50", "resnext50-32x4d", "efficientnet-b0"];
    let presets = presets.map(|name| Model::Preset(name.to_owned()));
    for model in presets.into_iter().chain(networks()) {
        let description = Description::of(&model).expect("it is valid");
        let network = Network::new(&description, description.whole(), 1, &Device::flex());
        assert_eq!(network.size() as u64, model.parameters().expect("it is valid"), "{model:?}");
        let listed: usize = network.parameters().iter().map(|p| p.shape.iter().product::<usize>()).sum();
        assert_eq!(listed, network.size());
    }
}

#[test]
fn names_are_those_of_torchvision() {
    let check = |preset: &str, expected: &[(&str, &[usize])]| {
        let description = Description::of(&Model::Preset(preset.to_owned())).expect("it is a preset");
        let network = Network::new(&description, description.whole(), 1, &Device::flex());
        for (name, shape) in expected {
            let found = network.parameters().iter().find(|parameter| parameter.name == *name);
            assert_eq!(found.map(|parameter| parameter.shape.as_slice()), Some(*shape), "{preset}: {name}");
        }
    };
    check(
        "resnet18",
        &[
            ("conv1.weight", &[64, 3, 7, 7]),
            ("bn1.weight", &[64]),
            ("layer1.0.conv1.weight", &[64, 64, 3, 3]),
            ("layer2.0.downsample.0.weight", &[128, 64, 1, 1]),
            ("layer2.0.downsample.1.bias", &[128]),
            ("layer4.1.bn2.bias", &[512]),
            ("fc.weight", &[512, 1000]),
        ],
    );
    check(
        "efficientnet-b0",
        &[
            ("features.0.0.weight", &[32, 3, 3, 3]),
            ("features.1.0.block.0.0.weight", &[32, 1, 3, 3]),
            ("features.1.0.block.1.fc1.weight", &[8, 32, 1, 1]),
            ("features.2.1.block.3.1.weight", &[24]),
            ("features.8.0.weight", &[1280, 320, 1, 1]),
            ("classifier.1.bias", &[1000]),
        ],
    );
}

#[test]
fn every_part_ends_in_the_shape_that_the_description_says() {
    for model in networks().into_iter().chain([Model::Preset("resnet20".to_owned())]) {
        let description = Description::of(&model).expect("it is valid");
        let Description::Blocks(plan) = &description else { panic!("it is a network of blocks") };
        let device = Device::flex();
        let network = Network::new(&description, description.whole(), 1, &device);
        let mut flow = description.start(Inputs::Numbers(images(&[0, 1], description.input(), &device)));
        let sections = model.sections().expect("it is valid");
        let parts = sections.iter().flat_map(|section| std::iter::repeat_n(section, section.repeat));
        let mut start = 0;
        assert_eq!(plan.ends.last(), Some(&description.pieces()));
        for (section, end) in parts.zip(&plan.ends) {
            flow = network.forward(start..*end, flow, &Pass::plain());
            start = *end;
            let found = match &flow.0[..] {
                [Value::Image(image)] => {
                    let [_, channels, height, width] = image.dims();
                    TensorShape::Image { channels, height, width }
                }
                [Value::Vector(vector)] => TensorShape::Vector(vector.dims()[1]),
                other => panic!("{} values at the end of a part", other.len()),
            };
            assert_eq!(Some(found), section.operators.last().map(|operator| operator.output), "{}", section.name);
        }
        assert_eq!(start, description.pieces());
    }
}

/// Batch normalisation in plain Rust: values of `[records, channels, pixels]`, and mean and variance of each channel.
fn by_hand(values: &[f32], channels: usize, pixels: usize) -> (Vec<f32>, Vec<[f64; 2]>) {
    let of = |channel: usize| move |at: &usize| at / pixels % channels == channel;
    let figures: Vec<[f64; 2]> = (0..channels)
        .map(|channel| {
            let own: Vec<f64> = (0..values.len()).filter(of(channel)).map(|at| f64::from(values[at])).collect();
            let mean = own.iter().sum::<f64>() / own.len() as f64;
            [mean, own.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / own.len() as f64]
        })
        .collect();
    let normal = |(at, value): (usize, &f32)| {
        let [mean, variance] = figures[at / pixels % channels];
        ((f64::from(*value) - mean) / (variance + 1e-5).sqrt()) as f32
    };
    (values.iter().enumerate().map(normal).collect(), figures)
}

#[test]
fn batch_normalisation_is_that_of_the_formula() {
    let (records, channels, rows, columns) = (3, 2, 4, 5);
    let device = Device::flex();
    let check = |offset: f32, replicas: usize| {
        let values: Vec<f32> = host(images(&[1, 2, 3], channels * rows * columns, &device) + offset);
        let image =
            Tensor::<4>::from_data(TensorData::new(values.clone(), [records, channels, rows, columns]), &device);
        let (expected, figures) = by_hand(&values, channels, rows * columns);
        let norm = Normalise::new("bn1", channels, Activation::None, &mut Build::new(&device, Share::WHOLE, 1));
        let pass = Pass { learns: true, counts: true, replicas, ..Pass::plain() };
        let found = pass.shares_figures().then(|| {
            let sums = sums(&image);
            Figures { squares: centred(&image, sums.clone()), sums }
        });
        let found = host(norm.forward(image.clone(), found, &pass));
        let near = |found: &[f32], expected: &[f32]| {
            for (found, expected) in found.iter().zip(expected) {
                assert!((found - expected).abs() < 1e-3, "{offset}, {replicas} replicas: {found} and {expected}");
            }
        };
        near(&found, &expected);
        let count = (records * rows * columns) as f64;
        let kept = norm.running().values();
        let mean: Vec<f32> = figures.iter().map(|[mean, _]| (0.1 * mean) as f32).collect();
        let variance = figures.iter().map(|[_, variance]| (0.9 + 0.1 * variance * count / (count - 1.0)) as f32);
        near(&kept[0], &mean);
        near(&kept[1], &variance.collect::<Vec<_>>());
        // Without learning it is the running figures that count, and they stay.
        let plain = host(norm.forward(image, None, &Pass::plain()));
        let at = |index: usize| index / (rows * columns) % channels;
        let expected: Vec<f32> = (values.iter().enumerate())
            .map(|(index, value)| (value - kept[0][at(index)]) / (kept[1][at(index)] + 1e-5).sqrt())
            .collect();
        near(&plain, &expected);
        assert_eq!(norm.running().values(), kept);
    };
    for replicas in [1, 2] {
        check(0.0, replicas);
        check(300.0, replicas);
    }
}

#[test]
fn replicas_normalise_over_the_whole_batch() {
    for model in networks() {
        let description = Description::of(&model).expect("it is valid");
        harness::assert_replicas_equal_one(&description, |records, device| {
            let classes: Vec<u32> = records.iter().map(|record| (record % 3) as u32).collect();
            let classes = Tensor::<1, Int>::from_data(TensorData::new(classes, [records.len()]), device);
            (Inputs::Numbers(images(records, description.input(), device)), Targets::Classes(classes))
        });
    }
}

#[test]
fn a_pass_that_does_not_count_leaves_running_figures() {
    let description = Description::of(&networks()[0]).expect("it is valid");
    let device = Device::flex().autodiff();
    let network = Network::new(&description, description.whole(), 1, &device);
    let running = |network: &Network| network.running().map(Running::values).collect::<Vec<_>>();
    let first = running(&network);
    let pass = Pass { learns: true, ..Pass::plain() };
    let look =
        |pass: &Pass<'_>| drop(network.output(Inputs::Numbers(images(&[0, 1], description.input(), &device)), pass));
    look(&pass);
    assert_eq!(running(&network), first);
    look(&Pass { counts: true, ..pass });
    assert_ne!(running(&network), first);
    let valid = burn::module::Module::valid(&network);
    assert_eq!(running(&valid), running(&network));
    look(&Pass { counts: true, ..pass });
    assert_ne!(running(&valid), running(&network));
}

#[test]
fn checkpoints_hold_running_figures() {
    let model = networks()[3].clone();
    let description = Description::of(&model).expect("it is valid");
    let device = Device::flex();
    let network = Network::new(&description, description.whole(), 1, &device);
    let pass = Pass { learns: true, counts: true, ..Pass::plain() };
    drop(network.output(Inputs::Numbers(images(&[0, 1], description.input(), &device)), &pass));
    let recipe = Recipe {
        model,
        preprocessing: Preprocessing::default(),
        learned_from: "shapes".to_owned(),
        codes: Codes::default(),
        files: None,
        seed: 0,
    };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("weights.safetensors");
    let written = Checkpoint { recipe, network };
    written.write(&path).expect("it can be written");
    let read = Checkpoint::read(&path, &device).expect("it can be read");
    assert_eq!(flat::parameters(&read.network), flat::parameters(&written.network));
    let running =
        |network: &Network| network.running().flat_map(|running| running.values().concat()).collect::<Vec<_>>();
    assert_eq!(running(&read.network), running(&written.network));
    let bytes = std::fs::read(&path).expect("it was written");
    let tensors = safetensors::SafeTensors::deserialize(&bytes).expect("it is valid");
    let variance = tensors.tensor("features.0.1.running_var").expect("it is there");
    assert_eq!(variance.shape(), [4]);
}
