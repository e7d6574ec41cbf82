//! Follows every pass of a step: each starts when its device is free and what it reads has arrived.

use super::order::{Order, Pass, Slot};
use super::{Pipeline, Stage};

/// Not yet.
const PENDING: f64 = f64::INFINITY;

/// A step that was followed to its end.
#[derive(Debug, Clone)]
pub struct Run {
    /// Time of the last pass's end, in seconds.
    pub step_seconds: f64,
    /// Most micro-batches that each device kept at one time.
    pub in_flight: Vec<u64>,
    /// End of the forward pass of every stage, micro-batch by micro-batch.
    pub forward: Vec<f64>,
    /// End of the backward pass of every stage, micro-batch by micro-batch.
    pub backward: Vec<f64>,
}

/// Follows the whole step. The pipeline was checked.
pub fn follow(pipeline: &Pipeline<'_>) -> Run {
    let order = pipeline.order();
    let devices = pipeline.devices();
    let passes = pipeline.stages.len() * pipeline.micro_batches as usize;
    let mut run = Run {
        step_seconds: 0.0,
        in_flight: vec![0; devices],
        forward: vec![PENDING; passes],
        backward: vec![PENDING; passes],
    };
    let mut state: Vec<_> = (0..devices).map(|device| Device::new(device, devices, &order)).collect();
    // Forward passes become ready from the first device on, backward passes from the last: sweeps go to and fro.
    loop {
        let mut moved = false;
        for device in &mut state {
            moved |= device.advance(pipeline, &order, &mut run);
        }
        for device in state.iter_mut().rev() {
            moved |= device.advance(pipeline, &order, &mut run);
        }
        if !moved {
            break;
        }
    }
    for (device, peak) in state.iter().zip(&mut run.in_flight) {
        run.step_seconds = run.step_seconds.max(device.clock);
        *peak = device.peak;
    }
    run
}

/// Where a device stands.
#[derive(Debug, Clone, Copy)]
struct Device {
    index: usize,
    devices: usize,
    /// Turn of the first backward pass.
    warmup: u64,
    slots: u64,
    turn: u64,
    forward: Slot,
    backward: Slot,
    /// Whether the turn's forward pass is done.
    half: bool,
    clock: f64,
    kept: u64,
    peak: u64,
}

impl Device {
    fn new(index: usize, devices: usize, order: &Order) -> Self {
        Self {
            index,
            devices,
            warmup: order.warmup(index as u64),
            slots: order.slots(),
            turn: 0,
            forward: Slot::default(),
            backward: Slot::default(),
            half: false,
            clock: 0.0,
            kept: 0,
            peak: 0,
        }
    }

    /// Takes passes up to the first that is not ready. Whether it took any.
    fn advance(&mut self, pipeline: &Pipeline<'_>, order: &Order, run: &mut Run) -> bool {
        let before = (self.turn, self.half);
        while self.turn < self.slots + self.warmup {
            if !self.half {
                if self.turn < self.slots {
                    if !self.forward(pipeline, order, run) {
                        break;
                    }
                    self.forward = order.after(self.forward);
                }
                self.half = true;
            }
            if self.turn >= self.warmup {
                if !self.backward(pipeline, order, run) {
                    break;
                }
                self.backward = order.after(self.backward);
            }
            self.half = false;
            self.turn += 1;
        }
        before != (self.turn, self.half)
    }

    /// Takes a forward pass. Whether it was ready.
    fn forward(&mut self, pipeline: &Pipeline<'_>, order: &Order, run: &mut Run) -> bool {
        let Some(Pass { chunk, micro_batch }) = order.pass(self.forward) else { return true };
        let (stages, p) = (pipeline.stages, self.devices);
        let stage = chunk as usize * p + self.index;
        let row = micro_batch as usize * stages.len();
        let arrival = if stage == 0 { 0.0 } else { run.forward[row + stage - 1] + stages[stage - 1].hop };
        if arrival >= PENDING {
            return false;
        }
        self.clock = self.clock.max(arrival) + stages[stage].forward;
        run.forward[row + stage] = self.clock;
        self.kept += 1;
        self.peak = self.peak.max(self.kept);
        true
    }

    /// Takes a backward pass. Whether it was ready.
    fn backward(&mut self, pipeline: &Pipeline<'_>, order: &Order, run: &mut Run) -> bool {
        let Some(Pass { chunk, micro_batch }) = order.pass(self.backward) else { return true };
        let stages: &[Stage] = pipeline.stages;
        // Backward passes go through the chunks from the last to the first.
        let p = self.devices;
        let stage = stages.len() - p - chunk as usize * p + self.index;
        let row = micro_batch as usize * stages.len();
        let last = stage + 1 == stages.len();
        let gradient = if last { run.forward[row + stage] } else { run.backward[row + stage + 1] + stages[stage].hop };
        if gradient >= PENDING {
            return false;
        }
        self.clock = self.clock.max(gradient) + stages[stage].backward;
        run.backward[row + stage] = self.clock;
        self.kept = self.kept.saturating_sub(1);
        true
    }
}
