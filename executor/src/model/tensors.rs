//! A whole network's parameters and running figures as the tensors of a file.

use std::collections::{HashMap, HashSet};

use burn::module::{Module as _, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::tensor::{Tensor, TensorData};
use indexmap::IndexMap;
use safetensors::SafeTensors;
use safetensors::tensor::Dtype;

use super::build::{FilePart, Layout, Parameter, Share, held, joined};
use super::{Network, Plain, Running, host};

impl Network {
    /// All parameters and running figures by name, as they lie in a file.
    pub(super) fn tensors(&self) -> Vec<(String, Plain)> {
        let mut by_id = Values(HashMap::new());
        self.visit(&mut by_id);
        let mut files: IndexMap<&str, (Vec<usize>, Vec<Vec<f32>>)> = IndexMap::new();
        for parameter in self.parameters() {
            let values = by_id.0.remove(&parameter.id).unwrap_or_default();
            let values =
                if parameter.layout == Layout::Transposed { transposed(&values, &parameter.shape) } else { values };
            let shape = in_file(parameter);
            files.entry(parameter.in_file()).or_insert_with(|| (shape, Vec::new())).1.push(values);
        }
        let plain = |(name, (shape, parts)): (&str, (Vec<usize>, Vec<Vec<f32>>))| {
            let values = joined(&parts, &shape, shape.len().checked_sub(1));
            (name.to_owned(), Plain::floats(&values, shape))
        };
        let running = self.running().flat_map(|running| running.names().into_iter().zip(running.values()));
        let running = running.map(|(name, values)| (name, Plain::floats(&values, vec![values.len()])));
        files.into_iter().map(plain).chain(running).collect()
    }

    /// The network with these values of its parameters; those that have none stay.
    #[must_use]
    pub fn with_values(self, values: HashMap<ParamId, Vec<f32>>) -> Self {
        self.map(&mut Values(values))
    }

    /// The network with the parameters and running figures of a file.
    ///
    /// # Errors
    /// The file holds other tensors; the text says which.
    pub(super) fn with_tensors(self, tensors: &SafeTensors<'_>) -> Result<Self, String> {
        let mut by_id = HashMap::new();
        for parameter in self.parameters() {
            let name = parameter.in_file();
            let expected = in_file(parameter);
            let values = read(tensors, name, &expected)?;
            let values = match parameter.part {
                Some(FilePart { index: rank, of }) => {
                    held(&values, &expected, expected.len().checked_sub(1), Share { rank, of })
                }
                None => values,
            };
            let is_turned = parameter.layout == Layout::Transposed;
            by_id.insert(parameter.id, if is_turned { transposed(&values, &expected) } else { values });
        }
        for running in self.running() {
            let [mean, variance] = running.names().map(|name| read(tensors, &name, &[running.channels()]));
            running.set([mean?, variance?]);
        }
        let names: HashSet<String> = (self.parameters().iter().map(|parameter| parameter.in_file().to_owned()))
            .chain(self.running().flat_map(Running::names))
            .collect();
        let known = |name: &str| names.contains(name);
        match tensors.names().into_iter().find(|name| !known(name)) {
            Some(name) => Err(format!("the network has no tensor `{name}`")),
            None => Ok(self.with_values(by_id)),
        }
    }
}

/// The values of a tensor of a file, which is to have this shape.
fn read(tensors: &SafeTensors<'_>, name: &str, expected: &[usize]) -> Result<Vec<f32>, String> {
    let tensor = tensors.tensor(name).map_err(|_| format!("`{name}` is missing"))?;
    let found = tensor.shape();
    if tensor.dtype() != Dtype::F32 || found != expected {
        return Err(format!("`{name}` is {:?} {found:?} instead of F32 {expected:?}", tensor.dtype()));
    }
    let (words, _) = tensor.data().as_chunks::<4>();
    Ok(words.iter().map(|word| f32::from_le_bytes(*word)).collect())
}

/// Shape of the tensor in a file; a part of one is never transposed.
fn in_file(parameter: &Parameter) -> Vec<usize> {
    let mut shape = parameter.shape.clone();
    if parameter.layout == Layout::Transposed {
        shape.reverse();
    }
    if let (Some(part), Some(last)) = (parameter.part, shape.last_mut()) {
        *last *= part.of;
    }
    shape
}

/// A matrix with its dimensions exchanged.
fn transposed(values: &[f32], shape: &[usize]) -> Vec<f32> {
    let [rows, columns] = [shape[0], shape[1]];
    (0..columns).flat_map(|column| (0..rows).map(move |row| values[row * columns + column])).collect()
}

/// Values of parameters on the host.
struct Values(HashMap<ParamId, Vec<f32>>);

impl ModuleVisitor for Values {
    fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
        self.0.insert(parameter.id, host(parameter.val()));
    }
}

impl ModuleMapper for Values {
    fn map_float<const D: usize>(&mut self, parameter: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some(values) = self.0.remove(&parameter.id) else { return parameter };
        parameter.map(|tensor| {
            let (shape, device) = (tensor.shape(), tensor.device());
            let value = Tensor::from_data(TensorData::new(values, shape), &device);
            if device.is_autodiff() { value.require_grad() } else { value }
        })
    }
}
