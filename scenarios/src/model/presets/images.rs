//! Networks on images.

use super::n;
use crate::model::{
    Activation, Basic, Block, BlockCnn, Bottleneck, Classifier, Cnn, Conv2d, Detector, Extra, Heads, ImageSize, Layer,
    Mbconv, Mlp, Model, Neck, Pool, Pyramid, Shortcut, Stage, Stem,
};

pub(super) fn mnist_cnn() -> Model {
    let conv = |channels| Layer::Conv2d(Conv2d { channels: n(channels), kernel: n(5), stride: n(1), padding: 0 });
    let pool = || Layer::MaxPool(Pool { kernel: n(2), stride: None });
    Model::Cnn(Cnn {
        image: square(1, 28),
        layers: vec![
            conv(10),
            pool(),
            Layer::Relu,
            conv(20),
            pool(),
            Layer::Relu,
            Layer::Linear(n(50)),
            Layer::Linear(n(10)),
        ],
    })
}

pub(super) fn mnist_linear() -> Model {
    Model::Mlp(Mlp { inputs: n(784), hidden: vec![], outputs: n(10), activation: Activation::Linear })
}

pub(super) fn mnist_mlp() -> Model {
    Model::Mlp(Mlp { inputs: n(784), hidden: vec![n(256), n(128)], outputs: n(10), activation: Activation::Relu })
}

/// VGG-16 (arXiv 1409.1556, table 1, column D): 3×3 convolutions between pools, three fully connected layers.
pub(super) fn vgg16() -> Model {
    let mut layers = Vec::new();
    for (count, channels) in [(2, 64), (2, 128), (3, 256), (3, 512), (3, 512)] {
        for _ in 0..count {
            layers.push(Layer::Conv2d(Conv2d { channels: n(channels), kernel: n(3), stride: n(1), padding: 1 }));
            layers.push(Layer::Relu);
        }
        layers.push(Layer::MaxPool(Pool { kernel: n(2), stride: None }));
    }
    for width in [4096, 4096] {
        layers.extend([Layer::Linear(n(width)), Layer::Relu]);
    }
    layers.push(Layer::Linear(n(1000)));
    Model::Cnn(Cnn { image: square(3, 224), layers })
}

/// ResNet-18 and ResNet-34 (arXiv 1512.03385, table 1): basic blocks of each stage.
pub(super) fn resnet_basic(counts: [usize; 4]) -> Model {
    let stage = |i: usize| Stage {
        block: Block::Basic(Basic::default()),
        count: n(counts[i]),
        channels: n(64 << i),
        stride: n(if i == 0 { 1 } else { 2 }),
    };
    imagenet((0..4).map(stage).collect())
}

/// ResNet-50 v1.5 and deeper, ResNeXt (arXiv 1611.05431, table 1): bottleneck blocks of each stage, and width and
/// groups of the first stage's 3×3 convolution.
pub(super) fn resnet(counts: [usize; 4], width: usize, groups: usize) -> Model {
    imagenet(bottlenecks(&counts, width, groups))
}

fn bottlenecks(counts: &[usize], width: usize, groups: usize) -> Vec<Stage> {
    let stage = |(i, count): (usize, &usize)| Stage {
        block: Block::Bottleneck(Bottleneck { width: n(width << i), groups: n(groups) }),
        count: n(*count),
        channels: n(256 << i),
        stride: n(if i == 0 { 1 } else { 2 }),
    };
    counts.iter().enumerate().map(stage).collect()
}

fn imagenet(stages: Vec<Stage>) -> Model {
    let head = Classifier { features: None, classes: n(1000) };
    Model::BlockCnn(BlockCnn { image: square(3, 224), stem: STEM, stages, head })
}

/// 7×7 convolution and pool of all ResNets on ImageNet.
const STEM: Stem = Stem { channels: n(64), kernel: n(7), stride: n(2), pool: true };

/// ResNet-20 for CIFAR-10 (arXiv 1512.03385, section 4.2): 6·3 + 2 layers, shortcuts without parameters.
pub(super) fn resnet20() -> Model {
    let stage = |(channels, stride)| Stage {
        block: Block::Basic(Basic { shortcut: Shortcut::Padding }),
        count: n(3),
        channels: n(channels),
        stride: n(stride),
    };
    Model::BlockCnn(BlockCnn {
        image: square(3, 32),
        stem: Stem { channels: n(16), kernel: n(3), stride: n(1), pool: false },
        stages: [(16, 1), (32, 2), (64, 2)].into_iter().map(stage).collect(),
        head: Classifier { features: None, classes: n(10) },
    })
}

/// EfficientNet (arXiv 1905.11946, table 1): B0's stages scaled in `width` and `depth`, both in tenths. Channels are
/// rounded to the nearest 8, by at most a tenth down; blocks are rounded up.
pub(super) fn efficientnet(image: usize, width: usize, depth: usize) -> Model {
    let channels = |base: usize| {
        let exact = base * width;
        let near = ((exact + 40) / 80 * 8).max(8);
        n(if near * 100 < exact * 9 { near + 8 } else { near })
    };
    let stage = |(expansion, base, count, stride, kernel): (usize, usize, usize, usize, usize)| Stage {
        block: Block::Mbconv(Mbconv { expansion: n(expansion), kernel: n(kernel), squeeze: true }),
        count: n((count * depth).div_ceil(10)),
        channels: channels(base),
        stride: n(stride),
    };
    let stages = [
        (1, 16, 1, 1, 3),
        (6, 24, 2, 2, 3),
        (6, 40, 2, 2, 5),
        (6, 80, 3, 2, 3),
        (6, 112, 3, 1, 5),
        (6, 192, 4, 2, 5),
        (6, 320, 1, 1, 3),
    ];
    Model::BlockCnn(BlockCnn {
        image: square(3, image),
        stem: Stem { channels: channels(32), kernel: n(3), stride: n(2), pool: false },
        stages: stages.into_iter().map(stage).collect(),
        head: Classifier { features: Some(channels(1280)), classes: n(1000) },
    })
}

/// SSD300 as in NVIDIA's DeepLearningExamples: ResNet-50 up to its third stage, whose step is 1, five further blocks,
/// six feature maps, 81 classes with the background.
pub(super) fn ssd300() -> Model {
    let mut stages = bottlenecks(&[3, 4, 6], 64, 1);
    stages[2].stride = n(1);
    let extra = |(width, channels, halves)| Extra { width: n(width), channels: n(channels), halves };
    let blocks = [(256, 512, true), (256, 512, true), (128, 256, true), (128, 256, false), (128, 256, false)];
    Model::Detector(Detector {
        image: square(3, 300),
        stem: STEM,
        stages,
        neck: Neck::Extra(blocks.into_iter().map(extra).collect()),
        heads: Heads {
            anchors: [4, 6, 6, 6, 4, 4].map(n).to_vec(),
            classes: n(81),
            kernel: n(3),
            depth: 0,
            shared: false,
        },
    })
}

/// RetinaNet (arXiv 1708.02002) as torchvision builds it: pyramid over three stages and two maps above, nine anchors,
/// four convolutions in each head.
pub(super) fn retinanet(image: usize, width: usize, groups: usize, classes: usize) -> Model {
    Model::Detector(Detector {
        image: square(3, image),
        stem: STEM,
        stages: bottlenecks(&[3, 4, 6, 3], width, groups),
        neck: Neck::Pyramid(Pyramid { channels: n(256), stages: n(3), above: 2 }),
        heads: Heads { anchors: vec![n(9); 5], classes: n(classes), kernel: n(3), depth: 4, shared: true },
    })
}

/// Seven 3×3 convolutions, six with pools, as in YOLOv3-tiny, and heads on the last two maps; without its
/// concatenation of both maps. 81 classes are COCO's 80 and the object's own value.
pub(super) fn yolo_tiny() -> Model {
    let pooled =
        |(channels, stride)| Stage { block: Block::Pooled, count: n(1), channels: n(channels), stride: n(stride) };
    let mut stages: Vec<Stage> = [(32, 2), (64, 2), (128, 2), (256, 2), (512, 2)].into_iter().map(pooled).collect();
    stages.push(Stage { block: Block::Plain, count: n(1), channels: n(1024), stride: n(1) });
    Model::Detector(Detector {
        image: square(3, 416),
        stem: Stem { channels: n(16), kernel: n(3), stride: n(1), pool: true },
        stages,
        neck: Neck::Stages(n(2)),
        heads: Heads { anchors: vec![n(3); 2], classes: n(81), kernel: n(1), depth: 0, shared: false },
    })
}

const fn square(channels: usize, side: usize) -> ImageSize {
    ImageSize { channels: n(channels), height: n(side), width: n(side) }
}
