//! Gradients and parameters as one flat buffer, or as runs of it, and back.

use std::convert::Infallible;
use std::ops::Range;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::optim::GradientsParams;
use burn::tensor::{Device, FloatDType, Gradients, Tensor, TensorData};

use super::host;

/// Adds the gradients of a backward pass, in 32 bits and times a factor of at most 1, to those of earlier ones.
pub fn add(mut gradients: Gradients, factor: f64, network: &impl Module, sum: &mut GradientsParams) {
    network.visit(&mut Add { gradients: &mut gradients, factor, sum });
}

/// Whether all gradients are finite.
#[must_use]
pub fn is_finite(gradients: &GradientsParams, network: &impl Module) -> bool {
    let mut finite = Finite { gradients, sum: None };
    network.visit(&mut finite);
    finite.sum.is_none_or(|sum| host(sum)[0].is_finite())
}

/// Appends the gradients of all parameters in order; zeros for a parameter without one.
pub fn flatten(mut gradients: GradientsParams, network: &impl Module, buffer: &mut Vec<f32>) {
    network.visit(&mut Flatten { gradients: &mut gradients, wanted: None, buffer });
}

/// Appends the gradients of some parameters in order, and forgets them.
pub fn take(gradients: &mut GradientsParams, wanted: &[ParamId], network: &impl Module, buffer: &mut Vec<f32>) {
    network.visit(&mut Flatten { gradients, wanted: Some(wanted), buffer });
}

/// Gradients of all parameters from a buffer, which may be longer.
pub fn restore(buffer: &[f32], network: &impl Module, device: &Device) -> GradientsParams {
    restore_by(slices(buffer), network, device)
}

/// Gradients of all parameters from runs of whole parameters that lie behind each other.
pub fn restore_runs(runs: impl Iterator<Item = Vec<f32>>, network: &impl Module, device: &Device) -> GradientsParams {
    let Ok(gradients) = try_runs(runs.map(Ok::<_, Infallible>), |take| restore_by(take, network, device));
    gradients
}

/// The network with these parameters, in order.
pub fn with_parameters<M: Module>(network: M, parameters: &[f32]) -> M {
    network.map(&mut Parameters { take: slices(parameters) })
}

/// The network with the parameters of runs of whole parameters that lie behind each other. A run is asked for when the one
/// before it has found its place.
///
/// # Errors
/// That of the first run that has one.
pub fn with_runs<M: Module, E>(network: M, runs: impl Iterator<Item = Result<Vec<f32>, E>>) -> Result<M, E> {
    try_runs(runs, |take| network.map(&mut Parameters { take }))
}

/// All parameters in order.
pub fn parameters(network: &impl Module) -> Vec<f32> {
    let mut collector = Collector(Vec::with_capacity(network.num_params()));
    network.visit(&mut collector);
    collector.0
}

/// Parameters of these ranges of the flat buffer, which lie behind each other.
pub fn parts(network: &impl Module, ranges: &[Range<usize>]) -> Vec<f32> {
    let length = ranges.iter().map(ExactSizeIterator::len).sum();
    let mut parts = Parts { ranges, at: 0, values: Vec::with_capacity(length) };
    network.visit(&mut parts);
    parts.values
}

/// Identity, begin and length in the flat buffer of each parameter.
pub fn spans(held: &impl Module) -> Vec<(ParamId, usize, usize)> {
    struct Spans(Vec<(ParamId, usize, usize)>, usize);
    impl ModuleVisitor for Spans {
        fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
            let length = parameter.val().shape().num_elements();
            self.0.push((parameter.id, self.1, length));
            self.1 += length;
        }
    }
    let mut spans = Spans(Vec::new(), 0);
    held.visit(&mut spans);
    spans.0
}

/// Identity of a parameter as numbers, which keep their bits.
pub fn words(id: ParamId) -> [f32; 2] {
    let id = id.val();
    [id as u32, (id >> 32) as u32].map(f32::from_bits)
}

/// The identity that [`words`] made numbers of.
#[must_use]
pub fn of_words([low, high]: [f32; 2]) -> ParamId {
    ParamId::from(u64::from(low.to_bits()) | u64::from(high.to_bits()) << 32)
}

struct Collector(Vec<f32>);

impl ModuleVisitor for Collector {
    fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
        self.0.extend(host(parameter.val()));
    }
}

struct Parts<'a> {
    ranges: &'a [Range<usize>],
    at: usize,
    values: Vec<f32>,
}

impl ModuleVisitor for Parts<'_> {
    fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
        let value = parameter.val();
        let own = self.at..self.at + value.shape().num_elements();
        self.at = own.end;
        let inside = |range: &Range<usize>| range.start.max(own.start)..range.end.min(own.end);
        let wanted: Vec<_> = self.ranges.iter().map(inside).filter(|range| !range.is_empty()).collect();
        if !wanted.is_empty() {
            let all = host(value);
            for range in wanted {
                self.values.extend_from_slice(&all[range.start - own.start..range.end - own.start]);
            }
        }
    }
}

struct Finite<'a> {
    gradients: &'a GradientsParams,
    /// Of all values times zero.
    sum: Option<Tensor<1>>,
}

impl ModuleVisitor for Finite<'_> {
    fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
        let Some(gradient) = self.gradients.get::<D>(parameter.id) else { return };
        let own = (gradient * 0.0).sum();
        self.sum = Some(self.sum.take().map_or(own.clone(), |sum| sum + own));
    }
}

struct Add<'a> {
    gradients: &'a mut Gradients,
    factor: f64,
    sum: &'a mut GradientsParams,
}

impl ModuleVisitor for Add<'_> {
    fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
        let Some(more) = parameter.val().grad_remove(self.gradients) else { return };
        let more = more.cast(FloatDType::F32);
        let more = if self.factor < 1.0 { more * self.factor } else { more };
        let sum = self.sum.remove::<D>(parameter.id);
        self.sum.register(parameter.id, sum.map_or(more.clone(), |sum| sum + more));
    }
}

struct Flatten<'a> {
    gradients: &'a mut GradientsParams,
    wanted: Option<&'a [ParamId]>,
    buffer: &'a mut Vec<f32>,
}

impl ModuleVisitor for Flatten<'_> {
    fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
        if self.wanted.is_some_and(|wanted| !wanted.contains(&parameter.id)) {
            return;
        }
        match self.gradients.remove::<D>(parameter.id) {
            Some(gradient) => self.buffer.extend(host(gradient)),
            None => self.buffer.extend(std::iter::repeat_n(0.0, parameter.val().shape().num_elements())),
        }
    }
}

/// Gives the next values of a buffer, as many as are asked for.
fn slices(mut buffer: &[f32]) -> impl FnMut(usize) -> Vec<f32> {
    move |count| {
        let (own, rest) = buffer.split_at(count);
        buffer = rest;
        own.to_vec()
    }
}

/// Does work that asks for the next values, which come from runs. After an error the values are of no use.
fn try_runs<T, E>(
    mut runs: impl Iterator<Item = Result<Vec<f32>, E>>,
    work: impl FnOnce(&mut dyn FnMut(usize) -> Vec<f32>) -> T,
) -> Result<T, E> {
    let (mut run, mut at, mut failed) = (Vec::new(), 0, None);
    let done = work(&mut |count| {
        while at == run.len() && failed.is_none() && count > 0 {
            match runs.next() {
                Some(Ok(next)) => (run, at) = (next, 0),
                Some(Err(error)) => failed = Some(error),
                None => break,
            }
        }
        if at == 0 && run.len() == count {
            return std::mem::take(&mut run);
        }
        let own = run.get(at..at + count).map_or_else(|| vec![0.0; count], <[f32]>::to_vec);
        at += count;
        own
    });
    failed.map_or(Ok(done), Err)
}

fn restore_by(take: impl FnMut(usize) -> Vec<f32>, network: &impl Module, device: &Device) -> GradientsParams {
    let mut restore = Restore { take, device, gradients: GradientsParams::new() };
    network.visit(&mut restore);
    restore.gradients
}

struct Restore<'a, T> {
    take: T,
    device: &'a Device,
    gradients: GradientsParams,
}

impl<T: FnMut(usize) -> Vec<f32>> ModuleVisitor for Restore<'_, T> {
    fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
        let shape = parameter.val().shape();
        let own = (self.take)(shape.num_elements());
        let gradient = Tensor::<D>::from_data(TensorData::new(own, shape), self.device);
        self.gradients.register(parameter.id, gradient);
    }
}

struct Parameters<T> {
    take: T,
}

impl<T: FnMut(usize) -> Vec<f32>> ModuleMapper for Parameters<T> {
    fn map_float<const D: usize>(&mut self, parameter: Param<Tensor<D>>) -> Param<Tensor<D>> {
        parameter.map(|tensor| {
            let (shape, device) = (tensor.shape(), tensor.device());
            let own = (self.take)(shape.num_elements());
            let value = Tensor::from_data(TensorData::new(own, shape), &device);
            if device.is_autodiff() { value.require_grad() } else { value }
        })
    }
}

#[cfg(test)]
mod tests {
    use scenarios::model::Model;

    use super::*;
    use crate::data::Inputs;
    use crate::model::{Description, Network, Pass};

    #[test]
    fn gradients_and_parameters_survive_the_way_through_a_buffer() {
        let description = Description::of(&Model::Preset("mnist-mlp".to_owned())).expect("it is a preset");
        let device = Device::flex();
        let network = Network::new(&description, description.whole(), 1, &device.clone().autodiff());
        let scores = network
            .output(Inputs::Numbers(Tensor::ones([2, 784], &device.clone().autodiff())), &Pass::plain())
            .single()
            .flat();
        let gradients = GradientsParams::from_grads(scores.powi_scalar(2).sum().backward(), &network);
        let mut buffer = Vec::new();
        flatten(gradients, &network, &mut buffer);
        assert_eq!(buffer.len(), network.size());
        assert!(buffer.iter().any(|&value| value != 0.0));
        let mut again = Vec::new();
        flatten(restore(&buffer, &network, &device), &network, &mut again);
        assert_eq!(buffer, again);
        assert_eq!(parameters(&with_parameters(network, &buffer)), buffer);
    }
}
