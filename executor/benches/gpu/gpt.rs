//! GPT-2 and its training as burn's own modules make them.

use burn::module::Module;
use burn::nn::loss::CrossEntropyLossConfig;
use burn::nn::{Embedding, EmbeddingConfig, Gelu, LayerNorm, LayerNormConfig, Linear, LinearConfig};
use burn::optim::{AdamWConfig, GradientsParams, ModuleOptimizer};
use burn::tensor::activation::softmax;
use burn::tensor::{Device, Int, Tensor, TensorData};

use super::bare::Loop;
use super::sizes::GptSize;

#[derive(Module, Debug)]
struct Gpt {
    tokens: Embedding,
    positions: Embedding,
    layers: Vec<Layer>,
    norm: LayerNorm,
}

#[derive(Module, Debug)]
struct Layer {
    first_norm: LayerNorm,
    all: Linear,
    output: Linear,
    second_norm: LayerNorm,
    up: Linear,
    down: Linear,
    gelu: Gelu,
    #[module(skip)]
    heads: usize,
}

impl Layer {
    fn new(size: GptSize, device: &Device) -> Self {
        let linear = |inputs, outputs| LinearConfig::new(inputs, outputs).init(device);
        let norm = || LayerNormConfig::new(size.width).init(device);
        Self {
            first_norm: norm(),
            all: linear(size.width, 3 * size.width),
            output: linear(size.width, size.width),
            second_norm: norm(),
            up: linear(size.width, 4 * size.width),
            down: linear(4 * size.width, size.width),
            gelu: Gelu::new(),
            heads: size.heads,
        }
    }

    fn forward(&self, x: Tensor<3>, hidden: Tensor<4>) -> Tensor<3> {
        let [records, positions, width] = x.dims();
        let all = self.all.forward(self.first_norm.forward(x.clone()));
        let part = |at: usize| {
            let part = all.clone().narrow(2, at * width, width);
            part.reshape([records, positions, self.heads, width / self.heads]).swap_dims(1, 2)
        };
        let scores = part(0).matmul(part(1).swap_dims(2, 3)) / ((width / self.heads) as f64).sqrt();
        let values = softmax(scores + hidden, 3).matmul(part(2)).swap_dims(1, 2);
        let x = x + self.output.forward(values.reshape([records, positions, width]));
        let inner = self.gelu.forward(self.up.forward(self.second_norm.forward(x.clone())));
        x + self.down.forward(inner)
    }
}

impl Gpt {
    fn new(size: GptSize, device: &Device) -> Self {
        Self {
            tokens: EmbeddingConfig::new(size.vocabulary, size.width).init(device),
            positions: EmbeddingConfig::new(size.sequence, size.width).init(device),
            layers: (0..size.layers).map(|_| Layer::new(size, device)).collect(),
            norm: LayerNormConfig::new(size.width).init(device),
        }
    }

    fn forward(&self, tokens: Tensor<2, Int>) -> Tensor<3> {
        let (positions, device) = (tokens.dims()[1], tokens.device());
        let hidden = Tensor::<2>::full([positions, positions], -1e9, &device).triu(1).unsqueeze();
        let places = self.positions.weight.val().narrow(0, 0, positions).unsqueeze();
        let x = self.tokens.forward(tokens) + places;
        let x = self.layers.iter().fold(x, |x, layer| layer.forward(x, hidden.clone()));
        self.norm.forward(x).matmul(self.tokens.weight.val().transpose().unsqueeze())
    }
}

/// Training of GPT-2 in a plain loop.
pub struct Training {
    model: Option<Gpt>,
    optimizer: ModuleOptimizer,
    size: GptSize,
    device: Device,
}

impl Training {
    pub fn new(size: GptSize, device: &Device) -> Self {
        let device = device.clone().autodiff();
        let optimizer = AdamWConfig::new().with_weight_decay(0.01).init();
        Self { model: Some(Gpt::new(size, &device)), optimizer, size, device }
    }
}

impl Loop for Training {
    fn step(&mut self, number: usize) -> Tensor<1> {
        let GptSize { batch, sequence, vocabulary, .. } = self.size;
        let (device, model) = (&self.device, self.model.take().expect("a step puts it back"));
        let text: Vec<i32> =
            (0..=batch * sequence).map(|at| ((at * 7 + number) as u32 % vocabulary as u32).cast_signed()).collect();
        let tokens = |from: usize| TensorData::new(text[from..from + batch * sequence].to_vec(), [batch, sequence]);
        let scores = model.forward(Tensor::from_data(tokens(0), device)).reshape([batch * sequence, vocabulary]);
        let next = Tensor::<2, Int>::from_data(tokens(1), device).reshape([batch * sequence]);
        let loss = CrossEntropyLossConfig::new().init(device).forward(scores, next);
        let gradients = GradientsParams::from_grads(loss.backward(), &model);
        self.model = Some(self.optimizer.step(1e-4, model, gradients));
        loss.inner()
    }
}
