//! ResNet-50 v1.5 and its training as burn's own modules make them.

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::loss::CrossEntropyLossConfig;
use burn::nn::pool::{MaxPool2d, MaxPool2dConfig};
use burn::nn::{BatchNorm, BatchNormConfig, Linear, LinearConfig, PaddingConfig2d};
use burn::optim::momentum::MomentumConfig;
use burn::optim::{GradientsParams, ModuleOptimizer, SgdConfig};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Int, Tensor, TensorData};

use super::bare::Loop;
use super::sizes::ResnetSize;

/// Blocks of each stage.
const BLOCKS: [usize; 4] = [3, 4, 6, 3];

#[derive(Module, Debug)]
struct Normalised {
    convolution: Conv2d,
    norm: BatchNorm,
}

impl Normalised {
    fn new(channels: [usize; 2], kernel: usize, stride: usize, device: &Device) -> Self {
        let around = (kernel - 1) / 2;
        let config = Conv2dConfig::new(channels, [kernel; 2]).with_stride([stride; 2]).with_bias(false);
        let config = config.with_padding(PaddingConfig2d::Explicit(around, around, around, around));
        Self { convolution: config.init(device), norm: BatchNormConfig::new(channels[1]).init(device) }
    }

    fn forward(&self, image: Tensor<4>) -> Tensor<4> {
        self.norm.forward(self.convolution.forward(image))
    }
}

#[derive(Module, Debug)]
struct Block {
    first: Normalised,
    second: Normalised,
    third: Normalised,
    shortcut: Option<Normalised>,
}

impl Block {
    fn new(channels: [usize; 2], stride: usize, device: &Device) -> Self {
        let [entering, leaving] = channels;
        let width = leaving / 4;
        let changes = entering != leaving || stride > 1;
        Self {
            first: Normalised::new([entering, width], 1, 1, device),
            second: Normalised::new([width, width], 3, stride, device),
            third: Normalised::new([width, leaving], 1, 1, device),
            shortcut: changes.then(|| Normalised::new(channels, 1, stride, device)),
        }
    }

    fn forward(&self, image: Tensor<4>) -> Tensor<4> {
        let inner = relu(self.second.forward(relu(self.first.forward(image.clone()))));
        let beside = self.shortcut.as_ref().map_or(image.clone(), |shortcut| shortcut.forward(image));
        relu(self.third.forward(inner) + beside)
    }
}

#[derive(Module, Debug)]
struct Resnet {
    stem: Normalised,
    pool: MaxPool2d,
    blocks: Vec<Block>,
    output: Linear,
}

impl Resnet {
    fn new(classes: usize, device: &Device) -> Self {
        let mut blocks = Vec::new();
        let mut entering = 64;
        for (stage, count) in BLOCKS.into_iter().enumerate() {
            let leaving = 256 << stage;
            for block in 0..count {
                let stride = if block == 0 && stage > 0 { 2 } else { 1 };
                blocks.push(Block::new([entering, leaving], stride, device));
                entering = leaving;
            }
        }
        let pool = MaxPool2dConfig::new([3, 3]).with_strides([2, 2]);
        Self {
            stem: Normalised::new([3, 64], 7, 2, device),
            pool: pool.with_padding(PaddingConfig2d::Explicit(1, 1, 1, 1)).init(),
            blocks,
            output: LinearConfig::new(2048, classes).init(device),
        }
    }

    fn forward(&self, image: Tensor<4>) -> Tensor<2> {
        let image = self.pool.forward(relu(self.stem.forward(image)));
        let image = self.blocks.iter().fold(image, |image, block| block.forward(image));
        self.output.forward(image.mean_dim(3).mean_dim(2).flatten(1, 3))
    }
}

/// Training of ResNet-50 in a plain loop.
pub struct Training {
    model: Option<Resnet>,
    optimizer: ModuleOptimizer,
    size: ResnetSize,
    pixels: Vec<f32>,
    device: Device,
}

impl Training {
    pub fn new(size: ResnetSize, device: &Device) -> Self {
        let device = device.clone().autodiff();
        let momentum = MomentumConfig::new().with_momentum(0.9).with_dampening(0.0);
        let pixels = (0..size.batch * 3 * size.side * size.side).map(|at| (at % 255) as f32 / 255.0).collect();
        let optimizer = SgdConfig::new().with_momentum(Some(momentum)).init();
        Self { model: Some(Resnet::new(size.classes, &device)), optimizer, size, pixels, device }
    }
}

impl Loop for Training {
    fn step(&mut self, number: usize) -> Tensor<1> {
        let ResnetSize { batch, side, classes } = self.size;
        let (device, model) = (&self.device, self.model.take().expect("a step puts it back"));
        let images = TensorData::new(self.pixels.clone(), [batch, 3, side, side]);
        let truth: Vec<i32> =
            (0..batch).map(|record| ((record * 7 + number) as u32 % classes as u32).cast_signed()).collect();
        let truth = Tensor::<1, Int>::from_data(TensorData::new(truth, [batch]), device);
        let scores = model.forward(Tensor::from_data(images, device));
        let loss = CrossEntropyLossConfig::new().init(device).forward(scores, truth);
        let gradients = GradientsParams::from_grads(loss.backward(), &model);
        self.model = Some(self.optimizer.step(0.01, model, gradients));
        loss.inner()
    }
}
