//! Transformers and recurrent networks.

use super::super::{Cell, Positions, Rnn, Transformer, TransformerKind};
use super::{Piece, PieceKind, PieceOperation, Pieces, Work, class_loss};
use crate::model::Norm;

/// The pieces of a transformer: embedding, then for each layer norm, attention, norm, feed-forward network; a norm and heads.
pub(super) fn transformer(model: &Transformer, tensor: f64) -> Pieces {
    let sizes = Sizes::of(model, tensor);
    let mut list = vec![sizes.embedding()];
    for _ in 0..model.layers.get() {
        list.extend([sizes.norm(true), sizes.attention(), sizes.norm(true), sizes.feed_forward()]);
    }
    list.push(sizes.norm(false));
    let tied = if model.tied && model.classes.is_none() { sizes.table } else { 0.0 };
    let (loss, loss_sums) = if let Some(classes) = model.classes {
        list.push(sizes.classifier(classes.get() as f64));
        (class_loss(classes.get()), Vec::new())
    } else {
        if model.kind == TransformerKind::Encoder {
            list.push(sizes.transform());
        }
        list.push(sizes.output());
        token_loss(sizes.tokens, sizes.vocabulary)
    };
    Pieces { list, loss, loss_sums, tied: tied as u64 }
}

/// Cross-entropy of tokens, of whose vocabulary a rank has so many entries; the greatest score, that of the token and the sum
/// of exponentials are found over all ranks.
fn token_loss(tokens: f64, entries: f64) -> (PieceOperation, Vec<f64>) {
    let work = Work { entering: tokens * entries, leaving: tokens, ..Work::default() };
    (PieceOperation { kind: PieceKind::TokenLoss, work }, vec![tokens; 3])
}

/// Sizes of a transformer as one rank has them.
struct Sizes<'a> {
    model: &'a Transformer,
    tensor: f64,
    tokens: f64,
    width: f64,
    vocabulary: f64,
    /// Parameters of the rank's part of the vocabulary's matrix.
    table: f64,
}

impl<'a> Sizes<'a> {
    fn of(model: &'a Transformer, tensor: f64) -> Self {
        let [tokens, width, vocabulary] =
            [model.sequence, model.hidden, model.vocabulary].map(|size| size.get() as f64);
        // Where ranks do not divide it, the first ones have one entry more.
        let vocabulary = (vocabulary / tensor).ceil();
        Self { model, tensor, tokens, width, vocabulary, table: vocabulary * width }
    }

    fn stream(&self) -> f64 {
        self.tokens * self.width
    }

    fn biases(&self, values: f64) -> f64 {
        if self.model.bias { values } else { 0.0 }
    }

    const fn tensors(&self, matrices: u64) -> u64 {
        if self.model.bias { 2 * matrices } else { matrices }
    }

    fn embedding(&self) -> Piece {
        let places = self.model.positions == Positions::Learned;
        let segments = self.model.kind == TransformerKind::Encoder;
        let added = f64::from(u8::from(places)) + f64::from(u8::from(segments));
        let mut parameters = self.table;
        parameters += if places { self.stream() } else { 0.0 };
        parameters += if segments { 2.0 * self.width } else { 0.0 };
        let work = Work {
            entering: self.tokens,
            leaving: self.stream(),
            inner: added * self.stream(),
            parameters,
            ..Work::default()
        };
        let piece = Piece::new(PieceKind::Embedding, work, self.width, 1 + added as u64);
        Piece { forward_sums: vec![self.stream()], ..piece }
    }

    /// A norm; behind that of a layer flows the stream beside what enters its matrices.
    fn norm(&self, in_layer: bool) -> Piece {
        let (kind, tensors) = match self.model.norm {
            Norm::Rms => (PieceKind::RmsNorm, 1),
            Norm::Layer => (PieceKind::LayerNorm, 2),
        };
        let parameters = self.model.norm_parameters() as f64;
        let work = Work { entering: self.stream(), leaving: self.stream(), parameters, ..Work::default() };
        let leaving = if in_layer { 2.0 * self.stream() } else { self.stream() };
        let meets = in_layer || self.model.kind == TransformerKind::Decoder;
        let backward_sums = if meets { vec![self.stream()] } else { Vec::new() };
        Piece { leaving, backward_sums, ..Piece::new(kind, work, self.width, tensors) }
    }

    fn attention(&self) -> Piece {
        let model = self.model;
        let [heads, groups, size] = [model.heads.get(), model.kv_heads(), model.head_size()].map(|size| size as f64);
        let own = heads * size / self.tensor;
        let projections = 2.0 * self.width * (heads + groups) * size / self.tensor;
        let scores = heads / self.tensor * self.tokens * self.tokens;
        let biases = self.biases((heads + 2.0 * groups) * size / self.tensor + self.width);
        let work = Work {
            multiply_adds: self.tokens * projections + 2.0 * self.tokens * self.tokens * own,
            entering: self.stream(),
            leaving: self.stream(),
            inner: scores,
            parameters: projections + biases,
            steps: 0.0,
        };
        let kind = match model.positions {
            Positions::Rotary => PieceKind::RotaryAttention,
            Positions::Learned => PieceKind::Attention,
        };
        let weight = model.attention_parameters() as f64 + 2.0 * self.tokens * heads * size;
        Piece { forward_sums: vec![self.stream()], ..Piece::new(kind, work, weight, self.tensors(4)) }
    }

    fn feed_forward(&self) -> Piece {
        let model = self.model;
        let (inner, matrices) = (model.ffn.get() as f64 / self.tensor, model.ffn_matrices());
        let weights = matrices as f64 * self.width * inner;
        let work = Work {
            multiply_adds: self.tokens * weights,
            entering: self.stream(),
            leaving: self.stream(),
            inner: self.tokens * inner,
            parameters: weights + self.biases((matrices - 1) as f64 * inner + self.width),
            steps: 0.0,
        };
        let kind = if model.gated { PieceKind::GatedFeedForward } else { PieceKind::FeedForward };
        let piece = Piece::new(kind, work, model.ffn_parameters() as f64, self.tensors(matrices as u64));
        Piece { forward_sums: vec![self.stream()], ..piece }
    }

    fn output(&self) -> Piece {
        let is_encoder = self.model.kind == TransformerKind::Encoder;
        let bias = if is_encoder { self.vocabulary } else { 0.0 };
        let own = if self.model.tied { 0.0 } else { self.table };
        let work = Work {
            multiply_adds: self.tokens * self.table,
            entering: self.stream(),
            leaving: self.tokens * self.vocabulary,
            parameters: own + bias,
            ..Work::default()
        };
        let weight = self.width * self.model.vocabulary.get() as f64;
        let tensors = u64::from(!self.model.tied) + u64::from(is_encoder);
        Piece::new(PieceKind::Output, work, weight, tensors)
    }

    fn transform(&self) -> Piece {
        let square = self.width * self.width;
        let next_sentence = square + self.width + 2.0 * self.width + 2.0;
        let work = Work {
            multiply_adds: self.tokens * square,
            entering: self.stream(),
            leaving: self.stream(),
            inner: self.stream(),
            parameters: square + self.width + self.model.norm_parameters() as f64 + next_sentence,
            steps: 0.0,
        };
        Piece { backward_sums: vec![self.stream()], ..Piece::new(PieceKind::Transform, work, square, 8) }
    }

    fn classifier(&self, classes: f64) -> Piece {
        let square = self.width * self.width;
        let work = Work {
            multiply_adds: square + self.width * classes,
            entering: self.stream(),
            leaving: classes,
            inner: self.width,
            parameters: square + self.width + (self.width + 1.0) * classes,
            steps: 0.0,
        };
        Piece::new(PieceKind::Classifier, work, square, 4)
    }
}

/// The pieces of a recurrent network: embedding, layers, output. Ranks share the vocabulary only.
pub(super) fn recurrent(model: &Rnn, tensor: f64) -> Pieces {
    let [hidden, tokens, vocabulary] = [model.hidden, model.sequence, model.vocabulary].map(|size| size.get() as f64);
    let (width, own) = (model.embedding() as f64, (vocabulary / tensor).ceil());
    let embedding = Work { entering: tokens, leaving: tokens * width, parameters: own * width, ..Work::default() };
    let embedding = Piece::new(PieceKind::Embedding, embedding, width, 1);
    let mut list = vec![Piece { forward_sums: vec![tokens * width], ..embedding }];
    let weight = 2.0 * model.cell.gates() as f64 * hidden * hidden;
    let kind = match model.cell {
        Cell::Lstm => PieceKind::Lstm,
        Cell::Gru => PieceKind::Gru,
    };
    for layer in model.encoder_layers() {
        let (directions, inputs) = (layer.directions as f64, layer.inputs as f64);
        let gates = directions * model.cell.gates() as f64 * hidden;
        let work = Work {
            multiply_adds: tokens * gates * (inputs + hidden),
            entering: tokens * inputs,
            leaving: tokens * directions * hidden,
            inner: tokens * gates,
            parameters: model.layer_parameters(&layer) as f64,
            steps: tokens * directions,
        };
        let piece = Piece::new(kind, work, weight, 4 * layer.directions as u64);
        list.extend(std::iter::repeat_n(piece, layer.repeat));
    }
    if let Some(last) = list.last_mut() {
        last.backward_sums = vec![last.leaving];
    }
    let inputs = model.output_inputs() as f64;
    let matrix = if model.tied { 0.0 } else { own * inputs };
    let output = Work {
        multiply_adds: tokens * inputs * own,
        entering: tokens * inputs,
        leaving: tokens * own,
        parameters: matrix + own,
        ..Work::default()
    };
    list.push(Piece::new(PieceKind::Output, output, hidden * vocabulary, 1 + u64::from(!model.tied)));
    let (loss, loss_sums) = token_loss(tokens, own);
    Pieces { list, loss, loss_sums, tied: if model.tied { (own * width) as u64 } else { 0 } }
}
