//! Times from a machine profile that `executor calibrate` measured.
//!
//! The profile holds measurements of pieces of networks, of updates and of exchanges at sizes of their own; `fit.rs` turns
//! those of one kind into costs of its arithmetic and memory traffic, and these give the time at any size ([`MeasuredMachine`]).
//! `step.rs` puts the step of a strategy together from them, `memory.rs` what its ranks hold.

mod fit;
mod memory;
mod stages;
mod step;
#[cfg(test)]
mod tests;
mod update;

pub(super) use step::predict;

use std::collections::BTreeMap;
use std::sync::OnceLock;

use scenarios::machine::{Collective, DeviceKind, MachineProfile, Operation, OptimizerRule, PieceMeasurement};
use scenarios::model::pieces::{PieceKind, PieceOperation, Work};
use scenarios::units::Interval;

use super::Unpredictable;
use fit::{Fit, Terms};

/// A machine with its measurements.
#[derive(Debug, Clone)]
pub struct MeasuredMachine<'a> {
    profile: &'a MachineProfile,
    pieces: BTreeMap<PieceKey, Group<'a>>,
    operations: BTreeMap<(Kind, u32), Fit>,
    peaks: BTreeMap<(Kind, u32), Fit>,
    inputs: BTreeMap<(bool, u32), Fit>,
    transports: BTreeMap<(Collective, u32), Vec<(f64, Interval)>>,
    /// Logarithms of times between meetings with the shares that are waited, by ranks.
    waits: BTreeMap<u32, Vec<(f64, f64)>>,
}

/// What pieces have in common that costs are fitted to together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct PieceKey {
    kind: PieceKind,
    /// Whether it is the first of its network.
    first: bool,
    /// Whether it sees few records at a time.
    few: bool,
    /// Whether it is the part of a rank of a tensor group.
    shared: bool,
    ranks: u32,
}

/// Measurements whose costs are fitted together, when they are first asked for.
#[derive(Debug, Clone)]
struct Group<'a> {
    measured: Vec<&'a PieceMeasurement>,
    fit: OnceLock<PieceFit>,
}

/// Costs of one kind of piece; none of a direction that takes no time.
#[derive(Debug, Clone)]
struct PieceFit {
    forward: Option<Fit>,
    backward: Option<Fit>,
    kept: Option<Fit>,
    forward_peak: Option<Fit>,
    backward_peak: Option<Fit>,
}

/// What a piece takes and keeps.
#[derive(Debug, Clone, Copy)]
pub(super) struct PieceCost {
    pub forward: Interval,
    pub backward: Interval,
    /// Bytes kept between the passes.
    pub kept: f64,
    /// Most bytes held in each pass beside those that were held before.
    pub forward_peak: f64,
    pub backward_peak: f64,
}

/// Operations beside the passes whose times have one formula.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    OptimizerStep(OptimizerRule),
    GradientExchange,
    HostToDevice,
}

/// Nothing.
pub(super) const NONE: Interval = Interval { p10: 0.0, p50: 0.0, p90: 0.0 };

impl<'a> MeasuredMachine<'a> {
    /// Fits the costs of everything that was measured.
    #[must_use]
    pub fn new(profile: &'a MachineProfile) -> Self {
        let operations = profile.operations.iter().filter_map(|measured| {
            let (kind, terms) = kind_and_terms(&measured.operation)?;
            Some(((kind, measured.ranks), (terms, measured.seconds)))
        });
        let peaks = profile.operations.iter().filter_map(|measured| {
            let (kind, [_, parameters, tensors, ..]) = kind_and_terms(&measured.operation)?;
            Some((
                (kind, measured.ranks),
                (peak_terms(parameters, parameters / tensors.max(1.0)), bytes(measured.peak_bytes)),
            ))
        });
        let inputs = profile.inputs.iter().map(|measured| {
            let records = measured.records as f64;
            let terms = sizes(1.0, measured.values_per_record as f64 * records, records);
            ((measured.augmented, measured.ranks), (terms, measured.seconds))
        });
        let mut transports: BTreeMap<_, Vec<(f64, Interval)>> = BTreeMap::new();
        for measured in &profile.transports {
            let points = transports.entry((measured.collective, measured.ranks)).or_default();
            points.push((measured.bytes as f64, measured.seconds));
        }
        for points in transports.values_mut() {
            points.sort_by(|a, b| a.0.total_cmp(&b.0));
        }
        let mut waits: BTreeMap<_, Vec<(f64, f64)>> = BTreeMap::new();
        for measured in &profile.waits {
            waits.entry(measured.ranks).or_default().push((measured.seconds.ln(), measured.share));
        }
        Self {
            profile,
            waits,
            pieces: pieces(profile),
            operations: fit_groups(operations, Fit::new),
            peaks: fit_groups(peaks, Fit::without_error),
            inputs: fit_groups(inputs, Fit::new),
            transports,
        }
    }

    /// Most ranks that were measured together on the device.
    #[must_use]
    pub fn max_ranks(&self) -> u32 {
        self.profile.pieces.iter().map(|measured| measured.ranks).max().unwrap_or(0)
    }

    /// Most ranks on one device that are predicted: on a processor they share its cores evenly.
    #[must_use]
    pub fn most_ranks(&self) -> u32 {
        match self.profile.device.kind {
            DeviceKind::Cpu => self.max_ranks().saturating_mul(MOST_RANKS_A_CORE),
            DeviceKind::Gpu => self.max_ranks(),
        }
    }

    /// Bytes that a rank holds beside its tensors.
    pub(super) fn rank_bytes(&self) -> f64 {
        self.profile.rank_bytes.map_or(0.0, |bytes| bytes as f64)
    }

    /// How much longer a rank takes, of `ranks` on the device, than what was measured with as many as were measured.
    fn slowdown(&self, ranks: u32) -> f64 {
        (f64::from(ranks) / f64::from(self.max_ranks().max(1))).max(1.0)
    }

    /// The number of ranks whose measurements stand for `ranks`: the next that was measured.
    fn measured_ranks(&self, ranks: u32) -> u32 {
        let measured = self.profile.pieces.iter().map(|measured| measured.ranks);
        measured.filter(|measured| *measured >= ranks).min().unwrap_or_else(|| self.max_ranks())
    }

    /// Whether there are cores that no rank computes on, of `ranks` on the device.
    fn has_spare_cores(&self, ranks: u32) -> bool {
        self.profile.device.kind == DeviceKind::Gpu || ranks < self.profile.host.cores
    }

    /// Cost of a piece with these sizes in one of `ranks` ranks on the device; `first` of its network or not, and `shared` by
    /// the ranks of a tensor group or not.
    pub(super) fn piece(
        &self,
        operation: PieceOperation,
        records: f64,
        (first, shared): (bool, bool),
        ranks: u32,
    ) -> Result<PieceCost, Unpredictable> {
        let (kind, few) = (operation.kind, records <= FEW_RECORDS);
        let key = PieceKey { kind, first, few, shared, ranks: self.measured_ranks(ranks) };
        let of = |first: bool| self.pieces.get(&PieceKey { first, ..key });
        let missing = Unpredictable::PieceNotMeasured { kind, ranks };
        let group = of(first).or_else(|| of(!first)).ok_or(missing)?;
        let fit = group.fit.get_or_init(|| PieceFit::new(&group.measured));
        let (terms, slow) = (terms(&operation.work.of_records(records), records), self.slowdown(ranks));
        let seconds = |fit: &Option<Fit>| fit.as_ref().map_or(NONE, |fit| fit.at(&terms).scaled(slow));
        let bytes = |fit: &Option<Fit>| fit.as_ref().map_or(0.0, |fit| fit.mean(&terms));
        Ok(PieceCost {
            forward: seconds(&fit.forward),
            backward: seconds(&fit.backward),
            kept: bytes(&fit.kept),
            forward_peak: bytes(&fit.forward_peak),
            backward_peak: bytes(&fit.backward_peak),
        })
    }

    /// Share of the time between two meetings that a rank waits for the slowest of `ranks`, where they meet after so many
    /// seconds: between measured times on a line over their logarithm.
    pub(super) fn wait(&self, seconds: f64, ranks: u32) -> f64 {
        let points = self.waits.get(&self.measured_ranks(ranks));
        let around = points.and_then(|points| around(points, seconds.ln()));
        around.map_or(0.0, |(low, high, share)| low + (high - low) * share)
    }

    /// Cost of a cut through which so many values flow.
    pub(super) fn cut(&self, values: f64, ranks: u32) -> Result<Interval, Unpredictable> {
        let work = Work { entering: values, ..Work::default() };
        Ok(self.piece(PieceOperation { kind: PieceKind::Cut, work }, 1.0, (false, false), ranks)?.backward)
    }

    /// One optimiser step over parameters in so many tensors.
    pub(super) fn optimizer(
        &self,
        rule: OptimizerRule,
        parameters: f64,
        tensors: f64,
        ranks: u32,
    ) -> Result<Interval, Unpredictable> {
        self.operation(Kind::OptimizerStep(rule), sizes(0.0, parameters, tensors), "optimizer_step", ranks)
    }

    /// Gradients in so many tensors from the device to the host and back.
    pub(super) fn host_exchange(&self, parameters: f64, tensors: f64, ranks: u32) -> Result<Interval, Unpredictable> {
        self.operation(Kind::GradientExchange, sizes(0.0, parameters, tensors), "gradient_exchange", ranks)
    }

    /// Copy of bytes from the host to the device.
    pub(super) fn copy(&self, bytes: f64, ranks: u32) -> Result<Interval, Unpredictable> {
        self.operation(Kind::HostToDevice, sizes(1.0, bytes, 0.0), "host_to_device", ranks)
    }

    /// Most bytes that an optimiser step over parameters, the largest tensor of which has so many, holds beside what was held
    /// before.
    pub(super) fn optimizer_peak(&self, rule: OptimizerRule, parameters: f64, largest: f64, ranks: u32) -> f64 {
        self.peak(Kind::OptimizerStep(rule), peak_terms(parameters, largest), ranks)
    }

    /// Most bytes that gradients on their way to the host and back take beside themselves.
    pub(super) fn exchange_peak(&self, parameters: f64, largest: f64, ranks: u32) -> f64 {
        self.peak(Kind::GradientExchange, peak_terms(parameters, largest), ranks)
    }

    fn peak(&self, kind: Kind, terms: Terms, ranks: u32) -> f64 {
        self.peaks.get(&(kind, self.measured_ranks(ranks))).map_or(0.0, |fit| fit.mean(&terms))
    }

    fn operation(
        &self,
        kind: Kind,
        terms: Terms,
        operation: &'static str,
        ranks: u32,
    ) -> Result<Interval, Unpredictable> {
        let fit = self.operations.get(&(kind, self.measured_ranks(ranks)));
        let missing = Unpredictable::NotMeasured { operation, ranks };
        Ok(fit.ok_or(missing)?.at(&terms).scaled(self.slowdown(ranks)))
    }

    /// Time of a collective of `bytes` in a group of `group` ranks, where `ranks` are on the device in all: between measured
    /// sizes on a line. Groups larger than were measured take longer in proportion.
    pub(super) fn exchange(
        &self,
        collective: Collective,
        bytes: f64,
        group: u32,
        ranks: u32,
    ) -> Result<Interval, Unpredictable> {
        if group < 2 {
            return Ok(NONE);
        }
        let sizes = self.transports.keys().filter(|(of, _)| *of == collective).map(|(_, ranks)| *ranks);
        let next = sizes.clone().filter(|size| *size >= group).min().or_else(|| sizes.max());
        let missing = || Unpredictable::NotMeasured { operation: "exchanges", ranks: group };
        let size = next.ok_or_else(missing)?;
        let points = self.transports.get(&(collective, size)).ok_or_else(missing)?;
        let seconds = interpolate(points, bytes).ok_or_else(missing)?;
        let shared = f64::from(ranks.max(group)) / f64::from(size.max(self.max_ranks()));
        Ok(seconds.scaled(shared.max(1.0)))
    }

    /// Time to prepare a batch in one of `ranks` ranks, up to its tensor on the device.
    pub(super) fn input(
        &self,
        values_per_record: f64,
        records: f64,
        augmented: bool,
        ranks: u32,
    ) -> Result<Interval, Unpredictable> {
        let fit = self.inputs.get(&(augmented, self.measured_ranks(ranks)));
        let terms = sizes(1.0, values_per_record * records, records);
        let missing = Unpredictable::NotMeasured { operation: "input", ranks };
        Ok(fit.ok_or(missing)?.at(&terms).scaled(self.slowdown(ranks)))
    }
}

/// Ranks that may share a core.
const MOST_RANKS_A_CORE: u32 = 8;

/// Records up to which burn's back end for processors takes another algorithm for the gradients of a convolution's weights
/// (burn-flex 0.22, `should_use_small_channel_conv`).
const FEW_RECORDS: f64 = 4.0;

/// Measurements that are enough for costs of their own.
const ENOUGH: usize = 3;

fn pieces(profile: &MachineProfile) -> BTreeMap<PieceKey, Group<'_>> {
    let mut groups: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for measured in &profile.pieces {
        groups.entry((measured.kind, measured.first, measured.ranks)).or_default().push(measured);
    }
    let keys = [(false, false), (false, true), (true, false), (true, true)];
    let divided = groups.into_iter().flat_map(|((kind, first, ranks), all)| {
        keys.map(|(few, shared)| {
            let chosen = enough(all.clone(), |piece| piece.shared == shared);
            let measured = enough(chosen, |piece| (piece.records as f64 <= FEW_RECORDS) == few);
            (PieceKey { kind, first, few, shared, ranks }, Group { measured, fit: OnceLock::new() })
        })
    });
    divided.collect()
}

impl PieceFit {
    fn new(measured: &[&PieceMeasurement]) -> Self {
        let points = |of: fn(&PieceMeasurement) -> Interval| -> Vec<(Terms, Interval)> {
            measured.iter().map(|piece| (terms(&piece.work, piece.records as f64), of(piece))).collect()
        };
        Self {
            forward: Fit::new(&points(|piece| piece.forward)),
            backward: Fit::new(&points(|piece| piece.backward)),
            kept: Fit::without_error(&points(|piece| bytes(piece.kept_bytes))),
            forward_peak: Fit::without_error(&points(|piece| bytes(piece.forward_peak_bytes))),
            backward_peak: Fit::without_error(&points(|piece| bytes(piece.backward_peak_bytes))),
        }
    }
}

/// Those of the measurements that are wanted, or all if these are too few.
fn enough(all: Vec<&PieceMeasurement>, is_wanted: impl Fn(&PieceMeasurement) -> bool) -> Vec<&PieceMeasurement> {
    let wanted: Vec<&PieceMeasurement> = all.iter().copied().filter(|piece| is_wanted(piece)).collect();
    if wanted.len() < ENOUGH { all } else { wanted }
}

/// Bytes, which do not vary.
const fn bytes(bytes: u64) -> Interval {
    let bytes = bytes as f64;
    Interval { p10: bytes, p50: bytes, p90: bytes }
}

fn fit_groups<K: Ord>(
    measured: impl Iterator<Item = (K, (Terms, Interval))>,
    fit: fn(&[(Terms, Interval)]) -> Option<Fit>,
) -> BTreeMap<K, Fit> {
    let mut groups: BTreeMap<K, Vec<(Terms, Interval)>> = BTreeMap::new();
    for (key, point) in measured {
        groups.entry(key).or_default().push(point);
    }
    groups.into_iter().filter_map(|(key, points)| Some((key, fit(&points)?))).collect()
}

/// What the time of a piece is made of: a constant, products, values, what does not depend on the records, and these
/// themselves, since few of them may take another algorithm than many. Every step of a recurrent layer adds to the gradient of
/// all its parameters.
const fn terms(work: &Work, records: f64) -> Terms {
    let parameters = work.parameters * work.steps.max(1.0);
    [1.0, work.multiply_adds, work.entering, work.leaving, work.inner, parameters, work.steps, records]
}

/// What the time of an operation beside the passes is made of; `None` of one that is only stated.
fn kind_and_terms(operation: &Operation) -> Option<(Kind, Terms)> {
    let of = |constant: f64, a: u64, b: u64| sizes(constant, a as f64, b as f64);
    match *operation {
        Operation::OptimizerStep { rule, parameters, tensors } => {
            Some((Kind::OptimizerStep(rule), of(0.0, parameters, tensors)))
        }
        Operation::GradientExchange { parameters, tensors } => {
            Some((Kind::GradientExchange, of(0.0, parameters, tensors)))
        }
        Operation::HostToDevice { bytes } => Some((Kind::HostToDevice, of(1.0, bytes, 0))),
        _ => None,
    }
}

/// Terms of an operation beside the passes: a constant and two sizes.
const fn sizes(constant: f64, first: f64, second: f64) -> Terms {
    [constant, first, second, 0.0, 0.0, 0.0, 0.0, 0.0]
}

/// What the memory of an update is made of: all parameters, and those of the largest tensor.
const fn peak_terms(parameters: f64, largest: f64) -> Terms {
    sizes(0.0, parameters, largest)
}

fn interpolate(points: &[(f64, Interval)], at: f64) -> Option<Interval> {
    let last = points.last()?;
    if at >= last.0 {
        return Some(last.1.scaled(at / last.0));
    }
    let (low, high, share) = around(points, at)?;
    let mix = |a: f64, b: f64| a + (b - a) * share;
    Some(Interval { p10: mix(low.p10, high.p10), p50: mix(low.p50, high.p50), p90: mix(low.p90, high.p90) })
}

/// The values of the points around a place, which lie in order, and how far it is from the first to the second of them; twice
/// the value of the outermost point for a place beyond it.
fn around<T: Copy>(points: &[(f64, T)], at: f64) -> Option<(T, T, f64)> {
    match points.iter().position(|point| point.0 >= at) {
        None => points.last().map(|last| (last.1, last.1, 0.0)),
        Some(0) => Some((points[0].1, points[0].1, 0.0)),
        Some(above) => {
            let ((x0, low), (x1, high)) = (points[above - 1], points[above]);
            Some((low, high, (at - x0) / (x1 - x0)))
        }
    }
}
