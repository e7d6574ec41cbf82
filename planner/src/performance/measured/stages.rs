//! What the stages of a pipeline take for a micro-batch; a network on one rank is one stage.

use scenarios::machine::Collective;
use scenarios::model::pieces::{Piece, Pieces, balanced};
use scenarios::strategy::{Recompute, Strategy, Sync};
use scenarios::units::Interval;

use super::{MeasuredMachine, NONE, PieceCost};
use crate::performance::{Unpredictable, plus};

/// What a run of pieces takes in one rank.
#[derive(Debug, Clone)]
pub(super) struct Stage {
    pub forward: Interval,
    pub backward: Interval,
    /// Exchanges inside the passes, in both directions.
    pub messages: Interval,
    /// Message to the next stage.
    pub hop: Interval,
    pub parameters: f64,
    pub tensors: f64,
    /// What its pieces hold, in order.
    pub held: Vec<PieceHeld>,
    /// Times that ranks meet in both passes.
    pub meetings: f64,
}

/// Bytes that a piece holds.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct PieceHeld {
    /// From the forward to the backward pass.
    pub kept: f64,
    /// In the forward pass at most.
    pub forward_peak: f64,
    /// In the backward pass at most, with what it computes again for it.
    pub backward_peak: f64,
    /// Parameters, and their tensors.
    pub parameters: f64,
    pub tensors: f64,
}

/// A network on ranks that compute at the same time.
pub(super) struct Spread<'a> {
    pub machine: &'a MeasuredMachine<'a>,
    pub pieces: &'a Pieces,
    pub strategy: &'a Strategy,
    /// Records of a pass.
    pub records: f64,
    /// Ranks on a device.
    pub ranks: u32,
}

impl Spread<'_> {
    /// Stages in the order of the network: as many for each rank as it has chunks.
    pub fn stages(&self) -> Result<Vec<Stage>, Unpredictable> {
        let stages = self.strategy.pipeline.get() as usize;
        let chunks = if stages > 1 { self.strategy.schedule.chunks() as usize } else { 1 };
        let list = &self.pieces.list;
        let weights: Vec<f64> = list.iter().map(|piece| piece.weight).collect();
        let runs = balanced(&weights, stages * chunks);
        let final_run = runs.len() - 1;
        let stage = |(index, run): (usize, std::ops::Range<usize>)| {
            let mut stage = self.run(&list[run.clone()], run.start)?;
            if index == final_run {
                self.add_loss(&mut stage)?;
                let tied = if index > 0 { self.pieces.tied as f64 } else { 0.0 };
                stage.parameters += tied;
            } else {
                let values = list[run.end - 1].leaving * self.records;
                stage.backward = plus(stage.backward, self.machine.cut(values, self.ranks)?);
                stage.hop = self.hop(values)?;
            }
            Ok(stage)
        };
        runs.into_iter().enumerate().map(stage).collect()
    }

    fn run(&self, list: &[Piece], start: usize) -> Result<Stage, Unpredictable> {
        let mut stage = Stage {
            forward: NONE,
            backward: NONE,
            messages: NONE,
            hop: NONE,
            parameters: 0.0,
            tensors: 0.0,
            held: Vec::with_capacity(list.len()),
            meetings: 0.0,
        };
        for (index, piece) in list.iter().enumerate() {
            self.add(&mut stage, piece, start + index == 0)?;
        }
        Ok(stage)
    }

    fn add(&self, stage: &mut Stage, piece: &Piece, first: bool) -> Result<(), Unpredictable> {
        let again = match self.strategy.recompute {
            Recompute::None => false,
            Recompute::Selective => piece.is_attention(),
            Recompute::Full => true,
        };
        let mut held =
            PieceHeld { parameters: piece.parameters(), tensors: piece.tensors as f64, ..PieceHeld::default() };
        if let Some(operation) = piece.operation {
            let cost = self.machine.piece(operation, self.records, (first, self.is_shared()), self.ranks)?;
            stage.forward = plus(stage.forward, cost.forward);
            stage.backward = plus(stage.backward, cost.backward);
            let leaving = operation.work.leaving * self.records * VALUE_BYTES;
            held.kept = cost.kept;
            held.forward_peak = cost.forward_peak;
            // What flows back is as large as what left.
            held.backward_peak = leaving + cost.backward_peak;
            if again {
                stage.backward = plus(stage.backward, cost.forward);
                held.kept = leaving;
                held.backward_peak = cost.forward_peak.max(cost.kept + held.backward_peak);
            }
        }
        let meets = self.meets(piece);
        if again || meets {
            let values = piece.leaving * self.records;
            stage.backward = plus(stage.backward, self.machine.cut(values, self.ranks)?);
        }
        stage.messages = plus(stage.messages, self.sums(piece)?);
        stage.parameters += piece.parameters();
        stage.tensors += piece.tensors as f64;
        stage.meetings += self.meetings(piece);
        stage.held.push(held);
        Ok(())
    }

    /// Times that ranks meet in a piece.
    fn meetings(&self, piece: &Piece) -> f64 {
        let over_tensor = piece.forward_sums.len() + piece.backward_sums.len();
        let over_tensor = if self.is_shared() { over_tensor as f64 } else { 0.0 };
        let over_replicas = if self.shares_figures() && piece.replica_sum > 0.0 { 2.0 } else { 0.0 };
        over_tensor + over_replicas
    }

    /// Whether passes are cut behind a piece because ranks meet there.
    fn meets(&self, piece: &Piece) -> bool {
        let over_tensor = self.is_shared() && !piece.backward_sums.is_empty();
        over_tensor || (self.shares_figures() && piece.replica_sum > 0.0)
    }

    /// Whether replicas find the statistics of their batches together.
    fn shares_figures(&self) -> bool {
        let independent = match self.strategy.sync {
            Sync::AllReduce => false,
            Sync::ParameterServer { staleness, .. } => staleness > 0,
            Sync::Averaging { .. } => true,
        };
        self.strategy.data.get() > 1 && !independent
    }

    /// Exchanges inside both passes of a piece.
    fn sums(&self, piece: &Piece) -> Result<Interval, Unpredictable> {
        let tensor = self.strategy.tensor.get();
        let mut sum = NONE;
        if tensor > 1 {
            // The way over the host is part of what is measured of a piece in its forward pass.
            for values in &piece.forward_sums {
                sum = plus(sum, self.exchanged(values * self.records, tensor)?);
            }
            for values in &piece.backward_sums {
                sum = plus(sum, self.summed(values * self.records, tensor)?);
            }
        }
        if self.shares_figures() && piece.replica_sum > 0.0 {
            let once = self.summed(piece.replica_sum, self.strategy.data.get())?;
            sum = plus(sum, once.scaled(2.0));
        }
        Ok(sum)
    }

    /// Whether ranks of a tensor group share the pieces.
    const fn is_shared(&self) -> bool {
        self.strategy.tensor.get() > 1
    }

    /// A sum of values of the device over a group: to the host, over it, and back.
    fn summed(&self, values: f64, group: u32) -> Result<Interval, Unpredictable> {
        let copies = self.machine.copy(values * VALUE_BYTES, self.ranks)?.scaled(2.0);
        Ok(plus(copies, self.exchanged(values, group)?))
    }

    /// A sum of values on the host over a group.
    fn exchanged(&self, values: f64, group: u32) -> Result<Interval, Unpredictable> {
        self.machine.exchange(Collective::AllReduce, values * VALUE_BYTES, group, self.ranks)
    }

    /// A message to another stage: packed, sent, and brought to the device.
    fn hop(&self, values: f64) -> Result<Interval, Unpredictable> {
        let bytes = values * VALUE_BYTES;
        let copies = self.machine.copy(bytes, self.ranks)?.scaled(3.0);
        let stages = self.strategy.pipeline.get();
        Ok(plus(copies, self.machine.exchange(Collective::Message, bytes, stages, self.ranks)?))
    }

    fn add_loss(&self, stage: &mut Stage) -> Result<(), Unpredictable> {
        let cost = self.machine.piece(self.pieces.loss, self.records, (false, self.is_shared()), self.ranks)?;
        stage.forward = plus(stage.forward, cost.forward);
        stage.backward = plus(stage.backward, cost.backward);
        let PieceCost { kept, forward_peak, backward_peak, .. } = cost;
        stage.held.push(PieceHeld { kept, forward_peak, backward_peak, ..PieceHeld::default() });
        if self.is_shared() {
            let tensor = self.strategy.tensor.get();
            stage.meetings += self.pieces.loss_sums.len() as f64;
            for values in &self.pieces.loss_sums {
                stage.messages = plus(stage.messages, self.exchanged(values * self.records, tensor)?);
            }
        }
        Ok(())
    }
}

/// Bytes of a value.
pub(super) const VALUE_BYTES: f64 = 4.0;
