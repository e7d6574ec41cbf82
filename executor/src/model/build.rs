//! Parameters as they are made: named, drawn by the seed, and cut where ranks share them.

use std::ops::Range;

use burn::module::{Param, ParamId};
use burn::tensor::{Device, Tensor, TensorData};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution as _, Normal};
use sha2::{Digest as _, Sha256};

use crate::transport::part_start;

/// Which part of the matrices a rank holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    /// Number of the rank in its tensor group, from 0.
    pub rank: usize,
    /// Ranks of the tensor group.
    pub of: usize,
}

impl Share {
    /// Everything.
    pub const WHOLE: Self = Self { rank: 0, of: 1 };

    /// The rank's part of so many entries: as many for each rank, or one more for the first ones where that is not possible.
    #[must_use]
    pub const fn range(self, entries: usize) -> Range<usize> {
        part_start(entries, self.rank, self.of)..part_start(entries, self.rank + 1, self.of)
    }
}

/// Initial values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Initial {
    /// Uniform between ± this: 1/√(inputs of one output) is PyTorch's choice for linear and convolutional layers.
    Uniform(f32),
    /// Normal around 0 with this deviation.
    Normal(f32),
    /// All equal.
    Constant(f32),
}

/// How a tensor lies in a file that PyTorch users read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// As here.
    Same,
    /// With its two dimensions exchanged: `[in, out]` here, `[out, in]` there.
    Transposed,
}

/// Which part of a file's tensor a parameter is: several of one size lie side by side along its last dimension.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FilePart {
    /// Number of the part, from 0.
    pub index: usize,
    /// Parts of the tensor.
    pub of: usize,
}

/// A parameter as the whole network has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// Name, which no other parameter has: that in a file, as PyTorch users expect it, and where the file joins several
    /// the number of the part (`c_attn.weight[0]`).
    pub name: String,
    /// Identity in burn; it follows from the name.
    pub id: ParamId,
    /// Shape of the whole.
    pub shape: Vec<usize>,
    /// Dimension that the ranks of a tensor group share.
    pub split: Option<usize>,
    /// How it lies in a file.
    pub layout: Layout,
    /// Which part of a file's tensor it is, where that joins several.
    pub part: Option<FilePart>,
}

impl Parameter {
    /// Name of the tensor in a file.
    #[must_use]
    pub fn in_file(&self) -> &str {
        match self.part {
            Some(_) => self.name.rsplit_once('[').map_or(self.name.as_str(), |(name, _)| name),
            None => &self.name,
        }
    }
}

/// What a parameter is to be.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<const D: usize> {
    /// Shape of the whole.
    pub shape: [usize; D],
    /// Initial values.
    pub initial: Initial,
    /// Dimension that the ranks of a tensor group share.
    pub split: Option<usize>,
    /// How it lies in a file.
    pub layout: Layout,
    /// Which part of a file's tensor it is, where that joins several.
    pub part: Option<FilePart>,
}

impl<const D: usize> Wanted<D> {
    /// A parameter that no ranks share and that lies in a file as here.
    #[must_use]
    pub const fn new(shape: [usize; D], initial: Initial) -> Self {
        Self { shape, initial, split: None, layout: Layout::Same, part: None }
    }

    /// The same, shared along a dimension.
    #[must_use]
    pub const fn split(self, dimension: usize) -> Self {
        Self { split: Some(dimension), ..self }
    }

    /// The same, transposed in a file.
    #[must_use]
    pub const fn transposed(self) -> Self {
        Self { layout: Layout::Transposed, ..self }
    }

    /// The same, as a part of a file's tensor.
    #[must_use]
    pub const fn part(self, part: FilePart) -> Self {
        Self { part: Some(part), ..self }
    }
}

/// Makes the parameters of a network, or of the part of it that a rank holds.
#[derive(Debug)]
pub struct Build<'a> {
    /// Where they are to be.
    pub device: &'a Device,
    /// What is held of matrices that ranks share.
    pub share: Share,
    seed: u64,
    /// What was made.
    pub parameters: Vec<Parameter>,
}

impl<'a> Build<'a> {
    /// Parameters on a device, of a rank's share, drawn by a seed.
    #[must_use]
    pub const fn new(device: &'a Device, share: Share, seed: u64) -> Self {
        Self { device, share, seed, parameters: Vec::new() }
    }

    /// A parameter with values that follow from the seed and its name alone: the same on every device, in every stage of a
    /// pipeline and however many ranks share it.
    ///
    /// # Panics
    /// A deviation is no finite number.
    pub fn parameter<const D: usize>(&mut self, name: impl Into<String>, wanted: Wanted<D>) -> Param<Tensor<D>> {
        let Wanted { shape, initial, split, layout, part } = wanted;
        let mut name = name.into();
        if let Some(part) = part {
            name = format!("{name}[{}]", part.index);
        }
        let digest = Sha256::new().chain_update(self.seed.to_le_bytes()).chain_update(&name).finalize();
        let mut random = ChaCha8Rng::from_seed(digest.into());
        let count: usize = shape.iter().product();
        // Of a shared matrix only the own part is ever in memory.
        let own = |at: &usize| is_held(*at, &shape, split, self.share);
        let held: Vec<f32> = match initial {
            Initial::Uniform(bound) => kept(count, own, || random.random_range(-bound..=bound)),
            Initial::Normal(deviation) => {
                let normal = Normal::new(0.0, deviation.max(0.0)).expect("a deviation is finite");
                kept(count, own, || normal.sample(&mut random))
            }
            Initial::Constant(value) => kept(count, own, || value),
        };
        let mut own = shape;
        if let Some(dimension) = split {
            own[dimension] = self.share.range(own[dimension]).len();
        }
        let id = id_of(&name);
        let tensor = Tensor::from_data(TensorData::new(held, own), self.device);
        let tensor = if self.device.is_autodiff() { tensor.require_grad() } else { tensor };
        self.parameters.push(Parameter { name, id, shape: shape.to_vec(), split, layout, part });
        Param::initialized(id, tensor)
    }
}

/// Identity of the parameter of a name.
#[must_use]
pub fn id_of(name: &str) -> ParamId {
    let digest = Sha256::digest(name);
    ParamId::from(digest.iter().take(8).fold(0, |id: u64, byte| id << 8 | u64::from(*byte)))
}

/// Whether a rank holds the value at a place of a tensor.
fn is_held(at: usize, shape: &[usize], split: Option<usize>, of: Share) -> bool {
    split.is_none_or(|dimension| {
        let inner: usize = shape[dimension + 1..].iter().product();
        of.range(shape[dimension]).contains(&(at / inner % shape[dimension]))
    })
}

/// Of so many values that are drawn one after the other, those at places that are held.
fn kept(count: usize, is_held: impl Fn(&usize) -> bool, mut draw: impl FnMut() -> f32) -> Vec<f32> {
    let mut held = Vec::with_capacity((0..count).filter(&is_held).count());
    held.extend((0..count).map(|at| (at, draw())).filter(|(at, _)| is_held(at)).map(|(_, value)| value));
    held
}

/// The part of a tensor that a rank holds.
#[must_use]
pub fn held(values: &[f32], shape: &[usize], split: Option<usize>, of: Share) -> Vec<f32> {
    let Some(dimension) = split.filter(|_| of.of > 1) else { return values.to_vec() };
    let inner: usize = shape[dimension + 1..].iter().product();
    let (whole, part) = (shape[dimension] * inner, of.range(shape[dimension]));
    values.chunks(whole).flat_map(|rows| &rows[part.start * inner..part.end * inner]).copied().collect()
}

/// A tensor from the parts that ranks hold, in their order.
#[must_use]
pub fn joined(parts: &[Vec<f32>], shape: &[usize], split: Option<usize>) -> Vec<f32> {
    let Some(dimension) = split.filter(|_| parts.len() > 1) else { return parts[0].clone() };
    let outer: usize = shape[..dimension].iter().product();
    let rows = (0..outer).flat_map(|row| {
        parts.iter().flat_map(move |values| {
            let part = values.len() / outer;
            &values[row * part..(row + 1) * part]
        })
    });
    rows.copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_join_to_the_whole_along_any_dimension() {
        let shape = [4, 6, 2];
        let values: Vec<f32> = (0..48).map(|value| value as f32).collect();
        let cuts =
            [(None, 1), (None, 2), (Some(0), 2), (Some(0), 3), (Some(0), 4), (Some(1), 3), (Some(1), 4), (Some(2), 2)];
        for (split, of) in cuts.into_iter().chain([(Some(1), 1)]) {
            let parts: Vec<_> = (0..of).map(|rank| held(&values, &shape, split, Share { rank, of })).collect();
            assert_eq!(joined(&parts, &shape, split), values, "{split:?} over {of}");
        }
        assert_eq!(held(&values, &shape, Some(1), Share { rank: 1, of: 3 })[..6], [4.0, 5.0, 6.0, 7.0, 16.0, 17.0]);
        assert_eq!((0..3).map(|rank| Share { rank, of: 3 }.range(7)).collect::<Vec<_>>(), [0..3, 3..5, 5..7]);
    }

    #[test]
    fn values_follow_from_seed_and_name() {
        let device = Device::flex();
        let draw = |seed: u64, name: &str, share: Share| {
            let wanted = Wanted::new([8, 5], Initial::Uniform(0.5)).split(1);
            super::super::host(Build::new(&device, share, seed).parameter(name, wanted).val())
        };
        let whole = draw(1, "a", Share::WHOLE);
        assert_eq!(whole, draw(1, "a", Share::WHOLE));
        assert_ne!(whole, draw(2, "a", Share::WHOLE));
        assert_ne!(whole, draw(1, "b", Share::WHOLE));
        let parts = [0, 1].map(|rank| draw(1, "a", Share { rank, of: 2 }));
        assert_eq!(joined(&parts, &[8, 5], Some(1)), whole);
    }
}
