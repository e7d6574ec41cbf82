//! Replicas of a network in threads, for tests: the chain is cut where figures are summed over them.

use burn::optim::GradientsParams;
use burn::tensor::{Device, Gradients, Tensor, TensorData};

use super::flat::flatten;
use super::{Description, Flow, Network, Pass, Seam, Value, host, loss};
use crate::data::{Inputs, Targets};
use crate::transport::{Reduction, ThreadTransport, Transport as _, thread_group};

/// What a step finds: the loss of all records, the gradients of all parameters in order, and the running figures.
pub struct Found {
    pub loss: f32,
    pub gradients: Vec<f32>,
    pub running: Vec<f32>,
}

/// A learning step of so many replicas, each of which is given its records by number.
pub fn step(
    description: &Description,
    replicas: usize,
    batch: impl Fn(usize, &Device) -> (Inputs, Targets) + Sync,
) -> Found {
    std::thread::scope(|scope| {
        let ranks = thread_group(replicas).into_iter().map(|transport| {
            let batch = &batch;
            scope.spawn(move || Replica::new(description, transport).step(batch))
        });
        let ranks: Vec<_> = ranks.collect();
        let mut found: Vec<Found> = ranks.into_iter().map(|rank| rank.join().expect("no replica panics")).collect();
        let first = found.swap_remove(0);
        for other in found {
            assert_eq!(other.gradients, first.gradients);
            assert_eq!(other.running, first.running);
        }
        first
    })
}

struct Replica {
    network: Network,
    transport: ThreadTransport,
}

impl Replica {
    fn new(description: &Description, transport: ThreadTransport) -> Self {
        let device = Device::flex().autodiff();
        Self { network: Network::new(description, description.whole(), 7, &device), transport }
    }

    fn step(mut self, batch: &impl Fn(usize, &Device) -> (Inputs, Targets)) -> Found {
        let pass = Pass { learns: true, counts: true, replicas: self.transport.size(), ..Pass::plain() };
        let (inputs, targets) = batch(self.transport.rank(), &Device::flex().autodiff());
        let mut flow = self.network.description().start(inputs);
        let (mut segments, mut start) = (Vec::new(), 0);
        for end in 1..=self.network.pieces().len() {
            if end < self.network.pieces().len() && self.seams(end).is_empty() {
                continue;
            }
            let taken = Flow(flow.0.into_iter().map(leaf).collect());
            let given = self.network.forward(start..end, taken.clone(), &pass);
            flow = self.summed(given.clone(), self.seams(end));
            segments.push((taken, given, self.seams(end)));
            start = end;
        }
        let Some((taken, output, _)) = segments.pop() else { unreachable!("there is a segment") };
        let found = loss::loss(self.network.description(), output, targets, &pass).sum;
        let mut gradients = vec![0.0; self.network.size()];
        let mut leaves = taken;
        let mut back = found.clone().backward();
        loop {
            let own = leaves.0.iter().map(|value| gradient(value, &back)).collect::<Vec<_>>();
            add(&mut gradients, back, &self.network);
            let Some((taken, given, seams)) = segments.pop() else { break };
            let summed = own.into_iter().enumerate().map(|(at, gradient)| match seams.get(at) {
                Some(Seam::SumOverReplicas) => gradient.map(|gradient| self.sum(gradient)),
                _ => gradient,
            });
            let products = given.0.into_iter().zip(summed.collect::<Vec<_>>());
            let products = products.filter_map(|(value, gradient)| Some(product(value, gradient?)));
            let Some(sum) = products.reduce(|a, b| a + b) else { unreachable!("something flows on") };
            back = sum.backward();
            leaves = taken;
        }
        let mut loss = host(found);
        self.transport.all_reduce(&mut loss, Reduction::Sum).expect("all replicas are there");
        self.transport.all_reduce(&mut gradients, Reduction::Sum).expect("all replicas are there");
        let running = self.network.running().flat_map(|running| running.values().concat()).collect();
        Found { loss: loss[0], gradients, running }
    }

    /// Seams after the first `end` pieces, none where there is one replica.
    fn seams(&self, end: usize) -> &'static [Seam] {
        if self.transport.size() == 1 { &[] } else { self.network.pieces()[end - 1].seams() }
    }

    fn summed(&mut self, flow: Flow, seams: &[Seam]) -> Flow {
        let values = flow.0.into_iter().enumerate().map(|(at, value)| match seams.get(at) {
            Some(Seam::SumOverReplicas) => self.sum(value),
            _ => value,
        });
        Flow(values.collect())
    }

    fn sum(&mut self, value: Value) -> Value {
        let Value::Vector(tensor) = value else { panic!("figures are vectors") };
        let (shape, device) = (tensor.shape(), tensor.device());
        let mut values = host(tensor);
        self.transport.all_reduce(&mut values, Reduction::Sum).expect("all replicas are there");
        Value::Vector(Tensor::from_data(TensorData::new(values, shape), &device))
    }
}

/// The same values at the start of a graph.
fn leaf(value: Value) -> Value {
    match value {
        Value::Vector(tensor) => Value::Vector(tensor.detach().require_grad()),
        Value::Sequence(tensor) => Value::Sequence(tensor.detach().require_grad()),
        Value::Image(tensor) => Value::Image(tensor.detach().require_grad()),
        Value::Numbers(tensor) => Value::Numbers(tensor),
    }
}

fn gradient(value: &Value, gradients: &Gradients) -> Option<Value> {
    match value {
        Value::Vector(tensor) => tensor.grad(gradients).map(Value::Vector),
        Value::Sequence(tensor) => tensor.grad(gradients).map(Value::Sequence),
        Value::Image(tensor) => tensor.grad(gradients).map(Value::Image),
        Value::Numbers(_) => None,
    }
}

fn product(value: Value, gradient: Value) -> Tensor<1> {
    match (value, gradient) {
        (Value::Vector(value), Value::Vector(gradient)) => (value * Tensor::from_inner(gradient)).sum(),
        (Value::Sequence(value), Value::Sequence(gradient)) => (value * Tensor::from_inner(gradient)).sum(),
        (Value::Image(value), Value::Image(gradient)) => (value * Tensor::from_inner(gradient)).sum(),
        _ => panic!("a gradient has the shape of its value"),
    }
}

fn add(sum: &mut [f32], gradients: Gradients, network: &Network) {
    let mut own = Vec::with_capacity(sum.len());
    flatten(GradientsParams::from_grads(gradients, network), network, &mut own);
    sum.iter_mut().zip(own).for_each(|(sum, own)| *sum += own);
}

/// Asserts that 2 and 4 replicas of 8 records find what one pass over all of them finds, within a relative distance of
/// 1e-4.
pub fn assert_equal_to_one(description: &Description, batch: impl Fn(&[usize], &Device) -> (Inputs, Targets) + Sync) {
    let of = |replicas: usize| {
        step(description, replicas, |rank, device| {
            let share = 8 / replicas;
            batch(&(rank * share..(rank + 1) * share).collect::<Vec<_>>(), device)
        })
    };
    let one = of(1);
    for replicas in [2, 4] {
        let found = of(replicas);
        assert!((found.loss - one.loss).abs() <= 1e-4 * one.loss.abs(), "{replicas}: {} {}", found.loss, one.loss);
        for (what, found, one) in
            [("gradients", &found.gradients, &one.gradients), ("running", &found.running, &one.running)]
        {
            let distance = found.iter().zip(one).map(|(a, b)| (a - b).powi(2)).sum::<f32>().sqrt();
            let length = one.iter().map(|value| value.powi(2)).sum::<f32>().sqrt();
            assert!(distance <= 1e-4 * length, "{replicas} replicas: {what} are {distance} of {length} apart");
        }
    }
}
