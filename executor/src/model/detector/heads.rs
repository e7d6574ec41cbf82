//! What is computed on each feature map.

use burn::module::Module;
use burn::nn::conv::Conv2d;
use burn::tensor::Tensor;
use burn::tensor::activation::relu;

use super::super::build::{Build, Initial};
use super::super::flow::{Flow, Value};
use super::super::residual::{Window, drawn};
use super::{Level, Plan};

/// Probability of an object at an anchor before anything is learned (RetinaNet, arXiv 1708.02002, section 4.1).
const PRIOR: f32 = 0.01;
/// Deviation of the first weights (ibid.).
const DEVIATION: f32 = 0.01;

/// Heads for boxes and for classes, on all feature maps.
#[derive(Module, Debug)]
pub struct HeadsPiece {
    /// One for each map, or one for all.
    boxes: Vec<Head>,
    classes: Vec<Head>,
    anchors: Vec<usize>,
}

/// Convolutions with max(0, x), and a last one.
#[derive(Module, Debug)]
pub struct Head {
    hidden: Vec<Conv2d>,
    last: Conv2d,
}

impl HeadsPiece {
    pub(super) fn new(plan: &Plan, build: &mut Build<'_>) -> Self {
        let own = if plan.heads.shared { 1 } else { plan.levels.len() };
        let mut make = |kind: &str, last: &str, outputs: usize, bias: f32| -> Vec<Head> {
            let levels = plan.levels[..own].iter().enumerate();
            let name = |index: usize| {
                if plan.heads.shared { format!("head.{kind}") } else { format!("head.{kind}.module_list.{index}") }
            };
            levels.map(|(index, level)| Head::new(&name(index), last, plan, (*level, outputs), bias, build)).collect()
        };
        Self {
            boxes: make("regression_head", "bbox_reg", 4, 0.0),
            classes: make("classification_head", "cls_logits", plan.heads.classes.get(), -((1.0 - PRIOR) / PRIOR).ln()),
            anchors: plan.levels.iter().map(|level| level.anchors).collect(),
        }
    }

    /// Feature maps → boxes `[records, anchors, 4]` and classes `[records, anchors, classes]`, map by map, row by row.
    pub(super) fn forward(&self, flow: Flow) -> Flow {
        let maps: Vec<Tensor<4>> = flow.0.into_iter().map(Value::image).collect();
        let all = |heads: &[Head]| {
            let on = |(map, (index, anchors)): (&Tensor<4>, (usize, &usize))| {
                by_anchor(heads[index.min(heads.len() - 1)].forward(map.clone()), *anchors)
            };
            Value::Sequence(Tensor::cat(maps.iter().zip(self.anchors.iter().enumerate()).map(on).collect(), 1))
        };
        Flow(vec![all(&self.boxes), all(&self.classes)])
    }
}

impl Head {
    fn new(
        name: &str,
        last: &str,
        plan: &Plan,
        (level, outputs): (Level, usize),
        bias: f32,
        build: &mut Build<'_>,
    ) -> Self {
        let initial = Initial::Normal(DEVIATION);
        let channels = level.channels;
        let hidden = (0..plan.heads.depth).map(|index| {
            let window = Window::new(format!("{name}.conv.{index}.0"), [channels; 2], 3).with_bias();
            drawn(&window, initial, 0.0, build)
        });
        let hidden = hidden.collect();
        // The last convolution of a head without others is the head, in torchvision's SSD.
        let is_all = plan.heads.depth == 0 && !plan.heads.shared;
        let name = if is_all { name.to_owned() } else { format!("{name}.{last}") };
        let window = Window::new(name, [channels, level.anchors * outputs], plan.heads.kernel.get()).with_bias();
        Self { hidden, last: drawn(&window, initial, bias, build) }
    }

    fn forward(&self, map: Tensor<4>) -> Tensor<4> {
        self.last.forward(self.hidden.iter().fold(map, |map, layer| relu(layer.forward(map))))
    }
}

/// `[records, anchors · values, rows, columns]` → `[records, rows · columns · anchors, values]`
fn by_anchor(map: Tensor<4>, anchors: usize) -> Tensor<3> {
    let [records, channels, rows, columns] = map.dims();
    let values = channels / anchors;
    map.reshape([records, anchors, values, rows * columns]).permute([0, 3, 1, 2]).reshape([
        records,
        rows * columns * anchors,
        values,
    ])
}
