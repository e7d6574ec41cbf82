//! A whole network out of the parts that ranks hold.

use std::collections::HashMap;

use burn::module::ParamId;

use super::stage::Held;
use super::topology::Topology;
use crate::model::build::{Parameter, Share, joined};
use crate::model::{Network, flat};
use crate::transport::{Reduction, TransportError};

/// The same parameters with the mean of all replicas in their place.
///
/// # Errors
/// Another rank has left or hangs.
pub fn mean_of_replicas(held: &Held, topology: &Topology) -> Result<Held, TransportError> {
    let mut values = flat::parameters(held);
    topology.replicas.all_reduce(&mut values, Reduction::Sum)?;
    let share = 1.0 / topology.shape.replicas as f32;
    for value in &mut values {
        *value *= share;
    }
    Ok(flat::with_parameters(held.clone(), &values))
}

/// All parameters of the network, whole, in the first rank; all ranks that learn take part.
///
/// # Errors
/// Another rank has left or hangs.
pub fn whole(held: &Held, topology: &Topology) -> Result<Option<HashMap<ParamId, Vec<f32>>>, TransportError> {
    if topology.place.replica > 0 {
        return Ok(None);
    }
    let parts = topology.tensor.all_gather(flat::parameters(held))?;
    if topology.place.tensor > 0 {
        return Ok(None);
    }
    let own = joined_parameters(held, &parts);
    let mut packed = Vec::new();
    for (id, values) in own {
        packed.extend(flat::words(id));
        packed.push(f32::from_bits(values.len() as u32));
        packed.extend(values);
    }
    let stages = topology.stages.all_gather(packed)?;
    Ok((topology.place.stage == 0).then(|| stages.iter().flat_map(|packed| unpacked(packed)).collect()))
}

/// Running figures of the whole network in the order of its pieces, as the first replica has them; all ranks that learn take
/// part.
///
/// # Errors
/// Another rank has left or hangs.
pub fn running(held: &Held, topology: &Topology) -> Result<Vec<f32>, TransportError> {
    let mut all = Vec::new();
    for chunk in &held.chunks {
        let own = chunk.running().flat_map(|running| running.values().concat()).collect();
        all.extend(topology.stages.all_gather(own)?.concat());
    }
    Ok(all)
}

/// Parameters of one stage out of the flat buffers of its tensor group, whose parts differ where a size is not divided evenly.
fn joined_parameters(held: &Held, parts: &[Vec<f32>]) -> Vec<(ParamId, Vec<f32>)> {
    let by_id: HashMap<ParamId, &Parameter> =
        held.chunks.iter().flat_map(Network::parameters).map(|parameter| (parameter.id, parameter)).collect();
    let mut rest: Vec<&[f32]> = parts.iter().map(Vec::as_slice).collect();
    let whole = |(id, _, length): (ParamId, usize, usize)| {
        let (shape, split) = by_id.get(&id).map_or((&[][..], None), |known| (&known.shape, known.split));
        let own = |(rank, rest): (usize, &mut &[f32])| {
            let length = split.map_or(length, |dimension| {
                let others = shape.iter().product::<usize>() / shape[dimension].max(1);
                Share { rank, of: parts.len() }.range(shape[dimension]).len() * others
            });
            let (own, behind) = rest.split_at(length.min(rest.len()));
            *rest = behind;
            own.to_vec()
        };
        let own: Vec<Vec<f32>> = rest.iter_mut().enumerate().map(own).collect();
        (id, joined(&own, shape, split))
    };
    flat::spans(held).into_iter().map(whole).collect()
}

fn unpacked(mut packed: &[f32]) -> Vec<(ParamId, Vec<f32>)> {
    let mut found = Vec::new();
    while let Some(([low, high, length], rest)) = packed.split_first_chunk::<3>() {
        let (values, rest) = rest.split_at((length.to_bits() as usize).min(rest.len()));
        found.push((flat::of_words([*low, *high]), values.to_vec()));
        packed = rest;
    }
    found
}
