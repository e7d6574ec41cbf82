//! Transformers of every combination of options.

mod behaviour;
mod files;
mod reference;

use std::num::NonZeroUsize;

use burn::tensor::{Device, Tensor};
use scenarios::model::{Experts, Model, Norm, Positions, Transformer, TransformerKind};

use super::super::harness::{self, Records, assert_equal, texts};
use super::super::{Description, Network};
use crate::data::Targets;

fn n(value: usize) -> NonZeroUsize {
    NonZeroUsize::new(value).expect("not zero")
}

/// A decoder of two layers with four heads of four values.
fn tiny() -> Transformer {
    Transformer {
        kind: TransformerKind::Decoder,
        layers: n(2),
        hidden: n(16),
        heads: n(4),
        kv_heads: None,
        head_size: None,
        ffn: n(24),
        gated: false,
        experts: None,
        vocabulary: n(8),
        sequence: n(6),
        positions: Positions::Rotary,
        norm: Norm::Rms,
        bias: false,
        tied: false,
        classes: None,
    }
}

fn gpt() -> Transformer {
    Transformer { positions: Positions::Learned, norm: Norm::Layer, bias: true, tied: true, ..tiny() }
}

fn llama() -> Transformer {
    Transformer { kv_heads: Some(n(2)), gated: true, ..tiny() }
}

fn bert() -> Transformer {
    Transformer { kind: TransformerKind::Encoder, ..gpt() }
}

/// Every combination of kind, head and the other options.
fn all() -> Vec<Transformer> {
    let heads =
        [(TransformerKind::Decoder, None), (TransformerKind::Encoder, None), (TransformerKind::Encoder, Some(n(3)))];
    let combination = |bits: usize| {
        let is = move |bit: usize| bits >> bit & 1 == 1;
        heads.map(|(kind, classes)| Transformer {
            kind,
            classes,
            kv_heads: is(0).then(|| n(2)),
            head_size: is(1).then(|| n(6)),
            gated: is(2),
            positions: if is(3) { Positions::Learned } else { Positions::Rotary },
            norm: if is(4) { Norm::Layer } else { Norm::Rms },
            bias: is(5),
            tied: is(6),
            ..tiny()
        })
    };
    (0..1 << 7).flat_map(combination).collect()
}

fn network(model: Transformer, device: &Device) -> Network {
    let description = Description::of(&Model::Transformer(model)).expect("it can be carried out");
    Network::new(&description, description.whole(), 7, device)
}

#[test]
fn parameters_are_those_of_the_description() {
    for model in all() {
        let expected = Model::Transformer(model.clone()).parameters().expect("it is a network");
        let network = network(model.clone(), &Device::flex());
        assert_eq!(network.size() as u64, expected, "{model:?}");
        let counted: usize = network.parameters().iter().map(|p| p.shape.iter().product::<usize>()).sum();
        assert_eq!(counted as u64, expected, "{model:?}");
    }
}

#[test]
fn what_cannot_be_carried_out_is_told() {
    let check = |change: fn(&mut Transformer), ranks: usize, expected: &str| {
        let mut model = llama();
        change(&mut model);
        let description = Description::of(&Model::Transformer(model));
        let found = description.and_then(|description| description.check_shares(ranks));
        assert_eq!(found.map_err(|error| error.to_string()).err().unwrap_or_default(), expected);
    };
    check(|_| (), 1, "");
    check(|_| (), 2, "");
    check(|_| (), 4, "`kv_heads` (2) is not divisible by `ranks of a tensor group` (4)");
    check(|t| t.vocabulary = n(9), 2, "");
    check(|t| t.vocabulary = n(1), 2, "`vocabulary` (1) is not divisible by `ranks of a tensor group` (2)");
    check(|t| t.head_size = Some(n(5)), 1, "`head_size` (5) is not divisible by `pairs of rotary positions` (2)");
    let experts = |t: &mut Transformer| t.experts = Some(Experts { count: n(2), active: n(1), shared: 0 });
    check(experts, 1, "`experts` can be planned, but not carried out");
}

#[test]
fn every_piece_has_its_work() {
    for (model, pieces) in [(gpt(), 11), (bert(), 12), (Transformer { layers: n(1), ..llama() }, 7)] {
        let description = Description::of(&Model::Transformer(model)).expect("it can be carried out");
        assert_eq!(description.pieces(), pieces);
        let work = description.work();
        assert!(work.len() == pieces && work.iter().all(|work| *work > 0.0), "{work:?}");
    }
}

#[test]
fn ranks_that_share_matrices_compute_what_one_does() {
    let classes: Records = |device| {
        let (inputs, _) = texts(device);
        (inputs, Targets::Classes(Tensor::from_data([2, 0], device)))
    };
    let check = |model: Transformer, ranks: usize, records: Records| {
        let what = format!("{ranks} ranks of {model:?}");
        let model = Model::Transformer(model);
        let (found, expected) = (harness::shared(&model, ranks, records), harness::whole(&model, records));
        assert_equal(&found, &expected, &what);
    };
    for ranks in [1, 2, 4] {
        check(gpt(), ranks, texts);
        check(Transformer { tied: false, gated: true, ..gpt() }, ranks, texts);
        check(Transformer { kv_heads: None, ..llama() }, ranks, texts);
        check(Transformer { bias: true, tied: true, kv_heads: None, ..llama() }, ranks, texts);
        check(bert(), ranks, texts);
        check(Transformer { tied: false, ..bert() }, ranks, texts);
        check(Transformer { classes: Some(n(3)), ..bert() }, ranks, classes);
        check(Transformer { vocabulary: n(11), ..bert() }, ranks, texts);
        check(Transformer { vocabulary: n(10), tied: false, ..gpt() }, ranks, texts);
    }
    check(llama(), 2, texts);
    check(Transformer { kv_heads: Some(n(2)), ..gpt() }, 2, texts);
}
