//! Convolutional networks of blocks: ResNet, ResNeXt, EfficientNet.

use std::num::NonZeroUsize;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::operator::{Chain, Section, Window};
use super::{ImageSize, ShapeError, TensorShape};

/// Convolutional network of a stem, stages of equal blocks, and a classifier. Convolutions pad so that their
/// output has ⌈size / stride⌉ rows and columns, and are followed by batch normalisation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BlockCnn {
    /// Size of one input image.
    pub image: ImageSize,
    /// First convolution.
    pub stem: Stem,
    /// Stages in order.
    pub stages: Vec<Stage>,
    /// What turns the last feature map into classes.
    pub head: Classifier,
}

/// First convolution of a network of blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Stem {
    /// Output channels.
    pub channels: NonZeroUsize,
    /// Side of the kernel.
    pub kernel: NonZeroUsize,
    /// Step between windows.
    #[serde(default = "one")]
    pub stride: NonZeroUsize,
    /// Whether a maximum over 3×3 windows with step 2 follows.
    #[serde(default)]
    pub pool: bool,
}

/// Equal blocks one after the other; only the first one may shrink the image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Stage {
    /// What one block is.
    pub block: Block,
    /// Blocks.
    pub count: NonZeroUsize,
    /// Output channels.
    pub channels: NonZeroUsize,
    /// Step of the first block.
    #[serde(default = "one")]
    pub stride: NonZeroUsize,
}

/// What one block is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Block {
    /// One 3×3 convolution, without a shortcut.
    Plain,
    /// One 3×3 convolution and a 2×2 maximum pool with the stage's step, without a shortcut.
    Pooled,
    /// Two 3×3 convolutions and a shortcut (ResNet-18, ResNet-34).
    Basic(Basic),
    /// 1×1, 3×3 with the step, 1×1 convolutions and a shortcut (ResNet-50 v1.5 and deeper, ResNeXt).
    Bottleneck(Bottleneck),
    /// Inverted bottleneck: 1×1, depthwise, squeeze-and-excite, 1×1 (MobileNet, EfficientNet).
    Mbconv(Mbconv),
}

/// Block of two 3×3 convolutions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Basic {
    /// What the shortcut does where the shape changes.
    #[serde(default)]
    pub shortcut: Shortcut,
}

/// What a shortcut does where the shape changes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Shortcut {
    /// A 1×1 convolution (option B of the paper).
    #[default]
    Projection,
    /// Fewer pixels and channels of zeros, without parameters (option A of the paper).
    Padding,
}

/// Block that computes in fewer channels than it hands on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Bottleneck {
    /// Channels of the 3×3 convolution; 64 in the first stage of ResNet-50, 128 in that of ResNeXt-50 32x4d.
    pub width: NonZeroUsize,
    /// Groups of the 3×3 convolution.
    #[serde(default = "one")]
    pub groups: NonZeroUsize,
}

/// Block that computes in more channels than it hands on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Mbconv {
    /// Channels inside over channels that enter; 1 leaves out the first convolution.
    pub expansion: NonZeroUsize,
    /// Side of the depthwise kernel.
    pub kernel: NonZeroUsize,
    /// Whether channels are weighed by what the whole image holds (squeeze-and-excite, a quarter of the channels
    /// that enter).
    #[serde(default)]
    pub squeeze: bool,
}

/// What turns the last feature map into classes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Classifier {
    /// Channels of a 1×1 convolution before the mean over the image; none by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub features: Option<NonZeroUsize>,
    /// Classes.
    pub classes: NonZeroUsize,
}

const fn one() -> NonZeroUsize {
    NonZeroUsize::MIN
}

impl BlockCnn {
    /// Stem, blocks and head with their shapes.
    ///
    /// # Errors
    /// A part is too large to count, or groups do not divide channels.
    pub fn sections(&self) -> Result<Vec<Section>, ShapeError> {
        let (mut sections, maps) = trunk(self.image.shape(), self.stem, &self.stages)?;
        let last = maps.last().copied().ok_or(ShapeError::Empty { what: "stages" })?;
        let mut head = Chain::new(last)?;
        if let Some(features) = self.head.features {
            head.convolution(features.get(), Window::new(1))?.norm()?;
        }
        head.global_pool()?.linear(self.head.classes.get())?;
        sections.push(head.section("head", 1));
        Ok(sections)
    }
}

/// Stem and stages with their shapes, and the feature map that each stage leaves.
pub(super) fn trunk(
    image: TensorShape,
    stem: Stem,
    stages: &[Stage],
) -> Result<(Vec<Section>, Vec<TensorShape>), ShapeError> {
    let mut chain = Chain::new(image)?;
    chain.convolution(stem.channels.get(), Window::new(stem.kernel.get()).by(stem.stride.get()))?.norm()?;
    if stem.pool {
        chain.pool(2)?;
    }
    let mut at = chain.at;
    let (mut sections, mut maps) = (vec![chain.section("stem", 1)], Vec::new());
    for stage in stages {
        let first = stage.block(at, stage.stride.get())?;
        at = first.at;
        sections.push(first.section(stage.block.name(), 1));
        if stage.count.get() > 1 {
            let next = stage.block(at, 1)?;
            sections.push(next.section(stage.block.name(), stage.count.get() - 1));
        }
        maps.push(at);
    }
    Ok((sections, maps))
}

impl Stage {
    fn block(&self, input: TensorShape, stride: usize) -> Result<Chain, ShapeError> {
        let (mut chain, channels) = (Chain::new(input)?, self.channels.get());
        match self.block {
            Block::Plain => {
                chain.convolution(channels, Window::new(3).by(stride))?.norm()?;
            }
            Block::Pooled => {
                chain.convolution(channels, Window::new(3))?.norm()?.pool(stride)?;
            }
            Block::Basic(basic) => {
                chain.convolution(channels, Window::new(3).by(stride))?.norm()?;
                chain.convolution(channels, Window::new(3))?.norm()?;
                shortcut(&mut chain, input, stride, basic.shortcut)?;
            }
            Block::Bottleneck(Bottleneck { width, groups }) => {
                chain.convolution(width.get(), Window::new(1))?.norm()?;
                let middle = Window::new(3).by(stride).in_groups(groups.get());
                chain.convolution(width.get(), middle)?.norm()?;
                chain.convolution(channels, Window::new(1))?.norm()?;
                shortcut(&mut chain, input, stride, Shortcut::Projection)?;
            }
            Block::Mbconv(block) => block.append(&mut chain, channels, stride)?,
        }
        Ok(chain)
    }
}

impl Block {
    /// Name of a block.
    const fn name(&self) -> &'static str {
        match self {
            Self::Plain | Self::Pooled => "convolution",
            Self::Basic(_) => "basic block",
            Self::Bottleneck(_) => "bottleneck block",
            Self::Mbconv(_) => "inverted bottleneck block",
        }
    }
}

/// Appends the shortcut's convolution where the shape changes, and the sum.
fn shortcut(chain: &mut Chain, input: TensorShape, stride: usize, shortcut: Shortcut) -> Result<(), ShapeError> {
    if input != chain.at && shortcut == Shortcut::Projection {
        let TensorShape::Image { channels, .. } = chain.at else { return Ok(()) };
        chain.at = input;
        chain.convolution(channels, Window::new(1).by(stride))?.norm()?;
    }
    chain.add()?;
    Ok(())
}

impl Mbconv {
    fn append(&self, chain: &mut Chain, channels_out: usize, stride: usize) -> Result<(), ShapeError> {
        let input = chain.at;
        let TensorShape::Image { channels: channels_in, .. } = input else { return Ok(()) };
        let inside = channels_in.saturating_mul(self.expansion.get());
        if inside > channels_in {
            chain.convolution(inside, Window::new(1))?.norm()?;
        }
        chain.convolution(inside, Window::new(self.kernel.get()).by(stride).in_groups(inside))?.norm()?;
        if self.squeeze {
            let image = chain.at;
            let narrow = (channels_in / 4).max(1);
            chain.global_pool()?.convolution(narrow, Window::new(1).with_bias())?.activation()?;
            chain.convolution(inside, Window::new(1).with_bias())?.activation()?.scale(image)?;
        }
        chain.convolution(channels_out, Window::new(1))?.norm()?;
        if chain.at == input {
            chain.add()?;
        }
        Ok(())
    }
}
