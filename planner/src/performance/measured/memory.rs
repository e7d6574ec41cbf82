//! What ranks hold.

use scenarios::carried_out::BUCKET_BYTES;
use scenarios::machine::OptimizerRule;
use scenarios::strategy::{Strategy, Sync, Zero};

use super::MeasuredMachine;
use super::stages::{PieceHeld, Stage, VALUE_BYTES};
use crate::performance::memory::Memory;

/// How a rank holds its part of a network.
pub(super) struct Holding<'a> {
    pub machine: &'a MeasuredMachine<'a>,
    pub strategy: &'a Strategy,
    /// The optimiser and its numbers for each parameter, where it learns.
    pub optimizer: Option<(OptimizerRule, f64)>,
    /// Whether gradients of several passes are added up.
    pub accumulates: bool,
    /// Micro-batches that wait for their backward pass at most.
    pub in_flight: f64,
    /// Bytes of the records of a step.
    pub batch: f64,
    /// Ranks on a device.
    pub ranks: u32,
}

/// Bytes at one moment of a step.
#[derive(Debug, Clone, Copy, Default)]
struct Moment {
    gradients: f64,
    activations: f64,
    workspace: f64,
}

impl Moment {
    const fn total(&self) -> f64 {
        self.gradients + self.activations + self.workspace
    }
}

impl Holding<'_> {
    /// What the rank of a stage holds at its fullest moment: in a forward pass, in a backward pass, where activations go and
    /// gradients come, when gradients are exchanged, or when they are applied.
    pub fn rank(&self, chunks: &[&Stage]) -> Memory {
        let held: Vec<PieceHeld> = chunks.iter().flat_map(|stage| &stage.held).copied().collect();
        let parameters = VALUE_BYTES * chunks.iter().map(|stage| stage.parameters).sum::<f64>();
        let shares = if self.strategy.zero >= Zero::Optimizer { f64::from(self.strategy.data.get()) } else { 1.0 };
        let moments =
            self.optimizer.filter(|_| !self.is_served()).map_or(0.0, |(_, moments)| moments * parameters / shares);
        let mut all = Self::forward(&held, self.optimizer.is_some());
        if self.optimizer.is_some() {
            let pass: f64 = held.iter().map(|piece| piece.kept).sum();
            // Chunks of one rank are in flight by themselves.
            let waiting = (self.in_flight / chunks.len().max(1) as f64 - 1.0).max(0.0) * pass;
            for moment in &mut all {
                moment.activations += waiting;
            }
            all.extend(self.backward(&held, parameters, waiting));
            all.push(self.update(&held, parameters, shares));
        }
        let fullest = all.into_iter().max_by(|a, b| a.total().total_cmp(&b.total())).unwrap_or_default();
        let always = self.machine.rank_bytes() + self.exchanging(&held, parameters);
        memory([parameters, fullest.gradients, moments, fullest.activations, self.batch, always + fullest.workspace])
    }

    /// What all servers hold, if there are any: parameters and their moments, what every worker sent, and its sum.
    pub fn servers(&self, chunks: &[&Stage]) -> Memory {
        if !self.is_served() {
            return Memory::default();
        }
        let parameters = VALUE_BYTES * chunks.iter().map(|stage| stage.parameters).sum::<f64>();
        let workers = f64::from(self.strategy.data.get());
        let moments = self.optimizer.map_or(0.0, |(_, moments)| moments * parameters);
        memory([parameters, (workers + 1.0) * parameters, moments, 0.0, 0.0, parameters])
    }

    const fn is_served(&self) -> bool {
        matches!(self.strategy.sync, Sync::ParameterServer { .. })
    }

    /// A pass that learns keeps what its pieces keep; another one forgets.
    fn forward(held: &[PieceHeld], learns: bool) -> Vec<Moment> {
        let mut activations = 0.0;
        let moment = |piece: &PieceHeld| {
            let moment = Moment { activations, workspace: piece.forward_peak, ..Moment::default() };
            activations += if learns { piece.kept } else { 0.0 };
            moment
        };
        held.iter().map(moment).collect()
    }

    /// While each piece goes backward, those behind it have given their gradients, and it and those before it hold
    /// activations.
    fn backward(&self, held: &[PieceHeld], parameters: f64, waiting: f64) -> Vec<Moment> {
        let (mut activations, mut before) = (waiting, 0.0);
        let moment = |piece: &PieceHeld| {
            let own = VALUE_BYTES * piece.parameters;
            activations += piece.kept;
            before += own;
            let behind = (parameters - before).max(0.0);
            let gradients = if self.accumulates { parameters + behind } else { behind };
            Moment { gradients, activations, workspace: piece.backward_peak }
        };
        held.iter().map(moment).collect()
    }

    /// What the transport keeps of exchanges between replicas: the part of a sum that is this rank's, and what it gave to be
    /// gathered.
    fn exchanging(&self, held: &[PieceHeld], parameters: f64) -> f64 {
        let data = f64::from(self.strategy.data.get());
        let bucket = parameters.min(VALUE_BYTES * largest(held) + BUCKET_BYTES as f64);
        match (self.strategy.sync, self.strategy.zero) {
            _ if self.optimizer.is_none() || data < 2.0 => 0.0,
            (Sync::ParameterServer { .. }, _) => 0.0,
            (Sync::Averaging { .. }, _) => parameters / data,
            (Sync::AllReduce, Zero::Replicated) => bucket / data,
            (Sync::AllReduce, _) => 2.0 * bucket / data,
        }
    }

    /// When gradients are on their way over the host, or are applied tensor by tensor.
    fn update(&self, held: &[PieceHeld], parameters: f64, shares: f64) -> Moment {
        let count = parameters / VALUE_BYTES;
        let largest = largest(held);
        let exchanged = match self.strategy.data.get() {
            1 => 0.0,
            _ => self.machine.exchange_peak(count, largest, self.ranks),
        };
        let applied = self.optimizer.map_or(0.0, |(rule, _)| {
            let (count, largest) = if shares > 1.0 { (count / shares, count / shares) } else { (count, largest) };
            self.machine.optimizer_peak(rule, count, largest, self.ranks)
        });
        Moment { gradients: parameters, workspace: exchanged.max(applied), ..Moment::default() }
    }
}

/// Parameters of the largest tensor: one is a matrix with its bias.
fn largest(held: &[PieceHeld]) -> f64 {
    held.iter().map(|piece| piece.parameters / (piece.tensors / 2.0).max(1.0)).fold(0.0, f64::max)
}

fn memory(bytes: [f64; 6]) -> Memory {
    let [parameters, gradients, optimizer, activations, batch, workspace] =
        bytes.map(|bytes| bytes.max(0.0).ceil() as u64);
    Memory { parameters, gradients, optimizer, activations, batch, workspace }
}
