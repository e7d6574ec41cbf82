//! Recurrent networks: LSTM and GRU, as language models and as encoder–decoders with attention.

use std::num::NonZeroUsize;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ShapeError;
use super::limits::{self, product};

/// Recurrent network over tokens: embedding, layers, and an output of one value for each entry of the vocabulary.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rnn {
    /// What a layer computes in one time step.
    pub cell: Cell,
    /// Layers (of the encoder, where there is a decoder).
    pub layers: NonZeroUsize,
    /// Values of a layer's state, h.
    pub hidden: NonZeroUsize,
    /// Values of a token's embedding; by default as many as `hidden`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub embedding: Option<NonZeroUsize>,
    /// First layers that run in both directions; their outputs are twice as wide.
    #[serde(default)]
    pub bidirectional: usize,
    /// Entries of the vocabulary.
    pub vocabulary: NonZeroUsize,
    /// Tokens of one sequence, time steps.
    pub sequence: NonZeroUsize,
    /// A decoder that attends to the last layer; both share the embedding.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decoder: Option<Decoder>,
    /// Whether the output uses the embedding's matrix; it needs equal sizes.
    #[serde(default)]
    pub tied: bool,
}

/// What a recurrent layer computes in one time step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Cell {
    /// Long short-term memory: four gates.
    Lstm,
    /// Gated recurrent unit: three gates.
    Gru,
}

impl Cell {
    /// Matrices of one layer for its input, and as many for its state.
    #[must_use]
    pub const fn gates(self) -> usize {
        match self {
            Self::Lstm => 4,
            Self::Gru => 3,
        }
    }
}

/// Decoder with additive attention after its first layer; the context enters all further layers, as in GNMT v2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Decoder {
    /// Layers.
    pub layers: NonZeroUsize,
    /// Tokens of one sequence that it gives.
    pub sequence: NonZeroUsize,
}

/// One recurrent layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecurrentLayer {
    /// Values that enter at each time step.
    pub inputs: usize,
    /// Directions that it runs in, each with parameters of its own: 1 or 2.
    pub directions: usize,
    /// Equal layers one after the other.
    pub repeat: usize,
    /// Time steps.
    pub steps: usize,
}

impl Rnn {
    /// Values of a token's embedding.
    #[must_use]
    pub fn embedding(&self) -> usize {
        self.embedding.unwrap_or(self.hidden).get()
    }

    /// Layers of the encoder, or of the whole network without a decoder.
    #[must_use]
    pub fn encoder_layers(&self) -> Vec<RecurrentLayer> {
        let (hidden, steps) = (self.hidden.get(), self.sequence.get());
        let both = self.bidirectional.min(self.layers.get());
        let one_way = self.layers.get() - both;
        let mut layers = Layers { inputs: self.embedding(), hidden, steps, list: Vec::new() };
        layers.append(2, both);
        layers.append(1, one_way);
        layers.list
    }

    /// Layers of the decoder: the first one sees the embedding, the others the layer before and the context.
    #[must_use]
    pub fn decoder_layers(&self) -> Vec<RecurrentLayer> {
        let Some(decoder) = self.decoder else { return Vec::new() };
        let layer = |inputs, repeat| RecurrentLayer { inputs, directions: 1, repeat, steps: decoder.sequence.get() };
        let mut layers = vec![layer(self.embedding(), 1)];
        if decoder.layers.get() > 1 {
            layers.push(layer(self.hidden.get() + self.context(), decoder.layers.get() - 1));
        }
        layers
    }

    /// Values that the encoder's last layer gives at each time step.
    #[must_use]
    pub fn context(&self) -> usize {
        let directions = if self.bidirectional >= self.layers.get() { 2 } else { 1 };
        directions * self.hidden.get()
    }

    /// Parameters of one layer: for each gate h·(inputs + h) weights and, as cuDNN keeps them, two biases.
    #[must_use]
    pub fn layer_parameters(&self, layer: &RecurrentLayer) -> u64 {
        let [gates, hidden, inputs, directions] =
            [self.cell.gates(), self.hidden.get(), layer.inputs, layer.directions].map(|n| n as u64);
        directions * gates * hidden * (inputs + hidden + 2)
    }

    /// Parameters of the embedding.
    #[must_use]
    pub fn embedding_parameters(&self) -> u64 {
        (self.vocabulary.get() * self.embedding()) as u64
    }

    /// Parameters of normalised additive attention: matrices of queries and keys, a vector, its scale and a bias.
    #[must_use]
    pub fn attention_parameters(&self) -> u64 {
        let [hidden, context] = [self.hidden.get(), self.context()].map(|n| n as u64);
        if self.decoder.is_some() { hidden * (hidden + context) + 2 * hidden + 1 } else { 0 }
    }

    /// Values of each token's state that the output is computed from.
    #[must_use]
    pub fn output_inputs(&self) -> usize {
        if self.decoder.is_some() { self.hidden.get() } else { self.context() }
    }

    /// Parameters of the output: a matrix, unless it is the embedding's, and a bias.
    #[must_use]
    pub fn output_parameters(&self) -> u64 {
        let [vocabulary, inputs] = [self.vocabulary.get(), self.output_inputs()].map(|n| n as u64);
        vocabulary + if self.tied { 0 } else { vocabulary * inputs }
    }

    /// All trainable parameters.
    ///
    /// # Errors
    /// Sizes that do not fit each other, or are too large to count.
    pub fn parameters(&self) -> Result<u64, ShapeError> {
        self.check()?;
        let layers = [self.encoder_layers(), self.decoder_layers()].concat();
        limits::network(layers.iter().map(|layer| layer.repeat as f64 * self.layer_parameters(layer) as f64))?;
        let layers: u64 = layers.iter().map(|layer| layer.repeat as u64 * self.layer_parameters(layer)).sum();
        Ok(self.embedding_parameters() + layers + self.attention_parameters() + self.output_parameters())
    }

    fn check(&self) -> Result<(), ShapeError> {
        let [hidden, embedding, vocabulary] = [self.hidden.get(), self.embedding(), self.vocabulary.get()];
        limits::at_most(("bidirectional", self.bidirectional), ("layers", self.layers.get()))?;
        limits::part("embedding", product(&[vocabulary, embedding]))?;
        limits::part("output", 2.0 * product(&[vocabulary, hidden]))?;
        // A layer sees at most its embedding and, from both directions or with the context, three states.
        limits::part("layer", 8.0 * product(&[hidden, embedding]) + 32.0 * product(&[hidden, hidden]))?;
        for steps in [Some(self.sequence), self.decoder.map(|decoder| decoder.sequence)].into_iter().flatten() {
            limits::part("sequence", product(&[steps.get(), vocabulary.max(8 * hidden).max(embedding)]))?;
        }
        let inputs = self.output_inputs();
        if self.tied && inputs != embedding {
            return Err(ShapeError::Tied { inputs, embedding });
        }
        Ok(())
    }
}

/// Appends layers and keeps track of what enters the next one.
struct Layers {
    inputs: usize,
    hidden: usize,
    steps: usize,
    list: Vec<RecurrentLayer>,
}

impl Layers {
    fn append(&mut self, directions: usize, count: usize) {
        let outputs = directions * self.hidden;
        let layer = |inputs, repeat| RecurrentLayer { inputs, directions, repeat, steps: self.steps };
        if count > 0 {
            self.list.push(layer(self.inputs, 1));
            self.inputs = outputs;
        }
        if count > 1 {
            self.list.push(layer(outputs, count - 1));
        }
    }
}
