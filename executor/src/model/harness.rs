//! For tests: a training step by one rank, and by ranks as threads that share the matrices or the records.

use std::collections::BTreeMap;

use burn::module::{Module as _, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{Device, Gradients, Int, Tensor, TensorData};
use scenarios::model::Model;
use scenarios::strategy::Recompute;

use super::build::{Share, joined};
use super::{Alone, Description, Network, Part, host};
use crate::data::{Inputs, Targets};
use crate::parallel::stage::Met;
use crate::parallel::tape::{Behind, Meeting, Output, backward, forward, segments};
use crate::transport::{Reduction, ThreadTransport, Transport as _, thread_group};

/// Loss, right answers and gradients by the names of parameters.
#[derive(Debug, Clone)]
pub struct Outcome {
    pub loss: f32,
    pub right: f32,
    pub gradients: BTreeMap<String, Vec<f32>>,
}

/// A step on records.
pub type Records = fn(&Device) -> (Inputs, Targets);

/// The outcome of one rank that has everything, without a cut.
pub fn whole(model: &Model, records: Records) -> Outcome {
    let description = Description::of(model).expect("it can be carried out");
    let network = Network::new(&description, description.whole(), 7, &Device::flex().autodiff());
    step(&network, Meeting { tensor: &Alone, replicas: &Alone }, records(&Device::flex().autodiff()))
}

/// The outcome of ranks that share the matrices; all have the same loss.
pub fn shared(model: &Model, ranks: usize, records: Records) -> Outcome {
    let description = Description::of(model).expect("it can be carried out");
    description.check_shares(ranks).expect("they divide it");
    let outcomes: Vec<(Network, Outcome)> = in_ranks(ranks, |transport| {
        let part = Part { share: Share { rank: transport.rank(), of: ranks }, ..description.whole() };
        let network = Network::new(&description, part, 7, &Device::flex().autodiff());
        let meeting = Meeting { tensor: &Met::new(transport), replicas: &Alone };
        let outcome = step(&network, meeting, records(&Device::flex().autodiff()));
        (network, outcome)
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

/// Asserts that 2 and 4 replicas of 8 records find what one pass over all of them finds, within a relative distance of
/// 1e-4: loss, gradients and running figures, which all replicas have alike.
pub fn assert_replicas_equal_one(
    description: &Description,
    batch: impl Fn(&[usize], &Device) -> (Inputs, Targets) + Sync,
) {
    let of = |replicas: usize| {
        let mut found = in_ranks(replicas, |transport| {
            let (share, rank) = (8 / replicas, transport.rank());
            let device = Device::flex().autodiff();
            let network = Network::new(description, description.whole(), 7, &device);
            let records: Vec<usize> = (rank * share..(rank + 1) * share).collect();
            let meeting = Meeting { tensor: &Alone, replicas: &Met::new(transport) };
            let own = step(&network, meeting, batch(&records, &device));
            let mut sums = vec![own.loss];
            sums.extend(own.gradients.values().flatten());
            transport.all_reduce(&mut sums, Reduction::Sum).expect("all replicas are there");
            let running: Vec<f32> = network.running().flat_map(|running| running.values().concat()).collect();
            (sums.remove(0), sums, running)
        });
        let first = found.swap_remove(0);
        assert!(found.iter().all(|other| *other == first), "replicas differ");
        first
    };
    let one = of(1);
    for replicas in [2, 4] {
        let found = of(replicas);
        assert!((found.0 - one.0).abs() <= 1e-4 * one.0.abs(), "{replicas}: {} {}", found.0, one.0);
        for (what, found, one) in [("gradients", &found.1, &one.1), ("running", &found.2, &one.2)] {
            let distance = found.iter().zip(one).map(|(a, b)| (a - b).powi(2)).sum::<f32>().sqrt();
            let length = one.iter().map(|value| value.powi(2)).sum::<f32>().sqrt();
            assert!(distance <= 1e-4 * length, "{replicas} replicas: {what} are {distance} of {length} apart");
        }
    }
}

/// What ranks as threads find, in their order.
fn in_ranks<T: Send>(ranks: usize, find: impl Fn(&ThreadTransport) -> T + Sync) -> Vec<T> {
    std::thread::scope(|scope| {
        let find = &find;
        let threads: Vec<_> =
            thread_group(ranks).into_iter().map(|transport| scope.spawn(move || find(&transport))).collect();
        threads.into_iter().map(|thread| thread.join().expect("no rank panics")).collect()
    })
}

/// A step by the passes that training makes.
fn step(network: &Network, meeting: Meeting<'_>, (inputs, targets): (Inputs, Targets)) -> Outcome {
    let segments = segments(network, meeting, Recompute::None, &[]);
    let entering = network.description().start(inputs);
    let (tape, Output::Loss(found)) = forward(network, &segments, meeting, entering, Some(&targets)) else {
        unreachable!("with targets there is a loss")
    };
    let mut gradients: BTreeMap<String, Vec<f32>> = BTreeMap::new();
    let behind = Behind::Loss { targets: &targets, scale: 1.0 };
    let passed = backward(network, &segments, meeting, tape, behind, |_, learned| {
        for (name, gradient) in by_name(network, &learned) {
            let sum = gradients.entry(name).or_insert_with(|| vec![0.0; gradient.len()]);
            sum.iter_mut().zip(gradient).for_each(|(sum, value)| *sum += value);
        }
        Ok(())
    });
    passed.expect("nothing is exchanged");
    Outcome { loss: found.sum.into_scalar(), right: found.right.into_scalar(), gradients }
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
