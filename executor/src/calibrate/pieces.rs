//! Pieces of networks, forward and backward, inside a pass through the whole network as training makes it.

use burn::tensor::Device;
use scenarios::machine::{DeviceKind, PieceMeasurement};
use scenarios::model::pieces::{PieceKind, PieceOperation, Pieces, Work, pieces};
use scenarios::units::Interval;

use super::networks::{self, Measured};
use super::operations::GPU_RUNS_PER_WAIT;
use super::{probe, ranks::in_ranks, sample};
use crate::data::{Inputs, Targets};
use crate::device::Devices;
use crate::device::memory::{Meter, metered};
use crate::model::loss::loss;
use crate::model::{Alone, Description, Flow, Network, Pass, Value};
use crate::transport::Transport as _;

/// Times that every network is measured anew: a machine is faster at one time than at another.
const ROUNDS: usize = 3;

/// Passes of every round that count; one before them warms up.
const PASSES: usize = 4;

/// What was measured of one piece.
#[derive(Debug, Clone)]
struct Measuring {
    kind: PieceKind,
    work: Work,
    first: bool,
    forward: Vec<f64>,
    backward: Vec<f64>,
    kept: Vec<u64>,
}

/// Measures the pieces of all networks with `ranks` ranks at a time.
pub fn measure(devices: &Devices, ranks: u32) -> Vec<PieceMeasurement> {
    let runs_per_wait = match devices.description.kind {
        DeviceKind::Cpu => 1,
        DeviceKind::Gpu => GPU_RUNS_PER_WAIT,
    };
    let networks = networks::all();
    let found = in_ranks(devices, ranks, |device, transport| {
        metered(|meter| {
            let mut found = Vec::new();
            for network in networks.iter().flat_map(|network| std::iter::repeat_n(network, ROUNDS)) {
                if transport.barrier().is_err() {
                    break;
                }
                let bench = Bench { device: &device.clone().autodiff(), runs: runs_per_wait, meter };
                found.extend(bench.network(network));
            }
            found
        })
    });
    let mut joined: Vec<Measuring> = Vec::new();
    for one in found {
        let same = |other: &&mut Measuring| (other.kind, other.work, other.first) == (one.kind, one.work, one.first);
        match joined.iter_mut().find(same) {
            Some(other) => {
                other.forward.extend(one.forward);
                other.backward.extend(one.backward);
                other.kept.extend(one.kept);
            }
            None => joined.push(one),
        }
    }
    joined.into_iter().filter_map(|measured| measured.summed(ranks)).collect()
}

impl Measuring {
    fn new(operation: PieceOperation, records: usize, first: bool) -> Self {
        let PieceOperation { kind, work } = operation;
        let work = work.of_records(records as f64);
        Self { kind, work, first, forward: Vec::new(), backward: Vec::new(), kept: Vec::new() }
    }

    fn summed(mut self, ranks: u32) -> Option<PieceMeasurement> {
        self.kept.sort_unstable();
        Some(PieceMeasurement {
            kind: self.kind,
            work: self.work,
            first: self.first,
            ranks,
            forward: Interval::of(&self.forward)?,
            backward: Interval::of(&self.backward)?,
            kept_bytes: self.kept.get(self.kept.len() / 2).copied()?,
            samples: self.forward.len() as u32,
        })
    }
}

/// Measures on one device.
struct Bench<'a> {
    device: &'a Device,
    /// Runs of a piece that are waited for together.
    runs: u32,
    meter: &'a Meter,
}

/// A network with records.
struct Subject {
    network: Network,
    inputs: Inputs,
    targets: Targets,
}

/// A piece on the way back: what entered, what left, and what is measured of it.
struct Passed {
    entered: Flow,
    left: Vec<Flow>,
    seconds: f64,
    kept: u64,
}

impl Bench<'_> {
    /// Every piece of a network that computes something, its loss, and a cut behind its first piece.
    fn network(&self, Measured { model, records }: &Measured) -> Vec<Measuring> {
        let (Ok(description), Ok(pieces)) = (Description::of(model), pieces(model, 1)) else { return Vec::new() };
        let subject = Subject {
            network: Network::new(&description, description.whole(), 1, self.device),
            inputs: sample::inputs(&description, *records, self.device),
            targets: sample::targets(&description, &pieces, *records, self.device),
        };
        let mut measured = Self::wanted(&pieces, *records);
        // The first pass warms up.
        self.pass(&subject, pieces.list.len());
        for _ in 0..PASSES {
            for (one, (forward, backward, kept)) in measured.iter_mut().zip(self.pass(&subject, pieces.list.len())) {
                one.forward.push(forward);
                one.backward.push(backward);
                one.kept.push(kept);
            }
        }
        let computes = pieces.list.iter().map(|piece| piece.operation.is_some()).chain([true, true]);
        measured.into_iter().zip(computes).filter(|(_, computes)| *computes).map(|(one, _)| one).collect()
    }

    /// One for each piece, for the loss, and for the cut.
    fn wanted(pieces: &Pieces, records: usize) -> Vec<Measuring> {
        let nothing = PieceOperation { kind: PieceKind::Cut, work: Work::default() };
        let of = |(index, operation): (usize, Option<PieceOperation>)| {
            Measuring::new(operation.unwrap_or(nothing), records, index == 0)
        };
        let operations = pieces.list.iter().map(|piece| piece.operation).chain([Some(pieces.loss)]);
        let mut wanted: Vec<Measuring> = operations.enumerate().map(of).collect();
        let values = pieces.list.first().map_or(0.0, |piece| piece.leaving);
        let cut = PieceOperation { kind: PieceKind::Cut, work: Work { entering: values, ..Work::default() } };
        wanted.push(Measuring::new(cut, records, false));
        wanted
    }

    /// Seconds forward and backward and bytes kept of each piece, of the loss and of the cut.
    fn pass(&self, subject: &Subject, pieces: usize) -> Vec<(f64, f64, u64)> {
        let pass = Pass { learns: true, counts: true, replicas: 1, tensor: &Alone };
        let description = subject.network.description();
        let mut flow = description.start(subject.inputs.clone());
        let mut passed = Vec::with_capacity(pieces);
        for index in 0..pieces {
            let entered = if index == 0 { flow.detached() } else { flow.leaf() };
            let forward = || subject.network.forward(index..index + 1, entered.clone(), &pass);
            let (left, seconds, kept) = self.several(forward);
            flow = left[0].clone().detached();
            passed.push(Passed { entered, left, seconds, kept });
        }
        let leaf = flow.leaf();
        let (losses, loss_forward, loss_kept) =
            self.several(|| loss(description, leaf.clone(), subject.targets.clone(), &pass).sum);
        let mut losses = losses.into_iter();
        let (gradients, loss_backward, _) = self.several(|| losses.next().map(|sum| sum.backward()));
        let mut back = gradients.into_iter().flatten().next().map_or_else(Vec::new, |mut of| leaf.gradients(&mut of));
        let mut found = vec![(loss_forward, loss_backward, loss_kept)];
        let mut cut = (0.0, 0.0, 0);
        for Passed { entered, left, seconds, kept } in passed.into_iter().rev() {
            let backward;
            (backward, cut, back) = self.back(&entered, left, &back);
            found.push((seconds, backward, kept));
        }
        found.reverse();
        found.push(cut);
        // The loss was put first and is last but one.
        found
    }

    /// Seconds of a piece's backward pass, the cut behind it, and what flows back further.
    fn back(
        &self,
        entered: &Flow,
        left: Vec<Flow>,
        back: &[Option<Value>],
    ) -> (f64, (f64, f64, u64), Vec<Option<Value>>) {
        let mut leaves: Vec<Flow> = left.iter().map(|flow| flow.clone().detached().leaf()).collect();
        let (roots, build, _) = self.several(|| leaves.pop().and_then(|leaf| leaf.weighted(back.to_vec())));
        let mut roots = roots.into_iter().flatten();
        let (_, base, _) = self.several(|| roots.next().map(|root| root.backward()));
        let mut roots: Vec<_> = left.into_iter().filter_map(|flow| flow.weighted(back.to_vec())).collect();
        let (gradients, with, _) = self.several(|| roots.pop().map(|root| root.backward()));
        let back = gradients.into_iter().flatten().next().map_or_else(Vec::new, |mut of| entered.gradients(&mut of));
        ((with - base).max(0.0), (0.0, build + base, 0), back)
    }

    /// Results, seconds and bytes of one run, of several that are waited for together.
    fn several<T>(&self, mut work: impl FnMut() -> T) -> (Vec<T>, f64, u64) {
        let mut results = Vec::with_capacity(self.runs as usize);
        self.wait();
        let before = self.meter.held();
        let spent = probe::time(|| {
            results.extend((0..self.runs).map(|_| work()));
            self.wait();
        });
        let kept = self.meter.held().saturating_sub(before) / u64::from(self.runs);
        (results, spent.as_secs_f64() / f64::from(self.runs), kept)
    }

    fn wait(&self) {
        // A device that fails here fails in the next operation too, which reports it.
        let _ = self.device.sync();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_those_of_the_executor() {
        let device = Device::flex();
        for Measured { model, .. } in networks::all() {
            let description = Description::of(&model).expect("it is carried out");
            let pieces = pieces(&model, 1).expect("it is valid");
            assert_eq!(pieces.list.len(), description.pieces(), "{model:?}");
            let weights: Vec<f64> = pieces.list.iter().map(|piece| piece.weight).collect();
            assert_eq!(weights, description.work(), "{model:?}");
            for (index, piece) in pieces.list.iter().enumerate() {
                let part = crate::model::Part { pieces: index..index + 1, ..description.whole() };
                let network = Network::new(&description, part, 1, &device);
                let shared = if index + 1 == pieces.list.len() { pieces.tied as f64 } else { 0.0 };
                assert_eq!(network.size() as u64, (piece.parameters() + shared) as u64, "piece {index} of {model:?}");
                let tensors = network.parameters().len() as u64 - u64::from(shared > 0.0);
                assert_eq!(tensors, piece.tensors, "piece {index} of {model:?}");
            }
        }
    }

    #[test]
    fn every_piece_of_a_network_is_measured() {
        let device = Device::flex().autodiff();
        metered(|meter| {
            for network in networks::all().iter().step_by(6) {
                let found = Bench { device: &device, runs: 2, meter }.network(network);
                let pieces = pieces(&network.model, 1).expect("it is valid");
                let computing = pieces.list.iter().filter(|piece| piece.operation.is_some()).count();
                assert_eq!(found.len(), computing + 2, "{network:?}");
                assert_eq!(found[computing].kind, pieces.loss.kind);
                assert!(found.iter().all(|one| one.forward.len() == PASSES && one.backward.len() == PASSES));
                assert!(found[..computing].iter().all(|one| one.kept[0] > 0), "{found:?}");
            }
        });
    }
}
