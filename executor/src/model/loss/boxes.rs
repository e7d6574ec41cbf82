//! Boxes: what a detector gives against the objects that are there.
//!
//! For each record: whether there is an object at each anchor (focal loss, Lin et al. 2017, arXiv 1708.02002, α = 0.25,
//! γ = 2), and at the anchors that are to find one its class (cross-entropy) and its box (smooth L1 of the coded box,
//! Girshick 2015, arXiv 1504.08083), all over the number of these anchors, or 1. Every record is by itself, so records can
//! be spread over ranks.

use burn::tensor::activation::{log_softmax, sigmoid};
use burn::tensor::{Int, Tensor, TensorData};

use super::clicks::cross_entropy;
use super::{Flow, Loss, none};
use crate::model::detector::anchors::anchors;
use crate::model::detector::boxes::{Place, coded};
use crate::model::detector::{Assigned, Plan, assign};

/// Weight of anchors with an object; that of the others is the rest to 1.
const ALPHA: f32 = 0.25;
/// Error up to which the loss of a box is quadratic (RetinaNet's implementation).
const BETA: f32 = 1.0 / 9.0;

/// What the anchors of several records are to find.
#[derive(Debug, Default)]
struct Asked {
    /// Whether there is an object, for each anchor of each record.
    object: Vec<f32>,
    /// Weight of this question.
    weight: Vec<f32>,
    /// Anchors with an object, counted over all records; class, coded box and weight of each.
    found: Vec<u32>,
    class: Vec<u32>,
    code: Vec<f32>,
    share: Vec<f32>,
}

impl Asked {
    fn add(&mut self, anchors: &[Place], truth: &[(usize, Place)]) {
        let first = self.object.len();
        let places: Vec<Place> = truth.iter().map(|(_, place)| *place).collect();
        let assigned = assign(anchors, &places);
        let count = assigned.iter().filter(|assigned| matches!(assigned, Assigned::Object(_))).count();
        let share = 1.0 / count.max(1) as f32;
        for (at, assigned) in assigned.into_iter().enumerate() {
            self.object.push(f32::from(matches!(assigned, Assigned::Object(_))));
            self.weight.push(if assigned == Assigned::Unasked { 0.0 } else { share });
            if let Assigned::Object(number) = assigned {
                self.found.push((first + at) as u32);
                self.class.push(truth[number].0 as u32);
                self.code.extend(coded(places[number], anchors[at]));
                self.share.push(share);
            }
        }
    }
}

/// Loss of boxes `[records, anchors, 4]` and classes `[records, anchors, 1 + classes]` against each record's objects.
pub(super) fn loss(output: Flow, truth: &[Vec<(usize, Place)>], plan: &Plan) -> Loss {
    let [boxes, classes] = output.array();
    let (boxes, classes) = (boxes.sequence().flatten::<2>(0, 1), classes.sequence().flatten::<2>(0, 1));
    let anchors = anchors(plan);
    let mut asked = Asked::default();
    for objects in truth {
        asked.add(&anchors, objects);
    }
    let right = none(&boxes);
    let objects = objects(classes.clone().narrow(1, 0, 1), &asked);
    Loss { sum: if asked.found.is_empty() { objects } else { objects + found(boxes, classes, asked) }, right }
}

/// Loss of the boxes and classes at the anchors with an object.
fn found(boxes: Tensor<2>, classes: Tensor<2>, asked: Asked) -> Tensor<1> {
    let (count, device, kinds) = (asked.found.len(), boxes.device(), classes.dims()[1]);
    let rows = Tensor::<1, Int>::from_data(TensorData::new(asked.found, [count]), &device);
    let share = Tensor::<2>::from_data(TensorData::new(asked.share, [count, 1]), &device);
    let code = Tensor::<2>::from_data(TensorData::new(asked.code, [count, 4]), &device);
    let sum = (smooth(boxes.select(0, rows.clone()) - code) * share.clone()).sum();
    if kinds <= 2 {
        return sum;
    }
    let class = Tensor::<2, Int>::from_data(TensorData::new(asked.class, [count, 1]), &device);
    let of_class = log_softmax(classes.select(0, rows).narrow(1, 1, kinds - 1), 1).gather(1, class);
    sum - (of_class * share).sum()
}

/// Focal loss of whether there are objects: logits `[anchors, 1]`.
fn objects(logits: Tensor<2>, asked: &Asked) -> Tensor<1> {
    let of =
        |values: &[f32]| Tensor::<2>::from_data(TensorData::new(values.to_vec(), [values.len(), 1]), &logits.device());
    let (object, weight) = (of(&asked.object), of(&asked.weight));
    // The probability of what is not the case, and the weight of what is.
    let missed = sigmoid(logits.clone() * (object.clone() * -2.0 + 1.0));
    let side = object.clone() * (2.0 * ALPHA - 1.0) + (1.0 - ALPHA);
    (cross_entropy(logits, object) * missed.powi_scalar(2) * side * weight).sum()
}

/// x² / 2β where |x| < β, |x| − β/2 beyond.
fn smooth(error: Tensor<2>) -> Tensor<2> {
    let size = error.abs();
    let near = size.clone().clamp_max(BETA);
    near.clone().powi_scalar(2) * (0.5 / BETA) + (size - near)
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;
    use crate::model::host;

    #[test]
    fn errors_of_boxes_are_quadratic_near_nothing_and_linear_beyond() {
        let errors = [0.0, 0.05, -0.05, BETA, -1.0, 3.0];
        let found = host(smooth(Tensor::<2>::from_data(TensorData::new(errors.to_vec(), [1, 6]), &Device::flex())));
        let expected = errors.map(|x: f32| if x.abs() < BETA { x * x / (2.0 * BETA) } else { x.abs() - BETA / 2.0 });
        assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6), "{found:?} {expected:?}");
    }

    #[test]
    fn objects_weigh_by_how_surprising_they_are() {
        let logits = [2.0_f32, -1.0, 0.5, -3.0];
        let asked = Asked { object: vec![1.0, 1.0, 0.0, 0.0], weight: vec![0.5, 0.5, 1.0, 0.0], ..Asked::default() };
        let tensor = Tensor::<2>::from_data(TensorData::new(logits.to_vec(), [4, 1]), &Device::flex());
        let found = host(objects(tensor, &asked))[0];
        let expected: f32 = (0..4)
            .map(|at| {
                let probability = 1.0 / (1.0 + (-logits[at]).exp());
                let (hit, side) =
                    if asked.object[at] > 0.0 { (probability, ALPHA) } else { (1.0 - probability, 1.0 - ALPHA) };
                -side * (1.0 - hit).powi(2) * hit.ln() * asked.weight[at]
            })
            .sum();
        assert!((found - expected).abs() < 1e-5, "{found} {expected}");
    }
}
