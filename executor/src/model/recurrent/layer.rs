//! One recurrent layer, in one direction or both.

use burn::module::Module;
use burn::tensor::Tensor;
use scenarios::model::{RecurrentLayer, Rnn};

use super::super::build::Build;
use super::super::generate::Memory;
use super::cell::Direction;

/// A layer: its states at all time steps, those of both directions side by side.
#[derive(Module, Debug)]
pub struct Layer {
    forward: Direction,
    backward: Option<Direction>,
    #[module(skip)]
    is_last: bool,
}

impl Layer {
    pub(super) fn new(index: usize, model: &Rnn, layer: RecurrentLayer, build: &mut Build<'_>) -> Self {
        let size = [layer.inputs, model.hidden.get()];
        let forward = Direction::new(index, false, model.cell, size, build);
        let backward = (layer.directions == 2).then(|| Direction::new(index, true, model.cell, size, build));
        Self { forward, backward, is_last: index + 1 == model.layers.get() }
    }

    /// `[records, steps, inputs]` → `[records, steps, directions × hidden]`. What is remembered goes on in the forward
    /// direction; a text that runs in both cannot go on.
    pub(super) fn forward(&self, x: Tensor<3>, memory: Option<&mut Memory>) -> Tensor<3> {
        let before = memory.as_ref().and_then(|memory| memory.state.clone());
        let (states, last) = self.forward.forward(x.clone(), before);
        if let Some(memory) = memory {
            memory.state = Some(last);
        }
        match &self.backward {
            Some(backward) => Tensor::cat(vec![states, backward.forward(x, None).0], 2),
            None => states,
        }
    }

    pub(super) const fn is_last(&self) -> bool {
        self.is_last
    }
}
