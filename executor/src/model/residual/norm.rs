//! Batch normalisation over all replicas of a batch.
//!
//! Where one pass holds the whole batch, burn's fused operation computes everything. Where the batch is spread over
//! replicas, a normalisation is three pieces with two sums between them: the convolution before it gives Σx and the count
//! of each channel; [`centred`] gives Σ(x − mean)² with the mean of all replicas; [`Normalise`] uses both. The mean is
//! taken off before squaring, so nothing is lost to cancellation, and the figures are those of the whole batch however
//! it is spread. They are computed in 32 bits, whatever the image has.

use burn::module::{Module, Param};
use burn::tensor::module::{batch_norm, batch_norm_train};
use burn::tensor::{FloatDType, Tensor};

use super::super::build::{Build, Initial, Wanted};
use super::super::pass::Pass;
use super::super::running::Running;
use super::step::Activation;

/// Added to the variance (PyTorch's default).
const EPSILON: f64 = 1e-5;

/// Batch normalisation with scale and shift (Ioffe and Szegedy 2015, arXiv 1502.03167), and an activation.
#[derive(Module, Debug)]
pub struct Normalise {
    scale: Param<Tensor<1>>,
    shift: Param<Tensor<1>>,
    #[module(skip)]
    running: Running,
    #[module(skip)]
    activation: Activation,
}

/// Figures of a batch that is spread over replicas.
pub(super) struct Figures {
    /// Σx and the count of each channel, `[2, channels]`.
    pub sums: Tensor<2>,
    /// Σ(x − mean)², `[1, channels]`.
    pub squares: Tensor<2>,
}

impl Normalise {
    pub(super) fn new(name: &str, channels: usize, activation: Activation, build: &mut Build<'_>) -> Self {
        let mut all = |part: &str, value| {
            build.parameter(format!("{name}.{part}"), Wanted::new([channels], Initial::Constant(value)))
        };
        let (scale, shift) = (all("weight", 1.0), all("bias", 0.0));
        Self { scale, shift, running: Running::new(name, channels, build.device), activation }
    }

    /// The running figures.
    pub(super) const fn running(&self) -> &Running {
        &self.running
    }

    pub(super) fn forward(&self, image: Tensor<4>, figures: Option<Figures>, pass: &Pass<'_>) -> Tensor<4> {
        let (format, image) = (image.dtype(), image.cast(FloatDType::F32));
        let normal = match figures {
            Some(figures) => self.over_replicas(image, figures, pass),
            None if pass.learns => self.over_batch(image, pass),
            None => {
                let [mean, variance] = self.running.figures();
                let [scale, shift] = self.scale_and_shift();
                batch_norm(image, scale, shift, mean, variance, EPSILON)
            }
        };
        self.activation.of(normal.cast(format))
    }

    fn scale_and_shift(&self) -> [Tensor<1>; 2] {
        [&self.scale, &self.shift].map(|parameter| parameter.val().cast(FloatDType::F32))
    }

    fn over_batch(&self, image: Tensor<4>, pass: &Pass<'_>) -> Tensor<4> {
        let [records, channels, rows, columns] = image.dims();
        let [scale, shift] = self.scale_and_shift();
        let found = batch_norm_train(image, scale, shift, EPSILON);
        if pass.counts {
            let mean = found.mean.without_autodiff();
            let count = Tensor::full([channels], (records * rows * columns) as f32, &mean.device());
            self.running.update(mean, found.variance.without_autodiff(), count);
        }
        found.output
    }

    fn over_replicas(&self, image: Tensor<4>, Figures { sums, squares }: Figures, pass: &Pass<'_>) -> Tensor<4> {
        let (mean, count) = mean_and_count(sums);
        let variance = squares / count.clone();
        if pass.counts {
            let flat = |figure: &Tensor<2>| figure.clone().without_autodiff().flatten::<1>(0, 1);
            self.running.update(flat(&mean), flat(&variance), flat(&count));
        }
        let [scale, shift] = self.scale_and_shift();
        let scale = scale.unsqueeze_dim::<2>(0) / (variance + EPSILON).sqrt();
        (image - wide(mean)) * wide(scale) + wide(shift.unsqueeze_dim(0))
    }
}

/// Σx of each channel, and how many values that is: `[2, channels]`.
pub(super) fn sums(image: &Tensor<4>) -> Tensor<2> {
    let [records, channels, rows, columns] = image.dims();
    let count = Tensor::full([1, channels], (records * rows * columns) as f32, &image.device());
    Tensor::cat(vec![over_image(image.clone().cast(FloatDType::F32)), count], 0)
}

/// Σ(x − mean)² of each channel, `[1, channels]`, with the mean that the sums over all replicas give.
pub(super) fn centred(image: &Tensor<4>, sums: Tensor<2>) -> Tensor<2> {
    let (mean, _) = mean_and_count(sums);
    over_image((image.clone().cast(FloatDType::F32) - wide(mean)).powi_scalar(2))
}

fn over_image(image: Tensor<4>) -> Tensor<2> {
    let channels = image.dims()[1];
    image.sum_dim(3).sum_dim(2).sum_dim(0).reshape([1, channels])
}

fn mean_and_count(sums: Tensor<2>) -> (Tensor<2>, Tensor<2>) {
    let count = sums.clone().narrow(0, 1, 1).detach();
    (sums.narrow(0, 0, 1) / count.clone(), count)
}

/// `[1, channels]` beside an image.
fn wide(figure: Tensor<2>) -> Tensor<4> {
    let channels = figure.dims()[1];
    figure.reshape([1, channels, 1, 1])
}
