//! A network that reads texts.

use burn::tensor::{Device, Int, Tensor, TensorData};

use super::super::{Network, Pass, host};
use super::Memory;
use super::text::Text;

/// A network that reads texts in step.
pub(super) struct Reader<'a> {
    network: &'a Network,
    device: &'a Device,
    memories: Vec<Memory>,
    /// Tokens that it can see at once, where that is limited.
    limit: Option<usize>,
    /// Tokens of each text that it has read.
    read: usize,
}

impl<'a> Reader<'a> {
    pub fn new(network: &'a Network, device: &'a Device) -> Self {
        let limit = network.description().reach();
        Self { network, device, memories: Vec::new(), limit, read: 0 }
    }

    /// Scores of the token that follows the first `length` of each text.
    pub fn after(&mut self, texts: &[Text], length: usize) -> Vec<Vec<f32>> {
        let start = self.limit.map_or(0, |limit| length.saturating_sub(limit));
        if start > 0 || self.memories.is_empty() {
            self.memories = vec![Memory::default(); self.network.pieces().len()];
            self.read = start;
        }
        let tokens: Vec<i64> = texts
            .iter()
            .flat_map(|text| &text.tokens[self.read..length])
            .map(|token| token.cast_signed() as i64)
            .collect();
        let shape = [texts.len(), length - self.read];
        let tokens = Tensor::<2, Int>::from_data(TensorData::new(tokens, shape), self.device);
        self.read = length;
        let scores = self.network.next(tokens, &mut self.memories, &Pass::plain());
        let vocabulary = scores.dims()[1];
        host(scores).chunks(vocabulary).map(<[f32]>::to_vec).collect()
    }
}
