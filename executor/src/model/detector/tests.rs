use std::num::NonZeroUsize;

use burn::module::Module as _;
use burn::optim::{AdamConfig, GradientsParams};
use burn::tensor::{Device, Tensor, TensorData};
use scenarios::model::{Block, Detector, Extra, Heads, ImageSize, Model, Neck, Pyramid, Stage, Stem, TensorShape};

use super::super::{Description, Network, Pass, harness, loss};
use super::anchors::anchors;
use super::{Limits, detect};
use crate::data::shapes::{KINDS, Shapes, draw};
use crate::data::{Inputs, Targets};
use crate::metrics::mean_average_precision;

fn n(value: usize) -> NonZeroUsize {
    NonZeroUsize::new(value).expect("not zero")
}

fn detector(side: usize, widths: &[usize], neck: Neck, heads: Heads) -> Model {
    let stage = |width: &usize| Stage { block: Block::Plain, count: n(1), channels: n(*width), stride: n(2) };
    Model::Detector(Detector {
        image: ImageSize { channels: n(1), height: n(side), width: n(side) },
        stem: Stem { channels: n(widths[0]), kernel: n(3), stride: n(1), pool: false },
        stages: widths[1..].iter().map(stage).collect(),
        neck,
        heads,
    })
}

fn heads(anchors: &[usize], kernel: usize, depth: usize, shared: bool) -> Heads {
    let anchors = anchors.iter().map(|count| n(*count)).collect();
    Heads { anchors, classes: n(1 + KINDS), kernel: n(kernel), depth, shared }
}

/// A detector with each kind of neck.
fn detectors() -> Vec<Model> {
    let extra = |halves| Extra { width: n(3), channels: n(5), halves };
    vec![
        detector(30, &[4, 6, 8], Neck::Stages(n(2)), heads(&[3, 2], 1, 0, false)),
        detector(30, &[4, 6, 8], Neck::Extra(vec![extra(true), extra(false)]), heads(&[4, 6, 4], 3, 1, false)),
        detector(
            30,
            &[4, 6, 8, 9],
            Neck::Pyramid(Pyramid { channels: n(5), stages: n(2), above: 2 }),
            heads(&[2, 2, 2, 2], 3, 2, true),
        ),
    ]
}

fn batch(shapes: &Shapes, records: &[usize], device: &Device) -> (Inputs, Targets) {
    let values = shapes.side * shapes.side;
    let of = |record: &usize| shapes.pixels[record * values..(record + 1) * values].iter();
    let numbers: Vec<f32> = records.iter().flat_map(of).map(|pixel| f32::from(*pixel) / 127.5 - 1.0).collect();
    let inputs = Inputs::Numbers(Tensor::from_data(TensorData::new(numbers, [records.len(), values]), device));
    (inputs, Targets::Boxes(records.iter().map(|record| shapes.boxes[*record].clone()).collect()))
}

#[test]
fn heads_look_at_the_maps_that_the_description_says() {
    let presets = ["ssd300-resnet50", "retinanet-resnet50", "yolo-tiny"].map(|name| Model::Preset(name.to_owned()));
    for model in presets.into_iter().chain(detectors()) {
        let description = Description::of(&model).expect("it is valid");
        let Description::Detector(plan) = &description else { panic!("it is a detector") };
        let sections = model.sections().expect("it is valid");
        let maps: Vec<_> =
            sections.iter().filter(|part| part.name == "heads").map(|part| part.operators[0].input).collect();
        let levels = plan.levels.iter().map(|level| TensorShape::Image {
            channels: level.channels,
            height: level.rows,
            width: level.columns,
        });
        assert_eq!(levels.collect::<Vec<_>>(), maps);
        assert_eq!(anchors(plan).len(), plan.levels.iter().map(|l| l.rows * l.columns * l.anchors).sum::<usize>());
    }
}

#[test]
fn parameters_are_counted_and_every_anchor_gets_its_answer() {
    let device = Device::flex();
    for model in detectors() {
        let description = Description::of(&model).expect("it is valid");
        let Description::Detector(plan) = &description else { panic!("it is a detector") };
        let network = Network::new(&description, description.whole(), 1, &device);
        assert_eq!(network.size() as u64, model.parameters().expect("it is valid"));
        let (inputs, _) = batch(&draw(2, 30, 1), &[0, 1], &device);
        let [boxes, classes] = network.output(inputs, &Pass::plain()).array();
        let count = anchors(plan).len();
        assert_eq!(boxes.sequence().dims(), [2, count, 4]);
        assert_eq!(classes.sequence().dims(), [2, count, 1 + KINDS]);
    }
    for preset in ["ssd300-resnet50", "retinanet-resnet50", "yolo-tiny"] {
        let model = Model::Preset(preset.to_owned());
        let description = Description::of(&model).expect("it is a preset");
        let network = Network::new(&description, description.whole(), 1, &device);
        assert_eq!(network.size() as u64, model.parameters().expect("it is a preset"), "{preset}");
    }
}

#[test]
fn replicas_find_the_loss_of_the_whole_batch() {
    for model in detectors() {
        let shapes = draw(8, 30, 3);
        let description = Description::of(&model).expect("it is valid");
        harness::assert_replicas_equal_one(&description, |records, device| batch(&shapes, records, device));
    }
}

/// Trains on drawn shapes and gives the mean average precision at an overlap of a half on shapes it has not seen.
fn learned(steps: usize, side: usize) -> f64 {
    let model = detector(side, &[8, 16, 32, 48], Neck::Stages(n(2)), heads(&[3, 3], 3, 1, false));
    let description = Description::of(&model).expect("it is valid");
    let Description::Detector(plan) = &description else { panic!("it is a detector") };
    let (seen, unseen) = (draw(800, side, 1), draw(100, side, 2));
    let device = Device::flex();
    let mut network = Network::new(&description, description.whole(), 1, &device.clone().autodiff());
    let mut optimizer = AdamConfig::new().init();
    let pass = Pass { learns: true, counts: true, ..Pass::plain() };
    for step in 0..steps {
        let records: Vec<usize> = (0..16).map(|at| (step * 16 + at) * 7 % 800).collect();
        let (inputs, targets) = batch(&seen, &records, &device.clone().autodiff());
        let found = loss::loss(&description, network.output(inputs, &pass), targets, &pass).sum / 16.0;
        let gradients = GradientsParams::from_grads(found.backward(), &network);
        let rate = 2e-3 * (1.0 - step as f64 / steps as f64);
        network = optimizer.step(rate, network.clone(), gradients);
    }
    let (inputs, _) = batch(&unseen, &(0..100).collect::<Vec<_>>(), &device);
    let found = detect(network.valid().output(inputs, &Pass::plain()), plan, &Limits::default());
    mean_average_precision(&found, &unseen.boxes, 0.5).expect("there are shapes")
}

#[test]
fn it_learns_to_find_shapes() {
    let found = learned(300, 48);
    eprintln!("mean average precision {found:.3}");
    assert!(found >= 0.8, "{found}");
}
