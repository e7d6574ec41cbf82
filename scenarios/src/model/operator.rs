//! Operators of networks on images and vectors, with their shapes: what a description unfolds to.

use super::limits::{self, product};
use super::{Layer, ShapeError, Shaped, TensorShape};

/// One operator on the activations of one record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Operator {
    /// What it computes.
    pub kind: OperatorKind,
    /// What enters.
    pub input: TensorShape,
    /// What leaves.
    pub output: TensorShape,
    /// Whether it uses the parameters of an earlier operator, as a detector's heads do on every feature map.
    pub shared: bool,
}

/// What an operator computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OperatorKind {
    /// Convolution with a square kernel.
    Convolution {
        /// Side of the kernel.
        kernel: usize,
        /// Groups of channels that do not see each other; as many as channels in a depthwise convolution.
        groups: usize,
        /// Whether each channel has a bias.
        bias: bool,
    },
    /// Batch normalisation with scale and shift, and the activation that may follow it.
    Norm,
    /// Activation function on its own.
    Activation,
    /// Maximum or mean over windows, or over the whole image.
    Pool,
    /// Sum with a tensor of equal shape, and the activation that may follow it.
    Add,
    /// Product of each channel with a factor of its own.
    Scale,
    /// Fully connected layer with bias; flattens what reaches it.
    Linear,
}

impl Operator {
    /// Trainable parameters; none if they are those of an earlier operator.
    #[must_use]
    pub fn parameters(&self) -> u64 {
        let (channels_in, channels_out) = (channels(self.input) as u64, channels(self.output) as u64);
        match self.kind {
            _ if self.shared => 0,
            OperatorKind::Convolution { kernel, groups, bias } => {
                let weights = channels_out * (channels_in / groups.max(1) as u64) * (kernel as u64).pow(2);
                weights + if bias { channels_out } else { 0 }
            }
            OperatorKind::Norm => 2 * channels_out,
            OperatorKind::Linear => (self.input.elements() as u64 + 1) * self.output.elements() as u64,
            OperatorKind::Activation | OperatorKind::Pool | OperatorKind::Add | OperatorKind::Scale => 0,
        }
    }

    /// Tensors that the parameters make up.
    #[must_use]
    pub const fn tensors(&self) -> u64 {
        match self.kind {
            _ if self.shared => 0,
            OperatorKind::Convolution { bias: false, .. } => 1,
            OperatorKind::Convolution { bias: true, .. } | OperatorKind::Norm | OperatorKind::Linear => 2,
            OperatorKind::Activation | OperatorKind::Pool | OperatorKind::Add | OperatorKind::Scale => 0,
        }
    }

    /// Multiply-adds of one record's forward pass in convolutions and fully connected layers.
    #[must_use]
    pub fn multiply_adds(&self) -> f64 {
        match self.kind {
            OperatorKind::Convolution { kernel, groups, .. } => {
                let inputs = product(&[kernel, kernel, channels(self.input)]) / groups.max(1) as f64;
                inputs * self.output.elements() as f64
            }
            OperatorKind::Linear => product(&[self.input.elements(), self.output.elements()]),
            _ => 0.0,
        }
    }

    /// The operator of a layer of a simple chain.
    #[must_use]
    pub fn of(layer: &Shaped) -> Self {
        let kind = match &layer.layer {
            Layer::Conv2d(convolution) => {
                OperatorKind::Convolution { kernel: convolution.kernel.get(), groups: 1, bias: true }
            }
            Layer::MaxPool(_) => OperatorKind::Pool,
            Layer::Relu | Layer::Tanh => OperatorKind::Activation,
            Layer::Linear(_) => OperatorKind::Linear,
        };
        Self { kind, input: layer.input, output: layer.output, shared: false }
    }
}

/// Channels of an image, or values of a vector.
const fn channels(shape: TensorShape) -> usize {
    match shape {
        TensorShape::Image { channels, .. } => channels,
        TensorShape::Vector(values) => values,
    }
}

/// Operators that run as a whole, such as one block, and equal copies that follow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// Which part of the network.
    pub name: &'static str,
    /// Equal copies one after the other.
    pub repeat: usize,
    /// Operators in order.
    pub operators: Vec<Operator>,
}

impl Section {
    /// Trainable parameters of one copy.
    #[must_use]
    pub fn parameters(&self) -> u64 {
        self.operators.iter().map(Operator::parameters).sum()
    }
}

/// Trainable parameters of all sections.
pub(super) fn parameters(sections: &[Section]) -> Result<u64, ShapeError> {
    limits::network(sections.iter().map(|section| section.repeat as f64 * section.parameters() as f64))?;
    Ok(sections.iter().map(|section| section.repeat as u64 * section.parameters()).sum())
}

/// Kernel, step, groups and kind of a convolution to append.
#[derive(Debug, Clone, Copy)]
pub(super) struct Window {
    /// Side of the kernel.
    pub kernel: usize,
    /// Step between windows.
    pub stride: usize,
    /// Groups of channels.
    pub groups: usize,
    /// Whether each channel has a bias.
    pub bias: bool,
}

impl Window {
    /// A kernel that moves by one, without groups and bias.
    pub const fn new(kernel: usize) -> Self {
        Self { kernel, stride: 1, groups: 1, bias: false }
    }

    /// The same with a step.
    pub const fn by(self, stride: usize) -> Self {
        Self { stride, ..self }
    }

    /// The same in groups.
    pub const fn in_groups(self, groups: usize) -> Self {
        Self { groups, ..self }
    }

    /// The same with biases.
    pub const fn with_bias(self) -> Self {
        Self { bias: true, ..self }
    }
}

/// Appends operators and keeps track of the shape.
#[derive(Debug, Clone)]
pub(super) struct Chain {
    /// Shape that the next operator gets.
    pub at: TensorShape,
    /// What was appended.
    pub operators: Vec<Operator>,
}

impl Chain {
    /// A chain that starts with `input`.
    pub fn new(input: TensorShape) -> Result<Self, ShapeError> {
        limits::part("input", values(input))?;
        Ok(Self { at: input, operators: Vec::new() })
    }

    /// A section of all that was appended.
    pub fn section(self, name: &'static str, repeat: usize) -> Section {
        Section { name, repeat, operators: self.operators }
    }

    /// Convolution whose output has ⌈size / stride⌉ rows and columns ("same" padding).
    pub fn convolution(&mut self, channels_out: usize, window: Window) -> Result<&mut Self, ShapeError> {
        let (height, width) = self.size()?;
        self.convolution_to(channels_out, window, (height.div_ceil(window.stride), width.div_ceil(window.stride)))
    }

    /// Convolution without padding.
    pub fn unpadded(&mut self, channels_out: usize, window: Window) -> Result<&mut Self, ShapeError> {
        let (height, width) = self.size()?;
        let cut = |size: usize| size.checked_sub(window.kernel).map(|rest| rest / window.stride + 1);
        let too_large = ShapeError::WindowTooLarge {
            index: self.operators.len(),
            layer: "convolution",
            window: window.kernel,
            height,
            width,
        };
        let size = cut(height).zip(cut(width)).ok_or(too_large)?;
        self.convolution_to(channels_out, window, size)
    }

    fn convolution_to(
        &mut self,
        channels_out: usize,
        window: Window,
        (height, width): (usize, usize),
    ) -> Result<&mut Self, ShapeError> {
        let Window { kernel, groups, bias, .. } = window;
        let channels_in = channels(self.at);
        limits::divisible(("channels", channels_in), ("groups", groups))?;
        limits::divisible(("channels", channels_out), ("groups", groups))?;
        limits::part("convolution", product(&[kernel, kernel, channels_in / groups, channels_out]))?;
        let output = TensorShape::Image { channels: channels_out, height, width };
        self.append("convolution", OperatorKind::Convolution { kernel, groups, bias }, output)
    }

    /// Batch normalisation, with or without an activation.
    pub fn norm(&mut self) -> Result<&mut Self, ShapeError> {
        self.append("norm", OperatorKind::Norm, self.at)
    }

    /// Activation on its own.
    pub fn activation(&mut self) -> Result<&mut Self, ShapeError> {
        self.append("activation", OperatorKind::Activation, self.at)
    }

    /// Sum with a tensor of the same shape.
    pub fn add(&mut self) -> Result<&mut Self, ShapeError> {
        self.append("sum", OperatorKind::Add, self.at)
    }

    /// Product of each channel with a factor, over an image of this shape.
    pub fn scale(&mut self, image: TensorShape) -> Result<&mut Self, ShapeError> {
        self.at = image;
        self.append("scale", OperatorKind::Scale, image)
    }

    /// Pooling whose output has ⌈size / stride⌉ rows and columns.
    pub fn pool(&mut self, stride: usize) -> Result<&mut Self, ShapeError> {
        let (height, width) = self.size()?;
        let (height, width) = (height.div_ceil(stride), width.div_ceil(stride));
        self.append("pool", OperatorKind::Pool, TensorShape::Image { channels: channels(self.at), height, width })
    }

    /// Mean over the whole image.
    pub fn global_pool(&mut self) -> Result<&mut Self, ShapeError> {
        self.append("pool", OperatorKind::Pool, TensorShape::Image { channels: channels(self.at), height: 1, width: 1 })
    }

    /// Fully connected layer with bias.
    pub fn linear(&mut self, width: usize) -> Result<&mut Self, ShapeError> {
        limits::part("linear layer", product(&[self.at.elements(), width]))?;
        self.append("linear layer", OperatorKind::Linear, TensorShape::Vector(width))
    }

    fn append(&mut self, name: &'static str, kind: OperatorKind, output: TensorShape) -> Result<&mut Self, ShapeError> {
        limits::part(name, values(output))?;
        self.operators.push(Operator { kind, input: self.at, output, shared: false });
        self.at = output;
        Ok(self)
    }

    fn size(&self) -> Result<(usize, usize), ShapeError> {
        match self.at {
            TensorShape::Image { height, width, .. } => Ok((height, width)),
            TensorShape::Vector(elements) => {
                Err(ShapeError::NeedsImage { index: self.operators.len(), layer: "convolution", elements })
            }
        }
    }
}

fn values(shape: TensorShape) -> f64 {
    match shape {
        TensorShape::Image { channels, height, width } => product(&[channels, height, width]),
        TensorShape::Vector(values) => values as f64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IMAGE: TensorShape = TensorShape::Image { channels: 64, height: 57, width: 56 };

    #[test]
    fn shapes_parameters_and_work_follow_the_formulas() {
        let check = |append: fn(&mut Chain) -> Result<&mut Chain, ShapeError>, expected: &str| {
            let mut chain = Chain::new(IMAGE).expect("it is small");
            let found = append(&mut chain).map(|_| ()).map_err(|error| error.to_string());
            let operator = chain.operators.last();
            let shown =
                operator.map(|o| format!("{}, {} parameters, {} MAC", o.output, o.parameters(), o.multiply_adds()));
            assert_eq!(found.map_or_else(|error| error, |()| shown.unwrap_or_default()), expected);
        };
        let window = Window::new(3);
        assert!(!window.bias && window.with_bias().bias);
        check(|c| c.convolution(128, Window::new(3).by(2)), "128×29×28, 73728 parameters, 59867136 MAC");
        check(|c| c.convolution(64, Window::new(3).in_groups(64).with_bias()), "64×57×56, 640 parameters, 1838592 MAC");
        check(|c| c.unpadded(8, Window::new(7).by(2)), "8×26×25, 25088 parameters, 16307200 MAC");
        check(Chain::norm, "64×57×56, 128 parameters, 0 MAC");
        check(|c| c.pool(2), "64×29×28, 0 parameters, 0 MAC");
        check(Chain::global_pool, "64×1×1, 0 parameters, 0 MAC");
        check(|c| c.global_pool()?.linear(10), "10, 650 parameters, 640 MAC");
        check(
            |c| c.convolution(128, Window::new(3).in_groups(48)),
            "`channels` (64) is not divisible by `groups` (48)",
        );
        check(|c| c.convolution(usize::MAX, Window::new(1)), "the convolution has more than 2^40 values or parameters");
        check(
            |c| c.unpadded(8, Window::new(57)),
            "layer 0 (`convolution`) has a window of 57, larger than the 57×56 image that reaches it",
        );
        check(
            |c| c.linear(10)?.pool(2),
            "layer 1 (`convolution`) needs an image, but a vector of 10 values reaches it",
        );
    }
}
