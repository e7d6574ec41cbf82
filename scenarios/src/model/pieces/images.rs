//! Networks on images and vectors.

use super::super::operator::{Operator, OperatorKind};
use super::super::{
    Block, BlockCnn, Bottleneck, Detector, ImageSize, Layer, Mbconv, Neck, ShapeError, Shaped, Shortcut, Stage, Stem,
    TensorShape,
};
use super::{Piece, PieceKind, PieceOperation, Pieces, Work, class_loss};

/// The pieces of a simple chain: its layers.
pub(super) fn chain(layers: &[Shaped]) -> Pieces {
    let classes = layers.last().map_or(0, |layer| layer.output.elements());
    let list = layers.iter().map(layer).collect();
    Pieces { list, loss: class_loss(classes), loss_sums: Vec::new(), tied: 0 }
}

fn layer(layer: &Shaped) -> Piece {
    let operator = Operator::of(layer);
    let mut work = work_of(&operator);
    let kind = match &layer.layer {
        Layer::Conv2d(_) => PieceKind::Convolution,
        Layer::Linear(_) => PieceKind::Linear,
        Layer::Relu => PieceKind::Relu,
        Layer::Tanh => PieceKind::Tanh,
        Layer::MaxPool(pool) => {
            work.inner = work.leaving * (pool.kernel.get() as f64).powi(2);
            PieceKind::MaxPool
        }
    };
    // Layers without products still read and write what flows through them.
    let weight = work.multiply_adds + work.entering + work.leaving;
    Piece::new(kind, work, weight, operator.tensors())
}

/// Sizes of an operator on one record.
fn work_of(operator: &Operator) -> Work {
    let inner = match (operator.kind, operator.output) {
        (OperatorKind::Convolution { kernel, groups, .. }, TensorShape::Image { height, width, .. }) => {
            let seen = kernel * kernel * channels(operator.input) / groups.max(1);
            seen as f64 * (height * width) as f64 * groups as f64
        }
        _ => 0.0,
    };
    Work {
        multiply_adds: operator.multiply_adds(),
        entering: operator.input.elements() as f64,
        leaving: operator.output.elements() as f64,
        inner,
        parameters: operator.parameters() as f64,
        steps: 0.0,
    }
}

const fn channels(shape: TensorShape) -> usize {
    match shape {
        TensorShape::Image { channels, .. } => channels,
        TensorShape::Vector(values) => values,
    }
}

/// The pieces of a network of blocks.
pub(super) fn blocks(network: &BlockCnn) -> Pieces {
    let mut unfolding = Unfolding::new(network.image);
    unfolding.trunk(network.stem, &network.stages, 0);
    if let Some(features) = network.head.features {
        unfolding.normalised(Window::new(features.get(), 1));
    }
    let (image, features) = (unfolding.at.elements() as f64, channels(unfolding.at));
    let mean = Work { entering: image, leaving: features as f64, ..Work::default() };
    unfolding.at = TensorShape::Vector(features);
    unfolding.push(PieceKind::Mean, mean, 0);
    let classes = network.head.classes.get();
    let (kind, output) = (OperatorKind::Linear, TensorShape::Vector(classes));
    let linear = Operator { kind, input: unfolding.at, output, shared: false };
    unfolding.at = output;
    unfolding.push(PieceKind::Linear, work_of(&linear), 2);
    Pieces { list: unfolding.list, loss: class_loss(classes), loss_sums: Vec::new(), tied: 0 }
}

/// The pieces of a detector: trunk, pyramid, heads.
pub(super) fn detector(network: &Detector) -> Result<Pieces, ShapeError> {
    let kept = match &network.neck {
        Neck::Stages(count) => count.get(),
        Neck::Extra(_) => 1,
        Neck::Pyramid(pyramid) => pyramid.stages.get(),
    };
    let mut unfolding = Unfolding::new(network.image);
    unfolding.trunk(network.stem, &network.stages, kept);
    if let Neck::Extra(blocks) = &network.neck {
        for block in blocks {
            unfolding.copy();
            unfolding.normalised(Window::new(block.width.get(), 1));
            let window = Window::new(block.channels.get(), 3);
            unfolding.normalised(if block.halves { window.by(2) } else { Window { padded: false, ..window } });
        }
    }
    let sections = network.sections()?;
    let of = |name: &str| -> Vec<Operator> {
        sections.iter().filter(|section| section.name == name).flat_map(|section| section.operators.clone()).collect()
    };
    if matches!(network.neck, Neck::Pyramid(_)) {
        unfolding.composite(PieceKind::Pyramid, &of("pyramid"));
    }
    unfolding.composite(PieceKind::Heads, &of("heads"));
    // Behind the last convolution of a map are the classes of its anchors.
    let classes = network.heads.classes.get();
    let levels = sections.iter().filter(|section| section.name == "heads");
    let of_classes = levels.filter_map(|section| section.operators.last()).map(|last| last.output.elements());
    let anchors = of_classes.sum::<usize>() as f64 / classes as f64;
    let work = Work { entering: anchors * (4 + classes) as f64, leaving: 1.0, inner: anchors, ..Work::default() };
    let loss = PieceOperation { kind: PieceKind::BoxLoss, work };
    Ok(Pieces { list: unfolding.list, loss, loss_sums: Vec::new(), tied: 0 })
}

/// A convolution to append.
#[derive(Debug, Clone, Copy)]
struct Window {
    channels: usize,
    kernel: usize,
    stride: usize,
    groups: usize,
    padded: bool,
}

impl Window {
    /// A padded convolution that moves by one, without groups.
    const fn new(channels: usize, kernel: usize) -> Self {
        Self { channels, kernel, stride: 1, groups: 1, padded: true }
    }

    const fn by(self, stride: usize) -> Self {
        Self { stride, ..self }
    }

    const fn size(self, size: usize) -> usize {
        if self.padded { size.div_ceil(self.stride) } else { (size - self.kernel) / self.stride + 1 }
    }
}

/// Appends pieces and keeps track of the image, and of values that wait below it.
struct Unfolding {
    list: Vec<Piece>,
    at: TensorShape,
    below: Vec<TensorShape>,
}

impl Unfolding {
    fn new(image: ImageSize) -> Self {
        Self { list: Vec::new(), at: image.shape(), below: Vec::new() }
    }

    /// A piece after which the image is as it is now. Blocks have about equal work: where there are fewer pixels there are
    /// more channels.
    fn push(&mut self, kind: PieceKind, work: Work, tensors: u64) -> &mut Piece {
        self.append(Piece::new(kind, work, 1.0, tensors))
    }

    fn append(&mut self, piece: Piece) -> &mut Piece {
        let below: usize = self.below.iter().map(TensorShape::elements).sum();
        let at = self.list.len();
        self.list.push(Piece { weight: 1.0, leaving: (self.at.elements() + below) as f64, ..piece });
        &mut self.list[at]
    }

    /// A piece that only moves values about.
    fn moving(&mut self) -> &mut Piece {
        self.append(Piece::default())
    }

    fn copy(&mut self) {
        self.below.push(self.at);
        self.moving();
    }

    fn swap(&mut self) {
        if let Some(below) = self.below.last_mut() {
            std::mem::swap(below, &mut self.at);
        }
        self.moving();
    }

    /// Convolution, batch statistics and batch normalisation.
    fn normalised(&mut self, window: Window) {
        let input = self.at;
        let TensorShape::Image { height, width, .. } = input else { return };
        let Window { channels, kernel, groups, .. } = window;
        self.at = TensorShape::Image { channels, height: window.size(height), width: window.size(width) };
        let kind = OperatorKind::Convolution { kernel, groups, bias: false };
        let operator = Operator { kind, input, output: self.at, shared: false };
        let kind = if groups > 1 { PieceKind::GroupedConvolution } else { PieceKind::Convolution };
        // Sums of values and of squares of each channel.
        self.push(kind, work_of(&operator), 1).replica_sum = channels as f64;
        self.moving().replica_sum = channels as f64;
        let norm = Operator { kind: OperatorKind::Norm, input: self.at, output: self.at, shared: false };
        self.push(PieceKind::BatchNorm, work_of(&norm), 2);
    }

    /// Operators that the executor runs as one piece.
    fn composite(&mut self, kind: PieceKind, operators: &[Operator]) {
        let entering = self.at.elements() + self.below.iter().map(TensorShape::elements).sum::<usize>();
        self.below.clear();
        let mut work = Work { entering: entering as f64, ..Work::default() };
        let mut tensors = 0;
        for operator in operators {
            let own = work_of(operator);
            work.multiply_adds += own.multiply_adds;
            work.inner += own.inner;
            work.leaving += own.leaving;
            work.parameters += own.parameters;
            work.steps += 1.0;
            tensors += operator.tensors();
        }
        self.push(kind, work, tensors).leaving = work.leaving;
    }

    /// Stem and stages; maps of the last `kept` stages stay below one another.
    fn trunk(&mut self, stem: Stem, stages: &[Stage], kept: usize) {
        self.normalised(Window::new(stem.channels.get(), stem.kernel.get()).by(stem.stride.get()));
        if stem.pool {
            self.pool(3, 2);
        }
        for (index, stage) in stages.iter().enumerate() {
            for block in 0..stage.count.get() {
                self.block(stage.block, stage.channels.get(), if block == 0 { stage.stride.get() } else { 1 });
            }
            if (stages.len() - kept..stages.len() - 1).contains(&index) {
                self.copy();
            }
        }
    }

    fn pool(&mut self, kernel: usize, stride: usize) {
        let input = self.at;
        self.at = strided(input, channels(input), stride);
        let leaving = self.at.elements() as f64;
        let inner = leaving * (kernel * kernel) as f64;
        self.push(PieceKind::MaxPool, Work { entering: input.elements() as f64, leaving, inner, ..Work::default() }, 0);
    }

    fn block(&mut self, block: Block, channels: usize, stride: usize) {
        match block {
            Block::Plain => self.normalised(Window::new(channels, 3).by(stride)),
            Block::Pooled => {
                self.normalised(Window::new(channels, 3));
                self.pool(2, stride);
            }
            Block::Basic(basic) => {
                self.shortcut(channels, stride, basic.shortcut);
                self.normalised(Window::new(channels, 3).by(stride));
                self.normalised(Window::new(channels, 3));
                self.add();
            }
            Block::Bottleneck(Bottleneck { width, groups }) => {
                self.shortcut(channels, stride, Shortcut::Projection);
                self.normalised(Window::new(width.get(), 1));
                self.normalised(Window { groups: groups.get(), ..Window::new(width.get(), 3).by(stride) });
                self.normalised(Window::new(channels, 1));
                self.add();
            }
            Block::Mbconv(inverted) => self.inverted(inverted, channels, stride),
        }
    }

    fn add(&mut self) {
        self.below.pop();
        let values = self.at.elements() as f64;
        self.push(PieceKind::Add, Work { entering: 2.0 * values, leaving: values, ..Work::default() }, 0);
    }

    fn shortcut(&mut self, channels: usize, stride: usize, shortcut: Shortcut) {
        let input = self.at;
        self.copy();
        if strided(input, channels, stride) == input {
            return;
        }
        match shortcut {
            Shortcut::Projection => self.normalised(Window::new(channels, 1).by(stride)),
            Shortcut::Padding => {
                self.at = strided(input, channels, stride);
                let leaving = self.at.elements() as f64;
                let work = Work { entering: input.elements() as f64, leaving, ..Work::default() };
                self.push(PieceKind::Shrink, work, 0);
            }
        }
        self.swap();
    }

    fn inverted(&mut self, block: Mbconv, channels: usize, stride: usize) {
        let TensorShape::Image { channels: entering, .. } = self.at else { return };
        let inside = entering * block.expansion.get();
        let added = strided(self.at, channels, stride) == self.at;
        if added {
            self.copy();
        }
        if inside > entering {
            self.normalised(Window::new(inside, 1));
        }
        self.normalised(Window { groups: inside, ..Window::new(inside, block.kernel.get()).by(stride) });
        if block.squeeze {
            let (values, narrow) = (self.at.elements() as f64, (entering / 4).max(1) as f64);
            let inside = inside as f64;
            let work = Work {
                multiply_adds: 2.0 * inside * narrow,
                entering: values,
                leaving: values,
                inner: inside,
                parameters: 2.0 * inside * narrow + inside + narrow,
                steps: 0.0,
            };
            self.push(PieceKind::Excite, work, 4);
        }
        self.normalised(Window::new(channels, 1));
        if added {
            self.add();
        }
    }
}

/// An image of other channels, of ⌈size / stride⌉ rows and columns.
const fn strided(shape: TensorShape, channels: usize, stride: usize) -> TensorShape {
    match shape {
        TensorShape::Image { height, width, .. } => {
            TensorShape::Image { channels, height: height.div_ceil(stride), width: width.div_ceil(stride) }
        }
        TensorShape::Vector(_) => TensorShape::Vector(channels),
    }
}
