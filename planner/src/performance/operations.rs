//! The operations of one training step or one forward pass, with their FLOPs and bytes.

use scenarios::machine::{Operation, OptimizerRule, Pass};
use scenarios::model::{Layer, ShapeError, Shaped, TensorShape};
use scenarios::scenario::Optimizer;

use super::Task;

/// Bytes of one value in 32-bit floating point.
pub const VALUE_BYTES: u64 = 4;

/// Part of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Preparation of records and their copy to the device.
    Input,
    /// Output and loss.
    Forward,
    /// Gradients.
    Backward,
    /// Gradients between ranks.
    Communication,
    /// Update of parameters.
    Optimizer,
    /// Start of kernels, where it is not measured with the operation.
    Launch,
}

impl Phase {
    /// All, in the order of a step.
    pub const ALL: [Self; 6] =
        [Self::Input, Self::Forward, Self::Backward, Self::Communication, Self::Optimizer, Self::Launch];

    /// Name in plans and run records.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Input => "input",
            Self::Forward => "forward",
            Self::Backward => "backward",
            Self::Communication => "communication",
            Self::Optimizer => "optimizer",
            Self::Launch => "launch",
        }
    }
}

/// One operation in one direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StepOperation {
    /// What is computed.
    pub operation: Operation,
    /// Which direction.
    pub pass: Pass,
    /// Part of the step that it belongs to.
    pub phase: Phase,
}

/// Arithmetic and memory traffic of an operation; a multiply-add counts as two FLOPs.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Work {
    /// Floating-point operations.
    pub flops: f64,
    /// Bytes read from and written to the device's memory.
    pub bytes: f64,
    /// Kernels that are started.
    pub launches: f64,
}

/// Operations of one step of one rank with `batch` records, `ranks` in all.
///
/// # Errors
/// The model's layers do not fit.
pub fn step(task: &Task<'_>, batch: u64, ranks: u32) -> Result<Vec<StepOperation>, ShapeError> {
    let layers = task.model.shaped()?;
    let bytes = VALUE_BYTES * batch * task.model.input()?.elements() as u64;
    let mut list = vec![forward(Operation::HostToDevice { bytes }, Phase::Input)];
    let chain: Vec<Operation> = layers.iter().enumerate().filter_map(|(i, layer)| of(layer, batch, i > 0)).collect();
    list.extend(chain.iter().map(|operation| forward(*operation, Phase::Forward)));
    let classes = task.model.classes()? as u64;
    let loss = Operation::CrossEntropy { batch, classes };
    list.push(forward(loss, Phase::Forward));
    if let Some(optimizer) = task.optimizer() {
        let backward = |operation| StepOperation { operation, pass: Pass::Backward, phase: Phase::Backward };
        list.push(backward(loss));
        list.extend(chain.iter().rev().map(|operation| backward(*operation)));
        list.extend(update(&layers, optimizer, ranks));
    }
    Ok(list)
}

const fn forward(operation: Operation, phase: Phase) -> StepOperation {
    StepOperation { operation, pass: Pass::Forward, phase }
}

fn update(layers: &[Shaped], optimizer: Optimizer, ranks: u32) -> Vec<StepOperation> {
    let parameters = layers.iter().map(Shaped::parameters).sum();
    // Weight and bias of every layer that learns.
    let tensors = 2 * layers.iter().filter(|layer| layer.parameters() > 0).count() as u64;
    let mut list = Vec::new();
    if ranks > 1 {
        list.push(forward(Operation::GradientExchange { parameters, tensors }, Phase::Communication));
    }
    let rule = match optimizer {
        Optimizer::Sgd(_) => OptimizerRule::Sgd,
        Optimizer::Momentum(_) => OptimizerRule::Momentum,
        Optimizer::Adam(_) => OptimizerRule::Adam,
    };
    list.push(forward(Operation::OptimizerStep { rule, parameters, tensors }, Phase::Optimizer));
    list
}

/// The operation of a layer; the first layer of a network needs no gradient of its input.
fn of(layer: &Shaped, batch: u64, input_gradient: bool) -> Option<Operation> {
    let elements = batch * layer.output.elements() as u64;
    match (&layer.layer, layer.input) {
        (Layer::Linear(width), input) => {
            Some(Operation::Linear { m: batch, n: width.get() as u64, k: input.elements() as u64 })
        }
        (Layer::Relu, _) => Some(Operation::Relu { elements }),
        (Layer::Tanh, _) => Some(Operation::Tanh { elements }),
        (Layer::Conv2d(conv), TensorShape::Image { channels, height, width }) => Some(Operation::Conv2d {
            batch,
            channels_in: channels as u64,
            channels_out: conv.channels.get() as u64,
            height: height as u64,
            width: width as u64,
            kernel: conv.kernel.get() as u64,
            stride: conv.stride.get() as u64,
            padding: conv.padding as u64,
            input_gradient,
        }),
        (Layer::MaxPool(pool), TensorShape::Image { channels, height, width }) => Some(Operation::MaxPool {
            planes: batch * channels as u64,
            height: height as u64,
            width: width as u64,
            kernel: pool.kernel.get() as u64,
            stride: pool.step() as u64,
        }),
        // Shape inference has refused windows over vectors.
        (Layer::Conv2d(_) | Layer::MaxPool(_), TensorShape::Vector(_)) => None,
    }
}

/// FLOPs, bytes and kernel starts of one operation. Formulas: `performance.md`.
#[must_use]
pub fn work(operation: &Operation, pass: Pass) -> Work {
    match *operation {
        Operation::Linear { m, n, k } => linear(m as f64, n as f64, k as f64, pass),
        Operation::Conv2d { .. } => convolution(operation, pass),
        Operation::MaxPool { planes, height, width, kernel, stride } => {
            let (rows, columns) = (windows(height, kernel, stride, 0), windows(width, kernel, stride, 0));
            let (entering, leaving) = (planes as f64 * (height * width) as f64, planes as f64 * rows * columns);
            let index = 2.0 * leaving;
            let flops = if pass == Pass::Forward { leaving * (kernel * kernel) as f64 } else { leaving };
            Work { flops, bytes: 4.0 * (entering + leaving + index), launches: 1.0 }
        }
        Operation::Relu { elements } => elementwise(elements as f64, 1.0, pass),
        Operation::Tanh { elements } => elementwise(elements as f64, 8.0, pass),
        Operation::CrossEntropy { batch, classes } => {
            let values = (batch * classes) as f64;
            Work { flops: 5.0 * values, bytes: 4.0 * (4.0 * values + batch as f64), launches: 5.0 }
        }
        Operation::OptimizerStep { rule, parameters, tensors } => update_work(rule, parameters as f64, tensors as f64),
        Operation::GradientExchange { parameters, tensors } => {
            Work { flops: 0.0, bytes: 8.0 * parameters as f64, launches: 2.0 * tensors as f64 }
        }
        Operation::HostToDevice { bytes } => Work { flops: 0.0, bytes: bytes as f64, launches: 1.0 },
        Operation::Launch => Work { flops: 0.0, bytes: 0.0, launches: 1.0 },
    }
}

fn linear(m: f64, n: f64, k: f64, pass: Pass) -> Work {
    let product = 2.0 * m * n * k;
    match pass {
        Pass::Forward => Work { flops: product + m * n, bytes: 4.0 * (m * k + k * n + n + m * n), launches: 2.0 },
        Pass::Backward => Work {
            flops: 2.0 * product + m * n,
            bytes: 4.0 * (2.0 * m * n + 2.0 * k * n + 2.0 * m * k + n),
            launches: 3.0,
        },
    }
}

fn convolution(operation: &Operation, pass: Pass) -> Work {
    let Operation::Conv2d { batch, channels_in, channels_out, height, width, kernel, stride, padding, input_gradient } =
        *operation
    else {
        return Work::default();
    };
    let (rows, columns) = (windows(height, kernel, stride, padding), windows(width, kernel, stride, padding));
    let leaving = (batch * channels_out) as f64 * rows * columns;
    let entering = (batch * channels_in) as f64 * (height * width) as f64;
    let weights = (channels_in * channels_out * kernel * kernel) as f64;
    let product = 2.0 * leaving * (channels_in * kernel * kernel) as f64;
    let inputs = if input_gradient { 2.0 } else { 1.0 };
    match pass {
        Pass::Forward => Work {
            flops: product + leaving,
            bytes: 4.0 * (entering + weights + channels_out as f64 + leaving),
            launches: 2.0,
        },
        Pass::Backward => Work {
            flops: inputs * product + leaving,
            bytes: 4.0 * (inputs * (leaving + entering + weights) + channels_out as f64),
            launches: 1.0 + inputs,
        },
    }
}

fn windows(side: u64, kernel: u64, stride: u64, padding: u64) -> f64 {
    ((side + 2 * padding).saturating_sub(kernel) / stride.max(1) + 1) as f64
}

fn elementwise(elements: f64, flops: f64, pass: Pass) -> Work {
    let tensors = if pass == Pass::Forward { 2.0 } else { 3.0 };
    Work { flops: flops * elements, bytes: 4.0 * tensors * elements, launches: 1.0 }
}

/// FLOPs and tensors touched per parameter: SGD 2 and 3, momentum 4 and 5, Adam 11 and 7
/// (Calculon counts 11 for Adam).
fn update_work(rule: OptimizerRule, parameters: f64, tensors: f64) -> Work {
    let (flops, touched, launches) = match rule {
        OptimizerRule::Sgd => (2.0, 3.0, 2.0),
        OptimizerRule::Momentum => (4.0, 5.0, 4.0),
        OptimizerRule::Adam => (11.0, 7.0, 12.0),
    };
    Work { flops: flops * parameters, bytes: 4.0 * touched * parameters, launches: launches * tensors }
}

#[cfg(test)]
mod tests {
    use super::*;
    use scenarios::model::Model;

    fn name(operation: &Operation) -> &'static str {
        match operation {
            Operation::Linear { .. } => "linear",
            Operation::Conv2d { .. } => "conv2d",
            Operation::MaxPool { .. } => "max_pool",
            Operation::Relu { .. } => "relu",
            _ => "other",
        }
    }

    fn forward_flops(preset: &str, batch: u64) -> Vec<(&'static str, f64)> {
        let layers = Model::Preset(preset.to_owned()).shaped().expect("presets have shapes");
        let operations = layers.iter().enumerate().filter_map(|(i, layer)| of(layer, batch, i > 0));
        operations.map(|op| (name(&op), work(&op, Pass::Forward).flops)).collect()
    }

    #[test]
    fn forward_flops_of_networks_are_exact() {
        let check = |preset: &str, batch: u64, expected: &[(&'static str, f64)]| {
            assert_eq!(forward_flops(preset, batch), expected, "{preset} {batch}");
        };
        let cnn = [
            ("conv2d", 288_000.0 + 5_760.0),
            ("max_pool", 5_760.0),
            ("relu", 1_440.0),
            ("conv2d", 640_000.0 + 1_280.0),
            ("max_pool", 1_280.0),
            ("relu", 320.0),
            ("linear", 32_000.0 + 50.0),
            ("linear", 1_000.0 + 10.0),
        ];
        check("mnist-cnn", 1, &cnn);
        check("mnist-cnn", 100, &cnn.map(|(name, flops)| (name, 100.0 * flops)));
        check("mnist-linear", 1, &[("linear", 15_690.0)]);
    }

    #[test]
    fn backward_needs_no_input_gradient_in_the_first_layer() {
        let layers = Model::Preset("mnist-cnn".to_owned()).shaped().expect("presets have shapes");
        let check = |index: usize, input_gradient: bool, expected: f64| {
            let operation = of(&layers[index], 1, input_gradient).expect("a layer");
            let found = work(&operation, Pass::Backward).flops;
            assert!((found - expected).abs() < 0.5, "layer {index}: {found} instead of {expected}");
        };
        check(0, false, 288_000.0 + 5_760.0);
        check(0, true, 576_000.0 + 5_760.0);
        check(3, true, 1_280_000.0 + 1_280.0);
        check(7, true, 2_000.0 + 10.0);
    }
}
