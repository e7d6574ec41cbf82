//! Time of one pass of a replica over a mixture of prompts and sequences that are being continued.

use scenarios::precision::Precision;

use super::constants::{Constant, Constants};
use super::server::{Dimensions, Impossible, Server, value_bytes};
use crate::performance::training::device::longer;

/// What one pass of one stage computes.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Work {
    /// Sequences that are continued by one token each.
    pub decoded: f64,
    /// Tokens in the cache that those sequences look back at, in all.
    pub looked_back: f64,
    /// Tokens of prompts.
    pub prompt: f64,
    /// Pairs of a prompt's token and a token that it sees.
    pub pairs: f64,
    /// Sequences that get a token from this pass: those continued, and prompts that end.
    pub answers: f64,
}

impl Work {
    /// `batch` sequences continued, with `context` tokens before each.
    #[must_use]
    pub fn decode(batch: f64, context: f64) -> Self {
        Self { decoded: batch, looked_back: batch * context, answers: batch, ..Self::default() }
    }

    /// `batch` whole prompts of `input` tokens, of which each sees itself and what precedes it.
    #[must_use]
    pub fn prefill(batch: f64, input: f64) -> Self {
        let pairs = batch * input * (input + 1.0) / 2.0;
        Self { prompt: batch * input, pairs, answers: batch, ..Self::default() }
    }

    /// The share of the work that one of `parts` equal parts has.
    #[must_use]
    pub fn divided(self, parts: f64) -> Self {
        Self {
            decoded: self.decoded / parts,
            looked_back: self.looked_back / parts,
            prompt: self.prompt / parts,
            pairs: self.pairs / parts,
            answers: self.answers / parts,
        }
    }

    /// This work and other work in one pass.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        Self {
            decoded: self.decoded + other.decoded,
            looked_back: self.looked_back + other.looked_back,
            prompt: self.prompt + other.prompt,
            pairs: self.pairs + other.pairs,
            answers: self.answers + other.answers,
        }
    }

    const fn tokens(&self) -> f64 {
        self.decoded + self.prompt
    }
}

/// Time of a pass by parts, in seconds. The parts add up to the whole.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Parts {
    /// Matrix products of the layers: arithmetic or reading of weights, whichever takes longer.
    pub matrices: f64,
    /// Reading keys and values.
    pub cache: f64,
    /// Attention over prompts.
    pub attention: f64,
    /// Passes over memory element by element.
    pub elementwise: f64,
    /// Exchanges among tensor-parallel devices and between stages.
    pub exchange: f64,
    /// Fixed time of layers.
    pub layers: f64,
    /// Product with the vocabulary.
    pub output: f64,
    /// Scheduler and host.
    pub host: f64,
}

impl Parts {
    /// Time of the pass.
    #[must_use]
    pub fn total(&self) -> f64 {
        self.matrices
            + self.cache
            + self.attention
            + self.elementwise
            + self.exchange
            + self.layers
            + self.output
            + self.host
    }

    /// The mean of passes of which `share` are like the other.
    #[must_use]
    pub fn blend(self, other: Self, share: f64) -> Self {
        let mean = |of: fn(&Self) -> f64| (1.0 - share) * of(&self) + share * of(&other);
        Self {
            matrices: mean(|parts| parts.matrices),
            cache: mean(|parts| parts.cache),
            attention: mean(|parts| parts.attention),
            elementwise: mean(|parts| parts.elementwise),
            exchange: mean(|parts| parts.exchange),
            layers: mean(|parts| parts.layers),
            output: mean(|parts| parts.output),
            host: mean(|parts| parts.host),
        }
    }

    /// The same parts with `layers` layers instead of one, and the fixed parts of a pass.
    fn of_layers(layer: Self, layers: f64) -> Self {
        Self {
            matrices: layers * layer.matrices,
            cache: layers * layer.cache,
            attention: layers * layer.attention,
            elementwise: layers * layer.elementwise,
            exchange: layers * layer.exchange,
            layers: layers * layer.layers,
            ..Self::default()
        }
    }
}

/// A replica whose rates are known.
#[derive(Debug, Clone)]
pub struct Rates {
    size: Dimensions,
    constants: Constants,
    tensor: f64,
    pipeline: f64,
    attention_share: f64,
    most_layers: f64,
    last_layers: f64,
    /// FLOP/s that plain matrix products, experts and attention reach, and the output's 16-bit product.
    matrix_rate: f64,
    expert_rate: f64,
    attention_rate: f64,
    output_rate: f64,
    /// Bytes per second.
    memory: f64,
    link: f64,
    weight_bytes: f64,
    cache_bytes: f64,
}

/// Share of the bandwidth that passes over memory reach (aiconfigurator); they move 24 h + 10 f bytes for each token of
/// a layer (performance-model survey, section 3.2).
const ELEMENTWISE_SHARE: f64 = 0.8;
/// Bytes of an activation.
const ACTIVATION_BYTES: f64 = 2.0;

impl Rates {
    /// Rates of a replica.
    ///
    /// # Errors
    /// The replica is impossible, see [`Server::check`].
    pub fn new(server: &Server, constants: Constants) -> Result<Self, Impossible> {
        server.check()?;
        let get = |constant| constants.get(constant);
        let four_bits = if server.weights == Precision::Fp4 { get(Constant::FourBits) } else { 1.0 };
        let half = server.peak(Precision::Bf16)?;
        let matrix_rate = server.peak(server.weights)? * get(Constant::Compute) * four_bits;
        let is_mixture = server.model.experts.is_some();
        Ok(Self {
            size: Dimensions::of(&server.model),
            constants,
            tensor: f64::from(server.tensor.get()),
            pipeline: f64::from(server.pipeline.get()),
            attention_share: server.attention_share(),
            most_layers: server.most_layers(),
            last_layers: server.last_layers(),
            matrix_rate,
            expert_rate: if is_mixture { matrix_rate * get(Constant::Experts) } else { matrix_rate },
            attention_rate: half * get(Constant::Attention),
            output_rate: half * get(Constant::Compute),
            memory: server.device.memory_bytes_per_second,
            link: server.device.peer_bytes_per_second * get(Constant::Link),
            weight_bytes: value_bytes(server.weights),
            cache_bytes: server.cache_bytes_per_layer(),
        })
    }

    /// Stages of layers.
    #[must_use]
    pub const fn stages(&self) -> f64 {
        self.pipeline
    }

    /// Time of the slowest stage for one micro-batch: the largest, or the last, which has the output besides.
    #[must_use]
    pub fn stage(&self, work: &Work) -> Parts {
        let layer = self.layer(work);
        let mut largest = Parts::of_layers(layer, self.most_layers);
        let mut last = Parts::of_layers(layer, self.last_layers);
        last.output = self.output(work.answers);
        for stage in [&mut largest, &mut last] {
            stage.host = self.constants.get(Constant::Pass) + work.answers * self.constants.get(Constant::Sequence);
            stage.exchange += self.hand_over(work.tokens());
        }
        if last.total() >= largest.total() { last } else { largest }
    }

    /// Time until all sequences of the replica have their next token, when the work is spread over as many
    /// micro-batches as there are stages, each busy all the time.
    #[must_use]
    pub fn round(&self, work: &Work) -> Parts {
        let stage = self.stage(&work.divided(self.pipeline));
        let parts = Parts::of_layers(stage, self.pipeline);
        Parts { output: self.pipeline * stage.output, host: self.pipeline * stage.host, ..parts }
    }

    /// Time of one layer on one device.
    fn layer(&self, work: &Work) -> Parts {
        let get = |constant| self.constants.get(constant);
        let (size, tokens) = (&self.size, work.tokens());
        let filled = tokens + get(Constant::Ramp);
        let read = |parameters: f64| parameters * self.weight_bytes / (self.memory * get(Constant::Weights));
        let attention = longer(
            2.0 * size.attention * filled / self.tensor / self.matrix_rate,
            read(size.attention / self.attention_share),
        );
        let active = size.active + size.shared;
        let experts = longer(
            2.0 * size.expert * active * filled / self.tensor / self.expert_rate,
            read(size.expert * size.touched(tokens) / self.tensor),
        );
        // Where sequences are shared instead of heads, each device passes over its own.
        let sequence_share = self.tensor / self.attention_share;
        let passes = tokens * (24.0 * size.hidden / sequence_share + 10.0 * size.ffn * active / self.tensor);
        Parts {
            matrices: attention + experts,
            cache: work.looked_back / sequence_share * self.cache_bytes / (self.memory * get(Constant::Cache)),
            attention: 4.0 * work.pairs * size.heads * size.head_size / self.tensor / self.attention_rate,
            elementwise: passes / (self.memory * ELEMENTWISE_SHARE),
            exchange: self.all_reduces(tokens),
            layers: get(Constant::Layer),
            ..Parts::default()
        }
    }

    /// Two all-reduces of a layer's output among tensor-parallel devices: 2(α + 2(t−1)/t · S/B).
    fn all_reduces(&self, tokens: f64) -> f64 {
        if self.tensor <= 1.0 {
            return 0.0;
        }
        let bytes = 2.0 * (self.tensor - 1.0) / self.tensor * tokens * self.size.hidden * ACTIVATION_BYTES;
        2.0 * (self.constants.get(Constant::Latency) + bytes / self.link)
    }

    /// A stage hands its output to the next.
    fn hand_over(&self, tokens: f64) -> f64 {
        if self.pipeline <= 1.0 {
            return 0.0;
        }
        self.constants.get(Constant::Latency) + tokens * self.size.hidden * ACTIVATION_BYTES / self.link
    }

    /// Product with the vocabulary, in 16 bits.
    fn output(&self, answers: f64) -> f64 {
        let arithmetic = 2.0 * answers * self.size.vocabulary / self.tensor / self.output_rate;
        let bytes = ACTIVATION_BYTES * self.size.vocabulary / self.tensor;
        longer(arithmetic, bytes / (self.memory * self.constants.get(Constant::Weights)))
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{llama_70b, server};
    use super::*;

    fn round(tensor: u32, pipeline: u32, work: &Work) -> Parts {
        let server = server(llama_70b(), "H100-SXM-80GB", Precision::Fp8, tensor, pipeline);
        Rates::new(&server, Constants::prior()).expect("possible").round(work)
    }

    #[test]
    fn one_sequence_reads_all_weights() {
        let parts = round(1, 1, &Work::decode(1.0, 1.0));
        // 68.45 GB of layers and 2.1 GB of output at 0.8 of 3.35 TB/s; smooth maxima add some.
        let read = parts.matrices + parts.output;
        assert!((1.0..1.15).contains(&(read / 0.02633)), "{read}");
        assert!(parts.exchange == 0.0 && parts.attention == 0.0, "{parts:?}");
    }

    #[test]
    fn long_prompts_are_arithmetic() {
        let parts = round(1, 1, &Work::prefill(8.0, 2048.0));
        // 2 · 68.45 G · 16384 at 0.6 of 1979 TFLOP/s.
        assert!((1.0..1.05).contains(&(parts.matrices / 1.889)), "{parts:?}");
    }

    #[test]
    fn devices_divide_work_and_add_messages() {
        let work = Work::decode(64.0, 1000.0);
        let (one, four) = (round(1, 1, &work), round(4, 1, &work));
        assert!((one.cache / four.cache - 4.0).abs() < 1e-9 && four.exchange > 0.0);
        assert!(four.matrices < one.matrices / 3.0, "{one:?} {four:?}");
        // A sequence passes all layers in a round, whatever the number of stages.
        let stages = round(1, 4, &work);
        assert!((stages.layers / one.layers - 1.0).abs() < 1e-9);
    }

    #[test]
    fn a_blend_lies_between() {
        let (short, long) = (round(2, 2, &Work::decode(1.0, 10.0)), round(2, 2, &Work::decode(100.0, 1000.0)));
        assert_eq!((short.blend(long, 0.0), short.blend(long, 1.0)), (short, long));
        let expected = 0.75 * short.total() + 0.25 * long.total();
        assert!((short.blend(long, 0.25).total() / expected - 1.0).abs() < 1e-12);
    }
}
