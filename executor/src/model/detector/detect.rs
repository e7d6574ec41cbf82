//! Objects from what the heads give.

use burn::tensor::Tensor;
use burn::tensor::activation::{sigmoid, softmax};

use super::super::flow::Flow;
use super::super::host;
use super::Plan;
use super::anchors::anchors;
use super::boxes::{Place, decoded, overlap};

/// An object that was found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Detection {
    /// Class, from 0.
    pub class: usize,
    /// Confidence, 0 to 1.
    pub score: f32,
    /// Where it is.
    pub place: Place,
}

/// What is kept of what was found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// Least score.
    pub score: f32,
    /// Two boxes of one class that overlap by more are one object: that of the higher score.
    pub overlap: f32,
    /// Objects of one record, at most.
    pub objects: usize,
}

impl Default for Limits {
    /// RetinaNet's and COCO's: scores of 0.05 or more, overlaps of up to a half, 100 objects.
    fn default() -> Self {
        Self { score: 0.05, overlap: 0.5, objects: 100 }
    }
}

/// The objects of each record, best first, from what a detector gives (see [`super`]).
#[must_use]
pub fn detect(output: Flow, plan: &Plan, limits: &Limits) -> Vec<Vec<Detection>> {
    let [boxes, classes] = output.array();
    let (boxes, scores) = (boxes.sequence(), scores(classes.sequence()));
    let [_, count, kinds] = scores.dims();
    let anchors = anchors(plan);
    let (codes, scores) = (host(boxes), host(scores));
    let records = codes.chunks(4 * count).zip(scores.chunks(count * kinds));
    let of_record = |(codes, scores): (&[f32], &[f32])| {
        let mut found = Vec::new();
        for (at, &score) in scores.iter().enumerate().filter(|(_, score)| **score >= limits.score) {
            let (anchor, class) = (at / kinds, at % kinds);
            let code = std::array::from_fn(|value| codes[4 * anchor + value]);
            found.push(Detection { class, score, place: decoded(code, anchors[anchor]) });
        }
        distinct(found, limits)
    };
    records.map(of_record).collect()
}

/// Probability of an object of each class: `[records, anchors, classes]`
fn scores(classes: Tensor<3>) -> Tensor<3> {
    let kinds = classes.dims()[2] - 1;
    let object = sigmoid(classes.clone().narrow(2, 0, 1));
    if kinds == 0 { object } else { object * softmax(classes.narrow(2, 1, kinds), 2) }
}

/// Each object once (non-maximum suppression, class by class), best first.
fn distinct(mut found: Vec<Detection>, limits: &Limits) -> Vec<Detection> {
    found.sort_by(|a, b| b.score.total_cmp(&a.score));
    let mut kept: Vec<Detection> = Vec::new();
    for one in found {
        if kept.len() == limits.objects {
            break;
        }
        let again = |other: &Detection| other.class == one.class && overlap(other.place, one.place) > limits.overlap;
        if !kept.iter().any(again) {
            kept.push(one);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_boxes_of_one_class_that_overlap_the_best_stays() {
        let one = |class, score, x: f32| Detection { class, score, place: [x, 0.5, 0.2, 0.2] };
        let found = vec![one(0, 0.6, 0.52), one(0, 0.9, 0.5), one(1, 0.7, 0.5), one(0, 0.5, 0.8), one(0, 0.4, 0.56)];
        let check = |limits: Limits, expected: &[Detection]| assert_eq!(distinct(found.clone(), &limits), expected);
        let limits = Limits { score: 0.0, overlap: 0.5, objects: 10 };
        check(limits, &[one(0, 0.9, 0.5), one(1, 0.7, 0.5), one(0, 0.5, 0.8)]);
        check(Limits { objects: 2, ..limits }, &[one(0, 0.9, 0.5), one(1, 0.7, 0.5)]);
        // An overlap of 0.54 is allowed, one of 0.82 is not.
        let apart = [one(0, 0.9, 0.5), one(1, 0.7, 0.5), one(0, 0.5, 0.8), one(0, 0.4, 0.56)];
        check(Limits { overlap: 0.6, ..limits }, &apart);
    }
}
