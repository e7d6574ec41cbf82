//! A description unfolded into the steps of its network.

use scenarios::model::{Block, BlockCnn, ImageSize, Stage, Stem, TensorShape};

use super::step::{Activation, Plain, Step, Window};

/// The steps of a network on images.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Shape of one image.
    pub image: TensorShape,
    /// Steps in order.
    pub steps: Vec<Step>,
    /// How many steps the network has made at the end of each part: stem, every block, head.
    pub ends: Vec<usize>,
}

impl Plan {
    /// The steps of a network of blocks, with names as torchvision's networks have them.
    #[must_use]
    pub fn of(network: &BlockCnn) -> Self {
        let style = Style::of(&network.stages);
        let mut unfolding = Unfolding::new(network.image, "");
        unfolding.trunk(network.stem, &network.stages, 0);
        if let Some(features) = network.head.features {
            let names = style.features(network.stages.len());
            let window = Window::new("", [0, features.get()], 1);
            unfolding.normalised(names, &window, style.activation());
        }
        unfolding.plain(Plain::Mean);
        let inputs = unfolding.channels();
        unfolding.steps.push(Step::Linear {
            name: style.classifier().to_owned(),
            inputs,
            outputs: network.head.classes.get(),
        });
        unfolding.end();
        unfolding.plan(network.image)
    }
}

/// Appends steps and keeps track of the shape.
#[derive(Debug)]
pub struct Unfolding {
    /// What was appended.
    pub steps: Vec<Step>,
    /// Shape that the next step gets.
    pub at: TensorShape,
    /// What the names of the trunk's parameters begin with.
    prefix: &'static str,
    ends: Vec<usize>,
}

impl Unfolding {
    /// Nothing yet.
    pub fn new(image: ImageSize, prefix: &'static str) -> Self {
        Self { steps: Vec::new(), at: shape(image), prefix, ends: Vec::new() }
    }

    /// The steps that were appended.
    pub fn plan(self, image: ImageSize) -> Plan {
        Plan { image: shape(image), steps: self.steps, ends: self.ends }
    }

    /// Stem and stages; gives the shapes of the maps that the stages leave. The maps of the last `kept` stages stay below
    /// one another, the last one on top.
    pub fn trunk(&mut self, stem: Stem, stages: &[Stage], kept: usize) -> Vec<TensorShape> {
        let style = Style::of(stages);
        self.stem(stem, style, stages.first());
        let mut maps = Vec::with_capacity(stages.len());
        for (index, stage) in stages.iter().enumerate() {
            for block in 0..stage.count.get() {
                let name = format!("{}{}", self.prefix, style.block(index, block));
                let stride = if block == 0 { stage.stride.get() } else { 1 };
                self.block(stage.block, &name, stage.channels.get(), stride);
                self.end();
            }
            if (stages.len() - kept..stages.len() - 1).contains(&index) {
                self.plain(Plain::Copy);
            }
            maps.push(self.at);
        }
        maps
    }

    /// The first convolution, with the activation of the stage that follows.
    fn stem(&mut self, stem: Stem, style: Style, next: Option<&Stage>) {
        let names = style.stem().map(|name| format!("{}{name}", self.prefix));
        let window = Window::new("", [0, stem.channels.get()], stem.kernel.get()).by(stem.stride.get());
        let inverted = matches!(next.map(|stage| stage.block), Some(Block::Mbconv(_)));
        self.normalised(names, &window, if inverted { Activation::Silu } else { Activation::Relu });
        if stem.pool {
            self.pool(3, 2);
        }
        self.end();
    }

    /// A convolution (its name and the channels that enter are filled in), batch normalisation and activation.
    pub fn normalised(&mut self, [name, norm]: [String; 2], window: &Window, activation: Activation) {
        self.convolution(Window { name, normalised: true, ..*window });
        self.plain(Plain::Centre);
        self.steps.push(Step::Normalise { name: norm, channels: self.channels(), activation });
    }

    fn convolution(&mut self, window: Window) {
        let TensorShape::Image { channels, height, width } = self.at else {
            unreachable!("the description was checked before the network was built")
        };
        let window = Window { channels: [channels, window.channels[1]], ..window };
        let (height, width) = (window.size(height), window.size(width));
        self.at = TensorShape::Image { channels: window.channels[1], height, width };
        self.steps.push(Step::Convolve(window));
    }

    /// A step without parameters that leaves the shape to the caller.
    pub fn plain(&mut self, step: Plain) {
        self.steps.push(Step::Plain(step));
    }

    /// Maximum over windows.
    pub(super) fn pool(&mut self, kernel: usize, stride: usize) {
        self.plain(Plain::Pool { kernel, stride });
        self.at = strided(self.at, self.channels(), stride);
    }

    /// A part of the network ends here.
    pub fn end(&mut self) {
        self.ends.push(self.steps.len());
    }

    /// Channels that the next step gets.
    pub const fn channels(&self) -> usize {
        match self.at {
            TensorShape::Image { channels, .. } => channels,
            TensorShape::Vector(values) => values,
        }
    }
}

/// An image of other channels, of ⌈size / stride⌉ rows and columns.
pub(super) const fn strided(shape: TensorShape, channels: usize, stride: usize) -> TensorShape {
    match shape {
        TensorShape::Image { height, width, .. } => {
            TensorShape::Image { channels, height: height.div_ceil(stride), width: width.div_ceil(stride) }
        }
        TensorShape::Vector(_) => TensorShape::Vector(channels),
    }
}

const fn shape(image: ImageSize) -> TensorShape {
    TensorShape::Image { channels: image.channels.get(), height: image.height.get(), width: image.width.get() }
}

/// Whose names the parameters have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Style {
    /// torchvision's ResNet.
    ResNet,
    /// torchvision's EfficientNet, for networks with inverted bottlenecks.
    EfficientNet,
}

impl Style {
    fn of(stages: &[Stage]) -> Self {
        let inverted = stages.iter().any(|stage| matches!(stage.block, Block::Mbconv(_)));
        if inverted { Self::EfficientNet } else { Self::ResNet }
    }

    fn stem(self) -> [&'static str; 2] {
        match self {
            Self::ResNet => ["conv1", "bn1"],
            Self::EfficientNet => ["features.0.0", "features.0.1"],
        }
    }

    fn block(self, stage: usize, block: usize) -> String {
        match self {
            Self::ResNet => format!("layer{}.{block}", stage + 1),
            Self::EfficientNet => format!("features.{}.{block}", stage + 1),
        }
    }

    fn features(self, stages: usize) -> [String; 2] {
        match self {
            Self::ResNet => ["conv_head", "bn_head"].map(str::to_owned),
            Self::EfficientNet => [0, 1].map(|part| format!("features.{}.{part}", stages + 1)),
        }
    }

    const fn classifier(self) -> &'static str {
        match self {
            Self::ResNet => "fc",
            Self::EfficientNet => "classifier.1",
        }
    }

    const fn activation(self) -> Activation {
        match self {
            Self::ResNet => Activation::Relu,
            Self::EfficientNet => Activation::Silu,
        }
    }
}
