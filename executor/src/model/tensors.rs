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

    /// The network, or the part of it that this is, with the parameters and running figures that a whole one has under the
    /// same names and in the same sizes; others stay.
    #[must_use]
    pub fn with_weights_of(self, whole: &Self) -> Self {
        let mut values = Values(HashMap::new());
        whole.visit(&mut values);
        let shapes: HashMap<ParamId, &[usize]> =
            whole.parameters().iter().map(|parameter| (parameter.id, &parameter.shape[..])).collect();
        let is_same = |parameter: &&Parameter| shapes.get(&parameter.id) == Some(&&parameter.shape[..]);
        let own = self.parameters().iter().filter(is_same).filter_map(|parameter| {
            let values = values.0.get(&parameter.id)?;
            Some((parameter.id, held(values, &parameter.shape, parameter.split, self.part().share)))
        });
        let own = own.collect();
        for running in self.running() {
            let same = whole.running().find(|other| other.names() == running.names());
            if let Some(same) = same.filter(|same| same.channels() == running.channels()) {
                running.set(same.values());
            }
        }
        self.with_values(own)
    }

    /// How the parameters of a whole network differ from those that another description makes.
    #[must_use]
    pub fn beside(&self, other: &Self) -> Mismatch {
        let of = |network: &Self| -> HashMap<String, Vec<usize>> {
            network.parameters().iter().map(|parameter| (parameter.name.clone(), parameter.shape.clone())).collect()
        };
        let (own, others) = (of(self), of(other));
        let without = |names: &HashMap<String, Vec<usize>>, others: &HashMap<String, Vec<usize>>| {
            let mut names: Vec<String> = names.keys().filter(|name| !others.contains_key(*name)).cloned().collect();
            names.sort();
            names
        };
        let differs = |parameter: &&Parameter| own.get(&parameter.name).is_some_and(|shape| *shape != parameter.shape);
        let formed = other.parameters().iter().filter(differs).map(|parameter| {
            format!("`{}` is {:?} instead of {:?}", parameter.name, own[&parameter.name], parameter.shape)
        });
        Mismatch { missing: without(&others, &own), unexpected: without(&own, &others), formed: formed.collect() }
    }

    /// The network with the parameters and running figures of a file.
    ///
    /// # Errors
    /// The file holds other tensors.
    pub(super) fn with_tensors(self, tensors: &SafeTensors<'_>) -> Result<Self, Mismatch> {
        let (mut by_id, mut mismatch) = (HashMap::new(), Mismatch::default());
        for parameter in self.parameters() {
            let name = parameter.in_file();
            let expected = in_file(parameter);
            let Some(values) = mismatch.read(tensors, name, &expected) else { continue };
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
            let values = running.names().map(|name| mismatch.read(tensors, &name, &[running.channels()]));
            if let [Some(mean), Some(variance)] = values {
                running.set([mean, variance]);
            }
        }
        let names: HashSet<String> = (self.parameters().iter().map(|parameter| parameter.in_file().to_owned()))
            .chain(self.running().flat_map(Running::names))
            .collect();
        mismatch.unexpected =
            tensors.names().into_iter().filter(|name| !names.contains(*name)).map(str::to_owned).collect();
        mismatch.unexpected.sort();
        if mismatch.is_none() { Ok(self.with_values(by_id)) } else { Err(mismatch) }
    }
}

/// Tensors of a file that are not those of a network.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mismatch {
    /// Names that the file lacks.
    pub missing: Vec<String>,
    /// Names that the network does not have.
    pub unexpected: Vec<String>,
    /// Tensors of another shape or number format, in words.
    pub formed: Vec<String>,
}

impl Mismatch {
    /// Whether there is none.
    #[must_use]
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }

    /// The values of a tensor of a file, which is to have this shape.
    fn read(&mut self, tensors: &SafeTensors<'_>, name: &str, expected: &[usize]) -> Option<Vec<f32>> {
        let Ok(tensor) = tensors.tensor(name) else {
            // Several parameters may lie in one tensor.
            if self.missing.last().is_none_or(|last| last != name) {
                self.missing.push(name.to_owned());
            }
            return None;
        };
        let found = tensor.shape();
        if tensor.dtype() != Dtype::F32 || found != expected {
            self.formed.push(format!("`{name}` is {:?} {found:?} instead of F32 {expected:?}", tensor.dtype()));
            return None;
        }
        let (words, _) = tensor.data().as_chunks::<4>();
        Some(words.iter().map(|word| f32::from_le_bytes(*word)).collect())
    }
}

impl std::error::Error for Mismatch {}

impl std::fmt::Display for Mismatch {
    /// The first ones of each kind, and how many there are.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        const SHOWN: usize = 3;
        let quoted = |names: &[String]| names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>();
        let kinds = [
            ("missing", quoted(&self.missing)),
            ("unexpected", quoted(&self.unexpected)),
            ("of another form", self.formed.clone()),
        ];
        let text = |(what, all): &(&str, Vec<String>)| {
            let more = if all.len() > SHOWN { ", …" } else { "" };
            format!("{} {what}: {}{more}", all.len(), all[..all.len().min(SHOWN)].join(", "))
        };
        let texts: Vec<String> = kinds.iter().filter(|(_, all)| !all.is_empty()).map(text).collect();
        write!(f, "{}", texts.join("; "))
    }
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

#[cfg(test)]
mod tests {
    use burn::tensor::Device;
    use scenarios::model::Model;

    use super::super::flat::parameters;
    use super::super::{Description, Part};
    use super::*;

    fn description(classes: usize, layers: usize) -> Description {
        let model = format!(
            r#"{{"transformer": {{"kind": "encoder", "layers": {layers}, "hidden": 8, "heads": 2, "ffn": 8, "vocabulary": 10,
                "sequence": 4, "positions": "learned", "norm": "layer", "bias": true, "classes": {classes}}}}}"#
        );
        Description::of(&serde_json::from_str::<Model>(&model).expect("it is a description")).expect("it is valid")
    }

    #[test]
    fn parts_take_their_part_of_the_weights() {
        let (description, device) = (description(3, 2), Device::flex());
        let whole = Network::new(&description, description.whole(), 1, &device);
        for rank in 0..2 {
            let part = Part { pieces: 1..4, share: Share { rank, of: 2 } };
            let own = Network::new(&description, part.clone(), 1, &device);
            let other = Network::new(&description, part, 2, &device);
            assert_ne!(parameters(&other), parameters(&own));
            assert_eq!(parameters(&other.with_weights_of(&whole)), parameters(&own));
        }
    }

    #[test]
    fn a_head_of_another_size_stays_as_it_was_drawn() {
        let device = Device::flex();
        let of = |description: &Description, seed| Network::new(description, description.whole(), seed, &device);
        let (old, new) = (of(&description(3, 2), 1), of(&description(5, 2), 2));
        assert!(old.beside(&old).is_none());
        let text = "2 of another form: `classifier.weight` is [8, 3] instead of [8, 5], `classifier.bias` is [3] instead of [5]";
        assert_eq!(old.beside(&new).to_string(), text);
        let (kept, drawn) = (parameters(&new), parameters(&of(&description(5, 2), 1)));
        let tuned = parameters(&new.with_weights_of(&old));
        let head = 8 * 5 + 5;
        assert_eq!(tuned[..tuned.len() - head], drawn[..drawn.len() - head]);
        assert_eq!(tuned[tuned.len() - head..], kept[kept.len() - head..]);
        let more = of(&description(3, 3), 1);
        assert_eq!(more.beside(&old).unexpected.len(), old.beside(&more).missing.len());
        assert!(old.beside(&more).to_string().starts_with("16 missing: "), "{}", old.beside(&more));
    }
}
