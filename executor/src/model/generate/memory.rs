//! What the pieces of a network remember.

use burn::tensor::Tensor;

use super::super::recurrent::State;

/// What a piece remembers of the positions before, so that they are not computed again.
#[derive(Debug, Clone, Default)]
pub struct Memory {
    /// Positions before.
    pub(in super::super) seen: usize,
    /// Keys and values of attention: `[records, heads, positions, size]`
    keys_values: Option<[Tensor<4>; 2]>,
    /// State of a recurrent layer.
    pub(in super::super) state: Option<State>,
}

impl Memory {
    /// Keys and values of all positions with those of further ones, which are remembered from now on.
    pub(in super::super) fn with(&mut self, keys: Tensor<4>, values: Tensor<4>) -> (Tensor<4>, Tensor<4>) {
        let [keys, values] = match self.keys_values.take() {
            Some([k, v]) => [Tensor::cat(vec![k, keys], 2), Tensor::cat(vec![v, values], 2)],
            None => [keys, values],
        };
        self.keys_values = Some([keys.clone(), values.clone()]);
        (keys, values)
    }
}
