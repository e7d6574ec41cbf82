//! Gradients as one flat buffer, and back.

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor, TensorData};

use super::host;

/// Appends the gradients of all parameters in order; zeros for a parameter without one.
pub fn flatten(gradients: GradientsParams, network: &impl Module, buffer: &mut Vec<f32>) {
    network.visit(&mut Flatten { gradients, buffer });
}

/// Gradients of all parameters from a buffer, which may be longer.
pub fn restore(buffer: &[f32], network: &impl Module, device: &Device) -> GradientsParams {
    let mut restore = Restore { buffer, device, gradients: GradientsParams::new() };
    network.visit(&mut restore);
    restore.gradients
}

/// The network with these parameters, in order.
pub fn with_parameters<M: Module>(network: M, parameters: &[f32]) -> M {
    network.map(&mut Parameters { rest: parameters })
}

/// All parameters in order.
pub fn parameters(network: &impl Module) -> Vec<f32> {
    let mut collector = Collector(Vec::with_capacity(network.num_params()));
    network.visit(&mut collector);
    collector.0
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

struct Flatten<'a> {
    gradients: GradientsParams,
    buffer: &'a mut Vec<f32>,
}

impl ModuleVisitor for Flatten<'_> {
    fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
        match self.gradients.remove::<D>(parameter.id) {
            Some(gradient) => self.buffer.extend(host(gradient)),
            None => self.buffer.extend(std::iter::repeat_n(0.0, parameter.val().shape().num_elements())),
        }
    }
}

struct Restore<'a> {
    buffer: &'a [f32],
    device: &'a Device,
    gradients: GradientsParams,
}

impl ModuleVisitor for Restore<'_> {
    fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
        let shape = parameter.val().shape();
        let (own, rest) = self.buffer.split_at(shape.num_elements());
        self.buffer = rest;
        let gradient = Tensor::<D>::from_data(TensorData::new(own.to_vec(), shape), self.device);
        self.gradients.register(parameter.id, gradient);
    }
}

struct Parameters<'a> {
    rest: &'a [f32],
}

impl ModuleMapper for Parameters<'_> {
    fn map_float<const D: usize>(&mut self, parameter: Param<Tensor<D>>) -> Param<Tensor<D>> {
        parameter.map(|tensor| {
            let (shape, device) = (tensor.shape(), tensor.device());
            let (own, rest) = self.rest.split_at(shape.num_elements());
            self.rest = rest;
            let value = Tensor::from_data(TensorData::new(own.to_vec(), shape), &device);
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
