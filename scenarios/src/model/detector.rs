//! One-stage detectors: SSD, RetinaNet, YOLO.

use std::num::NonZeroUsize;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::block_cnn::{Stage, Stem, trunk};
use super::operator::{Chain, Section, Window};
use super::{ImageSize, ShapeError, TensorShape};

/// One-stage detector: a trunk of blocks, feature maps of several sizes, and heads that give for each anchor on
/// each of them a box and its classes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Detector {
    /// Size of one input image.
    pub image: ImageSize,
    /// First convolution.
    pub stem: Stem,
    /// Stages of the trunk.
    pub stages: Vec<Stage>,
    /// How feature maps of several sizes come about.
    pub neck: Neck,
    /// What is computed on each feature map.
    pub heads: Heads,
}

/// How feature maps of several sizes come about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Neck {
    /// The last stages as they are (YOLO).
    Stages(NonZeroUsize),
    /// The last stage, and further convolutions that shrink it again and again (SSD).
    Extra(Vec<Extra>),
    /// The last stages, brought to one width and summed from small to large (feature pyramid, RetinaNet).
    Pyramid(Pyramid),
}

/// A 1×1 and a 3×3 convolution that make one more feature map.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Extra {
    /// Channels of the 1×1 convolution.
    pub width: NonZeroUsize,
    /// Channels of the feature map.
    pub channels: NonZeroUsize,
    /// Whether the 3×3 convolution pads and moves by two; else it does neither.
    pub halves: bool,
}

/// A feature pyramid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Pyramid {
    /// Channels of all its feature maps.
    pub channels: NonZeroUsize,
    /// Stages, counted from the last, that it is made of.
    pub stages: NonZeroUsize,
    /// Feature maps above them, each half the size of the one before.
    #[serde(default)]
    pub above: usize,
}

/// What is computed on each feature map.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Heads {
    /// Anchors at each place of each feature map, from the largest map to the smallest.
    pub anchors: Vec<NonZeroUsize>,
    /// Classes, with that of the background or of objects where there is one.
    pub classes: NonZeroUsize,
    /// Side of the last kernel.
    pub kernel: NonZeroUsize,
    /// 3×3 convolutions before the last one, for boxes and for classes each.
    #[serde(default)]
    pub depth: usize,
    /// Whether all feature maps share the heads' parameters; they need equal channels and anchors.
    #[serde(default)]
    pub shared: bool,
}

/// Convolutions before the last one of a head, at most: more than any published detector has.
const MAX_DEPTH: usize = 1000;
/// Feature maps above the stages, at most; each halves the size.
const MAX_ABOVE: usize = 64;

impl Detector {
    /// Trunk, neck and heads with their shapes.
    ///
    /// # Errors
    /// A part is too large to count, groups do not divide channels, or the anchors are not one for each feature map.
    pub fn sections(&self) -> Result<Vec<Section>, ShapeError> {
        let (mut sections, stages) = trunk(self.image.shape(), self.stem, &self.stages)?;
        let (neck, maps) = self.neck.unfold(&stages)?;
        sections.extend(neck);
        if maps.len() != self.heads.anchors.len() {
            return Err(ShapeError::Anchors { anchors: self.heads.anchors.len(), levels: maps.len() });
        }
        for (level, (map, anchors)) in maps.iter().zip(&self.heads.anchors).enumerate() {
            let mut section = self.heads.on(*map, anchors.get())?.section("heads", 1);
            for operator in &mut section.operators {
                operator.shared = self.heads.shared && level > 0;
            }
            sections.push(section);
        }
        Ok(sections)
    }
}

impl Neck {
    fn unfold(&self, stages: &[TensorShape]) -> Result<(Vec<Section>, Vec<TensorShape>), ShapeError> {
        match self {
            Self::Stages(count) => Ok((Vec::new(), last(stages, count.get())?.to_vec())),
            Self::Extra(blocks) => extra(last(stages, 1)?, blocks),
            Self::Pyramid(pyramid) => pyramid.unfold(last(stages, pyramid.stages.get())?),
        }
    }
}

fn last(stages: &[TensorShape], count: usize) -> Result<&[TensorShape], ShapeError> {
    let more = ShapeError::MoreThan { what: "feature maps", value: count, than: "stages", limit: stages.len() };
    stages.len().checked_sub(count).and_then(|first| stages.get(first..)).ok_or(more)
}

fn extra(from: &[TensorShape], blocks: &[Extra]) -> Result<(Vec<Section>, Vec<TensorShape>), ShapeError> {
    let (mut sections, mut maps) = (Vec::new(), from.to_vec());
    for block in blocks {
        let mut chain = Chain::new(maps[maps.len() - 1])?;
        chain.convolution(block.width.get(), Window::new(1))?.norm()?;
        if block.halves {
            chain.convolution(block.channels.get(), Window::new(3).by(2))?.norm()?;
        } else {
            chain.unpadded(block.channels.get(), Window::new(3))?.norm()?;
        }
        maps.push(chain.at);
        sections.push(chain.section("extra block", 1));
    }
    Ok((sections, maps))
}

impl Pyramid {
    /// Lateral 1×1 convolutions, sums with the enlarged map above, 3×3 convolutions, and further halved maps.
    fn unfold(&self, stages: &[TensorShape]) -> Result<(Vec<Section>, Vec<TensorShape>), ShapeError> {
        super::limits::at_most(("above", self.above), ("limit", MAX_ABOVE))?;
        let channels = self.channels.get();
        let (mut sections, mut maps) = (Vec::new(), Vec::new());
        for (index, stage) in stages.iter().enumerate() {
            let mut chain = Chain::new(*stage)?;
            chain.convolution(channels, Window::new(1).with_bias())?;
            if index + 1 < stages.len() {
                chain.add()?;
            }
            chain.convolution(channels, Window::new(3).with_bias())?;
            maps.push(chain.at);
            sections.push(chain.section("pyramid", 1));
        }
        for _ in 0..self.above {
            let mut chain = Chain::new(maps[maps.len() - 1])?;
            chain.convolution(channels, Window::new(3).by(2).with_bias())?;
            maps.push(chain.at);
            sections.push(chain.section("pyramid", 1));
        }
        Ok((sections, maps))
    }
}

impl Heads {
    /// Boxes of 4 values and classes for each anchor of one feature map.
    fn on(&self, map: TensorShape, anchors: usize) -> Result<Chain, ShapeError> {
        super::limits::at_most(("depth", self.depth), ("limit", MAX_DEPTH))?;
        let mut chain = Chain::new(map)?;
        for outputs in [4, self.classes.get()] {
            chain.at = map;
            if let TensorShape::Image { channels, .. } = map {
                for _ in 0..self.depth {
                    chain.convolution(channels, Window::new(3).with_bias())?.activation()?;
                }
            }
            let channels = anchors.saturating_mul(outputs);
            chain.convolution(channels, Window::new(self.kernel.get()).with_bias())?;
        }
        Ok(chain)
    }
}
