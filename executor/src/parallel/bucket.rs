//! Runs of gradients that replicas exchange at a time.

use std::ops::Range;

use burn::module::{Module as _, ParamId};

use super::stage::Held;
use crate::model::{Network, flat};

/// Parameters whose gradients are exchanged together. They lie side by side in the rank's flat buffer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bucket {
    /// Chunk of the stage that holds them.
    pub chunk: usize,
    /// The parameters, in order.
    pub parameters: Vec<ParamId>,
    /// Where they lie in the flat buffer.
    pub values: Range<usize>,
    /// The first piece that has one of them: when it has gone back, the gradients are complete. The matrix that embedding
    /// and output share is complete at the end, and has a bucket of its own.
    pub first_piece: usize,
}

/// All parameters of a rank in buckets, in the order in which their gradients are complete: from the network's end. A
/// bucket is full at `bytes`, and holds whole parameters.
#[must_use]
pub fn buckets(held: &Held, bytes: usize) -> Vec<Bucket> {
    let mut begin = 0;
    let mut by_chunk = Vec::with_capacity(held.chunks.len());
    for (chunk, network) in held.chunks.iter().enumerate() {
        by_chunk.push(of_network(chunk, network, begin, bytes));
        begin += network.num_params();
    }
    by_chunk.into_iter().rev().flatten().collect()
}

/// Pieces that a backward pass is cut before, so that full buckets go on their way.
#[must_use]
pub fn cuts(network: &Network, bytes: usize) -> Vec<usize> {
    let buckets = of_network(0, network, 0, bytes);
    let mut cuts: Vec<usize> = buckets.iter().map(|bucket| bucket.first_piece).collect();
    // What is left behind the last cut is complete at the end anyway.
    let first = cuts.iter().copied().min();
    cuts.dedup();
    cuts.retain(|piece| Some(*piece) != first);
    cuts
}

fn of_network(chunk: usize, network: &Network, begin: usize, bytes: usize) -> Vec<Bucket> {
    let spans = flat::spans(network);
    let owners = network.pieces().iter().enumerate().flat_map(|(piece, module)| vec![piece; flat::spans(module).len()]);
    let owners: Vec<usize> = owners.collect();
    let (own, tied) = spans.split_at(owners.len());
    let mut buckets: Vec<Bucket> = Vec::new();
    for ((id, start, length), piece) in own.iter().zip(owners).rev() {
        let values = begin + start..begin + start + length;
        match buckets.last_mut().filter(|bucket| 4 * bucket.values.len() < bytes) {
            Some(open) => {
                open.parameters.insert(0, *id);
                (open.values.start, open.first_piece) = (values.start, piece);
            }
            None => buckets.push(Bucket { chunk, parameters: vec![*id], values, first_piece: piece }),
        }
    }
    let of_tied = |(id, start, length): &(ParamId, usize, usize)| Bucket {
        chunk,
        parameters: vec![*id],
        values: begin + start..begin + start + length,
        first_piece: 0,
    };
    buckets.extend(tied.iter().map(of_tied));
    buckets
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;
    use scenarios::model::Model;

    use super::*;
    use crate::model::Description;

    fn held(description: &serde_json::Value) -> Held {
        let model: Model = serde_json::from_value(description.clone()).expect("a model");
        let description = Description::of(&model).expect("it is possible");
        Held { chunks: vec![Network::new(&description, description.whole(), 1, &Device::flex())] }
    }

    #[test]
    fn buckets_hold_everything_once_from_the_end() {
        let decoder = |tied: bool| {
            serde_json::json!({ "transformer": {
                "kind": "decoder", "layers": 2, "hidden": 16, "heads": 4, "ffn": 32, "vocabulary": 12, "sequence": 8,
                "positions": "learned", "norm": "layer", "bias": true, "tied": tied,
            } })
        };
        let check = |description: &serde_json::Value, bytes: usize, expected: usize| {
            let held = held(description);
            let buckets = buckets(&held, bytes);
            assert_eq!(buckets.len(), expected, "{bytes}: {buckets:?}");
            let mut ranges: Vec<_> = buckets.iter().map(|bucket| bucket.values.clone()).collect();
            ranges.sort_by_key(|range| range.start);
            assert!(ranges.windows(2).all(|pair| pair[0].end == pair[1].start), "{ranges:?}");
            assert_eq!((ranges[0].start, ranges[ranges.len() - 1].end), (0, held.num_params()));
            assert!(buckets.windows(2).all(|pair| pair[0].first_piece >= pair[1].first_piece), "{buckets:?}");
            let cuts = cuts(&held.chunks[0], bytes);
            assert!(cuts.len() < expected && cuts.windows(2).all(|pair| pair[0] > pair[1]), "{cuts:?}");
        };
        check(&decoder(false), 1 << 30, 1);
        check(&decoder(true), 1 << 30, 2);
        check(&serde_json::json!({ "mlp": { "inputs": 8, "hidden": [16, 16], "outputs": 4 } }), 1, 6);
        check(&serde_json::json!({ "mlp": { "inputs": 8, "hidden": [16, 16], "outputs": 4 } }), 800, 2);
    }
}
