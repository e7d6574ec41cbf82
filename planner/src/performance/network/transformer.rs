//! Transformers as kernels and messages of one rank.
//!
//! Matrix products are counted one by one; passes over memory between them by their bytes: 24h + 10f/t values of
//! two bytes a token and layer (fused norms, biases, activations and dropout), 1.6 times as many backward.

use scenarios::model::{Transformer, TransformerKind};
use scenarios::precision::Precision;
use scenarios::strategy::{Recompute, Strategy, Zero};

use crate::performance::collective::Kind;
use crate::performance::kernel::{Axis, Class, Kernel, Message, Segment};

/// What a lowering needs to know besides the network.
#[derive(Debug, Clone, Copy)]
pub struct Work {
    /// Sequences of a micro-batch in one replica.
    pub sequences: f64,
    /// Tokens of one sequence.
    pub tokens: f64,
    /// Number format.
    pub precision: Precision,
    /// Whether scores are never written to memory (FlashAttention and its like).
    pub fused_attention: bool,
    /// Whether the parameters are frozen, but for small adapters (LoRA).
    pub frozen: bool,
}

/// Values read and written between matrix products, forward, for each of h and of f: (24h + 10f/t)·bs bytes in 2-byte
/// values, of which a third is the two norms.
const HIDDEN_PASSES: f64 = 12.0;
const FFN_PASSES: f64 = 5.0;
/// Bytes of passes backward over those forward.
const BACKWARD_PASSES: f64 = 1.6;
/// Kernels of these passes in a layer, forward.
const LAYER_LAUNCHES: f64 = 8.0;
/// Products of a fused attention backward over those forward: scores are computed again.
const FUSED_BACKWARD: f64 = 2.5;
/// Share of the positions that an encoder's masked-token loss looks at (BERT: 20 of 128, 80 of 512).
const MASKED_SHARE: f64 = 0.15625;

/// One rank's share of a network: embedding, layers, head.
#[must_use]
pub fn segments(model: &Transformer, strategy: &Strategy, work: &Work) -> [Segment; 3] {
    let rank = Rank::new(model, strategy, work);
    [rank.embedding(), rank.layer(), rank.head()]
}

/// Sizes in one rank, as floating-point numbers.
struct Rank<'a> {
    model: &'a Transformer,
    strategy: &'a Strategy,
    work: &'a Work,
    /// Tokens in this rank.
    n: f64,
    h: f64,
    f: f64,
    /// Width of all query heads and of all heads of keys, in this rank.
    q: f64,
    kv: f64,
    /// Ranks that share matrices.
    t: f64,
    value: f64,
}

impl<'a> Rank<'a> {
    fn new(model: &'a Transformer, strategy: &'a Strategy, work: &'a Work) -> Self {
        let t = f64::from(strategy.tensor.get());
        let head = model.head_size() as f64;
        // Heads of keys are copied where there are fewer than ranks.
        let kv = (model.kv_heads() as f64 / t).max(1.0) * head;
        Self {
            model,
            strategy,
            work,
            n: work.sequences * work.tokens / f64::from(strategy.context.get()),
            h: model.hidden.get() as f64,
            f: model.ffn.get() as f64,
            q: model.heads.get() as f64 * head / t,
            kv,
            t,
            value: f64::from(work.precision.activation_bytes()),
        }
    }

    /// Ranks among which what lies outside the matrices of a tensor group is shared.
    fn outside(&self) -> f64 {
        if self.strategy.sequence { self.t } else { 1.0 }
    }

    fn product(&self, m: f64, n: f64, k: f64) -> Kernel {
        Kernel::matrix(m, n, k, self.value)
    }

    /// Products for the gradient of the input and of the weights; frozen weights need none.
    fn backward_of(&self, m: f64, n: f64, k: f64) -> [Kernel; 2] {
        let weights = if self.work.frozen { 0.0 } else { 1.0 };
        [self.product(m, k, n), self.product(k, n, m).times(weights)]
    }

    fn layer(&self) -> Segment {
        let mut forward = Vec::with_capacity(8);
        let mut backward = Vec::with_capacity(16);
        for (count, m, n, k) in self.products() {
            forward.push(self.product(m, n, k).times(count));
            backward.extend(self.backward_of(m, n, k).map(|kernel| kernel.times(count)));
        }
        let [attention, attention_backward] = self.attention();
        forward.extend(attention);
        backward.extend(attention_backward);
        let passes = self.value * self.n * (HIDDEN_PASSES * self.h / self.outside() + FFN_PASSES * self.active_ffn());
        forward.push(Kernel::elementwise(LAYER_LAUNCHES, passes));
        backward.push(Kernel::elementwise(LAYER_LAUNCHES * BACKWARD_PASSES, passes * BACKWARD_PASSES));
        match self.strategy.recompute {
            Recompute::None => {}
            Recompute::Selective => backward.extend(attention),
            Recompute::Full => backward.extend_from_slice(&forward),
        }
        Segment {
            name: "layers",
            repeat: self.model.layers.get() as f64,
            forward,
            backward,
            parameters: self.layer_parameters(),
            tensors: 12.0,
            saved_bytes: self.saved(),
            output_bytes: self.value * self.n * self.h / self.outside(),
            messages: self.messages(),
        }
    }

    /// Width of the feed-forward network that a token passes through in this rank, all its experts together.
    fn active_ffn(&self) -> f64 {
        self.model.active_experts() as f64 * self.f / self.t
    }

    /// Matrix products of a layer forward: how many, rows, columns, summed dimension.
    fn products(&self) -> Vec<(f64, f64, f64, f64)> {
        let (n, h) = (self.n, self.h);
        let mut list = vec![(1.0, n, self.q + 2.0 * self.kv, h), (1.0, n, h, self.q)];
        let up = if self.model.gated { 2.0 } else { 1.0 };
        let (groups, rows) = match self.model.experts {
            None => (1.0, n),
            Some(experts) => {
                let e = f64::from(self.strategy.expert.get());
                list.push((1.0, n, experts.count.get() as f64, h));
                let here = (experts.count.get() as f64 / e).max(1.0);
                (here, n * experts.active.get() as f64 / here)
            }
        };
        list.push((groups, rows, up * self.f / self.t, h));
        list.push((groups, rows, h, self.f / self.t));
        if let Some(shared) = self.model.experts.map(|experts| experts.shared as f64).filter(|shared| *shared > 0.0) {
            list.push((shared, n, up * self.f / self.t, h));
            list.push((shared, n, h, self.f / self.t));
        }
        list
    }

    /// Core of attention forward and backward: scores and weighted values over all pairs of tokens; a fused kernel
    /// skips the pairs that a decoder masks and writes no scores, else 11 bytes a pair and head go through memory.
    fn attention(&self) -> [[Kernel; 2]; 2] {
        let s = self.work.tokens;
        let heads = self.q / self.model.head_size() as f64;
        let flops = 4.0 * self.n * s * self.q;
        let streams = self.value * self.n * (2.0 * self.q + 2.0 * self.kv);
        let kernel = |count: f64, flops: f64, bytes: f64| Kernel { class: Class::Attention, count, flops, bytes };
        if self.work.fused_attention {
            let masked = if self.model.kind == TransformerKind::Decoder { 0.5 } else { 1.0 };
            let forward = kernel(1.0, masked * flops, streams);
            let backward = kernel(1.0, masked * flops * FUSED_BACKWARD, 2.0 * streams);
            let none = Kernel::elementwise(0.0, 0.0);
            return [[forward, none], [backward, none]];
        }
        let pairs = 3.5 * self.value * heads * s * self.n;
        let forward = kernel(2.0, flops / 2.0, streams / 2.0);
        let backward = kernel(4.0, flops / 2.0, streams / 2.0);
        [[forward, Kernel::elementwise(3.0, pairs)], [backward, Kernel::elementwise(3.0, pairs)]]
    }

    fn messages(&self) -> Vec<Message> {
        let mut list = Vec::new();
        let tokens = self.value * self.n * self.h;
        let again = if self.strategy.recompute == Recompute::Full { 1.0 } else { 0.0 };
        if self.strategy.tensor.get() > 1 {
            let message = |kind, each: f64| Message {
                axis: Axis::Tensor,
                kind,
                bytes: tokens,
                forward: each,
                backward: each * (1.0 + again),
            };
            if self.strategy.sequence {
                list.extend([message(Kind::AllGather, 2.0), message(Kind::ReduceScatter, 2.0)]);
            } else {
                list.push(message(Kind::AllReduce, 2.0));
            }
        }
        if self.strategy.context.get() > 1 {
            let ranks = f64::from(self.strategy.context.get());
            let bytes = self.value * self.n * 2.0 * self.kv;
            let (axis, kind, forward) = (Axis::Context, Kind::PointToPoint, ranks - 1.0);
            list.push(Message { axis, kind, bytes, forward, backward: forward * (2.0 + again) });
        }
        if let Some(experts) = self.model.experts.filter(|_| self.strategy.expert.get() > 1) {
            let bytes = tokens * experts.active.get() as f64 / self.t;
            let (axis, kind) = (Axis::Expert, Kind::AllToAll);
            list.push(Message { axis, kind, bytes, forward: 2.0, backward: 2.0 * (1.0 + again) });
        }
        list
    }

    /// Parameters of a layer in this rank: matrices are divided, norms are not, experts over their own ranks.
    fn layer_parameters(&self) -> f64 {
        let model = self.model;
        let kv_share = (1.0 / self.t).max(1.0 / model.kv_heads() as f64);
        let head = model.head_size() as f64;
        let attention = 2.0 * self.h * (self.q + kv_share * model.kv_heads() as f64 * head);
        let e = f64::from(self.strategy.expert.get());
        let experts = model.experts.map_or(1.0, |experts| experts.count.get() as f64 / e + experts.shared as f64);
        let router = model.experts.map_or(0.0, |experts| self.h * experts.count.get() as f64);
        attention + experts * model.ffn_parameters() as f64 / self.t + router + 2.0 * model.norm_parameters() as f64
    }

    /// Bytes that a layer keeps for the backward pass.
    ///
    /// Dropout and GeLU, as GPT and BERT: bsh(10 + 24/t + 5as/(ht)) or, with sequence parallelism,
    /// bsh/t·(34 + 5as/h) (Korthikanti et al. 2022), where 16 of the 24 are the two values of f = 4h before and
    /// after GeLU: 4f/h in general.
    /// RMS norm and gated network, as LLaMA: bs(12h + 4rh + 6f) + 4abs (derived); the output of the gate's
    /// activation adds 2bsf.
    fn saved(&self) -> f64 {
        let (n, h, o) = (self.n, self.h, self.outside());
        let scale = self.value / 2.0;
        if self.strategy.recompute == Recompute::Full {
            return scale * 2.0 * n * h / o;
        }
        if self.strategy.recompute == Recompute::Selective && self.work.fused_attention {
            return scale * n * self.saved_by_operation();
        }
        let heads = self.q / self.model.head_size() as f64;
        let core = match (self.work.fused_attention, self.strategy.recompute) {
            (true, _) => 4.0 * heads * n,
            (false, Recompute::None) => 5.0 * heads * n * self.work.tokens,
            (false, _) => 0.0,
        };
        let queries = 2.0 * (self.q + 2.0 * self.kv) + 2.0 * self.q;
        let ffn = if self.model.gated { 6.0 } else { 4.0 } * self.active_ffn();
        let is_modern = self.model.gated;
        // Each further expert of a token gets a copy of its input.
        let copies = self.model.active_experts() as f64 - 1.0;
        let outside = if is_modern { 8.0 * h } else { 10.0 * h + 2.0 * h * copies };
        scale * (n * (outside / o + queries + ffn) + core)
    }

    /// Values of two bytes a token that PyTorch's selective checkpointing keeps: the layer's input, queries, keys and
    /// values, the output of fused attention, and of every second product the output (none of those in 8 bits).
    fn saved_by_operation(&self) -> f64 {
        let short = matches!(self.work.precision, Precision::Fp8 | Precision::Fp4);
        let products = if short { 0.0 } else { self.h / self.outside() + self.active_ffn() };
        2.0 * (self.h / self.outside() + 2.0 * self.q + 2.0 * self.kv + products)
    }

    fn embedding(&self) -> Segment {
        let bytes = self.value * self.n * self.h;
        let gather = Kernel { class: Class::Gather, count: 1.0, flops: 0.0, bytes: 2.0 * bytes };
        let parameters = self.model.embedding_parameters() as f64 / self.t;
        Segment {
            name: "embedding",
            repeat: 1.0,
            forward: vec![gather, Kernel::elementwise(2.0, 3.0 * bytes)],
            backward: vec![gather, Kernel::elementwise(2.0, 3.0 * bytes)],
            parameters,
            tensors: 2.0,
            saved_bytes: 8.0 * self.n / self.outside(),
            output_bytes: bytes / self.outside(),
            messages: self.shared_output(1.0, 0.0),
        }
    }

    fn shared_output(&self, forward: f64, backward: f64) -> Vec<Message> {
        let bytes = self.value * self.n * self.h;
        let (axis, kind) = (Axis::Tensor, Kind::AllReduce);
        let message = Message { axis, kind, bytes, forward, backward };
        if self.strategy.tensor.get() > 1 { vec![message] } else { vec![] }
    }

    /// Bytes of a logit while its gradient is computed: PyTorch's loss, as with fully sharded states, keeps the logits, a
    /// 32-bit copy, their logarithms and the gradient; Megatron's works in place on a 32-bit copy.
    fn loss_bytes(&self) -> f64 {
        if self.strategy.zero == Zero::Parameters { self.value + 12.0 } else { 4.0 }
    }

    fn head(&self) -> Segment {
        let vocabulary = self.model.vocabulary.get() as f64 / self.t;
        let (rows, columns) = match (self.model.kind, self.model.classes) {
            (TransformerKind::Decoder, _) => (self.n, vocabulary),
            (TransformerKind::Encoder, None) => (self.n * MASKED_SHARE, vocabulary),
            (TransformerKind::Encoder, Some(classes)) => {
                (self.n / self.model.sequence.get() as f64, classes.get() as f64)
            }
        };
        let values = rows * columns;
        let logits = self.product(rows, columns, self.h);
        let backward = self.backward_of(rows, columns, self.h);
        // Logits in 16 bits, a 32-bit copy, exponentials, and the gradient.
        let loss = Kernel::elementwise(4.0, (3.0 * self.value + 8.0) * values);
        Segment {
            name: "head",
            repeat: 1.0,
            forward: vec![logits, loss],
            backward: backward.into_iter().chain([Kernel::elementwise(2.0, (self.value + 4.0) * values)]).collect(),
            parameters: self.model.head_parameters() as f64 / self.t,
            tensors: 2.0,
            saved_bytes: self.loss_bytes() * values + 2.0 * self.value * self.n * self.h / self.outside(),
            output_bytes: 0.0,
            messages: self.shared_output(0.0, 1.0),
        }
    }
}
