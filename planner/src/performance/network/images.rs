//! Networks of operators on images and vectors: `mlp`, `cnn`, `block_cnn`, `detector`.
//!
//! Images lie channels last, as matrix units want them. Depthwise convolutions have too few products for matrix units
//! and count as elementwise kernels. Published kernels reuse nothing between windows there, so each output reads its
//! whole window: with the rates that fit ResNet-50 and SSD on A100, this gives EfficientNet-B0 and B4 within 6 % of
//! what NVIDIA measured, and reading every value once is off by 130 %.

use scenarios::model::{Operator, OperatorKind, Section, TensorShape};

use super::super::kernel::{Class, Kernel, Segment};
use super::Pass;
use super::product::{self, Kernels, cross_entropy};

pub(super) fn segments(sections: &[Section], pass: Pass) -> Vec<Segment> {
    let last = sections.len().saturating_sub(1);
    let segment = |(index, section): (usize, &Section)| {
        let mut kernels = Kernels::default();
        for (place, operator) in section.operators.iter().enumerate() {
            kernels.then(lower(operator, pass, index == 0 && place == 0));
        }
        if index == last {
            kernels.then(loss(section, pass));
        }
        build(section, kernels, pass)
    };
    sections.iter().enumerate().map(segment).collect()
}

/// Softmax and loss over what the last operator gives.
fn loss(section: &Section, pass: Pass) -> Kernels {
    let classes = section.operators.last().map_or(0.0, |operator| values(operator.output));
    cross_entropy(pass.batch, classes, pass.value_bytes)
}

fn build(section: &Section, kernels: Kernels, pass: Pass) -> Segment {
    let output = section.operators.last().map_or(0.0, |operator| values(operator.output));
    Segment {
        name: section.name,
        repeat: section.repeat as f64,
        forward: kernels.forward,
        backward: kernels.backward,
        parameters: section.parameters() as f64,
        tensors: section.operators.iter().map(Operator::tensors).sum::<u64>() as f64,
        saved_bytes: pass.bytes(section.operators.iter().map(kept).sum()),
        output_bytes: pass.bytes(output),
        messages: vec![],
    }
}

/// Values of each record that stay for the backward pass: every output that a later operator needs. Activations work in
/// place. The input of the first operator is counted with the data.
fn kept(operator: &Operator) -> f64 {
    if operator.kind == OperatorKind::Activation { 0.0 } else { values(operator.output) }
}

fn lower(operator: &Operator, pass: Pass, is_first: bool) -> Kernels {
    let (input, output) = (values(operator.input), values(operator.output));
    match operator.kind {
        OperatorKind::Convolution { .. } => convolution(operator, pass, is_first),
        OperatorKind::Linear => product::linear(pass.batch, input, output, pass.value_bytes, is_first),
        OperatorKind::Activation => product::activation(pass, output),
        // Statistics read; normalisation reads and writes. Backward: sums read gradient and input; the gradient reads
        // both again and writes.
        OperatorKind::Norm => passes(pass, (2.0, 3.0 * output), (2.0, 5.0 * output)),
        OperatorKind::Pool => passes(pass, (1.0, input + output), (1.0, input + 2.0 * output)),
        // Backward: the activation's gradient, and the sum of both branches' gradients where they part.
        OperatorKind::Add => passes(pass, (1.0, 3.0 * output), (2.0, 6.0 * output)),
        // Backward: the gradient of the image, and that of the factors, which is a sum over each channel.
        OperatorKind::Scale => passes(pass, (1.0, 2.0 * output), (2.0, 4.0 * output)),
    }
}

/// Elementwise kernels as (count, values of each record) forward and backward.
fn passes(pass: Pass, forward: (f64, f64), backward: (f64, f64)) -> Kernels {
    let kernel = |(count, values)| vec![Kernel::elementwise(count, pass.bytes(values))];
    Kernels { forward: kernel(forward), backward: kernel(backward) }
}

/// Forward, gradient of the weights, gradient of the input: equal FLOPs, and each touches all three tensors.
fn convolution(operator: &Operator, pass: Pass, is_first: bool) -> Kernels {
    let weights = Operator { shared: false, ..*operator }.parameters() as f64;
    let (input, output) = (values(operator.input), values(operator.output));
    let (class, reads) = match depthwise_window(operator) {
        Some(window) => (Class::Elementwise, window),
        None => (Class::Convolution, 1.0),
    };
    let kernel = Kernel {
        class,
        count: 1.0,
        flops: 2.0 * pass.batch * operator.multiply_adds(),
        bytes: pass.bytes(reads * input + output) + weights * pass.value_bytes,
    };
    let mut backward = vec![kernel];
    if !is_first {
        backward.push(kernel);
    }
    if matches!(operator.kind, OperatorKind::Convolution { bias: true, .. }) {
        backward.push(Kernel::elementwise(1.0, pass.bytes(output)));
    }
    Kernels { forward: vec![kernel], backward }
}

/// Values of a channel that each output of a depthwise convolution sees; `None` for convolutions that mix channels.
fn depthwise_window(operator: &Operator) -> Option<f64> {
    match (operator.kind, operator.input) {
        (OperatorKind::Convolution { kernel, groups, .. }, TensorShape::Image { channels, .. })
            if groups == channels && channels > 1 =>
        {
            Some((kernel as f64).powi(2))
        }
        _ => None,
    }
}

fn values(shape: TensorShape) -> f64 {
    shape.elements() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    const IMAGE: TensorShape = TensorShape::Image { channels: 64, height: 56, width: 56 };
    const PASS: Pass = Pass { batch: 2.0, value_bytes: 2.0 };

    fn convolution(groups: usize, bias: bool) -> Operator {
        let kind = OperatorKind::Convolution { kernel: 3, groups, bias };
        Operator { kind, input: IMAGE, output: IMAGE, shared: false }
    }

    #[test]
    fn kernels_of_a_convolution() {
        let check = |operator: &Operator, is_first: bool, class: Class, backward: usize| {
            let kernels = lower(operator, PASS, is_first);
            assert_eq!((kernels.forward[0].class, kernels.backward.len()), (class, backward));
            kernels.forward[0]
        };
        let full = check(&convolution(1, false), false, Class::Convolution, 2);
        assert!((full.flops - 2.0 * 2.0 * 9.0 * 64.0 * 64.0 * 3136.0).abs() < 1.0);
        assert!((full.bytes - 2.0 * (2.0 * 2.0 * 200_704.0 + 36_864.0)).abs() < 1.0);
        check(&convolution(1, false), true, Class::Convolution, 1);
        check(&convolution(1, true), false, Class::Convolution, 3);
        check(&convolution(32, false), false, Class::Convolution, 2);
        let depthwise = check(&convolution(64, false), false, Class::Elementwise, 2);
        assert!((depthwise.bytes - 2.0 * (2.0 * (9.0 + 1.0) * 200_704.0 + 576.0)).abs() < 1.0);
    }

    #[test]
    fn backward_runs_in_reverse_and_the_first_layer_has_no_input_gradient() {
        let section = Section {
            name: "s",
            repeat: 3,
            operators: vec![convolution(1, false), Operator { kind: OperatorKind::Norm, ..convolution(1, false) }],
        };
        let [segment] = &segments(std::slice::from_ref(&section), PASS)[..] else { panic!("there is one section") };
        let classes: Vec<Class> = segment.backward.iter().map(|kernel| kernel.class).collect();
        // Loss, normalisation, and only the gradient of the weights.
        assert_eq!(classes, [Class::Elementwise, Class::Elementwise, Class::Convolution]);
        assert!((segment.parameters - (36_864.0 + 128.0)).abs() < 0.5 && (segment.tensors - 3.0).abs() < 0.5);
        assert!((segment.saved_bytes - 2.0 * 2.0 * 2.0 * 200_704.0).abs() < 0.5);
    }
}
