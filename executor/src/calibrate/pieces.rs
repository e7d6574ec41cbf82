//! Pieces of networks, forward and backward, inside a pass through the whole network as training makes it; and what ranks
//! that make the same passes would wait for each other.

use std::cell::RefCell;
use std::collections::BTreeMap;

use burn::tensor::Device;
use scenarios::machine::{DeviceKind, PieceMeasurement, ReferenceMeasurement, WaitMeasurement};
use scenarios::model::pieces::{PieceKind, PieceOperation, Pieces, Work, pieces};
use scenarios::units::Interval;

use super::networks::{self, Measured};
use super::operations::GPU_RUNS_PER_WAIT;
use super::probe::{self, Spent};
use super::{ranks::in_ranks, sample};
use crate::data::{Inputs, Targets};
use crate::device::memory::{Meter, metered};
use crate::device::{Devices, Reference};
use crate::model::build::Share;
use crate::model::loss::loss;
use crate::model::{Description, Flow, Group, Network, Part, Pass, Value};
use crate::transport::{ThreadTransport, Transport as _};

/// Times that every network is measured anew. A machine is faster at one time than at another; in rounds, all networks and
/// numbers of ranks see the same times.
pub const ROUNDS: usize = 5;

/// Passes of every round that count; one before them warms up.
const PASSES: usize = 3;

/// What was measured of one piece.
#[derive(Debug, Clone)]
struct Measuring {
    kind: PieceKind,
    work: Work,
    records: u64,
    first: bool,
    shared: bool,
    passes: Vec<Passing>,
}

/// Seconds and bytes of one pass through a piece.
#[derive(Debug, Clone, Copy, Default)]
struct Passing {
    forward: f64,
    backward: f64,
    kept: u64,
    forward_peak: u64,
    backward_peak: u64,
}

/// The pieces of all networks as a number of ranks at a time sees them.
#[derive(Debug)]
pub struct Rounds {
    ranks: u32,
    /// What each rank found.
    found: Vec<Found>,
}

/// What a rank found.
#[derive(Debug, Clone, Default)]
struct Found {
    /// Of the pieces of each network, round after round.
    networks: Vec<Vec<Measuring>>,
    /// Seconds of the reference work, beside each pass of a network.
    references: Vec<f64>,
    /// Bytes that its thread went on holding though all tensors were gone.
    bytes: u64,
}

/// What was found with so many ranks at a time.
#[derive(Debug)]
pub struct Summed {
    pub pieces: Vec<PieceMeasurement>,
    pub waits: Vec<WaitMeasurement>,
    pub reference: Option<ReferenceMeasurement>,
    pub rank_bytes: Option<u64>,
}

impl Rounds {
    /// Nothing is measured.
    pub fn new(ranks: u32) -> Self {
        Self { ranks, found: vec![Found::default(); ranks as usize] }
    }

    /// Measures all networks once more.
    pub fn measure(&mut self, devices: &Devices) {
        for (all, found) in self.found.iter_mut().zip(once(devices, self.ranks)) {
            all.networks.extend(found.networks);
            all.references.extend(found.references);
            all.bytes = all.bytes.max(found.bytes);
        }
    }

    /// What pieces and the reference work take, what ranks would wait for each other, and what each holds besides.
    pub fn summed(self) -> Summed {
        let ranks = self.ranks;
        let waits = waits(&self.found.iter().map(|found| &found.networks[..]).collect::<Vec<_>>());
        let references: Vec<f64> = self.found.iter().flat_map(|found| &found.references).copied().collect();
        let samples = references.len() as u32;
        let reference = Interval::of(&references).map(|seconds| ReferenceMeasurement { ranks, seconds, samples });
        let rank_bytes = self.found.iter().map(|found| found.bytes).max();
        let mut joined: Vec<Measuring> = Vec::new();
        for one in self.found.into_iter().flat_map(|found| found.networks).flatten() {
            let same = |other: &&mut Measuring| {
                (other.kind, other.work, other.first, other.shared) == (one.kind, one.work, one.first, one.shared)
            };
            match joined.iter_mut().find(same) {
                Some(other) => other.passes.extend(one.passes),
                None => joined.push(one),
            }
        }
        let pieces = joined.into_iter().filter_map(|measured| measured.summed(ranks)).collect();
        Summed { pieces, waits, reference, rank_bytes }
    }
}

/// What each rank finds in one round.
fn once(devices: &Devices, ranks: u32) -> Vec<Found> {
    let runs_per_wait = match devices.description.kind {
        DeviceKind::Cpu => 1,
        DeviceKind::Gpu => GPU_RUNS_PER_WAIT,
    };
    let networks = networks::all();
    in_ranks(devices, ranks, |device, transport| {
        metered(|meter| {
            let mut found = Found::default();
            {
                let (device, reference) = (&device.clone().autodiff(), Reference::new(device));
                let references = &RefCell::new(Vec::new());
                let bench = Bench { device, runs: runs_per_wait, meter, transport, reference, references };
                found.networks = networks.iter().map_while(|network| bench.network(network)).collect();
                found.references = references.take();
            }
            // A copy of what was found takes as much as what was found; the rest is the thread's.
            let held = meter.held();
            let copy = found.clone();
            found.bytes = (2 * held).saturating_sub(meter.held());
            drop(copy);
            vec![found]
        })
    })
}

/// What ranks wait for the slowest of them, by the time between two meetings. `found` has what each rank found of each
/// network.
fn waits(found: &[&[Vec<Measuring>]]) -> Vec<WaitMeasurement> {
    /// Sum of mean times, sum of what is waited on average, times.
    type Sums = (f64, f64, u64);
    let ranks = found.len();
    let mut sums: BTreeMap<i32, Sums> = BTreeMap::new();
    let mut add = |seconds: &[f64]| {
        let mean = seconds.iter().sum::<f64>() / seconds.len() as f64;
        if mean > 0.0 {
            let (all, waited, count) = sums.entry(mean.log10().floor() as i32).or_default();
            *all += mean;
            *waited += seconds.iter().copied().fold(0.0, f64::max) - mean;
            *count += 1;
        }
    };
    let seen = found.iter().map(|of| of.len()).min().unwrap_or(0);
    for network in (0..seen).filter(|_| ranks > 1) {
        let mut whole = vec![0.0; ranks];
        for pass in 0..PASSES {
            let mut sums = vec![0.0; ranks];
            for piece in 0..found[0][network].len() {
                for direction in [|passing: &Passing| passing.forward, |passing: &Passing| passing.backward] {
                    let of_rank = |of: &&[Vec<Measuring>]| direction(&of[network][piece].passes[pass]);
                    let seconds: Vec<f64> = found.iter().map(of_rank).collect();
                    add(&seconds);
                    sums.iter_mut().zip(seconds).for_each(|(sum, seconds)| *sum += seconds);
                }
            }
            add(&sums);
            whole.iter_mut().zip(sums).for_each(|(whole, sum)| *whole += sum);
        }
        add(&whole);
    }
    let measured = |(all, waited, samples): Sums| WaitMeasurement {
        ranks: ranks as u32,
        seconds: all / samples as f64,
        share: waited / all,
        samples,
    };
    sums.into_values().map(measured).collect()
}

impl Measuring {
    fn new(operation: PieceOperation, records: usize, (first, shared): (bool, bool)) -> Self {
        let PieceOperation { kind, work } = operation;
        let work = work.of_records(records as f64);
        Self { kind, work, records: records as u64, first, shared, passes: Vec::new() }
    }

    fn summed(self, ranks: u32) -> Option<PieceMeasurement> {
        let seconds = |of: fn(&Passing) -> f64| Interval::of(&self.passes.iter().map(of).collect::<Vec<_>>());
        let bytes = |of: fn(&Passing) -> u64| {
            let mut bytes: Vec<u64> = self.passes.iter().map(of).collect();
            bytes.sort_unstable();
            bytes.get(bytes.len() / 2).copied()
        };
        Some(PieceMeasurement {
            kind: self.kind,
            work: self.work,
            records: self.records,
            first: self.first,
            shared: self.shared,
            ranks,
            forward: seconds(|passing| passing.forward)?,
            backward: seconds(|passing| passing.backward)?,
            kept_bytes: bytes(|passing| passing.kept)?,
            forward_peak_bytes: bytes(|passing| passing.forward_peak)?,
            backward_peak_bytes: bytes(|passing| passing.backward_peak)?,
            samples: self.passes.len() as u32,
        })
    }
}

/// Measures on one device.
struct Bench<'a> {
    device: &'a Device,
    /// Runs of a piece that are waited for together.
    runs: u32,
    meter: &'a Meter,
    transport: &'a ThreadTransport,
    reference: Reference,
    references: &'a RefCell<Vec<f64>>,
}

/// A network with records, or the part of it that the first rank of a tensor group holds.
struct Subject {
    network: Network,
    group: Pretended,
    inputs: Inputs,
    targets: Targets,
}

/// A tensor group of which one rank is there: what it sums is its own part.
struct Pretended {
    ranks: usize,
}

impl Group for Pretended {
    fn size(&self) -> usize {
        self.ranks
    }

    fn rank(&self) -> usize {
        0
    }

    fn sum(&self, _: &mut Vec<f32>) {}

    fn greatest(&self, _: &mut Vec<f32>) {}
}

/// A piece on the way back: what entered, what left, and what is measured of it.
struct Passed {
    entered: Flow,
    left: Vec<Flow>,
    forward: Spent,
}

impl Passing {
    const fn of(forward: Spent, backward: Spent) -> Self {
        Self {
            forward: forward.time.as_secs_f64(),
            backward: backward.time.as_secs_f64(),
            kept: forward.kept,
            forward_peak: forward.peak,
            backward_peak: backward.peak,
        }
    }
}

impl Bench<'_> {
    /// Every piece of a network that computes something, its loss, and a cut behind its first piece; nothing where another rank
    /// has left.
    fn network(&self, Measured { model, records, tensor }: &Measured) -> Option<Vec<Measuring>> {
        let (Ok(description), Ok(pieces)) = (Description::of(model), pieces(model, *tensor)) else { return None };
        let group = Pretended { ranks: *tensor as usize };
        let part = Part { share: Share { rank: 0, of: group.ranks }, ..description.whole() };
        let subject = Subject {
            network: Network::new(&description, part, 1, self.device),
            group,
            inputs: sample::inputs(&description, *records, self.device),
            targets: sample::targets(&description, &pieces, *records, self.device),
        };
        let mut measured = Self::wanted(&pieces, *records, *tensor > 1);
        // The first pass warms up.
        self.pass(&subject, pieces.list.len());
        for _ in 0..PASSES {
            self.transport.barrier().ok()?;
            for (one, passing) in measured.iter_mut().zip(self.pass(&subject, pieces.list.len())) {
                one.passes.push(passing);
            }
            self.references.borrow_mut().push(self.reference.seconds());
        }
        let computes = pieces.list.iter().map(|piece| piece.operation.is_some()).chain([true, true]);
        Some(measured.into_iter().zip(computes).filter(|(_, computes)| *computes).map(|(one, _)| one).collect())
    }

    /// One for each piece, for the loss, and for the cut.
    fn wanted(pieces: &Pieces, records: usize, shared: bool) -> Vec<Measuring> {
        let nothing = PieceOperation { kind: PieceKind::Cut, work: Work::default() };
        let of = |(index, operation): (usize, Option<PieceOperation>)| {
            Measuring::new(operation.unwrap_or(nothing), records, (index == 0, shared))
        };
        let operations = pieces.list.iter().map(|piece| piece.operation).chain([Some(pieces.loss)]);
        let mut wanted: Vec<Measuring> = operations.enumerate().map(of).collect();
        let values = pieces.list.first().map_or(0.0, |piece| piece.leaving);
        let cut = PieceOperation { kind: PieceKind::Cut, work: Work { entering: values, ..Work::default() } };
        wanted.push(Measuring::new(cut, records, (false, shared)));
        wanted
    }

    /// What each piece, the loss and the cut take.
    fn pass(&self, subject: &Subject, pieces: usize) -> Vec<Passing> {
        let pass = Pass { learns: true, counts: true, replicas: 1, tensor: &subject.group };
        let description = subject.network.description();
        let mut flow = description.start(subject.inputs.clone());
        let mut passed = Vec::with_capacity(pieces);
        for index in 0..pieces {
            let entered = if index == 0 { flow.detached() } else { flow.leaf() };
            let (left, forward) = self.several(|| subject.network.forward(index..index + 1, entered.clone(), &pass));
            flow = left[0].clone().detached();
            passed.push(Passed { entered, left, forward });
        }
        let leaf = flow.leaf();
        let (losses, forward) = self.several(|| loss(description, leaf.clone(), subject.targets.clone(), &pass).sum);
        let mut losses = losses.into_iter();
        let (gradients, backward) = self.several(|| losses.next().map(|sum| sum.backward()));
        let mut back = gradients.into_iter().flatten().next().map_or_else(Vec::new, |mut of| leaf.gradients(&mut of));
        let mut found = vec![Passing::of(forward, backward)];
        let mut cut = Passing::default();
        for Passed { entered, left, forward } in passed.into_iter().rev() {
            let backward;
            (backward, cut, back) = self.back(&entered, left, &back);
            found.push(Passing::of(forward, backward));
        }
        found.reverse();
        found.push(cut);
        // The loss was put first and is last but one.
        found
    }

    /// What a piece's backward pass takes, and the cut behind it; and what flows back further.
    fn back(&self, entered: &Flow, left: Vec<Flow>, back: &[Option<Value>]) -> (Spent, Passing, Vec<Option<Value>>) {
        let mut leaves: Vec<Flow> = left.iter().map(|flow| flow.clone().detached().leaf()).collect();
        let (roots, build) = self.several(|| leaves.pop().and_then(|leaf| leaf.weighted(back.to_vec())));
        let mut roots = roots.into_iter().flatten();
        let (_, base) = self.several(|| roots.next().map(|root| root.backward()));
        let mut roots: Vec<_> = left.into_iter().filter_map(|flow| flow.weighted(back.to_vec())).collect();
        let (gradients, with) = self.several(|| roots.pop().map(|root| root.backward()));
        let back = gradients.into_iter().flatten().next().map_or_else(Vec::new, |mut of| entered.gradients(&mut of));
        let own = Spent { time: with.time.saturating_sub(base.time), ..with };
        (own, Passing { backward: (build.time + base.time).as_secs_f64(), ..Passing::default() }, back)
    }

    /// Results of several runs that are waited for together, and what one of them takes.
    fn several<T>(&self, mut work: impl FnMut() -> T) -> (Vec<T>, Spent) {
        let mut results = Vec::with_capacity(self.runs as usize);
        let all = probe::spent(self.device, self.meter, || results.extend((0..self.runs).map(|_| work())));
        let of_one = |bytes: u64| bytes / u64::from(self.runs);
        (results, Spent { time: all.time / self.runs, kept: of_one(all.kept), peak: of_one(all.peak) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::thread_group;

    #[test]
    fn pieces_are_those_of_the_executor() {
        let device = Device::flex();
        for Measured { model, .. } in networks::all().into_iter().filter(|network| network.tensor == 1) {
            let description = Description::of(&model).expect("it is carried out");
            let pieces = pieces(&model, 1).expect("it is valid");
            assert_eq!(pieces.list.len(), description.pieces(), "{model:?}");
            let weights: Vec<f64> = pieces.list.iter().map(|piece| piece.weight).collect();
            assert_eq!(weights, description.work(), "{model:?}");
            for (index, piece) in pieces.list.iter().enumerate() {
                let part = Part { pieces: index..index + 1, ..description.whole() };
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
        let alone = thread_group(1);
        metered(|meter| {
            for network in networks::all().iter().step_by(6) {
                let (reference, references) = (Reference::new(&device), &RefCell::new(Vec::new()));
                let bench = Bench { device: &device, runs: 2, meter, transport: &alone[0], reference, references };
                let found = bench.network(network).expect("nobody leaves");
                let pieces = pieces(&network.model, network.tensor).expect("it is valid");
                let computing = pieces.list.iter().filter(|piece| piece.operation.is_some()).count();
                assert_eq!(found.len(), computing + 2, "{network:?}");
                assert_eq!(found[computing].kind, pieces.loss.kind);
                assert_eq!(references.borrow().len(), PASSES);
                assert!(found.iter().all(|one| one.passes.len() == PASSES));
                for passing in found[..computing].iter().map(|one| one.passes[0]) {
                    assert!(passing.kept > 0 && passing.forward_peak >= passing.kept, "{passing:?}");
                    assert!(passing.backward_peak > 0, "{passing:?}");
                }
            }
        });
    }

    #[test]
    fn waits_are_those_of_the_mean_rank_for_the_slowest() {
        let piece = |forward| {
            let passing = Passing { forward, backward: forward, ..Passing::default() };
            let operation = PieceOperation { kind: PieceKind::Linear, work: Work::default() };
            Measuring { passes: vec![passing; PASSES], ..Measuring::new(operation, 1, (false, false)) }
        };
        // One is slower in the first piece, the other in the second: they are even over a pass.
        let found = [[0.002, 0.006], [0.006, 0.002]].map(|of_rank| vec![of_rank.map(piece).to_vec()]);
        let found = found.each_ref().map(|of| &of[..]);
        let [pieces, passes] = &waits(&found)[..] else { panic!("of pieces, and of passes") };
        assert!((pieces.seconds - 0.004).abs() < 1e-9 && (pieces.share - 0.5).abs() < 1e-9, "{pieces:?}");
        assert!(passes.share.abs() < 1e-9 && passes.samples == PASSES as u64 + 1, "{passes:?}");
        assert!(waits(&found[..1]).is_empty());
    }
}
