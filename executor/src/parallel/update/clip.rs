//! The length of a gradient that many ranks hold together.

use std::collections::HashSet;

use burn::module::{Module, ModuleVisitor, Param, ParamId};
use burn::tensor::Tensor;

use super::super::topology::Topology;
use crate::model::build::Parameter;
use crate::transport::{Reduction, Transport, TransportError};

/// Which values of a rank's flat buffer count to the length: each parameter of the network once. Ranks of a tensor group all
/// hold what they don't share, and two stages may hold one parameter.
#[derive(Debug, Clone)]
pub struct Counted {
    /// Length of each parameter in the buffer, and whether it counts here.
    spans: Vec<(usize, bool)>,
}

impl Counted {
    /// What counts in a rank that holds these parameters; `elsewhere` are those that an earlier stage counts.
    #[must_use]
    pub fn new(
        held: &impl Module,
        parameters: &[Parameter],
        elsewhere: &HashSet<ParamId>,
        topology: &Topology,
    ) -> Self {
        struct Spans<'a> {
            spans: Vec<(usize, bool)>,
            counts: &'a dyn Fn(ParamId) -> bool,
        }
        impl ModuleVisitor for Spans<'_> {
            fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
                self.spans.push((parameter.val().shape().num_elements(), (self.counts)(parameter.id)));
            }
        }
        let shared: HashSet<ParamId> =
            parameters.iter().filter(|parameter| parameter.split.is_some()).map(|parameter| parameter.id).collect();
        let first = topology.place.tensor == 0;
        let counts = |id: ParamId| (first || shared.contains(&id)) && !elsewhere.contains(&id);
        let mut spans = Spans { spans: Vec::new(), counts: &counts };
        held.visit(&mut spans);
        Self { spans: spans.spans }
    }

    /// Sum of the squares of what counts in the part of the buffer that begins at `from`.
    #[must_use]
    pub fn squares(&self, part: &[f32], from: usize) -> f64 {
        let mut begin = 0;
        let mut sum = 0.0;
        for (length, counts) in &self.spans {
            let end = begin + length;
            let inside = begin.max(from)..end.min(from + part.len());
            if *counts && !inside.is_empty() {
                let values = &part[inside.start - from..inside.end - from];
                sum += values.iter().map(|value| f64::from(*value) * f64::from(*value)).sum::<f64>();
            }
            begin = end;
        }
        sum
    }
}

/// What a gradient is multiplied by so that it is no longer than `most`: from the squares that this rank counts.
///
/// # Errors
/// Another rank has left or hangs.
pub fn factor(most: f64, squares: f64, groups: &[&dyn Transport]) -> Result<f32, TransportError> {
    // As a sum of parts that 32 bits hold.
    let high = squares as f32;
    let mut sum = vec![high, (squares - f64::from(high)) as f32];
    for group in groups {
        group.all_reduce(&mut sum, Reduction::Sum)?;
    }
    let length = sum.iter().map(|part| f64::from(*part)).sum::<f64>().max(0.0).sqrt();
    // PyTorch's clip_grad_norm_ adds the same small number.
    Ok(if length > most { (most / (length + 1e-6)) as f32 } else { 1.0 })
}
