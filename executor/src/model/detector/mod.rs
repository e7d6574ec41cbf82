//! One-stage detectors: SSD, RetinaNet and YOLO from one description.
//!
//! # What heads give
//! For each anchor four numbers, which say how an object's box differs from the anchor ([`boxes::coded`]), and
//! `Heads::classes` numbers. The first of these says whether there is an object at all (its logistic function is a
//! probability; the same value that SSD calls background, with the other sign, and YOLO objectness); the others say which
//! class an object has (softmax). So a description counts one class more than its data has, with "81 classes" for the 80 of
//! COCO, and with a single class there is one kind of object. An object's score is the product of both probabilities.

pub mod anchors;
mod assign;
pub mod boxes;
mod detect;
mod heads;
mod pyramid;
#[cfg(test)]
mod tests;

pub use assign::{Assigned, assign};
pub use detect::{Detection, Limits, detect};

use burn::module::Module;
use scenarios::model::{Detector, Heads, Neck, Pyramid, TensorShape};

use super::build::Build;
use super::flow::Flow;
use super::residual::{self, Activation, Plain, Unfolding, Window};
use heads::HeadsPiece;
use pyramid::PyramidPiece;

/// A detector's pieces: those of the trunk, and what follows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Trunk, and the neck where it is a chain of convolutions. It leaves all maps that the rest needs.
    pub trunk: residual::Plan,
    /// Feature maps that the heads look at, from the largest to the smallest.
    pub levels: Vec<Level>,
    /// The heads.
    pub heads: Heads,
    pyramid: Option<(Pyramid, Vec<usize>)>,
}

/// A feature map that heads look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Level {
    /// Channels.
    pub channels: usize,
    /// Rows.
    pub rows: usize,
    /// Columns.
    pub columns: usize,
    /// Anchors at each place.
    pub anchors: usize,
}

/// A piece of a detector after its trunk.
#[derive(Module, Debug)]
pub enum DetectorPiece {
    /// Feature pyramid.
    Pyramid(PyramidPiece),
    /// Heads on all feature maps.
    Heads(HeadsPiece),
}

impl Plan {
    /// The pieces of a detector that was found possible. Names are those of torchvision's detectors.
    #[must_use]
    pub fn of(detector: &Detector) -> Self {
        let kept = match &detector.neck {
            Neck::Stages(count) => count.get(),
            Neck::Extra(_) => 1,
            Neck::Pyramid(pyramid) => pyramid.stages.get(),
        };
        let mut unfolding = Unfolding::new(detector.image, "backbone.body.");
        let stages = unfolding.trunk(detector.stem, &detector.stages, kept);
        let mut maps = stages[stages.len() - kept..].to_vec();
        let mut pyramid = None;
        match &detector.neck {
            Neck::Stages(_) => {}
            Neck::Extra(blocks) => {
                for (index, block) in blocks.iter().enumerate() {
                    extra(&mut unfolding, index, block);
                    maps.push(unfolding.at);
                }
            }
            Neck::Pyramid(of) => {
                pyramid = Some((*of, maps.iter().map(|map| channels(*map)).collect()));
                maps = pyramid::maps(*of, &maps);
            }
        }
        let levels =
            maps.iter().zip(&detector.heads.anchors).map(|(map, anchors)| level(*map, anchors.get())).collect();
        Self { trunk: unfolding.plan(detector.image), levels, heads: detector.heads.clone(), pyramid }
    }

    /// Number of pieces.
    #[must_use]
    pub fn pieces(&self) -> usize {
        self.trunk.steps.len() + usize::from(self.pyramid.is_some()) + 1
    }

    /// Classes of objects.
    #[must_use]
    pub fn classes(&self) -> usize {
        (self.heads.classes.get() - 1).max(1)
    }
}

/// A 1×1 and a 3×3 convolution that leave the map before them below.
fn extra(unfolding: &mut Unfolding, index: usize, block: &scenarios::model::Extra) {
    let names = |first: usize| [first, first + 1].map(|part| format!("backbone.extra.{index}.{part}"));
    unfolding.plain(Plain::Copy);
    unfolding.normalised(names(0), &Window::new("", [0, block.width.get()], 1), Activation::Relu);
    let window = Window::new("", [0, block.channels.get()], 3);
    let window = if block.halves { window.by(2) } else { Window { padded: false, ..window } };
    unfolding.normalised(names(3), &window, Activation::Relu);
    unfolding.end();
}

const fn channels(map: TensorShape) -> usize {
    match map {
        TensorShape::Image { channels, .. } => channels,
        TensorShape::Vector(values) => values,
    }
}

fn level(map: TensorShape, anchors: usize) -> Level {
    match map {
        TensorShape::Image { channels, height, width } => Level { channels, rows: height, columns: width, anchors },
        TensorShape::Vector(_) => unreachable!("feature maps are images"),
    }
}

impl DetectorPiece {
    /// # Panics
    /// There is no such piece after the trunk.
    pub(super) fn new(plan: &Plan, index: usize, build: &mut Build<'_>) -> Self {
        match (&plan.pyramid, index - plan.trunk.steps.len()) {
            (Some((pyramid, stages)), 0) => Self::Pyramid(PyramidPiece::new(*pyramid, stages, build)),
            (None, 0) | (Some(_), 1) => Self::Heads(HeadsPiece::new(plan, build)),
            (_, index) => unreachable!("a detector has no piece {index} after its trunk"),
        }
    }

    pub(super) fn forward(&self, flow: Flow) -> Flow {
        match self {
            Self::Pyramid(piece) => piece.forward(flow),
            Self::Heads(piece) => piece.forward(flow),
        }
    }
}
