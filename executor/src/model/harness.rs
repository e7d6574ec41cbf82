//! For tests: a training step on ranks that share the matrices, as threads, and by one rank.

use std::collections::BTreeMap;
use std::sync::{Barrier, Mutex};

use burn::module::{Module as _, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{Device, Gradients, Int, Tensor, TensorData};
use scenarios::model::Model;

use super::build::{Share, joined};
use super::loss::loss;
use super::{Alone, Description, Flow, Group, Network, Part, Pass, Seam, Value, host};
use crate::data::{Inputs, Targets};

/// Loss, right answers and gradients by the names of parameters.
#[derive(Debug, Clone)]
pub struct Outcome {
    pub loss: f32,
    pub right: f32,
    pub gradients: BTreeMap<String, Vec<f32>>,
}

/// Ranks of a group, and what each has brought to the meeting.
struct Meeting {
    brought: Mutex<Vec<Vec<f32>>>,
    barrier: Barrier,
}

struct Member<'a> {
    meeting: &'a Meeting,
    rank: usize,
    size: usize,
}

impl Member<'_> {
    fn meet(&self, values: &mut Vec<f32>, with: fn(f32, f32) -> f32) {
        self.meeting.brought.lock().expect("no rank panics")[self.rank].clone_from(values);
        self.meeting.barrier.wait();
        let all = self.meeting.brought.lock().expect("no rank panics").clone();
        self.meeting.barrier.wait();
        *values = all
            .into_iter()
            .reduce(|sum, other| sum.into_iter().zip(other).map(|(a, b)| with(a, b)).collect())
            .expect("a group has ranks");
    }
}

impl Group for Member<'_> {
    fn size(&self) -> usize {
        self.size
    }

    fn rank(&self) -> usize {
        self.rank
    }

    fn sum(&self, values: &mut Vec<f32>) {
        self.meet(values, |a, b| a + b);
    }

    fn greatest(&self, values: &mut Vec<f32>) {
        self.meet(values, f32::max);
    }
}

/// A step on records.
pub type Records = fn(&Device) -> (Inputs, Targets);

/// The outcome of one rank that has everything, without a cut.
pub fn whole(model: &Model, records: Records) -> Outcome {
    let description = Description::of(model).expect("it can be carried out");
    let device = Device::flex().autodiff();
    let network = Network::new(&description, description.whole(), 7, &device);
    let pass = Pass { learns: true, counts: true, replicas: 1, tensor: &Alone };
    let (inputs, targets) = records(&device);
    let loss = loss(&description, network.output(inputs, &pass), targets, &pass);
    let gradients = by_name(&network, &loss.sum.clone().backward());
    Outcome { loss: loss.sum.into_scalar(), right: loss.right.into_scalar(), gradients }
}

/// The outcome of ranks that share the matrices; all have the same loss.
pub fn shared(model: &Model, ranks: usize, records: Records) -> Outcome {
    let description = Description::of(model).expect("it can be carried out");
    description.check_shares(ranks).expect("they divide it");
    let meeting = Meeting { brought: Mutex::new(vec![Vec::new(); ranks]), barrier: Barrier::new(ranks) };
    let outcomes: Vec<(Network, Outcome)> = std::thread::scope(|scope| {
        let rank = |rank| {
            let (meeting, description) = (&meeting, &description);
            scope.spawn(move || {
                let member = Member { meeting, rank, size: ranks };
                let part = Part { share: Share { rank, of: ranks }, ..description.whole() };
                let network = Network::new(description, part, 7, &Device::flex().autodiff());
                let outcome = in_segments(&network, &member, records);
                (network, outcome)
            })
        };
        let threads: Vec<_> = (0..ranks).map(rank).collect();
        threads.into_iter().map(|thread| thread.join().expect("no rank panics")).collect()
    });
    let (network, first) = &outcomes[0];
    let gradient = |parameter: &super::build::Parameter| {
        let parts: Vec<_> = outcomes.iter().map(|(_, outcome)| outcome.gradients[&parameter.name].clone()).collect();
        if parameter.split.is_none() {
            assert!(
                parts.iter().all(|part| close(part, &parts[0], first.usual())),
                "{} differs between ranks",
                parameter.name
            );
        }
        (parameter.name.clone(), joined(&parts, &parameter.shape, parameter.split))
    };
    let gradients = network.parameters().iter().map(gradient).collect();
    for (_, outcome) in &outcomes {
        assert!(close(&[outcome.loss, outcome.right], &[first.loss, first.right], 0.0), "losses differ between ranks");
    }
    Outcome { gradients, ..*first }
}

/// The network with other values: each follows from its number in the order of a visit, and itself.
pub fn changed(network: Network, change: fn(usize, f32) -> f32) -> Network {
    struct Mapper(fn(usize, f32) -> f32, usize);
    impl ModuleMapper for Mapper {
        fn map_float<const D: usize>(&mut self, parameter: Param<Tensor<D>>) -> Param<Tensor<D>> {
            let Self(change, first) = self;
            parameter.map(|tensor| {
                let (shape, device) = (tensor.shape(), tensor.device());
                let values: Vec<f32> =
                    host(tensor).into_iter().enumerate().map(|(i, value)| change(*first + i, value)).collect();
                *first += values.len();
                Tensor::from_data(TensorData::new(values, shape), &device)
            })
        }
    }
    network.map(&mut Mapper(change, 0))
}

/// Whether values are equal but for rounding, in relation to the greatest of them, or to what is usual where they are small:
/// some gradients are zero by the formula, as those of the biases of keys, and rounding is all there is.
pub fn close(found: &[f32], expected: &[f32], usual: f32) -> bool {
    let greatest = greatest(expected).max(1e-3 * usual);
    found.len() == expected.len() && found.iter().zip(expected).all(|(a, b)| (a - b).abs() <= 1e-5 * greatest)
}

fn greatest(values: &[f32]) -> f32 {
    values.iter().fold(0.0, |greatest, value| greatest.max(value.abs()))
}

impl Outcome {
    fn usual(&self) -> f32 {
        self.gradients.values().fold(0.0, |usual, gradient| usual.max(greatest(gradient)))
    }
}

/// Tells where two outcomes differ.
pub fn assert_equal(found: &Outcome, expected: &Outcome, what: &str) {
    let names = |outcome: &Outcome| outcome.gradients.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(found), names(expected), "{what}");
    let figures = |outcome: &Outcome| [outcome.loss, outcome.right];
    assert!(close(&figures(found), &figures(expected), 0.0), "{what}: {found:?}, {expected:?}");
    for (name, gradient) in &found.gradients {
        assert!(close(gradient, &expected.gradients[name], expected.usual()), "{what}: {name}");
    }
}

/// A step that is cut at every seam where gradients are summed.
fn in_segments(network: &Network, group: &dyn Group, records: Records) -> Outcome {
    let pass = Pass { learns: true, counts: true, replicas: 1, tensor: group };
    let (inputs, targets) = records(&Device::flex().autodiff());
    let mut flow = network.description().start(inputs);
    let mut cuts: Vec<(Flow, Flow, &[Seam])> = Vec::new();
    for (index, piece) in network.pieces().iter().enumerate() {
        flow = network.forward(index..index + 1, flow, &pass);
        if piece.seams().contains(&Seam::GradientOverTensor) {
            let leaves = Flow(flow.0.iter().map(leaf).collect());
            cuts.push((flow, leaves.clone(), piece.seams()));
            flow = leaves;
        }
    }
    let loss = loss(network.description(), flow, targets, &pass);
    let mut backward = loss.sum.clone().backward();
    let mut gradients = by_name(network, &backward);
    for (given, leaves, seams) in cuts.into_iter().rev() {
        let seam = |index: usize| seams.get(index).copied().unwrap_or_default();
        let parts = given.0.into_iter().zip(leaves.0).enumerate();
        let slopes: Vec<Tensor<1>> =
            parts.filter_map(|(index, (given, leaf))| slope(given, &leaf, seam(index), &backward, group)).collect();
        backward = Tensor::cat(slopes, 0).sum().backward();
        for (name, gradient) in by_name(network, &backward) {
            let sum = gradients.get_mut(&name).expect("all are there");
            sum.iter_mut().zip(gradient).for_each(|(sum, value)| *sum += value);
        }
    }
    Outcome { loss: loss.sum.into_scalar(), right: loss.right.into_scalar(), gradients }
}

fn leaf(value: &Value) -> Value {
    match value {
        Value::Sequence(tensor) => Value::Sequence(tensor.clone().detach().require_grad()),
        Value::Vector(tensor) => Value::Vector(tensor.clone().detach().require_grad()),
        other => other.clone(),
    }
}

/// What has the gradient of a leaf as its own with respect to the value that was given.
fn slope(given: Value, leaf: &Value, seam: Seam, backward: &Gradients, group: &dyn Group) -> Option<Tensor<1>> {
    let (Value::Sequence(given), Value::Sequence(leaf)) = (given, leaf) else { return None };
    let mut gradient = host(leaf.grad(backward).expect("every value is used"));
    if seam == Seam::GradientOverTensor {
        group.sum(&mut gradient);
    }
    let gradient = Tensor::<3>::from_data(TensorData::new(gradient, given.shape()), &given.device());
    Some((given * gradient).sum())
}

fn by_name(network: &Network, backward: &Gradients) -> BTreeMap<String, Vec<f32>> {
    struct Collector<'a>(&'a Network, &'a Gradients, BTreeMap<String, Vec<f32>>);
    impl ModuleVisitor for Collector<'_> {
        fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
            let known = self.0.parameters().iter().find(|known| known.id == parameter.id);
            let name = known.expect("all parameters are known").name.clone();
            let size = parameter.val().shape().num_elements();
            let gradient = parameter.val().grad(self.1).map_or_else(|| vec![0.0; size], host);
            assert!(self.2.insert(name, gradient).is_none(), "a parameter is visited twice");
        }
    }
    let mut collector = Collector(network, backward, BTreeMap::new());
    network.visit(&mut collector);
    collector.2
}

/// Tokens of two records of six positions, and the next ones; the last two of the second record don't count.
pub fn texts(device: &Device) -> (Inputs, Targets) {
    let mut targets = [[3, 5, 7, 2, 0, 1], [4, 4, 6, 7, 0, 0]];
    let tokens = [[1, 3, 5, 7, 2, 0], [0, 4, 4, 6, 0, 0]];
    targets[1][4] = 7;
    let counts = [[1.0, 1.0, 1.0, 1.0, 1.0, 1.0], [1.0, 1.0, 1.0, 1.0, 0.0, 0.0]];
    let mask = Some(Tensor::from_data(counts, device));
    (
        Inputs::Tokens(Tensor::<2, Int>::from_data(tokens, device), mask),
        Targets::Tokens(Tensor::from_data(targets, device), Tensor::from_data(counts, device)),
    )
}
